/* Which instruction sets there are, and what the processor has.
 * SPDX-License-Identifier: MIT */
#include "layer/isa.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {[LAYER_ISA_AUTO] = "auto",
#define ISA_NAME(id, name, sentence) [LAYER_ISA_##id] = #name,
                                    LAYER_ISA_LIST(ISA_NAME)
#undef ISA_NAME
};

layer_isa layer_isa_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return LAYER_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        return LAYER_ISA_AVX2;
#endif
    return LAYER_ISA_BASELINE;
}

const char *layer_isa_name(layer_isa isa)
{
    assert((size_t)isa < sizeof names / sizeof *names);
    return names[isa];
}
