/* What describing and measuring a stack of layers share.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_VARIANCE_STACK_H
#define LAYER_VARIANCE_STACK_H

#include "layer/variance.h"

/* The seeds that are drawn from that of the stack, each below 2^53: one for each layer's weight, by
 * its index, one for the inputs, one for the gradients. */
enum {
    LAYER_VARIANCE_INPUTS = LAYER_VARIANCE_MAX_LAYERS,
    LAYER_VARIANCE_GRADIENTS,
};

/* The upper 53 bits of the first two words, low word first, of Philox at counter {index, 0, 2, 0},
 * keyed by `seed`. */
uint64_t layer_variance_seed(uint64_t seed, size_t index);

/* The channels that a weight's layer takes, of all its groups. */
size_t layer_variance_channels_in(const layer_initialize *law);

/* The kernel's extent along one of LAYER_MAX_SPATIAL axes, of which the last are those that the
 * weight has; 1 along the others. */
int layer_variance_kernel(const layer_initialize *law, int axis);

#endif
