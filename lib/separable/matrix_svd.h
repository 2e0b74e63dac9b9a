/* Singular values of a matrix of floats, and factors of it, for each kernel and for a whole bank.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_SEPARABLE_MATRIX_SVD_H
#define LAYER_SEPARABLE_MATRIX_SVD_H

#include "layer/status.h"

#include <stddef.h>

/* A matrix rows x columns in doubles, its singular values and vectors, LAPACK's scratch. */
typedef struct {
    int rows, columns, most;
    double *matrix; /* [rows][columns], destroyed */
    double *values; /* [most], descending */
    double *left;   /* [rows][most] */
    double *right;  /* [most][columns] */
    double *scratch;
    size_t size; /* of all that, in bytes, a multiple of 64 */
} layer_matrix_svd;

/* Laid out at `memory`; NULL: for its size alone. */
layer_matrix_svd layer_matrix_svd_at(int rows, int columns, void *memory);

/* Decomposes the matrix; one with infinities or NaN makes NaN of everything.
 * Returns LAYER_OK or LAYER_FAILED. */
layer_status layer_matrix_svd_run(const layer_matrix_svd *svd);

/* By what singular vector i is to be multiplied on either side: the root of its value, with the
 * sign that makes the left one's element of largest magnitude positive. */
double layer_matrix_svd_scale(const layer_matrix_svd *svd, int i);

#endif
