/* How a convolution is cut for Winograd's algorithm.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_plan.h"
#include "core/blocks.h"

#include <assert.h>

enum { LINE = LAYER_WINOGRAD_LINE, KERNEL = 3 };

/* Output channels of a panel: a row of the product's right factor. */
enum { MOST_PANEL = 64 };

/* Channels that a product sums at once: so many rows of a panel stay in level 1. Few tiles are soon
 * done with them: then there has to be room for the next ones, too. Prepared weights come in one
 * stream, whose products end the less often the deeper they are; others are transformed some
 * channels at a time, and have to stay in level 2 meanwhile. */
enum { MOST_DEPTH = 128, FEW_TILES = 16, MOST_DEPTH_OF_FEW = 64, MOST_DEPTH_OF_PREPARED = 512 };

/* Floats that level 2 has room for: a group's weights, a block's inputs and products. */
enum { LEVEL_2 = 3 << 17 };

/* Floats of a group's weights, twice level 2. A panel of more pushes a block's inputs out of it, so
 * each point's are multiplied with some panels in turn, at the cost of products that lie farther
 * away. More than MOST_PANELS gain nothing. */
enum { MOST_NEAR_WEIGHTS = 1 << 20, MOST_PANELS = 4 };

/* Tiles of a block: at least FEWEST, at most MOST_NEAR if weights stay in level 2. Otherwise they
 * come from farther away for each block, and it takes about MOST_FAR to hide that. */
enum { FEWEST_TILES = 10, MOST_NEAR_TILES = 28, MOST_FAR_TILES = 56 };

/* With fewer blocks than this threads share each one's panels, whose inputs have to be transformed
 * all before. With more, each thread has its block: a multiple of this many, of one size, so that
 * two and four threads are done together. */
enum { FEWEST_BLOCKS = 4, WANTED_BLOCKS = 8 };

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
    plan->panel = layer_rounded_up(layer_blocks_of(plan->group_outputs, plan->panels), LINE);
    plan->panels = layer_blocks_of(plan->group_outputs, plan->panel);
    plan->weight_point_stride = plan->group_channels * plan->panel;
    plan->weight_panel_stride = plan->points * plan->weight_point_stride;
    const bool are_far = plan->panels * plan->weight_panel_stride > MOST_NEAR_WEIGHTS;
    plan->most_panels = are_far ? layer_smaller(MOST_PANELS, plan->panels) : 1;
}

static void cut_depth(layer_winograd_plan *plan)
{
    const bool are_few = plan->strips * plan->row_tiles <= FEW_TILES;
    const size_t most = are_few                   ? MOST_DEPTH_OF_FEW
                        : plan->conv->is_prepared ? MOST_DEPTH_OF_PREPARED
                                                  : MOST_DEPTH;
    plan->depth =
        layer_blocks_of(plan->group_channels, layer_blocks_of(plan->group_channels, most));
    plan->fresh_point_stride = plan->depth * plan->panel + LINE;
}

/* How many tiles a block is to have. */
static size_t wanted_tiles(const layer_winograd_plan *plan)
{
    const size_t weights = plan->panels * plan->weight_panel_stride;
    const size_t tile = plan->points * (plan->input_tile_stride + plan->panel);
    const size_t fitting = weights < LEVEL_2 ? (LEVEL_2 - weights) / tile : 0;
    if (fitting < FEWEST_TILES)
        return MOST_FAR_TILES;
    const size_t share = plan->strips * plan->row_tiles * plan->groups / WANTED_BLOCKS;
    return layer_smaller(layer_smaller(fitting, MOST_NEAR_TILES),
                         layer_larger(share, FEWEST_TILES));
}

static void cut_blocks(layer_winograd_plan *plan)
{
    const size_t wanted = layer_larger(wanted_tiles(plan) / plan->strip_tiles, 1);
    const size_t others = plan->parts * plan->groups;
    size_t blocks = layer_larger((plan->strips + wanted / 2) / wanted, 1);
    plan->is_shared = blocks * others < FEWEST_BLOCKS;
    while (!plan->is_shared && blocks * others % FEWEST_BLOCKS != 0 && blocks < plan->strips)
        blocks++;
    plan->row_blocks = blocks;
    plan->block_strips = layer_blocks_of(plan->strips, blocks);
    plan->sets = blocks * others;
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
}

/* A line of slack keeps points apart that would otherwise fall into one set of the cache. */
static void lay_out(layer_winograd_plan *plan)
{
    const size_t tiles = plan->block_strips * plan->strip_tiles;
    plan->input_point_stride = tiles * plan->input_tile_stride + LINE;
    plan->input_count = plan->points * plan->input_point_stride;
    plan->product_point_stride = tiles * plan->panel + LINE;
    plan->product_count = plan->points * plan->product_point_stride;
    plan->scratch_count = LAYER_WINOGRAD_SCRATCH;
}

layer_winograd_plan layer_winograd_cut(const layer_conv *conv)
{
    layer_winograd_plan plan = {.conv = conv};
    choose_transforms(&plan);
    cut_channels(&plan);
    plan.input_tile_stride = layer_rounded_up(plan.group_channels, LINE) + LINE;
    cut_tiles(&plan);
    cut_depth(&plan);
    cut_blocks(&plan);
    lay_out(&plan);
    return plan;
}

layer_winograd_set layer_winograd_set_at(const layer_winograd_plan *plan, size_t index)
{
    const size_t part = index % plan->parts, blocks = index / plan->parts;
    const size_t block = blocks % plan->row_blocks, tile = part * plan->strip_tiles;
    const size_t strip = block * plan->strips / plan->row_blocks;
    return (layer_winograd_set){
        .group = blocks / plan->row_blocks,
        .strip = strip,
        .strips = (block + 1) * plan->strips / plan->row_blocks - strip,
        .tile = tile,
        .tiles = layer_smaller(plan->strip_tiles, plan->row_tiles - tile),
    };
}
