/* The transforms of Winograd's gradient, for the points 0, 1, -1, 2, -2 and infinity.
 * SPDX-License-Identifier: MIT */
#include "conv/winograd_gradient.h"
#include "core/kernels/vectors.h"

enum { OUTPUTS = LAYER_GRADIENT_OUTPUTS, POINTS = OUTPUTS + 2, KERNEL = 3 };

/* A row of a strip, and what is read with the last vector. */
enum { SPAN = LAYER_GRADIENT_SPAN };

#define INLINED  __attribute__((always_inline)) static inline
#define UNROLLED _Pragma("GCC unroll 8")

/* A y */
INLINED void spread_outputs(const lanes y[OUTPUTS], lanes points[POINTS])
{
    const lanes even = y[0] + y[2], odd = y[1] + y[3];
    const lanes even2 = y[0] + 4.0f * y[2], odd2 = 2.0f * y[1] + 8.0f * y[3];
    points[0] = y[0];
    points[1] = even + odd;
    points[2] = even - odd;
    points[3] = even2 + odd2;
    points[4] = even2 - odd2;
    points[5] = y[3];
}

/* G' m */
INLINED void join_points(const lanes m[POINTS], lanes kernel[KERNEL])
{
    const lanes sum = (m[1] + m[2]) / -6.0f, difference = (m[2] - m[1]) / 6.0f;
    const lanes sum2 = (m[3] + m[4]) / 24.0f, difference2 = (m[3] - m[4]) / 12.0f;
    kernel[0] = m[0] / 4.0f + sum + sum2;
    kernel[1] = difference + difference2;
    kernel[2] = sum + 4.0f * sum2 + m[5];
}

/* ---- Outputs --------------------------------------------------------------------------------- */

/* Down the columns of one channel: columns[point][SPAN]. */
INLINED void spread_columns(const layer_winograd_gradient *strip, const float *gradient,
                            float *columns)
{
    const size_t span = strip->tiles * OUTPUTS;
    for (size_t x = 0; x < span; x += LANES) {
        const size_t left = strip->columns > x ? strip->columns - x : 0;
        const lanes_range range = lanes_between(0, left < LANES ? (int)left : LANES);
        lanes y[OUTPUTS], points[POINTS];
        UNROLLED
        for (size_t i = 0; i < OUTPUTS; i++)
            y[i] = i < strip->rows ? lanes_load_range(gradient + i * strip->width + x, range)
                                   : (lanes){0};
        spread_outputs(y, points);
        UNROLLED
        for (size_t i = 0; i < POINTS; i++)
            lanes_store(columns + i * SPAN + x, points[i]);
    }
}

/* Every fourth float from x, x + 1 ... on. */
INLINED void load_fourths(const float *x, lanes fourths[OUTPUTS])
{
    const lanes a = lanes_load(x), b = lanes_load(x + LANES);
    const lanes c = lanes_load(x + 2 * LANES), d = lanes_load(x + 3 * LANES);
    const lanes even = lanes_even(a, b), even2 = lanes_even(c, d);
    const lanes odd = lanes_odd(a, b), odd2 = lanes_odd(c, d);
    fourths[0] = lanes_even(even, even2);
    fourths[1] = lanes_even(odd, odd2);
    fourths[2] = lanes_odd(even, even2);
    fourths[3] = lanes_odd(odd, odd2);
}

/* Along a row of points: lanes the tiles. */
INLINED void spread_row(const float *row, size_t tiles, float *transformed, size_t point_stride)
{
    for (size_t tile = 0; tile < tiles; tile += LANES) {
        const int some = tiles - tile < LANES ? (int)(tiles - tile) : LANES;
        lanes y[OUTPUTS], points[POINTS];
        load_fourths(row + tile * OUTPUTS, y);
        spread_outputs(y, points);
        UNROLLED
        for (size_t i = 0; i < POINTS; i++)
            lanes_store_some(transformed + i * point_stride + tile, points[i], some);
    }
}

static void transform_gradient(const layer_winograd_gradient *strip)
{
    float *const columns = strip->scratch;
    for (size_t k = 0; k < strip->outputs; k++) {
        spread_columns(strip, strip->gradient + k * strip->plane, columns);
        for (size_t i = 0; i < POINTS; i++)
            spread_row(columns + i * SPAN, strip->tiles,
                       strip->transformed + i * POINTS * strip->point_stride +
                           k * strip->output_stride,
                       strip->point_stride);
    }
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void transform_sums(float *sums, size_t stride, size_t count)
{
    for (size_t at = 0; at < count; at += LANES) {
        lanes columns[KERNEL][POINTS];
        for (size_t x = 0; x < POINTS; x++) {
            lanes column[POINTS], joined[KERNEL];
            UNROLLED
            for (size_t i = 0; i < POINTS; i++)
                column[i] = lanes_load(sums + (i * POINTS + x) * stride + at);
            join_points(column, joined);
            UNROLLED
            for (size_t i = 0; i < KERNEL; i++)
                columns[i][x] = joined[i];
        }
        for (size_t i = 0; i < KERNEL; i++) {
            lanes joined[KERNEL];
            join_points(columns[i], joined);
            UNROLLED
            for (size_t j = 0; j < KERNEL; j++)
                lanes_store(sums + (i * KERNEL + j) * stride + at, joined[j]);
        }
    }
}

const layer_winograd_gradient_kernels LAYER_KERNELS(layer_winograd_gradient_kernels) = {
    transform_gradient,
    transform_sums,
};
