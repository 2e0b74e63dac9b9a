/* Winograd's three transforms, for a source that has defined OUTPUTS, POINTS and the matrices.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_KERNELS_WINOGRAD_TRANSFORMS_H
#define LAYER_CONV_KERNELS_WINOGRAD_TRANSFORMS_H

#include "conv/kernels/winograd_input.h"
#include "conv/kernels/winograd_output.h"
#include "conv/kernels/winograd_weight.h"

#endif
