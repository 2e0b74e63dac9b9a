/* How the variance of signals and of gradients passes through a stack of layers at initialization:
 * predicted by the formulas, measured by drawing.
 *
 * With independent, centred weights, z = Wx and dL/dx = W' dL/dz give, at every element,
 *
 *     D z_l          = fan_in_l  * D w_l * E x_(l-1)^2,          x_l = f(z_l), D x_0 = 1
 *     D dL/dx_(l-1)  = fan_out_l * D w_l * D dL/dz_l,            D dL/dz_L = 1
 *     D dL/dz_l      = E f'(z_l)^2 * D dL/dx_l
 *
 * the expectations being those of z_l ~ N(0, D z_l): exact where f is linear on either side of zero
 * (linear, relu, leaky_relu), otherwise by quadrature. Both are kept from layer to layer where
 *
 *     fan_in_l * D w_l * c_l = 1,      c_l  = E f(z_(l-1))^2 / D z_(l-1)
 *     fan_out_l * D w_l * c'_l = 1,    c'_l = E f'(z_(l-1))^2
 *
 * c = c' = 1 without a nonlinearity, 1/2 with a ReLU. The first layer, whose input no nonlinearity
 * has made, takes c and c' at z ~ N(0, 1), as He et al. do: a factor on one layer does not matter.
 * Sources: Glorot & Bengio 2010, eqs. 10-16; He et al. 2015, eqs. 7-14.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_VARIANCE_H
#define LAYER_VARIANCE_H

#include "layer/initialize.h"
#include "layer/nonlinearity.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LAYER_VARIANCE_MAX_LAYERS = 64,
    LAYER_VARIANCE_MAX_CELLS = 4096, /* of all layers' kernels together: see layer_variance */
    LAYER_VARIANCE_MAX_SAMPLES = 65536,
    LAYER_VARIANCE_SAMPLES = 256,
};

/* A layer's weight. */
typedef struct {
    layer_shape shape; /* [out, in] or [K, C/group, kernel ...] */
    int group;         /* 0 means 1 */
} layer_variance_weight;

/* All zero means: xavier_normal, linear, 256 samples, seed 0. */
typedef struct {
    layer_initialize_options law; /* of every layer; its group is not looked at */
    layer_nonlinearity nonlinearity;
    double slope;   /* of leaky_relu */
    size_t samples; /* inputs drawn; 0 means LAYER_VARIANCE_SAMPLES */
} layer_variance_options;

/* What the formulas say of a layer. */
typedef struct {
    layer_initialize law;   /* its weight; the seed is the layer's own, below 2^53 */
    double weight_variance; /* D w */
    double forward;         /* D z */
    double backward;        /* D dL/dx, of the layer's input */
    double forward_factor;  /* fan_in * D w * c: what its condition has in place of 1 */
    double backward_factor; /* fan_out * D w * c' */
} layer_variance_layer;

/* A stack that fits together. Filled by layer_variance_describe(), read-only afterwards.
 *
 * Convolutions are measured on a lattice without borders, as large as the largest kernel along each
 * axis, where every output sees fan_in inputs and every input reaches fan_out outputs; a linear
 * layer between them is applied at each of its cells. */
typedef struct {
    size_t count;
    layer_variance_layer layers[LAYER_VARIANCE_MAX_LAYERS];
    layer_nonlinearity nonlinearity;
    double slope;
    size_t samples;
    uint64_t seed;
    int lattice[LAYER_MAX_SPATIAL];
    size_t cells; /* of the lattice */
    uint64_t multiplications;
} layer_variance;

/* What was measured of a layer. */
typedef struct {
    double forward;                             /* the variance of all elements of all samples' z */
    double backward;                            /* the same of dL/dx */
    double mean_ratio, least_ratio, most_ratio; /* |z| / |x| of the samples, 0 where x is 0 */
} layer_variance_measured;

/* Checks that the weights follow each other and that the law draws them around zero, and predicts.
 * Returns LAYER_OK and fills *variance; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *variance
 * alone, sets *place to the layer that is to blame and names in *error "shape" or "group"; or, with
 * *place == count, "layers", "samples", "nonlinearity", "method" or an option of the law.
 * Thread-safe. */
layer_status layer_variance_describe(layer_variance *variance, const layer_variance_weight *weights,
                                     size_t count, const layer_variance_options *options,
                                     size_t *place, layer_error *error);

/* Bytes of workspace that measuring takes with up to `threads` threads. */
size_t layer_variance_workspace_size(const layer_variance *variance, int threads);

/* Draws the weights, then `samples` inputs from N(0, 1) and as many gradients dL/dz of the last
 * layer, and passes them through. Fills measured[count]; the same bits for any number of threads.
 * Returns LAYER_OK, LAYER_CANCELLED, or LAYER_FAILED. */
layer_status layer_variance_measure(const layer_variance *variance,
                                    layer_variance_measured *measured, const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
