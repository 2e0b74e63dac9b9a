/* Which of OpenBLAS's kernels to use. It chooses by a list of processors, and those that it does
 * not know yet get the oldest, several times slower: version 0.3.21 knows no Intel server after Ice
 * Lake. So the linker puts this function before OpenBLAS's own, and the choice goes by what the
 * processor can do. SPDX-License-Identifier: MIT */
#include "layer/isa.h"

#include <stddef.h>
#include <stdlib.h>

#if defined(__x86_64__)
/* OpenBLAS calls it once, while the program or liblayer.so is loaded. Absent where another BLAS is
 * linked. */
__attribute__((weak)) void __real_gotoblas_dynamic_init(void);
void __wrap_gotoblas_dynamic_init(void);

void __wrap_gotoblas_dynamic_init(void)
{
    static const char variable[] = "OPENBLAS_CORETYPE";
    static const char *const cores[] = {
        [LAYER_ISA_AVX2] = "Haswell", [LAYER_ISA_AVX512] = "SkylakeX"};
    const layer_isa isa = layer_isa_best();
    const int chooses = isa != LAYER_ISA_BASELINE && getenv(variable) == NULL;
    if (chooses)
        setenv(variable, cores[isa], 0);
    __real_gotoblas_dynamic_init();
    if (chooses)
        unsetenv(variable);
}
#endif
