/* That the BLAS linked in may be called by several threads at once, which not every build of it
 * may, and that it uses the processor's instructions, also on processors that it does not know.
 * SPDX-License-Identifier: MIT */
#include "layer/isa.h"
#include "support/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 24, CALLS = 400000, THREADS = 4 };

typedef float matrix[SIZE][SIZE];

typedef struct {
    matrix triangle, factor, expected;
    int wrong;
} comparison;

void strmm_(const char *side, const char *triangle, const char *transposed, const char *diagonal,
            const int *m, const int *n, const float *alpha, const float *a, const int *a_stride,
            float *b, const int *b_stride, size_t, size_t, size_t, size_t);

/* A product by a triangular matrix packs its factors into a buffer of OpenBLAS's on every core. */
static void multiply(const comparison *products, matrix product)
{
    const int size = SIZE;
    const float one = 1;
    memcpy(product, products->factor, sizeof(matrix));
    strmm_("L", "U", "N", "N", &size, &size, &one, &products->triangle[0][0], &size, &product[0][0],
           &size, 1, 1, 1, 1);
}

static void compare(void *argument, size_t task, int thread)
{
    comparison *const products = argument;
    matrix product;
    multiply(products, product);
    if (memcmp(product, products->expected, sizeof product) != 0)
        __atomic_add_fetch(&products->wrong, 1, __ATOMIC_RELAXED);
    (void)task, (void)thread;
}

static void concurrent_products_do_not_disturb_each_other(void **state)
{
    (void)state;
    static comparison products;
    for (int i = 0; i < SIZE * SIZE; i++) {
        products.triangle[i / SIZE][i % SIZE] = (float)(i % 7 - 3) / 3;
        products.factor[i / SIZE][i % SIZE] = (float)(i % 11 - 5) / 7;
    }
    multiply(&products, products.expected);
    const layer_executor executor = threads_executor(THREADS);
    executor.parallel_for(executor.context, CALLS, compare, &products);
    assert_int_equal(products.wrong, 0);
}

char *openblas_get_corename(void);

static void kernels_are_those_of_the_instruction_set(void **state)
{
    (void)state;
    const char *const expected[] = {[LAYER_ISA_AVX2] = "Haswell", [LAYER_ISA_AVX512] = "SkylakeX"};
    if (layer_isa_best() == LAYER_ISA_BASELINE || getenv("OPENBLAS_CORETYPE") != NULL)
        skip();
    assert_string_equal(openblas_get_corename(), expected[layer_isa_best()]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concurrent_products_do_not_disturb_each_other),
        cmocka_unit_test(kernels_are_those_of_the_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
