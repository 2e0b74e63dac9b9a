/* The gradient of a convolution with respect to its weight: with enough output channels the product
 * of grad_output and the transposed patch matrix, a tile of columns at a time; with one or two, a
 * sum for each weight. Tasks have weights of their own, and go through samples and planes in order.
 * SPDX-License-Identifier: MIT */
#include "conv/lanes.h"
#include "conv/patches.h"
#include "core/blocks.h"
#include "core/tasks.h"
#include "layer/conv_backward.h"

#include <assert.h>
#include <cblas.h>

/* A tile of the patch matrix in floats, and the most rows, columns and output channels that a task
 * takes at a time. */
enum { TILE_COUNT = 1 << 15, MOST_ROWS = 256, MOST_COLUMNS = 1024, MOST_CHANNELS = 256 };

/* Widths are multiples of a cache line, for the matrix product's sake. */
enum { LINE_COUNT = 16 };

/* A product with fewer rows than this is cut into such of so many multiplications: OpenBLAS
 * computes those without packing the factors into buffers first, which a few rows do not repay. */
enum { REPAYING_ROWS = 64, PRODUCT_MULTIPLICATIONS = 1000000 };

/* Tasks that the weights are cut into at least, if that leaves each this many rows. */
enum { FEWEST_TASKS = 4, FEWEST_ROWS = 16 };

/* Multiplications a task of single weights should hold. */
enum { TASK_MULTIPLICATIONS = 1 << 17 };

typedef struct {
    const layer_conv *conv;
    const float *input, *grad_output;
    float *grad_weight;
    const layer_run *run;
    layer_patches patches;
    bool is_product;
    size_t samples, group_channels;        /* N, K/group */
    size_t block_rows, row_blocks;         /* of the patch matrix */
    size_t block_channels, channel_blocks; /* of a group's output channels */
    size_t tile_columns, tile_samples;     /* either part of a sample's columns or whole samples */
    size_t weights_per_task;
} grad_weight;

/* A task's share of the weights: [channels][rows] of a group. */
typedef struct {
    size_t group, first_channel, channels, first_row, rows;
    float *patches, *outputs; /* room for a tile of each */
} share;

/* Some columns of a sample, or all those of several. */
typedef struct {
    size_t sample, samples, column, columns;
} tile;

/* A matrix in memory. */
typedef struct {
    const float *elements;
    size_t leading;
} matrix;

/* ---- As a matrix product --------------------------------------------------------------------- */

static share share_of(const grad_weight *call, size_t task, int thread)
{
    const size_t room = (call->block_rows + call->block_channels) * call->tile_columns;
    float *const own = (float *)call->run->workspace + (size_t)thread * room;
    const size_t first_channel = task % call->channel_blocks * call->block_channels;
    const size_t first_row = task / call->channel_blocks % call->row_blocks * call->block_rows;
    return (share){
        .group = task / call->channel_blocks / call->row_blocks,
        .first_channel = first_channel,
        .channels = layer_smaller(call->block_channels, call->group_channels - first_channel),
        .first_row = first_row,
        .rows = layer_smaller(call->block_rows, call->patches.rows - first_row),
        .patches = own,
        .outputs = own + call->block_rows * call->tile_columns,
    };
}

/* [rows][columns] of what the windows see. */
static matrix gather_patches(const grad_weight *call, const share *part, const tile *at)
{
    const layer_patches *const patches = &call->patches;
    const size_t channels = (size_t)call->conv->weight.extent[1];
    const size_t groups = (size_t)call->conv->group;
    const float *input =
        call->input + (at->sample * groups + part->group) * channels * patches->input_plane;
    if (patches->is_input && at->samples == 1)
        return (matrix){input + part->first_row * patches->input_plane + at->column,
                        patches->input_plane};
    const layer_position first = layer_patches_position(patches, at->column);
    for (size_t i = 0; i < at->samples; i++, input += groups * channels * patches->input_plane)
        for (size_t row = 0; row < part->rows; row++)
            layer_patches_gather(patches, input, part->first_row + row, first, (int)at->columns,
                                 part->patches + row * call->tile_columns + i * at->columns);
    return (matrix){part->patches, call->tile_columns};
}

/* [channels][columns] of the gradient. */
static matrix gather_outputs(const grad_weight *call, const share *part, const tile *at)
{
    const size_t plane = call->patches.columns;
    const size_t channels = (size_t)call->conv->output.extent[1];
    const size_t first = part->group * call->group_channels + part->first_channel;
    const float *const output = call->grad_output + (at->sample * channels + first) * plane;
    if (at->samples == 1)
        return (matrix){output + at->column, plane};
    for (size_t i = 0; i < at->samples; i++)
        for (size_t k = 0; k < part->channels; k++)
            memcpy(part->outputs + k * call->tile_columns + i * plane,
                   output + (i * channels + k) * plane, plane * sizeof *output);
    return (matrix){part->outputs, call->tile_columns};
}

/* grad_weight (+)= outputs times the transposed patches, some output channels at a time. */
static void multiply(const grad_weight *call, const share *part, const tile *at)
{
    const matrix patches = gather_patches(call, part, at);
    const matrix outputs = gather_outputs(call, part, at);
    const size_t rows = call->patches.rows, columns = at->samples * at->columns;
    const size_t most = part->rows < REPAYING_ROWS
                            ? PRODUCT_MULTIPLICATIONS / (part->rows * columns)
                            : part->channels;
    const size_t step = layer_blocks_of(part->channels, layer_blocks_of(part->channels, most));
    const float beta = at->sample + at->column > 0 ? 1.0f : 0.0f;
    const size_t first = part->group * call->group_channels + part->first_channel;
    float *const weights = call->grad_weight + first * rows + part->first_row;
    for (size_t k = 0; k < part->channels; k += step)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans,
                    (blasint)layer_smaller(step, part->channels - k), (blasint)part->rows,
                    (blasint)columns, 1.0f, outputs.elements + k * outputs.leading,
                    (blasint)outputs.leading, patches.elements, (blasint)patches.leading, beta,
                    weights + k * rows, (blasint)rows);
}

static void compute_share(void *argument, size_t task, int thread)
{
    const grad_weight *const call = argument;
    const share part = share_of(call, task, thread);
    const size_t plane = call->patches.columns;
    for (size_t n = 0; n < call->samples; n += call->tile_samples)
        for (size_t column = 0; column < plane; column += call->tile_columns) {
            if (layer_run_cancelled(call->run))
                return;
            const tile at = {
                .sample = n,
                .samples = layer_smaller(call->tile_samples, call->samples - n),
                .column = column,
                .columns = layer_smaller(call->tile_columns, plane - column),
            };
            multiply(call, &part, &at);
        }
}

/* ---- A sum for each weight ------------------------------------------------------------------- */

__attribute__((always_inline)) static inline float dot(const float *x, const ptrdiff_t stride,
                                                       const float *gradient, int count)
{
    enum { VECTORS = 4 };
    lanes sums[VECTORS] = {0};
    float total = 0;
    int i = 0;
    for (; i + VECTORS * LANES <= count; i += VECTORS * LANES)
        for (int v = 0; v < VECTORS; v++)
            sums[v] += layer_load_lanes(gradient + i + v * LANES, 1) *
                       layer_load_lanes(x + (i + v * LANES) * stride, stride);
    for (; i + LANES <= count; i += LANES)
        sums[0] += layer_load_lanes(gradient + i, 1) * layer_load_lanes(x + i * stride, stride);
    for (; i < count; i++)
        total += gradient[i] * x[i * stride];
    const lanes sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return total + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* One kernel cell's sum over a plane of outputs. */
static double sum_plane(const layer_conv *conv, layer_position cell, const float *x,
                        const float *gradient)
{
    const layer_window *const depth = &conv->window[LAYER_DEPTH];
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const layer_window *const width = &conv->window[LAYER_WIDTH];
    const layer_steps d = layer_inside_outputs(depth, cell.depth);
    const layer_steps p = layer_inside_outputs(height, cell.height);
    const layer_steps q = layer_inside_outputs(width, cell.width);
    const int column = q.begin * width->stride - width->pad_begin + cell.width * width->dilation;
    double total = 0;
    for (int i = d.begin; i < d.end && q.begin < q.end; i++)
        for (int j = p.begin; j < p.end; j++) {
            const ptrdiff_t plane =
                i * depth->stride - depth->pad_begin + cell.depth * depth->dilation;
            const ptrdiff_t row =
                j * height->stride - height->pad_begin + cell.height * height->dilation;
            const float *const line = x + (plane * height->input + row) * width->input + column;
            const float *const met =
                gradient + ((ptrdiff_t)i * height->output + j) * width->output + q.begin;
            total += (double)(width->stride == 1 ? dot(line, 1, met, q.end - q.begin)
                                                 : dot(line, width->stride, met, q.end - q.begin));
        }
    return total;
}

static float sum_weight(const grad_weight *call, size_t index)
{
    const layer_conv *const conv = call->conv;
    const size_t channels = (size_t)conv->weight.extent[1], kernel = call->patches.kernel_plane;
    const size_t k = index / kernel / channels, c = index / kernel % channels;
    const size_t channel = k / call->group_channels * channels + c;
    const bool flipped = conv->mode == LAYER_CONV_CONVOLUTION;
    const size_t at = flipped ? kernel - 1 - index % kernel : index % kernel;
    const size_t line = at / (size_t)conv->window[LAYER_WIDTH].kernel;
    const size_t height = (size_t)conv->window[LAYER_HEIGHT].kernel;
    const layer_position cell = {(int)(line / height), (int)(line % height),
                                 (int)(at % (size_t)conv->window[LAYER_WIDTH].kernel)};
    double total = 0;
    for (size_t n = 0; n < call->samples && !layer_run_cancelled(call->run); n++)
        total += sum_plane(
            conv, cell,
            call->input + (n * (size_t)conv->input.extent[1] + channel) * call->patches.input_plane,
            call->grad_output + (n * (size_t)conv->output.extent[1] + k) * call->patches.columns);
    return (float)total;
}

static size_t count_weights(const grad_weight *call)
{
    return (size_t)call->conv->weight.extent[0] * call->patches.rows;
}

static void sum_weights(void *argument, size_t task, int thread)
{
    (void)thread;
    const grad_weight *const call = argument;
    const size_t first = task * call->weights_per_task;
    const size_t end = layer_smaller(first + call->weights_per_task, count_weights(call));
    for (size_t index = first; index < end; index++)
        call->grad_weight[index] = sum_weight(call, index);
}

/* ---- Running --------------------------------------------------------------------------------- */

static grad_weight plan(const layer_conv *conv)
{
    grad_weight call = {
        .conv = conv,
        .patches = layer_conv_patches(conv),
        .samples = (size_t)conv->input.extent[0],
        .group_channels = (size_t)(conv->weight.extent[0] / conv->group),
    };
    const size_t rows = call.patches.rows, plane = call.patches.columns;
    call.is_product = call.group_channels >= 3;
    call.weights_per_task = TASK_MULTIPLICATIONS / (call.samples * plane) + 1;
    call.block_channels = layer_smaller(call.group_channels, MOST_CHANNELS);
    call.channel_blocks = layer_blocks_of(call.group_channels, call.block_channels);
    const size_t others = (size_t)conv->group * call.channel_blocks;
    const size_t wanted =
        layer_smaller(layer_blocks_of(FEWEST_TASKS, others), layer_blocks_of(rows, FEWEST_ROWS));
    call.block_rows = layer_smaller(layer_blocks_of(rows, wanted), MOST_ROWS);
    call.row_blocks = layer_blocks_of(rows, call.block_rows);
    const size_t fitting = layer_smaller(TILE_COUNT / call.block_rows, MOST_COLUMNS);
    const size_t lines =
        layer_smaller(fitting / LINE_COUNT, layer_blocks_of(call.samples * plane, LINE_COUNT));
    call.tile_columns = lines * LINE_COUNT;
    call.tile_samples = layer_larger(layer_smaller(call.tile_columns / plane, call.samples), 1);
    return call;
}

size_t layer_conv_grad_weight_workspace_size(const layer_conv *conv, int threads)
{
    assert(threads >= 1);
    const grad_weight call = plan(conv);
    const size_t room = (call.block_rows + call.block_channels) * call.tile_columns;
    return call.is_product ? (size_t)threads * room * sizeof(float) : 0;
}

layer_status layer_conv_grad_weight(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *gradient, const layer_run *run)
{
    assert(input != NULL && grad_output != NULL && gradient != NULL && run != NULL);
    grad_weight call = plan(conv);
    call.input = input;
    call.grad_output = grad_output;
    call.grad_weight = gradient;
    call.run = run;
    assert(!call.is_product || run->workspace != NULL);
    if (call.is_product)
        return layer_run_tasks(run, (size_t)conv->group * call.row_blocks * call.channel_blocks,
                               compute_share, &call);
    return layer_run_tasks(run, layer_blocks_of(count_weights(&call), call.weights_per_task),
                           sum_weights, &call);
}
