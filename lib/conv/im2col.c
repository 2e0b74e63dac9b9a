/* Convolution as a matrix product: the patches of input that windows see are gathered into the
 * columns of a matrix, a tile of it at a time so that it stays in cache, and multiplied by the
 * weights.
 * Source: Chellapilla, Puri & Simard, "High performance convolutional neural networks for document
 * processing", 2006.
 * SPDX-License-Identifier: MIT */
#include "conv/patches.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <assert.h>
#include <cblas.h>

/* A tile of the patch matrix in floats: 128 KiB, which a thread's level 2 cache holds beside
 * weights and outputs. It is as deep as the patches are, up to a limit, and as wide as fits. */
enum { TILE_COUNT = 1 << 15, MOST_TILE_DEPTH = 256, MOST_TILE_COLUMNS = 1024 };

/* Widths are multiples of a cache line, for the matrix product's sake. */
enum { LINE_COUNT = 16 };

/* Multiplications of a product. OpenBLAS computes products up to here without packing the factors
 * into buffers first, on processors where that is faster. */
enum { PRODUCT_MULTIPLICATIONS = 1000000 };

/* Tasks that a convolution is cut into at least, if that leaves each this many output channels:
 * tasks of the same columns gather the same patches again. */
enum { FEWEST_TASKS = 4, FEWEST_CHANNELS = 128 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    layer_patches patches;
    size_t tile_depth, tile_columns;
    size_t tiles, channel_blocks; /* along a plane; along a group's output channels */
    size_t block_channels;
} im2col;

/* A task's share: some columns of the patch matrix of one sample and group, some of the group's
 * output channels. */
typedef struct {
    const float *input;  /* [C/group][plane] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][plane], from the first column on */
    size_t first_column, channels;
    layer_position first; /* of that column */
    int columns;
} share;

static void fill_bias(const im2col *call, const share *part)
{
    for (size_t k = 0; k < part->channels; k++)
        for (int i = 0; i < part->columns; i++)
            part->output[k * call->patches.columns + (size_t)i] = part->bias[k];
}

/* output (+)= weight[:, first ... first + depth] patches, some output channels at a time. */
static void multiply(const im2col *call, const share *part, size_t first, size_t depth,
                     const float *patches, size_t leading)
{
    const float beta = first > 0 || part->bias != NULL ? 1.0f : 0.0f;
    const size_t most = PRODUCT_MULTIPLICATIONS / (depth * (size_t)part->columns);
    const size_t step = layer_blocks_of(part->channels, layer_blocks_of(part->channels, most));
    for (size_t k = 0; k < part->channels; k += step)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                    (blasint)layer_smaller(step, part->channels - k), part->columns, (blasint)depth,
                    1.0f, part->weight + k * call->patches.rows + first,
                    (blasint)call->patches.rows, patches, (blasint)leading, beta,
                    part->output + k * call->patches.columns, (blasint)call->patches.columns);
}

static share share_of(const im2col *call, size_t task)
{
    const layer_conv *const conv = call->conv;
    const size_t groups = (size_t)conv->group;
    const size_t group_channels = (size_t)conv->weight.extent[0] / groups;
    const size_t block = task % call->channel_blocks, tiles = task / call->channel_blocks;
    const size_t tile = tiles % call->tiles, set = tiles / call->tiles; /* [N][group] */
    const size_t first = block * call->block_channels;                  /* channel of the group */
    const size_t channel = set % groups * group_channels + first;
    const size_t column = tile * call->tile_columns;
    return (share){
        .input = call->input + set * (size_t)conv->weight.extent[1] * call->patches.input_plane,
        .weight = call->weight + channel * call->patches.rows,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output + (set * group_channels + first) * call->patches.columns + column,
        .first_column = column,
        .first = layer_patches_position(&call->patches, column),
        .columns = (int)layer_smaller(call->tile_columns, call->patches.columns - column),
        .channels = layer_smaller(call->block_channels, group_channels - first),
    };
}

static void compute_share(void *argument, size_t task, int thread)
{
    const im2col *const call = argument;
    const share part = share_of(call, task);
    float *const patches =
        (float *)call->run->workspace + (size_t)thread * call->tile_depth * call->tile_columns;
    if (part.bias != NULL)
        fill_bias(call, &part);
    for (size_t first = 0; first < call->patches.rows; first += call->tile_depth) {
        if (layer_run_cancelled(call->run))
            return;
        const size_t depth = layer_smaller(call->tile_depth, call->patches.rows - first);
        if (call->patches.is_input) {
            multiply(call, &part, first, depth,
                     part.input + first * call->patches.input_plane + part.first_column,
                     call->patches.input_plane);
            continue;
        }
        for (size_t i = 0; i < depth; i++)
            layer_patches_gather(&call->patches, part.input, first + i, part.first, part.columns,
                                 patches + i * call->tile_columns);
        multiply(call, &part, first, depth, patches, call->tile_columns);
    }
}

static im2col plan(const layer_conv *conv)
{
    const size_t groups = (size_t)conv->group;
    im2col call = {.conv = conv, .patches = layer_conv_patches(conv)};
    call.tile_depth = layer_smaller(call.patches.rows, MOST_TILE_DEPTH);
    const size_t fitting = layer_smaller(TILE_COUNT / call.tile_depth, MOST_TILE_COLUMNS);
    call.tile_columns =
        layer_smaller(fitting / LINE_COUNT, layer_blocks_of(call.patches.columns, LINE_COUNT)) *
        LINE_COUNT;
    call.tiles = layer_blocks_of(call.patches.columns, call.tile_columns);
    const size_t channels = (size_t)conv->weight.extent[0] / groups;
    const size_t tasks = (size_t)conv->input.extent[0] * groups * call.tiles;
    const size_t blocks = layer_smaller(layer_blocks_of(FEWEST_TASKS, tasks),
                                        layer_blocks_of(channels, FEWEST_CHANNELS));
    call.block_channels = layer_blocks_of(channels, blocks);
    call.channel_blocks = layer_blocks_of(channels, call.block_channels);
    return call;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const im2col call = plan(conv);
    return call.patches.is_input
               ? 0
               : (size_t)threads * call.tile_depth * call.tile_columns * sizeof(float);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    im2col call = plan(conv);
    assert(call.patches.is_input || run->workspace != NULL);
    call.input = input;
    call.weight = weight;
    call.bias = bias;
    call.output = output;
    call.run = run;
    const size_t sets = (size_t)conv->input.extent[0] * (size_t)conv->group;
    return layer_run_tasks(run, sets * call.tiles * call.channel_blocks, compute_share, &call);
}

static double cost(const layer_conv *conv)
{
    const double rate = 1.8, gathered = 10;
    const double channels = conv->weight.extent[0] / conv->group;
    return (double)conv->multiplications * (rate + gathered / channels) *
           layer_conv_vector_waste(layer_conv_output_plane(conv));
}

const layer_conv_implementation layer_conv_implementation_IM2COL = {
    .cost = cost,
    .workspace_size = workspace_size,
    .forward = forward,
};
