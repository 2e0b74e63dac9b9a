/* What each layer of a network reads, and its windows.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_RECEPTIVE_FIELD_READS_H
#define LAYER_RECEPTIVE_FIELD_READS_H

#include "layer/receptive_field.h"

/* *sum += a * b; false beyond LAYER_RECEPTIVE_MOST in magnitude. */
static inline bool layer_add_product(int64_t *sum, int64_t a, int64_t b)
{
    int64_t product;
    return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(*sum, product, sum) &&
           *sum <= LAYER_RECEPTIVE_MOST && *sum >= -LAYER_RECEPTIVE_MOST;
}

static inline int layer_reads_count(const layer_receptive_network *network, size_t place)
{
    const int count = network->layers[place].input_count;
    return count == 0 ? 1 : count;
}

/* The layer before the first one is the network's input: -1. */
static inline int layer_reads(const layer_receptive_network *network, size_t place, int i)
{
    const layer_receptive_layer *const layer = &network->layers[place];
    return layer->input_count == 0 ? (int)place - 1 : layer->inputs[i];
}

/* The windows of the network's axes, without the trivial ones before them. */
static inline const layer_window *layer_own_windows(const layer_receptive_network *network,
                                                    const layer_receptive_field *field)
{
    return field->window + LAYER_MAX_SPATIAL - network->axes;
}

#endif
