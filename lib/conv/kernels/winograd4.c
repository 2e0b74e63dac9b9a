/* F(4x4, 3x3): the points 0, 1, -1, 2, -2 and infinity. Source: Lavin & Gray, arXiv:1509.09308,
 * section 4.2.
 * SPDX-License-Identifier: MIT */
enum { OUTPUTS = 4, POINTS = 6 };

static const float input_matrix[POINTS][POINTS] = {
    {4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
    {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1},
};

static const float weight_matrix[POINTS][3] = {
    {1.0f / 4, 0, 0},
    {-1.0f / 6, -1.0f / 6, -1.0f / 6},
    {-1.0f / 6, 1.0f / 6, -1.0f / 6},
    {1.0f / 24, 1.0f / 12, 1.0f / 6},
    {1.0f / 24, -1.0f / 12, 1.0f / 6},
    {0, 0, 1},
};

static const float output_matrix[OUTPUTS][POINTS] = {
    {1, 1, 1, 1, 1, 0},
    {0, 1, -1, 2, -2, 0},
    {0, 1, 1, 4, 4, 0},
    {0, 1, -1, 8, -8, 1},
};

#include "conv/kernels/winograd_transforms.h"

const layer_winograd4_kernels LAYER_KERNELS(layer_winograd4_kernels) = {
    transform_input, transform_weight, transform_output};
