/* Properties of convolution with what is not finite: it shows in all outputs whose windows see it,
 * and stays in its sample, or with a weight in its output channel, whatever the algorithm.
 * SPDX-License-Identifier: MIT */
#include "oracle/conv_oracle.h"
#include "support/conv_running.h"
#include "support/conv_sampling.h"
#include "support/floats.h"
#include "support/part.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GEOMETRIES = 60 / PART };

enum {
#define COUNT(id, name, bound, sentence) +1
    ALGORITHMS = LAYER_CONV_AUTO + 1 LAYER_CONV_ALGORITHM_LIST(COUNT),
#undef COUNT
};

/* What outputs are, and by definition. */
typedef struct {
    float *found;
    double *expected;
} outputs;

/* Outputs outside of `count` from `first` on are numbers still. */
static void check_others(const layer_conv *conv, const outputs *all, size_t first, size_t count)
{
    const size_t whole = floats_count(&conv->output);
    for (size_t at = 0; at < whole; at++)
        if ((at < first || at >= first + count) && isnan(all->found[at]))
            fail_msg("%s: output %zu is spoilt from elsewhere", conv_sampling_sentence(conv), at);
}

static void check_shown(const layer_conv *conv, const outputs *all)
{
    const size_t whole = floats_count(&conv->output);
    for (size_t at = 0; at < whole; at++)
        if (isnan(all->expected[at]) && !isnan(all->found[at]))
            fail_msg("%s: output %zu is %.9g, and sees a NaN", conv_sampling_sentence(conv), at,
                     (double)all->found[at]);
}

/* One of `count` elements that are cut into `parts`; sets which part it is in. */
static float *draw_element(sampling *from, float *elements, size_t count, size_t parts,
                           size_t *part)
{
    const size_t at = (size_t)sampling_between(from, 0, (int)count - 1);
    *part = at / (count / parts);
    return &elements[at];
}

static void check_sample(sampling *from, const layer_conv *conv, conv_operands *given, outputs *all,
                         conv_way way)
{
    const size_t samples = (size_t)conv->input.extent[0];
    const size_t each = floats_count(&conv->output) / samples;
    size_t sample;
    float *const element =
        draw_element(from, given->input, floats_count(&conv->input), samples, &sample);
    const float kept = *element;
    *element = NAN;
    assert_int_equal(conv_run(conv, given, all->found, way), LAYER_OK);
    conv_oracle(conv, given->input, given->weight, given->bias, all->expected);
    check_others(conv, all, sample * each, each);
    check_shown(conv, all);
    *element = kept;
}

/* The outputs of a channel are neighbours where there is one sample. A weight that lies on padding
 * may show or not. */
static void check_channel(sampling *from, const layer_conv *conv, conv_operands *given,
                          outputs *all, conv_way way)
{
    const size_t channels = (size_t)conv->weight.extent[0];
    const size_t each = floats_count(&conv->output) / channels;
    size_t channel;
    float *const element =
        draw_element(from, given->weight, floats_count(&conv->weight), channels, &channel);
    const float kept = *element;
    *element = NAN;
    assert_int_equal(conv_run(conv, given, all->found, way), LAYER_OK);
    check_others(conv, all, channel * each, each);
    *element = kept;
}

static void check_algorithm(sampling *from, const layer_conv *conv)
{
    const size_t count = floats_count(&conv->output);
    const conv_way way = {
        2, (layer_isa)sampling_between(from, LAYER_ISA_BASELINE, (int)layer_isa_best()), NULL};
    conv_operands given = conv_operands_draw(from, conv, true);
    outputs all = {floats_new(count), doubles_new(count)};
    check_sample(from, conv, &given, &all, way);
    if (conv->input.extent[0] == 1)
        check_channel(from, conv, &given, &all, way);
    free(all.found);
    free(all.expected);
    conv_operands_release(&given);
}

static void what_is_not_finite_stays_where_it_belongs(void **state)
{
    sampling *const from = *state;
    int counts[ALGORITHMS] = {0};
    for (int number = 0; number < 2 * GEOMETRIES; number++) {
        layer_conv conv;
        conv_geometry drawn = number % 2 == 0 ? conv_sampling_draw(from, 1, &conv)
                                              : conv_sampling_draw_favourite(from, &conv);
        for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < ALGORITHMS; algorithm++) {
            layer_error error;
            drawn.options.algorithm = (layer_conv_algorithm)algorithm;
            if (layer_conv_describe(&conv, &drawn.input, &drawn.weight, &drawn.options, &error) !=
                LAYER_OK)
                continue;
            check_algorithm(from, &conv);
            counts[algorithm]++;
        }
    }
    for (int algorithm = LAYER_CONV_AUTO + 1; algorithm < ALGORITHMS; algorithm++)
        assert_true(counts[algorithm] >= GEOMETRIES);
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(what_is_not_finite_stays_where_it_belongs, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
