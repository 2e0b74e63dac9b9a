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

/* A tile of the patch matrix in floats, 256 KiB: a thread's level 2 cache holds it beside weights
 * and outputs. It is as deep as the patches are, up to a limit, and as wide as fits. */
enum { TILE_COUNT = 1 << 16, MOST_TILE_DEPTH = 256, MOST_TILE_COLUMNS = 1024 };

/* Widths are multiples of a cache line, for the matrix product's sake. */
enum { LINE_COUNT = 16 };

/* Output channels a task computes at most. More tasks gather the same patches again, which costs
 * little beside the product of so many channels. */
enum { TASK_CHANNELS = 128 };

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    const layer_run *run;
    size_t input_plane, output_plane, kernel_plane;
    size_t depth; /* rows of the patch matrix: C/group times the kernel's cells */
    size_t tile_depth, tile_columns;
    size_t tiles, channel_blocks; /* along a plane; along a group's output channels */
    bool is_patches;              /* the input is the patch matrix as it stands */
} im2col;

/* A task's share: some columns of the patch matrix of one sample and group, some of the group's
 * output channels. */
typedef struct {
    const float *input;  /* [C/group][plane] */
    const float *weight; /* [channels][depth] */
    const float *bias;   /* [channels] or NULL */
    float *output;       /* [channels][plane], from the first column on */
    size_t first_column, columns, channels;
} share;

/* One kernel cell of one channel: a row of the patch matrix. */
typedef struct {
    const float *plane; /* the channel's */
    int depth, height, width;
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
        .depth = line / window[LAYER_HEIGHT].kernel,
        .height = line % window[LAYER_HEIGHT].kernel,
        .width = (int)(cell % (size_t)window[LAYER_WIDTH].kernel),
    };
}

/* The line of input that outputs in `line` of [depth][P] meet with `at`; NULL on padding. */
static const float *input_line(const im2col *call, const tap *at, size_t line)
{
    const layer_window *const depth = &call->conv->window[LAYER_DEPTH];
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const int output_depth = (int)(line / (size_t)height->output);
    const int output_height = (int)(line % (size_t)height->output);
    const int d = output_depth * depth->stride - depth->pad_begin + at->depth * depth->dilation;
    const int h =
        output_height * height->stride - height->pad_begin + at->height * height->dilation;
    if (d < 0 || d >= depth->input || h < 0 || h >= height->input)
        return NULL;
    return at->plane + ((size_t)d * (size_t)height->input + (size_t)h) *
                           (size_t)call->conv->window[LAYER_WIDTH].input;
}

/* What columns q.begin to q.end of a line of outputs meet: input within `inside`, zero elsewhere.
 */
static void gather_line(float *patches, const float *line, layer_range q, layer_range inside,
                        ptrdiff_t start, ptrdiff_t stride)
{
    const int begin = inside.begin > q.begin ? inside.begin : q.begin;
    const int end = inside.end < q.end ? inside.end : q.end;
    if (line == NULL || begin >= end) {
        memset(patches, 0, (size_t)(q.end - q.begin) * sizeof *patches);
        return;
    }
    memset(patches, 0, (size_t)(begin - q.begin) * sizeof *patches);
    float *const filled = patches + (begin - q.begin);
    const float *const x = line + start + begin * stride;
    if (stride == 1)
        memcpy(filled, x, (size_t)(end - begin) * sizeof *filled);
    else
        for (int i = 0; i < end - begin; i++)
            filled[i] = x[i * stride];
    memset(patches + (end - q.begin), 0, (size_t)(q.end - end) * sizeof *patches);
}

/* A row of the patch matrix, the share's columns of it. */
static void gather_row(const im2col *call, const share *part, size_t patch_row, float *patches)
{
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const tap at = tap_of(call, part, patch_row);
    const layer_range inside = layer_conv_outputs_inside(width, at.width);
    const ptrdiff_t start = (ptrdiff_t)at.width * width->dilation - width->pad_begin;
    size_t line = part->first_column / (size_t)width->output;
    int q = (int)(part->first_column % (size_t)width->output);
    for (size_t done = 0; done < part->columns; line++, q = 0) {
        const size_t take = smaller((size_t)(width->output - q), part->columns - done);
        gather_line(patches + done, input_line(call, &at, line), (layer_range){q, q + (int)take},
                    inside, start, width->stride);
        done += take;
    }
}

static void fill_bias(const im2col *call, const share *part)
{
    for (size_t k = 0; k < part->channels; k++)
        for (size_t i = 0; i < part->columns; i++)
            part->output[k * call->output_plane + i] = part->bias[k];
}

/* output (+)= weight[:, first ... first + depth] patches. */
static void multiply(const im2col *call, const share *part, size_t first, size_t depth,
                     const float *patches, size_t leading)
{
    const float beta = first > 0 || part->bias != NULL ? 1.0f : 0.0f;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)part->channels,
                (blasint)part->columns, (blasint)depth, 1.0f, part->weight + first,
                (blasint)call->depth, patches, (blasint)leading, beta, part->output,
                (blasint)call->output_plane);
}

static share share_of(const im2col *call, size_t task)
{
    const layer_conv *const conv = call->conv;
    const size_t groups = (size_t)conv->group;
    const size_t group_channels = (size_t)conv->weight.extent[0] / groups;
    const size_t block = task % call->channel_blocks, tiles = task / call->channel_blocks;
    const size_t tile = tiles % call->tiles, set = tiles / call->tiles; /* [N][group] */
    const size_t first = block * TASK_CHANNELS;                         /* channel of the group */
    const size_t channel = set % groups * group_channels + first;
    const size_t column = tile * call->tile_columns;
    return (share){
        .input = call->input + set * (size_t)conv->weight.extent[1] * call->input_plane,
        .weight = call->weight + channel * call->depth,
        .bias = call->bias == NULL ? NULL : call->bias + channel,
        .output = call->output + (set * group_channels + first) * call->output_plane + column,
        .first_column = column,
        .columns = smaller(call->tile_columns, call->output_plane - column),
        .channels = smaller(TASK_CHANNELS, group_channels - first),
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
    call.channel_blocks = blocks_of((size_t)conv->weight.extent[0] / groups, TASK_CHANNELS);
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

/* Of few output channels a product is hardly faster than the sum itself, and the gathering comes
 * on top. */
static bool accepts(const layer_conv *conv)
{
    return conv->weight.extent[0] / conv->group >= 8;
}

const layer_conv_implementation layer_conv_implementation_IM2COL = {
    accepts,
    workspace_size,
    forward,
};
