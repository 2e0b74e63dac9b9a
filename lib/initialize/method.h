/* What a method of initialization is made of, for initialize.c and one file per law.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_INITIALIZE_METHOD_H
#define LAYER_INITIALIZE_METHOD_H

#include "layer/initialize.h"

typedef struct {
    /* Fills in std, bound and multiplications; shape, gain and fans are there. */
    void (*describe)(layer_initialize *initialize, size_t count);
    size_t (*workspace_size)(const layer_initialize *initialize, size_t count);
    layer_status (*run)(const layer_initialize *initialize, float *weight, size_t count,
                        const layer_run *run);
} layer_initialize_law;

/* What a drawn element counts for in multiplications: its share of a Philox block's twenty, and for
 * a normal one its share of a logarithm, a square root, a sine and a cosine. */
enum {
    LAYER_UNIFORM_MULTIPLICATIONS = 8,
    LAYER_NORMAL_MULTIPLICATIONS = 64,
};

/* One for each row of LAYER_INITIALIZE_METHOD_LIST. */
#define LAYER_INITIALIZE_LAW(id, name, sentence)                                                   \
    extern const layer_initialize_law layer_initialize_law_##id;
LAYER_INITIALIZE_METHOD_LIST(LAYER_INITIALIZE_LAW)
#undef LAYER_INITIALIZE_LAW

#endif
