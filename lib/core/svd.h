/* Singular value decomposition in double, over LAPACK.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_SVD_H
#define LAYER_CORE_SVD_H

#include "layer/status.h"

#include <stddef.h>

/* Doubles of scratch that layer_svd() takes. */
size_t layer_svd_scratch_count(int rows, int columns);

/* A = the sum over i of values[i] * left[i] right[i]', values descending, the left and the right
 * vectors orthonormal. With n = min(rows, columns):
 *   matrix  [rows][columns], destroyed   values  [n]
 *   left    [rows][n], its columns are the vectors   right  [n][columns]
 * Returns LAYER_OK, or LAYER_FAILED if LAPACK refused. Thread-safe. */
layer_status layer_svd(int rows, int columns, double *matrix, double *values, double *left,
                       double *right, double *scratch);

#endif
