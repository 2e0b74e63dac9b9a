/* Convolution as it is written: every output is a sum over channels and kernel cells. A row of
 * outputs at a time, several vectors of neighbouring columns held in registers meanwhile.
 * SPDX-License-Identifier: MIT */
#include "conv/implementation.h"
#include "core/tasks.h"

#include <string.h>

/* Multiplications a task should hold, so that handing it to a thread costs little beside it. */
enum { TASK_MULTIPLICATIONS = 1 << 17 };

enum { LANES = 4, MOST_VECTORS = 8 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

typedef struct {
    const layer_conv *conv;
    const float *input, *weight, *bias;
    float *output;
    size_t rows, rows_per_task; /* of outputs: [N][K][depth][P] */
    size_t input_plane, kernel_plane;
    layer_range whole; /* the columns whose windows lie on real input entirely */
    int flip;          /* -1: the kernel's cells are read backwards; otherwise 1 */
} direct;

/* One row of outputs, and the kernel's rows that lie on real input there. */
typedef struct {
    const float *input;  /* the group's first channel */
    const float *weight; /* of that channel, the cell that meets a window's first */
    float *output;
    float bias;
    int depth, height; /* of the windows' first cells on the input */
    layer_range depth_taps, height_taps;
} output_row;

/* A row of input and the kernel's row that meets it: for the window that begins in column c,
 * input[c + s * dilation] is multiplied by weight[s * flip]. */
typedef struct {
    const float *input, *weight;
} tap_row;

static inline tap_row tap_row_at(const direct *call, const output_row *row, int channel,
                                 int depth_tap, int height_tap)
{
    const layer_window *const depth = &call->conv->window[LAYER_DEPTH];
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const ptrdiff_t line = (ptrdiff_t)(row->depth + depth_tap * depth->dilation) * height->input +
                           row->height + height_tap * height->dilation;
    const ptrdiff_t cell = ((ptrdiff_t)depth_tap * height->kernel + height_tap) * width->kernel;
    return (tap_row){
        row->input + (size_t)channel * call->input_plane + line * width->input,
        row->weight + (size_t)channel * call->kernel_plane + cell * call->flip,
    };
}

static inline lanes load(const float *x, ptrdiff_t stride)
{
    if (stride != 1)
        return (lanes){x[0], x[stride], x[2 * stride], x[3 * stride]};
    lanes loaded;
    memcpy(&loaded, x, sizeof loaded);
    return loaded;
}

/* LANES * vectors columns from `column` on, all whole. Inlined with `vectors` a constant, so that
 * the sums are registers, and `stride` too where it is 1. */
__attribute__((always_inline)) static inline void whole_columns(const direct *call,
                                                                const output_row *row, int column,
                                                                const int vectors,
                                                                const ptrdiff_t stride)
{
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const ptrdiff_t begin = column * stride - width->pad_begin;
    lanes sums[MOST_VECTORS];
    for (int v = 0; v < vectors; v++)
        sums[v] = (lanes){row->bias, row->bias, row->bias, row->bias};
    for (int channel = 0; channel < call->conv->weight.extent[1]; channel++)
        for (int d = row->depth_taps.begin; d < row->depth_taps.end; d++)
            for (int r = row->height_taps.begin; r < row->height_taps.end; r++) {
                const tap_row taps = tap_row_at(call, row, channel, d, r);
                const float *x = taps.input + begin, *w = taps.weight;
                for (int s = 0; s < width->kernel; s++, x += width->dilation, w += call->flip)
                    for (int v = 0; v < vectors; v++)
                        sums[v] += *w * load(x + v * LANES * stride, stride);
            }
    for (int v = 0; v < vectors; v++)
        memcpy(row->output + column + v * LANES, &sums[v], sizeof sums[v]);
}

/* A column whose window may lie on padding partly. */
static float edge_column(const direct *call, const output_row *row, int column)
{
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const layer_range inside = layer_conv_taps_inside(width, column);
    const ptrdiff_t begin = (ptrdiff_t)column * width->stride - width->pad_begin;
    float sum = row->bias;
    for (int channel = 0; channel < call->conv->weight.extent[1]; channel++)
        for (int d = row->depth_taps.begin; d < row->depth_taps.end; d++)
            for (int r = row->height_taps.begin; r < row->height_taps.end; r++) {
                const tap_row taps = tap_row_at(call, row, channel, d, r);
                for (int s = inside.begin; s < inside.end; s++)
                    sum += taps.input[begin + (ptrdiff_t)s * width->dilation] *
                           taps.weight[(ptrdiff_t)s * call->flip];
            }
    return sum;
}

__attribute__((always_inline)) static inline void
whole_range(const direct *call, const output_row *row, const ptrdiff_t stride)
{
    int column = call->whole.begin;
    for (; column + MOST_VECTORS * LANES <= call->whole.end; column += MOST_VECTORS * LANES)
        whole_columns(call, row, column, MOST_VECTORS, stride);
    for (; column + 2 * LANES <= call->whole.end; column += 2 * LANES)
        whole_columns(call, row, column, 2, stride);
    for (; column + LANES <= call->whole.end; column += LANES)
        whole_columns(call, row, column, 1, stride);
    /* The last few once more with their neighbours, which come out the same. */
    if (column < call->whole.end && call->whole.end - call->whole.begin >= LANES)
        whole_columns(call, row, call->whole.end - LANES, 1, stride);
    else
        for (; column < call->whole.end; column++)
            row->output[column] = edge_column(call, row, column);
}

static void compute_row(const direct *call, const output_row *row)
{
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    for (int column = 0; column < call->whole.begin; column++)
        row->output[column] = edge_column(call, row, column);
    for (int column = call->whole.end; column < width->output; column++)
        row->output[column] = edge_column(call, row, column);
    if (width->stride == 1)
        whole_range(call, row, 1);
    else
        whole_range(call, row, width->stride);
}

/* Row `index` of [N][K][depth][P]. */
static output_row locate(const direct *call, size_t index)
{
    const layer_conv *const conv = call->conv;
    const layer_window *const depth = &conv->window[LAYER_DEPTH];
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const size_t p = index % (size_t)height->output, above = index / (size_t)height->output;
    const size_t d = above % (size_t)depth->output, plane = above / (size_t)depth->output;
    const size_t outputs = (size_t)conv->weight.extent[0], k = plane % outputs, n = plane / outputs;
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t group = k / (outputs / (size_t)conv->group);
    const size_t first_channel = n * (size_t)conv->input.extent[1] + group * channels;
    return (output_row){
        .input = call->input + first_channel * call->input_plane,
        .weight = call->weight + k * channels * call->kernel_plane +
                  (call->flip < 0 ? call->kernel_plane - 1 : 0),
        .output = call->output + index * (size_t)conv->window[LAYER_WIDTH].output,
        .bias = call->bias == NULL ? 0 : call->bias[k],
        .depth = (int)d * depth->stride - depth->pad_begin,
        .height = (int)p * height->stride - height->pad_begin,
        .depth_taps = layer_conv_taps_inside(depth, (int)d),
        .height_taps = layer_conv_taps_inside(height, (int)p),
    };
}

static void compute_rows(void *argument, size_t task, int thread)
{
    (void)thread;
    const direct *const call = argument;
    const size_t first = task * call->rows_per_task;
    for (size_t i = first; i < first + call->rows_per_task && i < call->rows; i++) {
        const output_row row = locate(call, i);
        compute_row(call, &row);
    }
}

static layer_range whole_windows(const layer_window *width)
{
    const layer_range first = layer_conv_outputs_inside(width, 0);
    const layer_range last = layer_conv_outputs_inside(width, width->kernel - 1);
    /* Where the kernel is wider than the input, none is: the range may even be reversed. */
    return (layer_range){first.begin, last.end > first.begin ? last.end : first.begin};
}

static layer_status forward(const layer_conv *conv, const float *input, const float *weight,
                            const float *bias, float *output, const layer_run *run)
{
    const size_t rows = (size_t)conv->output.extent[0] * (size_t)conv->output.extent[1] *
                        (size_t)conv->window[LAYER_DEPTH].output *
                        (size_t)conv->window[LAYER_HEIGHT].output;
    const uint64_t row_multiplications = conv->multiplications / rows;
    direct call = {
        .conv = conv,
        .input = input,
        .weight = weight,
        .bias = bias,
        .output = output,
        .rows = rows,
        .rows_per_task = (size_t)(TASK_MULTIPLICATIONS / row_multiplications) + 1,
        .input_plane = layer_conv_input_plane(conv),
        .kernel_plane = layer_conv_kernel_plane(conv),
        .whole = whole_windows(&conv->window[LAYER_WIDTH]),
        .flip = conv->mode == LAYER_CONV_CONVOLUTION ? -1 : 1,
    };
    return layer_run_tasks(run, (rows + call.rows_per_task - 1) / call.rows_per_task, compute_rows,
                           &call);
}

static bool accepts(const layer_conv *conv)
{
    (void)conv;
    return true;
}

static size_t workspace_size(const layer_conv *conv, int threads)
{
    (void)conv;
    (void)threads;
    return 0;
}

const layer_conv_implementation layer_conv_implementation_DIRECT = {
    accepts,
    workspace_size,
    forward,
};
