/* Instruction sets: the library has its inner loops once for each, in one binary.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_ISA_H
#define LAYER_ISA_H

#ifdef __cplusplus
extern "C" {
#endif

/* One row a level, each holding those before it. BASELINE is what the compiler assumes of any
 * processor of the architecture; the others are x86-64's. */
#define LAYER_ISA_LIST(X)                                                                          \
    X(BASELINE, baseline, "any processor of the architecture")                                     \
    X(AVX2, avx2, "x86-64-v3: 256-bit vectors, fused multiply-add")                                \
    X(AVX512, avx512, "x86-64-v4: 512-bit vectors, masks")

typedef enum {
    LAYER_ISA_AUTO, /* the best that this processor has */
#define LAYER_ISA_ENUM(id, name, sentence) LAYER_ISA_##id,
    LAYER_ISA_LIST(LAYER_ISA_ENUM)
#undef LAYER_ISA_ENUM
} layer_isa;

/* The best that this processor, and this build, has; never AUTO. Thread-safe. */
layer_isa layer_isa_best(void);

/* "avx2" for LAYER_ISA_AVX2, "auto" for LAYER_ISA_AUTO. Thread-safe. */
const char *layer_isa_name(layer_isa isa);

#ifdef __cplusplus
}
#endif
#endif
