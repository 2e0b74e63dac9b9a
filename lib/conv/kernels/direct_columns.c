/* A row of outputs, several vectors of neighbouring columns held in registers meanwhile.
 * SPDX-License-Identifier: MIT */
#include "conv/direct_row.h"
#include "core/kernels/vectors.h"

enum { MOST_VECTORS = 8 };

/* Every stride-th float from `x` on. */
__attribute__((always_inline)) static inline lanes load_lanes(const float *x, ptrdiff_t stride)
{
    if (stride == 1)
        return lanes_load(x);
    lanes loaded;
    for (int i = 0; i < LANES; i++)
        loaded[i] = x[i * stride];
    return loaded;
}

/* `vectors` vectors of columns from `column` on, all whole; the last begins `last` columns after
 * the first. Inlined with `vectors` a constant, so that the sums are registers, and `stride` too
 * where it is 1. */
__attribute__((always_inline)) static inline void whole_columns(const layer_direct_row *row,
                                                                int column, int last,
                                                                const int vectors,
                                                                const ptrdiff_t stride)
{
    const layer_strides x_step = row->input_strides, w_step = row->weight_strides;
    const float *const input = row->input + column * stride - row->width->pad_begin;
    lanes sums[MOST_VECTORS];
    for (int v = 0; v < vectors; v++)
        sums[v] = lanes_all(row->bias);
    for (int c = 0; c < row->channels; c++)
        for (int d = 0; d < row->depth_taps; d++)
            for (int r = 0; r < row->height_taps; r++) {
                const float *x = input + c * x_step.channel + d * x_step.depth + r * x_step.height;
                const float *w =
                    row->weight + c * w_step.channel + d * w_step.depth + r * w_step.height;
                for (int s = 0; s < row->width->kernel; s++, x += x_step.width, w += w_step.width) {
                    for (int v = 0; v < vectors - 1; v++)
                        sums[v] += *w * load_lanes(x + v * LANES * stride, stride);
                    sums[vectors - 1] += *w * load_lanes(x + last * stride, stride);
                }
            }
    for (int v = 0; v < vectors - 1; v++)
        lanes_store(row->output + column + v * LANES, sums[v]);
    lanes_store(row->output + column + last, sums[vectors - 1]);
}

/* A column whose window may lie on padding partly. */
static float edge_column(const layer_direct_row *row, int column)
{
    const layer_strides x_step = row->input_strides, w_step = row->weight_strides;
    const layer_steps inside = layer_inside_taps(row->width, column);
    const ptrdiff_t begin = (ptrdiff_t)column * row->width->stride - row->width->pad_begin;
    float sum = row->bias;
    for (int c = 0; c < row->channels; c++)
        for (int d = 0; d < row->depth_taps; d++)
            for (int r = 0; r < row->height_taps; r++) {
                const float *const x =
                    row->input + c * x_step.channel + d * x_step.depth + r * x_step.height + begin;
                const float *const w =
                    row->weight + c * w_step.channel + d * w_step.depth + r * w_step.height;
                for (int s = inside.begin; s < inside.end; s++)
                    sum += x[s * x_step.width] * w[s * w_step.width];
            }
    return sum;
}

__attribute__((always_inline)) static inline void
whole_vectors(const layer_direct_row *row, int column, int last, int vectors, ptrdiff_t stride)
{
    switch (vectors) {
#define VECTORS(count)                                                                             \
    case count:                                                                                    \
        whole_columns(row, column, last, count, stride);                                           \
        break
        VECTORS(1);
        VECTORS(2);
        VECTORS(3);
        VECTORS(4);
        VECTORS(5);
        VECTORS(6);
        VECTORS(7);
#undef VECTORS
    default:
        whole_columns(row, column, last, MOST_VECTORS, stride);
    }
}

/* The range's last vector lies at its end: some columns may be computed twice and come out the
 * same. */
__attribute__((always_inline)) static inline void whole_range(const layer_direct_row *row,
                                                              const ptrdiff_t stride)
{
    int column = row->whole.begin;
    const int end = row->whole.end;
    if (end - column < LANES)
        for (; column < end; column++)
            row->output[column] = edge_column(row, column);
    while (column < end) {
        const int left = end - column;
        const int wanted = (left + LANES - 1) / LANES;
        const int vectors = wanted < MOST_VECTORS ? wanted : MOST_VECTORS;
        const int last = (vectors - 1) * LANES;
        whole_vectors(row, column, left - LANES < last ? left - LANES : last, vectors, stride);
        column += vectors * LANES;
    }
}

static void compute(const layer_direct_row *row)
{
    for (int column = row->columns.begin; column < row->whole.begin; column++)
        row->output[column] = edge_column(row, column);
    for (int column = row->whole.end; column < row->columns.end; column++)
        row->output[column] = edge_column(row, column);
    if (row->width->stride == 1)
        whole_range(row, 1);
    else
        whole_range(row, row->width->stride);
}

const layer_direct_kernels LAYER_KERNELS(layer_direct_kernels) = {compute};
