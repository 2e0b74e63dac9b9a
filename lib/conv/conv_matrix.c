/* A convolution as a matrix: each window's kernel cells in turn, which come sorted by column.
 * SPDX-License-Identifier: MIT */
#include "layer/conv_matrix.h"
#include "conv/implementation.h"
#include "conv/patches.h"
#include "core/blocks.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "core/tasks.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* Lines of outputs are cut into so many tasks a plane at most. */
enum { TASKS_PER_PLANE = 64 };

/* What is written: `dense`, or the others but for those that are NULL. */
typedef struct {
    const layer_conv_matrix *matrix;
    const float *weight;
    float *dense, *values;
    int *rows, *columns, *indptr;
    const layer_run *run;
    size_t plane_nonzeros;        /* of one output channel */
    size_t line_nonzeros;         /* of a line whose windows lie on the input along other axes */
    size_t height_nonzeros;       /* the same of the lines of one depth */
    size_t lines_per_task, tasks; /* of a plane */
} writing;

/* A window, and what of it lies on the input. */
typedef struct {
    layer_position output;
    layer_steps depth, height, width;
    size_t row;     /* of the matrix */
    size_t nonzero; /* the first of the row */
} window_row;

static size_t count_taps(const layer_window *window, int output)
{
    const layer_steps taps = layer_inside_taps(window, output);
    return taps.end > taps.begin ? (size_t)(taps.end - taps.begin) : 0;
}

/* Of all windows before number `outputs`. */
static size_t count_taps_before(const layer_window *window, int outputs)
{
    size_t count = 0;
    for (int output = 0; output < outputs; output++)
        count += count_taps(window, output);
    return count;
}

static uint64_t count_nonzeros(const layer_conv *conv)
{
    uint64_t count = (uint64_t)conv->weight.extent[0] * (uint64_t)conv->weight.extent[1];
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        count = layer_saturating_multiply(
            count, count_taps_before(&conv->window[axis], conv->window[axis].output));
    return count;
}

layer_status layer_conv_matrix_describe(layer_conv_matrix *matrix, const layer_conv *conv,
                                        layer_error *error)
{
    if (conv->input.extent[0] != 1)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input is a batch of %d, expected one sample: the matrix is the same "
                            "for each",
                            conv->input.extent[0]);
    const uint64_t nonzeros = count_nonzeros(conv);
    if (nonzeros > INT_MAX)
        return layer_refuse(error, LAYER_TOO_LARGE, "input",
                            "the matrix has %llu nonzeros, expected at most %d",
                            (unsigned long long)nonzeros, INT_MAX);
    *matrix = (layer_conv_matrix){
        .conv = *conv,
        .rows = conv->output.extent[1] * (int)layer_conv_output_plane(conv),
        .columns = conv->input.extent[1] * (int)layer_conv_input_plane(conv),
        .nonzeros = (int)nonzeros,
    };
    return LAYER_OK;
}

/* ---- Writing rows ---------------------------------------------------------------------------- */

static void write_cell(const writing *call, const window_row *at, size_t column, float value,
                       size_t *nonzero)
{
    if (call->dense != NULL) {
        call->dense[at->row * (size_t)call->matrix->columns + column] = value;
        return;
    }
    call->values[*nonzero] = value;
    call->columns[*nonzero] = (int)column;
    if (call->rows != NULL)
        call->rows[*nonzero] = (int)at->row;
    ++*nonzero;
}

/* The cells of one channel; `plane` is its first column. */
static void write_channel(const writing *call, const window_row *at, const float *kernel,
                          size_t plane, size_t *nonzero)
{
    const layer_window *const depth = &call->matrix->conv.window[LAYER_DEPTH];
    const layer_window *const height = &call->matrix->conv.window[LAYER_HEIGHT];
    const layer_window *const width = &call->matrix->conv.window[LAYER_WIDTH];
    const bool flipped = call->matrix->conv.mode == LAYER_CONV_CONVOLUTION;
    const size_t last = layer_conv_kernel_plane(&call->matrix->conv) - 1;
    const int d0 = at->output.depth * depth->stride - depth->pad_begin;
    const int h0 = at->output.height * height->stride - height->pad_begin;
    const int w0 = at->output.width * width->stride - width->pad_begin;
    for (int d = at->depth.begin; d < at->depth.end; d++)
        for (int r = at->height.begin; r < at->height.end; r++)
            for (int s = at->width.begin; s < at->width.end; s++) {
                const size_t line = (size_t)(d0 + d * depth->dilation) * (size_t)height->input +
                                    (size_t)(h0 + r * height->dilation);
                const size_t column =
                    plane + line * (size_t)width->input + (size_t)(w0 + s * width->dilation);
                const size_t cell =
                    ((size_t)d * (size_t)height->kernel + (size_t)r) * (size_t)width->kernel +
                    (size_t)s;
                write_cell(call, at, column, kernel[flipped ? last - cell : cell], nonzero);
            }
}

/* Returns where the next row's nonzeros begin. */
static size_t write_row(const writing *call, const window_row *at, size_t k)
{
    const layer_conv *const conv = &call->matrix->conv;
    const size_t channels = (size_t)conv->weight.extent[1];
    const size_t group = k / (size_t)(conv->weight.extent[0] / conv->group);
    const size_t kernel = layer_conv_kernel_plane(conv), plane = layer_conv_input_plane(conv);
    size_t nonzero = at->nonzero;
    if (call->dense != NULL)
        memset(call->dense + at->row * (size_t)call->matrix->columns, 0,
               (size_t)call->matrix->columns * sizeof *call->dense);
    for (size_t c = 0; c < channels; c++)
        write_channel(call, at, call->weight + (k * channels + c) * kernel,
                      (group * channels + c) * plane, &nonzero);
    if (call->indptr != NULL)
        call->indptr[at->row + 1] = (int)nonzero;
    return nonzero;
}

/* The nonzeros of a plane before line `line` of it. */
static size_t nonzeros_before(const writing *call, int line)
{
    const layer_conv *const conv = &call->matrix->conv;
    const layer_window *const depth = &conv->window[LAYER_DEPTH];
    const layer_window *const height = &conv->window[LAYER_HEIGHT];
    const int d = line / height->output, p = line % height->output;
    return count_taps_before(depth, d) * call->height_nonzeros +
           count_taps(depth, d) * count_taps_before(height, p) * call->line_nonzeros;
}

/* Some lines of a plane of outputs. */
static void write_lines(void *argument, size_t task, int thread)
{
    (void)thread;
    const writing *const call = argument;
    const layer_window *const window = call->matrix->conv.window;
    const size_t k = task / call->tasks, first = task % call->tasks * call->lines_per_task;
    const size_t lines = (size_t)window[LAYER_DEPTH].output * (size_t)window[LAYER_HEIGHT].output;
    const size_t end = layer_smaller(first + call->lines_per_task, lines);
    window_row at = {
        .row = (k * lines + first) * (size_t)window[LAYER_WIDTH].output,
        .nonzero = k * call->plane_nonzeros + nonzeros_before(call, (int)first),
    };
    for (size_t line = first; line < end && !layer_run_cancelled(call->run); line++) {
        at.output.depth = (int)line / window[LAYER_HEIGHT].output;
        at.output.height = (int)line % window[LAYER_HEIGHT].output;
        at.depth = layer_inside_taps(&window[LAYER_DEPTH], at.output.depth);
        at.height = layer_inside_taps(&window[LAYER_HEIGHT], at.output.height);
        for (int q = 0; q < window[LAYER_WIDTH].output; q++, at.row++) {
            at.output.width = q;
            at.width = layer_inside_taps(&window[LAYER_WIDTH], q);
            at.nonzero = write_row(call, &at, k);
        }
    }
}

static layer_status write_all(writing *call)
{
    const layer_conv *const conv = &call->matrix->conv;
    const layer_window *const window = conv->window;
    const size_t lines = (size_t)window[LAYER_DEPTH].output * (size_t)window[LAYER_HEIGHT].output;
    assert(call->weight != NULL && call->run != NULL);
    call->plane_nonzeros = (size_t)call->matrix->nonzeros / (size_t)conv->weight.extent[0];
    call->line_nonzeros = (size_t)conv->weight.extent[1] *
                          count_taps_before(&window[LAYER_WIDTH], window[LAYER_WIDTH].output);
    call->height_nonzeros =
        call->line_nonzeros * count_taps_before(&window[LAYER_HEIGHT], window[LAYER_HEIGHT].output);
    call->lines_per_task = layer_blocks_of(lines, TASKS_PER_PLANE);
    call->tasks = layer_blocks_of(lines, call->lines_per_task);
    if (call->indptr != NULL)
        call->indptr[0] = 0;
    return layer_run_tasks(call->run, (size_t)conv->weight.extent[0] * call->tasks, write_lines,
                           call);
}

/* ---- The formats ----------------------------------------------------------------------------- */

layer_status layer_conv_matrix_dense(const layer_conv_matrix *matrix, const float *weight,
                                     float *dense, const layer_run *run)
{
    assert(dense != NULL);
    return write_all(&(writing){.matrix = matrix, .weight = weight, .dense = dense, .run = run});
}

layer_status layer_conv_matrix_coo(const layer_conv_matrix *matrix, const float *weight, int *rows,
                                   int *columns, float *values, const layer_run *run)
{
    assert(matrix->nonzeros == 0 || (rows != NULL && columns != NULL && values != NULL));
    return write_all(&(writing){.matrix = matrix,
                                .weight = weight,
                                .values = values,
                                .rows = rows,
                                .columns = columns,
                                .run = run});
}

layer_status layer_conv_matrix_csr(const layer_conv_matrix *matrix, const float *weight,
                                   int *indptr, int *indices, float *values, const layer_run *run)
{
    assert(indptr != NULL && (matrix->nonzeros == 0 || (indices != NULL && values != NULL)));
    return write_all(&(writing){.matrix = matrix,
                                .weight = weight,
                                .values = values,
                                .columns = indices,
                                .indptr = indptr,
                                .run = run});
}
