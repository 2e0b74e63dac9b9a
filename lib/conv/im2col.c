/* Convolution as a matrix product: the patches of input that windows see are gathered into the
 * columns of a matrix, a tile of it at a time so that it stays in cache, and multiplied by the
 * weights.
 * Source: Chellapilla, Puri & Simard, "High performance convolutional neural networks for document
 * processing", 2006.
 * SPDX-License-Identifier: MIT */
#include "conv/implementation.h"
#include "core/tasks.h"

#include <assert.h>
#include <cblas.h>
#include <string.h>

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
    size_t input_plane, output_plane, kernel_plane;
    size_t depth; /* rows of the patch matrix: C/group times the kernel's cells */
    size_t tile_depth, tile_columns;
    size_t tiles, channel_blocks; /* along a plane; along a group's output channels */
    size_t block_channels;
    bool is_patches; /* the input is the patch matrix as it stands */
} im2col;

typedef struct {
    int depth, height, width;
} position;

/* A task's share: some columns of the patch matrix of one sample and group, some of the group's
 * output channels. */
typedef struct {
    const float *input;  /* [C/group][plane] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][plane], from the first column on */
    size_t first_column, channels;
    position first; /* of that column */
    int columns;
} share;

/* One kernel cell of one channel: a row of the patch matrix. */
typedef struct {
    const float *plane; /* the channel's */
    position cell;
} tap;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t blocks_of(size_t whole, size_t block)
{
    return (whole + block - 1) / block;
}

static tap tap_of(const im2col *call, const share *part, size_t patch_row)
{
    const layer_window *const window = call->conv->window;
    const size_t channel = patch_row / call->kernel_plane;
    size_t cell = patch_row % call->kernel_plane;
    if (call->conv->mode == LAYER_CONV_CONVOLUTION)
        cell = call->kernel_plane - 1 - cell;
    const int line = (int)(cell / (size_t)window[LAYER_WIDTH].kernel);
    return (tap){
        .plane = part->input + channel * call->input_plane,
        .cell = {line / window[LAYER_HEIGHT].kernel, line % window[LAYER_HEIGHT].kernel,
                 (int)(cell % (size_t)window[LAYER_WIDTH].kernel)},
    };
}

static void fill_zero(float *floats, int count)
{
    if (count > 0)
        memset(floats, 0, (size_t)count * sizeof *floats);
}

/* What columns q.begin to q.end of a line of outputs meet: input within `inside`, zero elsewhere.
 * Column 0 meets line[start]; a line of padding is NULL. */
static void gather_line(float *patches, const float *line, layer_range q, layer_range inside,
                        ptrdiff_t start, ptrdiff_t stride)
{
    const int begin = inside.begin > q.begin ? inside.begin : q.begin;
    const int end = inside.end < q.end ? inside.end : q.end;
    if (line == NULL || begin >= end) {
        fill_zero(patches, q.end - q.begin);
        return;
    }
    fill_zero(patches, begin - q.begin);
    float *const filled = patches + (begin - q.begin);
    const float *const x = line + (start + begin * stride);
    if (stride == 1)
        memcpy(filled, x, (size_t)(end - begin) * sizeof *filled);
    else
        for (int i = 0; i < end - begin; i++)
            filled[i] = x[i * stride];
    fill_zero(patches + (end - q.begin), q.end - end);
}

static bool is_within(int cell, const layer_window *window)
{
    return cell >= 0 && cell < window->input;
}

/* A row of the patch matrix, the share's columns of it: what output after output meets with one
 * kernel cell. */
static void gather_row(const im2col *call, const share *part, size_t patch_row, float *patches)
{
    const layer_window *const depth = &call->conv->window[LAYER_DEPTH];
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const tap at = tap_of(call, part, patch_row);
    const layer_range inside = layer_conv_outputs_inside(width, at.cell.width);
    const ptrdiff_t start = (ptrdiff_t)at.cell.width * width->dilation - width->pad_begin;
    int d = part->first.depth * depth->stride - depth->pad_begin + at.cell.depth * depth->dilation;
    int h =
        part->first.height * height->stride - height->pad_begin + at.cell.height * height->dilation;
    int p = part->first.height, q = part->first.width;
    for (int done = 0, take; done < part->columns; done += take, q = 0) {
        take = width->output - q < part->columns - done ? width->output - q : part->columns - done;
        const ptrdiff_t line = (ptrdiff_t)d * height->input + h;
        gather_line(patches + done,
                    is_within(d, depth) && is_within(h, height) ? at.plane + line * width->input
                                                                : NULL,
                    (layer_range){q, q + take}, inside, start, width->stride);
        h += height->stride;
        if (++p == height->output) {
            p = 0;
            h -= height->output * height->stride;
            d += depth->stride;
        }
    }
}

static void fill_bias(const im2col *call, const share *part)
{
    for (size_t k = 0; k < part->channels; k++)
        for (int i = 0; i < part->columns; i++)
            part->output[k * call->output_plane + (size_t)i] = part->bias[k];
}

/* output (+)= weight[:, first ... first + depth] patches, some output channels at a time. */
static void multiply(const im2col *call, const share *part, size_t first, size_t depth,
                     const float *patches, size_t leading)
{
    const float beta = first > 0 || part->bias != NULL ? 1.0f : 0.0f;
    const size_t most = PRODUCT_MULTIPLICATIONS / (depth * (size_t)part->columns);
    const size_t step = blocks_of(part->channels, blocks_of(part->channels, most));
    for (size_t k = 0; k < part->channels; k += step)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                    (blasint)smaller(step, part->channels - k), part->columns, (blasint)depth, 1.0f,
                    part->weight + k * call->depth + first, (blasint)call->depth, patches,
                    (blasint)leading, beta, part->output + k * call->output_plane,
                    (blasint)call->output_plane);
}

/* Where output `column` of a plane is. */
static position position_of(const layer_conv *conv, size_t column)
{
    const size_t height = (size_t)conv->window[LAYER_HEIGHT].output;
    const size_t width = (size_t)conv->window[LAYER_WIDTH].output;
    return (position){(int)(column / width / height), (int)(column / width % height),
                      (int)(column % width)};
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
        .input = call->input + set * (size_t)conv->weight.extent[1] * call->input_plane,
        .weight = call->weight + channel * call->depth,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output + (set * group_channels + first) * call->output_plane + column,
        .first_column = column,
        .first = position_of(conv, column),
        .columns = (int)smaller(call->tile_columns, call->output_plane - column),
        .channels = smaller(call->block_channels, group_channels - first),
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
    for (size_t first = 0; first < call->depth; first += call->tile_depth) {
        if (layer_run_cancelled(call->run))
            return;
        const size_t depth = smaller(call->tile_depth, call->depth - first);
        if (call->is_patches) {
            multiply(call, &part, first, depth,
                     part.input + first * call->input_plane + part.first_column, call->input_plane);
            continue;
        }
        for (size_t i = 0; i < depth; i++)
            gather_row(call, &part, first + i, patches + i * call->tile_columns);
        multiply(call, &part, first, depth, patches, call->tile_columns);
    }
}

/* Whether every output sees the one input at its own position. */
static bool sees_itself(const layer_window *window)
{
    return window->kernel == 1 && window->stride == 1 && window->output == window->input &&
           window->pad_begin == 0;
}

static im2col plan(const layer_conv *conv)
{
    const size_t groups = (size_t)conv->group;
    im2col call = {
        .conv = conv,
        .input_plane = layer_conv_input_plane(conv),
        .output_plane = layer_conv_output_plane(conv),
        .kernel_plane = layer_conv_kernel_plane(conv),
        .is_patches = sees_itself(&conv->window[LAYER_DEPTH]) &&
                      sees_itself(&conv->window[LAYER_HEIGHT]) &&
                      sees_itself(&conv->window[LAYER_WIDTH]),
    };
    call.depth = (size_t)conv->weight.extent[1] * call.kernel_plane;
    call.tile_depth = smaller(call.depth, MOST_TILE_DEPTH);
    const size_t fitting = smaller(TILE_COUNT / call.tile_depth, MOST_TILE_COLUMNS);
    call.tile_columns =
        smaller(fitting / LINE_COUNT, blocks_of(call.output_plane, LINE_COUNT)) * LINE_COUNT;
    call.tiles = blocks_of(call.output_plane, call.tile_columns);
    const size_t channels = (size_t)conv->weight.extent[0] / groups;
    const size_t tasks = (size_t)conv->input.extent[0] * groups * call.tiles;
    const size_t blocks =
        smaller(blocks_of(FEWEST_TASKS, tasks), blocks_of(channels, FEWEST_CHANNELS));
    call.block_channels = blocks_of(channels, blocks);
    call.channel_blocks = blocks_of(channels, call.block_channels);
    return call;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    const im2col call = plan(conv);
    return call.is_patches ? 0
                           : (size_t)threads * call.tile_depth * call.tile_columns * sizeof(float);
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    im2col call = plan(conv);
    assert(call.is_patches || run->workspace != NULL);
    call.input = input;
    call.weight = weight;
    call.bias = bias;
    call.output = output;
    call.run = run;
    const size_t sets = (size_t)conv->input.extent[0] * (size_t)conv->group;
    return layer_run_tasks(run, sets * call.tiles * call.channel_blocks, compute_share, &call);
}

/* For one or two output channels the gathering costs more than the product saves. */
static bool accepts(const layer_conv *conv)
{
    const im2col call = plan(conv);
    return conv->weight.extent[0] / conv->group >= 3 || (call.is_patches && call.depth > 1);
}

const layer_conv_implementation layer_conv_implementation_IM2COL = {
    accepts,
    workspace_size,
    forward,
};
