/* F(6x6, 3x3): the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. Made by Toom and Cook's
 * interpolation as Lavin & Gray, arXiv:1509.09308, describe it; the columns of A' for 1/2 and -1/2
 * are multiplied by 32 and the rows of G divided, so that few factors are fractions.
 * SPDX-License-Identifier: MIT */
enum { OUTPUTS = 6, POINTS = 8 };

static const float input_matrix[POINTS][POINTS] = {
    {1, 0, -21.0f / 4, 0, 21.0f / 4, 0, -1, 0},
    {0, 1, 1, -17.0f / 4, -17.0f / 4, 1, 1, 0},
    {0, -1, 1, 17.0f / 4, -17.0f / 4, -1, 1, 0},
    {0, 1.0f / 2, 1.0f / 4, -5.0f / 2, -5.0f / 4, 2, 1, 0},
    {0, -1.0f / 2, 1.0f / 4, 5.0f / 2, -5.0f / 4, -2, 1, 0},
    {0, 2, 4, -5.0f / 2, -5, 1.0f / 2, 1, 0},
    {0, -2, 4, 5.0f / 2, -5, -1.0f / 2, 1, 0},
    {0, -1, 0, 21.0f / 4, 0, -21.0f / 4, 0, 1},
};

static const float weight_matrix[POINTS][3] = {
    {1, 0, 0},
    {-2.0f / 9, -2.0f / 9, -2.0f / 9},
    {-2.0f / 9, 2.0f / 9, -2.0f / 9},
    {1.0f / 90, 1.0f / 45, 2.0f / 45},
    {1.0f / 90, -1.0f / 45, 2.0f / 45},
    {1.0f / 45, 1.0f / 90, 1.0f / 180},
    {1.0f / 45, -1.0f / 90, 1.0f / 180},
    {0, 0, 1},
};

static const float output_matrix[OUTPUTS][POINTS] = {
    {1, 1, 1, 1, 1, 32, 32, 0},  {0, 1, -1, 2, -2, 16, -16, 0}, {0, 1, 1, 4, 4, 8, 8, 0},
    {0, 1, -1, 8, -8, 4, -4, 0}, {0, 1, 1, 16, 16, 2, 2, 0},    {0, 1, -1, 32, -32, 1, -1, 1},
};

#include "conv/kernels/winograd_transforms.h"

const layer_winograd6_kernels LAYER_KERNELS(layer_winograd6_kernels) = {
    transform_input, transform_weight, transform_output};
