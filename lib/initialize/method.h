/* What a method of initialization is made of, for initialize.c and one file per family of laws.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_INITIALIZE_METHOD_H
#define LAYER_INITIALIZE_METHOD_H

#include "layer/initialize.h"

typedef struct {
    /* Fills in mean, std, bound and multiplications, and what drawing takes; shape, fans and the
     * checked options are there. May refuse an option. */
    layer_status (*describe)(layer_initialize *initialize, const layer_initialize_options *options,
                             size_t count, layer_error *error);
    /* NULL: none. */
    size_t (*workspace_size)(const layer_initialize *initialize, size_t count);
    layer_status (*run)(const layer_initialize *initialize, float *weight, size_t count,
                        const layer_run *run);
    const char *widener; /* the option to blame for elements that a float cannot hold */
} layer_initialize_law;

/* What a drawn element counts for in multiplications: its share of a Philox block's twenty, and for
 * a normal one its share of a logarithm, a square root, a sine and a cosine, or of the polynomials
 * of its quantile. */
enum {
    LAYER_UNIFORM_MULTIPLICATIONS = 8,
    LAYER_NORMAL_MULTIPLICATIONS = 64,
    LAYER_TRUNCATED_MULTIPLICATIONS = 48,
};

/* One for each row of LAYER_INITIALIZE_METHOD_LIST. */
#define LAYER_INITIALIZE_LAW(id, name, takes, sentence)                                            \
    extern const layer_initialize_law layer_initialize_law_##id;
LAYER_INITIALIZE_METHOD_LIST(LAYER_INITIALIZE_LAW)
#undef LAYER_INITIALIZE_LAW

#endif
