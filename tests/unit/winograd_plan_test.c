/* How Winograd's algorithm cuts a convolution: every tile is in one set, whatever the shape.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "support/sampling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHAPES = 3000 };

static layer_conv draw_shape(sampling *from)
{
    const int group = sampling_between(from, 1, 3);
    const int most = sampling_between(from, 0, 1) == 0 ? 600 : 40;
    const int channels = sampling_between(from, 1, most), outputs = sampling_between(from, 1, most);
    const layer_shape input = {4,
                               {sampling_between(from, 1, 40), group * channels,
                                sampling_between(from, 1, 120), sampling_between(from, 1, 120)}};
    const layer_shape weight = {4, {group * outputs, channels, 3, 3}};
    const layer_conv_options options = {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER,
                                        .group = group,
                                        .algorithm = (layer_conv_algorithm)sampling_between(
                                            from, LAYER_CONV_WINOGRAD6, LAYER_CONV_WINOGRAD2)};
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
    return conv;
}

/* Adds one for each tile of the set: counts[group][strip][tile]. */
static void count_tiles(const layer_winograd_plan *plan, size_t index, unsigned char *counts)
{
    const layer_winograd_set set = layer_winograd_set_at(plan, index);
    assert_true(set.group < plan->groups && set.strips > 0 && set.tiles > 0);
    assert_true(set.strips <= plan->block_strips && set.tiles <= plan->strip_tiles);
    assert_true(set.strip + set.strips <= plan->strips);
    assert_true(set.tile + set.tiles <= plan->row_tiles);
    for (size_t i = 0; i < set.strips; i++)
        for (size_t j = 0; j < set.tiles; j++)
            counts[(set.group * plan->strips + set.strip + i) * plan->row_tiles + set.tile + j]++;
}

static void check_sets(const layer_conv *conv)
{
    const layer_winograd_plan plan = layer_winograd_cut(conv);
    const size_t tiles = plan.groups * plan.strips * plan.row_tiles;
    assert_true(plan.sets >= 1 && plan.sets <= tiles);
    unsigned char *const counts = calloc(tiles, 1);
    assert_non_null(counts);
    for (size_t i = 0; i < plan.sets; i++)
        count_tiles(&plan, i, counts);
    for (size_t i = 0; i < tiles; i++)
        assert_int_equal(counts[i], 1);
    free(counts);
}

static void every_tile_is_in_one_set(void **state)
{
    for (int number = 0; number < SHAPES; number++) {
        const layer_conv conv = draw_shape(*state);
        check_sets(&conv);
    }
}

/* 40 strips of which 3 were wanted in a block: rounding made 11 blocks of 4, and the rest negative.
 */
static void blocks_are_no_more_than_strips(void **state)
{
    (void)state;
    const layer_shape input = {4, {5, 64, 32, 32}}, weight = {4, {64, 64, 3, 3}};
    const layer_conv_options options = {.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER,
                                        .algorithm = LAYER_CONV_WINOGRAD4};
    layer_conv conv;
    layer_error error;
    assert_int_equal(layer_conv_describe(&conv, &input, &weight, &options, &error), LAYER_OK);
    check_sets(&conv);
}

/* Panels hold all output channels, and strips are no longer than the kernels take them. */
static void panels_and_strips_are_as_the_kernels_take_them(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < SHAPES; number++) {
        const layer_conv conv = draw_shape(from);
        const layer_winograd_plan plan = layer_winograd_cut(&conv);
        assert_true(plan.panels * plan.panel >= plan.group_outputs);
        assert_true((plan.panels - 1) * plan.panel < plan.group_outputs);
        assert_int_equal(plan.panel % LAYER_WINOGRAD_LINE, 0);
        assert_true(plan.strip_tiles * plan.outputs + 2 <= LAYER_WINOGRAD_SPAN);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_tile_is_in_one_set, &from),
        cmocka_unit_test(blocks_are_no_more_than_strips),
        cmocka_unit_test_prestate(panels_and_strips_are_as_the_kernels_take_them, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
