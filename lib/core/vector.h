/* Products of a matrix and a vector: what time they take is that of reading the matrix.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_VECTOR_H
#define LAYER_CORE_VECTOR_H

#include "core/kernels.h"

#include <stddef.h>

/* A matrix of rows x columns, and where its result begins: [rows] or [columns], NULL is zero. */
typedef struct {
    size_t rows, columns;
    const float *matrix, *vector, *start;
    size_t leading, vector_step;
    float *result;
} layer_vector_product;

typedef struct {
    /* result[i] = start[i] + the sum of matrix[i][j] * vector[j] over j; its step is 1 */
    void (*by_rows)(const layer_vector_product *product);

    /* result[j] = start[j] + the sum of vector[i * vector_step] * matrix[i][j] over i */
    void (*by_columns)(const layer_vector_product *product);
} layer_vector_kernels;
LAYER_DECLARE_KERNELS(layer_vector_kernels)

#endif
