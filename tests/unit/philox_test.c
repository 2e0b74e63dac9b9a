/* Philox's known answers, and the first elements of the streams made of it.
 * SPDX-License-Identifier: MIT */
#include "layer/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void philox_gives_its_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], output[4];
    } answers[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint32_t output[4];
        layer_philox(answers[i].counter, answers[i].key, output);
        assert_memory_equal(output, answers[i].output, sizeof output);
    }
}

/* Computed from the definition in layer/random.h by a program of its own. */
static const struct {
    uint64_t seed, index;
    double uniform, normal;
} streams[] = {
    {42, 0, 0.61295988119672984, -0.48595370776513486},
    {42, 1, 0.4685865183128044, -1.9755590917286678},
    {42, 2, 0.073231737478636205, 0.019896262632193896},
    {42, 3, 0.3408615494845435, 0.12923737938702551},
    {42, 4, 0.98771865095477551, -1.09215947663582},
    {0xfedcba9876543210, 0, 0.72771473519969732, 0.052932049761366125},
    {42, 0x123456789abcdef, 0.69651371578220278, 0.44198905643829617},
};

static void uniform_streams_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const double uniform = layer_random_uniform(streams[i].seed, streams[i].index);
        assert_true(uniform == streams[i].uniform);
    }
}

/* Not to the last bit: a logarithm or a sine may differ there from one libm to the next. */
static void normal_streams_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const double normal = layer_random_normal(streams[i].seed, streams[i].index);
        assert_true(fabs(normal - streams[i].normal) <= 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_its_known_answers),
        cmocka_unit_test(uniform_streams_are_as_published),
        cmocka_unit_test(normal_streams_are_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
