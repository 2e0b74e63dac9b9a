/* The plan of a weight gradient by Winograd's algorithm.
 * SPDX-License-Identifier: MIT */
#include "conv/gradient_plan.h"
#include "conv/winograd.h"
#include "core/blocks.h"

enum { LINE = 16, OUTPUTS = LAYER_GRADIENT_OUTPUTS, POINTS = LAYER_GRADIENT_POINTS };

/* The most tiles of a strip, by what transforms can take; and floats of what a round transforms,
 * near, or as many as there are sums: else adding to these would take the time. */
enum { MOST_STRIP = (LAYER_WINOGRAD_SPAN - 2) / OUTPUTS, MOST_ROUND_COUNT = 1 << 22 };

/* A block's weights: so many input and output channels at most, fewer of the latter where there
 * would be few tasks. */
enum { MOST_INPUTS = 64, MOST_OUTPUTS = 64, LEAST_OUTPUTS = 16, FEWEST_TASKS = 4 };

/* The most sections, and the tiles of one at least. */
enum { MOST_SECTIONS = 8, SECTION_TILES = 96 };

static size_t padded(size_t count)
{
    return layer_rounded_up(count, LINE);
}

static void plan_tiles(layer_gradient_plan *made, const layer_conv *conv)
{
    made->tile_rows = layer_blocks_of((size_t)conv->window[LAYER_HEIGHT].output, OUTPUTS);
    made->row_tiles = layer_blocks_of((size_t)conv->window[LAYER_WIDTH].output, OUTPUTS);
    const size_t parts = layer_blocks_of(made->row_tiles, MOST_STRIP);
    made->strip_tiles = layer_blocks_of(made->row_tiles, parts);
    made->parts = layer_blocks_of(made->row_tiles, made->strip_tiles);
    made->rows = (size_t)conv->input.extent[0] * made->tile_rows;
}

/* Only where sums are few enough to be near, too. */
static void plan_sections(layer_gradient_plan *made)
{
    const size_t sums = made->groups * POINTS * padded(made->inputs) * made->outputs;
    const size_t fitting = made->rows * made->row_tiles / SECTION_TILES;
    made->sections = 1;
    if (sums <= LAYER_GRADIENT_NEAR && fitting > 1)
        made->sections = layer_smaller(layer_smaller(fitting, MOST_SECTIONS), made->rows);
}

static void plan_blocks(layer_gradient_plan *made)
{
    const size_t inputs = layer_blocks_of(made->inputs, MOST_INPUTS);
    made->block_inputs = padded(layer_blocks_of(made->inputs, inputs));
    made->input_blocks = layer_blocks_of(made->inputs, made->block_inputs);
    const size_t others = made->groups * made->input_blocks;
    const bool are_few = others * layer_blocks_of(made->outputs, MOST_OUTPUTS) < FEWEST_TASKS;
    const size_t most = are_few ? LEAST_OUTPUTS : MOST_OUTPUTS;
    made->block_outputs = layer_blocks_of(made->outputs, layer_blocks_of(made->outputs, most));
    made->output_blocks = layer_blocks_of(made->outputs, made->block_outputs);
    made->blocks = others * made->output_blocks;
}

/* A line of slack, or an odd number of lines, keeps apart what would otherwise fall into one set of
 * the cache. */
static void plan_room(layer_gradient_plan *made)
{
    made->input_tile = padded(made->inputs) + LINE;
    const size_t tile = made->groups * POINTS * (made->input_tile + made->outputs);
    const size_t sums = made->groups * POINTS * made->inputs * made->outputs;
    const size_t count = layer_smaller(layer_larger(LAYER_GRADIENT_NEAR, sums), MOST_ROUND_COUNT);
    const size_t rows = layer_blocks_of(made->rows, made->sections);
    const size_t fitting = layer_larger(count / (tile * made->row_tiles), 1);
    made->round_rows = layer_smaller(fitting, rows);
    const size_t tiles = made->round_rows * made->row_tiles;
    made->input_point = tiles * made->input_tile + LINE;
    made->gradient_channel = (layer_blocks_of(tiles, LINE) | 1) * LINE;
    made->gradient_point = made->outputs * made->gradient_channel + LINE;
    made->inputs_count = made->groups * POINTS * made->input_point;
    made->gradients_count = made->groups * POINTS * made->gradient_point;
    made->sum_row = made->block_inputs;
    made->sum_point = made->block_outputs * made->sum_row + LINE;
    made->sums_count = POINTS * made->sum_point;
}

layer_gradient_plan layer_gradient_plan_of(const layer_conv *conv)
{
    layer_gradient_plan made = {
        .groups = (size_t)conv->group,
        .inputs = (size_t)conv->weight.extent[1],
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
    };
    plan_tiles(&made, conv);
    plan_sections(&made);
    plan_blocks(&made);
    plan_room(&made);
    made.input_chunks = layer_blocks_of(made.inputs, LAYER_GRADIENT_CHANNELS);
    made.output_chunks = layer_blocks_of(made.outputs, LAYER_GRADIENT_CHANNELS);
    return made;
}
