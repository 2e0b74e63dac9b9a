/* Initial weights: describe the law, size its workspace, draw.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_INITIALIZE_H
#define LAYER_INITIALIZE_H

#include "layer/executor.h"
#include "layer/tensor.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row a method: its name and its law. */
#define LAYER_INITIALIZE_METHOD_LIST(X)                                                            \
    X(XAVIER_NORMAL, "xavier_normal", "N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out))")    \
    X(XAVIER_UNIFORM, "xavier_uniform", "U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out))")       \
    X(ORTHOGONAL, "orthogonal", "gain * Q of a QR decomposition, uniform over orthogonal matrices")

typedef enum {
#define LAYER_INITIALIZE_ENUM(id, name, law) LAYER_INITIALIZE_##id,
    LAYER_INITIALIZE_METHOD_LIST(LAYER_INITIALIZE_ENUM)
#undef LAYER_INITIALIZE_ENUM
} layer_initialize_method;

/* All zero means: xavier_normal, gain 1, seed 0, one group. */
typedef struct {
    layer_initialize_method method;
    double gain; /* 0 means 1 */
    uint64_t seed;
    int group; /* 0 means 1 */
} layer_initialize_options;

/* A law whose shape fits. Filled by layer_initialize_describe(), read-only afterwards. */
typedef struct {
    layer_shape shape; /* [K, C/group, kernel ...]; a linear layer's is [out, in] */
    layer_initialize_method method;
    uint64_t seed;
    double gain;
    double fan_in;  /* C/group times the kernel's cells */
    double fan_out; /* K/group times the kernel's cells */
    double std;     /* the standard deviation of one element */
    double bound;   /* of a uniform law: every |element| is at most this; otherwise 0 */
    uint64_t multiplications;
} layer_initialize;

/* Checks the shape (rank 2 to 5) and the options (NULL: the defaults) and derives the fans, std
 * and bound.
 * Returns LAYER_OK and fills *initialize; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *initialize
 * alone and names in *error one of "shape", "gain", "group", "method". Thread-safe.
 * Sources: Glorot & Bengio 2010, eqs. 12 and 16; Saxe, McClelland & Ganguli 2014; Mezzadri,
 * math-ph/0609050 (why the signs of R's diagonal matter). */
layer_status layer_initialize_describe(layer_initialize *initialize, const layer_shape *shape,
                                       const layer_initialize_options *options, layer_error *error);

/* Bytes of workspace that running takes; 0 for all methods but orthogonal. */
size_t layer_initialize_workspace_size(const layer_initialize *initialize);

/* Draws the weight, `shape` elements. Element i of a normal or uniform weight depends on the seed
 * and on i alone; an orthogonal one on the seed. Seen as rows = shape[0] by columns = the rest, an
 * orthogonal weight W has W'W = gain^2 I where rows >= columns, WW' = gain^2 I otherwise.
 * Returns LAYER_OK, LAYER_CANCELLED, or LAYER_FAILED; weight is undefined after the last two.
 * Thread-safe: concurrent runs need a workspace each. */
layer_status layer_initialize_run(const layer_initialize *initialize, float *weight,
                                  const layer_run *run);

/* "orthogonal" for LAYER_INITIALIZE_ORTHOGONAL. */
const char *layer_initialize_method_name(layer_initialize_method method);

/* Mean and (population) variance of `count` elements, summed in double. Thread-safe. */
void layer_moments(const float *elements, size_t count, double *mean, double *variance);

#ifdef __cplusplus
}
#endif
#endif
