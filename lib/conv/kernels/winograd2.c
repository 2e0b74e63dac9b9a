/* F(2x2, 3x3): the points 0, 1, -1 and infinity. Source: Lavin & Gray, arXiv:1509.09308,
 * section 4.1. SPDX-License-Identifier: MIT */
enum { OUTPUTS = 2, POINTS = 4 };

static const float input_matrix[POINTS][POINTS] = {
    {1, 0, -1, 0},
    {0, 1, 1, 0},
    {0, -1, 1, 0},
    {0, -1, 0, 1},
};

static const float weight_matrix[POINTS][3] = {
    {1, 0, 0},
    {1.0f / 2, 1.0f / 2, 1.0f / 2},
    {1.0f / 2, -1.0f / 2, 1.0f / 2},
    {0, 0, 1},
};

static const float output_matrix[OUTPUTS][POINTS] = {
    {1, 1, 1, 0},
    {0, 1, -1, 1},
};

#include "conv/kernels/winograd_transforms.h"

const layer_winograd2_kernels LAYER_KERNELS(layer_winograd2_kernels) = {
    transform_input, transform_weight, transform_output};
