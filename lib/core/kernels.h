/* Inner loops that are compiled once for each instruction set.
 *
 * A source in a folder `kernels` is compiled for every level of layer/isa.h that the architecture
 * has. What it offers is one table of functions, under a name of the level's own:
 *
 *     const layer_row_kernels LAYER_KERNELS(layer_row_kernels) = {add, scale};
 *
 * and its header declares the table's type and the choice among its levels:
 *
 *     typedef struct { ... } layer_row_kernels;
 *     LAYER_DECLARE_KERNELS(layer_row_kernels)    ... layer_row_kernels_at(run->isa)->add(...)
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_H
#define LAYER_CORE_KERNELS_H

#include "layer/isa.h"

#define LAYER_JOIN_(a, b)   a##_##b
#define LAYER_JOIN(a, b)    LAYER_JOIN_(a, b)
#define LAYER_KERNELS(type) LAYER_JOIN(type, LAYER_ISA)

#if defined(__x86_64__)
#define LAYER_DECLARE_KERNELS(type)                                                                \
    extern const type type##_baseline, type##_avx2, type##_avx512;                                 \
    static inline const type *type##_at(layer_isa isa)                                             \
    {                                                                                              \
        switch (isa == LAYER_ISA_AUTO ? layer_isa_best() : isa) {                                  \
        case LAYER_ISA_AVX512:                                                                     \
            return &type##_avx512;                                                                 \
        case LAYER_ISA_AVX2:                                                                       \
            return &type##_avx2;                                                                   \
        default:                                                                                   \
            return &type##_baseline;                                                               \
        }                                                                                          \
    }
#else
#define LAYER_DECLARE_KERNELS(type)                                                                \
    extern const type type##_baseline;                                                             \
    static inline const type *type##_at(layer_isa isa)                                             \
    {                                                                                              \
        (void)isa;                                                                                 \
        return &type##_baseline;                                                                   \
    }
#endif

#endif
