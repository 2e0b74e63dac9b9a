/* How a convolution is cut for Winograd's algorithm.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "core/blocks.h"

#include <assert.h>

enum { LINE = LAYER_WINOGRAD_LINE, KERNEL = 3 };

/* Output channels of a panel: a row of the product's right factor. */
enum { MOST_PANEL = 64 };

/* Floats of a block's transformed input, which shares level 2 with a panel's weights and products;
 * and tiles: with fewer the weights are read too often, with more the products spill. */
enum { BLOCK_COUNT = 1 << 18, FEWEST_TILES = 14, MOST_TILES = 64 };

/* With fewer sets than this, threads would wait for each other at the end. */
enum { FEWEST_SETS = 8 };

static size_t rounded_up(size_t count, size_t unit)
{
    return layer_blocks_of(count, unit) * unit;
}

static void choose_transforms(layer_winograd_plan *plan)
{
    switch (plan->conv->algorithm) {
    case LAYER_CONV_WINOGRAD2:
        plan->outputs = 2;
        plan->kernels_at = layer_winograd2_kernels_at;
        break;
    case LAYER_CONV_WINOGRAD4:
        plan->outputs = 4;
        plan->kernels_at = layer_winograd4_kernels_at;
        break;
    default:
        assert(plan->conv->algorithm == LAYER_CONV_WINOGRAD6);
        plan->outputs = 6;
        plan->kernels_at = layer_winograd6_kernels_at;
        break;
    }
    plan->points = (plan->outputs + KERNEL - 1) * (plan->outputs + KERNEL - 1);
}

static void cut_channels(layer_winograd_plan *plan)
{
    const layer_conv *const conv = plan->conv;
    plan->groups = (size_t)conv->group;
    plan->group_channels = (size_t)conv->weight.extent[1];
    plan->group_outputs = (size_t)conv->weight.extent[0] / plan->groups;
    plan->panels = layer_blocks_of(plan->group_outputs, MOST_PANEL);
    plan->panel = rounded_up(layer_blocks_of(plan->group_outputs, plan->panels), LINE);
    plan->panels = layer_blocks_of(plan->group_outputs, plan->panel);
    plan->weight_point_stride = plan->group_channels * plan->panel;
    plan->weight_panel_stride = plan->points * plan->weight_point_stride;
}

static void cut_tiles(layer_winograd_plan *plan)
{
    const layer_conv *const conv = plan->conv;
    const size_t height = (size_t)conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)conv->window[LAYER_WIDTH].output;
    plan->tile_rows = layer_blocks_of(height, plan->outputs);
    plan->strips = (size_t)conv->output.extent[0] * plan->tile_rows;
    plan->row_tiles = layer_blocks_of(width, plan->outputs);
    const size_t most = (LAYER_WINOGRAD_SPAN - (KERNEL - 1)) / plan->outputs;
    plan->strip_tiles = layer_blocks_of(plan->row_tiles, layer_blocks_of(plan->row_tiles, most));
    plan->parts = layer_blocks_of(plan->row_tiles, plan->strip_tiles);
    const size_t fitting = BLOCK_COUNT / (plan->points * plan->input_tile_stride);
    const size_t tiles = fitting < FEWEST_TILES ? FEWEST_TILES : layer_smaller(fitting, MOST_TILES);
    plan->block_strips = layer_smaller(layer_blocks_of(tiles, plan->strip_tiles), plan->strips);
    plan->block_strips =
        layer_blocks_of(plan->strips, layer_blocks_of(plan->strips, plan->block_strips));
    plan->row_blocks = layer_blocks_of(plan->strips, plan->block_strips);
    plan->sets = plan->row_blocks * plan->parts * plan->groups;
    plan->is_shared = plan->sets < FEWEST_SETS;
}

/* A line of slack keeps points apart that would otherwise fall into one set of the cache. */
static void lay_out(layer_winograd_plan *plan)
{
    const size_t tiles = plan->block_strips * plan->strip_tiles;
    plan->input_point_stride = tiles * plan->input_tile_stride + LINE;
    plan->input_count = plan->points * plan->input_point_stride;
    plan->product_point_stride = tiles * plan->panel + LINE;
    plan->product_count = plan->points * plan->product_point_stride;
    plan->scratch_count = (plan->outputs + KERNEL) * LINE * LAYER_WINOGRAD_SPAN;
}

layer_winograd_plan layer_winograd_cut(const layer_conv *conv)
{
    layer_winograd_plan plan = {.conv = conv};
    choose_transforms(&plan);
    cut_channels(&plan);
    plan.input_tile_stride = rounded_up(plan.group_channels, LINE) + LINE;
    cut_tiles(&plan);
    lay_out(&plan);
    return plan;
}

layer_winograd_set layer_winograd_set_at(const layer_winograd_plan *plan, size_t index)
{
    const size_t part = index % plan->parts, blocks = index / plan->parts;
    const size_t strip = blocks % plan->row_blocks * plan->block_strips;
    const size_t tile = part * plan->strip_tiles;
    return (layer_winograd_set){
        .group = blocks / plan->row_blocks,
        .strip = strip,
        .strips = layer_smaller(plan->block_strips, plan->strips - strip),
        .tile = tile,
        .tiles = layer_smaller(plan->strip_tiles, plan->row_tiles - tile),
    };
}
