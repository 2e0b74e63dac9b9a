/* liblayer: the building blocks of convolutional networks as pure functions on float arrays.
 *
 * Conventions, for every function:
 *   - Describe first: only the ..._describe() functions refuse arguments. They derive every shape,
 *     and say which argument is wrong and why. What they have accepted cannot fail later for its
 *     shapes; the functions that compute assert.
 *   - The library allocates nothing, locks nothing and remembers nothing. The caller brings the
 *     output, the workspace and, for work in parallel, the executor (layer/executor.h).
 *   - Tensors are dense, row-major arrays of float that do not overlap.
 *   - Options are structs whose zero means the default.
 *   - Results do not depend on the number of threads; their last bits depend on the instruction set
 * (layer/isa.h).
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include "layer/conv.h"
#include "layer/conv_backward.h"
#include "layer/conv_matrix.h"
#include "layer/conv_transpose.h"
#include "layer/executor.h"
#include "layer/factorize.h"
#include "layer/initialize.h"
#include "layer/isa.h"
#include "layer/linear.h"
#include "layer/nonlinearity.h"
#include "layer/pool.h"
#include "layer/random.h"
#include "layer/receptive_field.h"
#include "layer/separable_depthwise.h"
#include "layer/separable_spatial.h"
#include "layer/status.h"
#include "layer/tensor.h"
#include "layer/unpool.h"
#include "layer/variance.h"
#include "layer/window.h"

#endif
