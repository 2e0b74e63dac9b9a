/* The gradient of Winograd's F(4x4, 3x3) with respect to its kernel. Going forward, tile by tile,
 *
 *     Y = A' [(G g G') . (B' d B)] A     (conv/winograd.h)
 *
 * so that the gradient with respect to g is
 *
 *     G' [sum over tiles of (A dY A') . (B' d B)] G
 *
 * whose sum is a product of matrices for each point. Here are the transforms that going forward has
 * not, compiled for each instruction set.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_WINOGRAD_GRADIENT_H
#define LAYER_CONV_WINOGRAD_GRADIENT_H

#include "core/kernels.h"

#include <stddef.h>

/* Cells of a tile's outputs along an axis; points of it; cells of a kernel. */
enum { LAYER_GRADIENT_OUTPUTS = 4, LAYER_GRADIENT_POINTS = 36, LAYER_GRADIENT_CELLS = 9 };

/* Outputs of a strip and what a vector reads beyond. */
enum { LAYER_GRADIENT_SPAN = 64 };

/* A dY A' of some tiles side by side, of the outputs' gradient in some channels. */
typedef struct {
    const float *gradient; /* [outputs][rows][columns]; what tiles have beyond these is zero */
    size_t plane, width;   /* floats between planes, between rows */
    size_t outputs, rows, columns;
    size_t tiles;       /* up to 15 */
    float *transformed; /* [point][output][tile] */
    size_t point_stride, output_stride;
    float *scratch; /* LAYER_GRADIENT_SPAN floats for each of 6 points */
} layer_winograd_gradient;

typedef struct {
    void (*transform_gradient)(const layer_winograd_gradient *strip);

    /* G' M G of `count` sums, a multiple of 16 floats side by side: [point], points `stride` apart,
     * becomes [cell]. */
    void (*transform_sums)(float *sums, size_t stride, size_t count);
} layer_winograd_gradient_kernels;
LAYER_DECLARE_KERNELS(layer_winograd_gradient_kernels)

#endif
