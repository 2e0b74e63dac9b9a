/* Receptive fields: what of a network's input each layer's outputs see, in chains and in graphs.
 *
 * Output u of a layer sees the input from u * stride + first to u * stride + last, along each axis:
 *
 *     stride' = stride * s            first' = first - pad_begin * stride
 *                                     last'  = last + (e - 1 - pad_begin) * stride
 *
 * where s is the layer's own stride, e = dilation * (kernel - 1) + 1, and the unprimed are of what
 * it reads. Where a layer reads several that agree in stride, its region is the smallest that holds
 * theirs. All is in integers, exact up to LAYER_RECEPTIVE_MOST.
 * Source: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks",
 * Distill 2019, doi:10.23915/distill.00021.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_RECEPTIVE_FIELD_H
#define LAYER_RECEPTIVE_FIELD_H

#include "layer/window.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LAYER_NETWORK_INPUT = -1,      /* among the inputs of a layer */
    LAYER_RECEPTIVE_LAYERS = 1024, /* layers of a network, at most */
};
#define LAYER_RECEPTIVE_MOST INT64_C(9007199254740991) /* 2^53 - 1: doubles hold it exactly */

/* One layer, whatever it computes: only its windows count. */
typedef struct {
    int kernel[LAYER_MAX_SPATIAL]; /* 0 means 1 */
    layer_geometry geometry;
    int input_count;   /* 0: it reads the layer before it, the first one the network's input */
    const int *inputs; /* places of earlier layers, or LAYER_NETWORK_INPUT */
} layer_receptive_layer;

/* A network of layers, each after those that it reads. The last one is its output. */
typedef struct {
    size_t count;
    const layer_receptive_layer *layers;
    int axes;              /* spatial axes, 1 to 3 */
    const int *input_size; /* one extent an axis; or NULL: any that is large enough */
} layer_receptive_network;

/* What a layer's outputs see along one axis. */
typedef struct {
    int64_t stride;      /* effective: cells of the input from one output's region to the next's */
    int64_t first, last; /* of the region of output 0; the size is last - first + 1, twice the
                            centre first + last */
    int64_t pad_end;     /* effective padding at the end; at the beginning it is -first */
    int output;          /* how many there are; 0 without an input_size */
} layer_receptive_axis;

typedef struct {
    bool uniform; /* all paths from the input agree in stride; else there is no stride, first,
                     last and pad_end: sizes grow with the position */
    bool aligned; /* and in centre */
    layer_window window[LAYER_MAX_SPATIAL];       /* the layer's own, the last `axes` of them */
    layer_receptive_axis axis[LAYER_MAX_SPATIAL]; /* the first `axes` of them */
} layer_receptive_field;

/* From `first` to `last` along each axis; empty where first > last. */
typedef struct {
    int64_t first[LAYER_MAX_SPATIAL], last[LAYER_MAX_SPATIAL];
} layer_region;

/* Fills fields[i] for every layer of the network. SAME padding depends on the input's size, except
 * with a stride of 1.
 * Returns LAYER_OK; or LAYER_INVALID or LAYER_TOO_LARGE, sets *place to the layer that is to blame
 * and names in *error one of "kernel_shape", "strides", "dilations", "pads", "auto_pad", "inputs";
 * or, with *place == network->count, "layers" or "input_size". Thread-safe. */
layer_status layer_receptive_field_describe(layer_receptive_field fields[],
                                            const layer_receptive_network *network, size_t *place,
                                            layer_error *error);

/* The input that one output of the network sees: the smallest region that holds all its cells.
 * Unclipped, padding and what lies beyond counts like input. Clipped, which takes an input_size,
 * no layer's padding is looked through: the region is exact where no layer leaves cells out
 * (dilation 1, strides up to the kernel), else it may be larger than what is really seen, never
 * smaller; it is empty where only padding is seen. `regions` is scratch, one a layer.
 * Returns LAYER_OK; or LAYER_TOO_LARGE and names "output_position". Thread-safe. */
layer_status layer_receptive_field_seen(const layer_receptive_network *network,
                                        const layer_receptive_field fields[], const int position[],
                                        bool clipped, layer_region regions[], layer_region *seen,
                                        layer_error *error);

/* The outputs of the network that one cell of its input reaches: exact in a chain without
 * dilations, else the range may hold some that are not reached, never leaves one out; it is empty
 * where none is reached. Without an input_size the network has no end. `regions` is scratch, one a
 * layer. Thread-safe. */
void layer_receptive_field_reached(const layer_receptive_network *network,
                                   const layer_receptive_field fields[], const int position[],
                                   layer_region regions[], layer_region *reached);

#ifdef __cplusplus
}
#endif
#endif
