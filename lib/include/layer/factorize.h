/* Separable kernels: the best sum of products of a column and a row.
 *
 *     kernel[r][s] = the sum over i < rank of column[i][r] * row[i][s]
 *
 * A convolution with the kernel takes R * S multiplications an output, one with each column and
 * then with its row rank * (R + S).
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_FACTORIZE_H
#define LAYER_FACTORIZE_H

#include "layer/executor.h"
#include "layer/tensor.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAYER_FACTORIZE_TOLERANCE 1e-6 /* what a tolerance is by default */

/* Zero of both means: the smallest rank within LAYER_FACTORIZE_TOLERANCE. */
typedef struct {
    int rank;         /* 0: the smallest within the tolerance */
    double tolerance; /* of the relative error; 0: LAYER_FACTORIZE_TOLERANCE */
} layer_factorize_options;

/* Kernels to be factorized. Filled by layer_factorize_describe(), read-only afterwards. */
typedef struct {
    int kernels;       /* in the bank; all get the same rank */
    int height, width; /* R and S */
    int most;          /* min(R, S): the highest rank */
    int rank;          /* asked for, or 0 */
    double tolerance;
    uint64_t multiplications; /* about */
} layer_factorize;

typedef struct {
    int rank;
    double error;   /* the Frobenius norm of all that is left out, relative to that of the bank */
    bool separable; /* a rank of 1 is within the tolerance */
} layer_factorized;

/* Checks a kernel [R, S] or a bank [..., R, S] of them.
 * Returns LAYER_OK; or LAYER_INVALID or LAYER_TOO_LARGE and names in *error one of "weight",
 * "rank", "tolerance". Thread-safe. Source: Eckart & Young, "The approximation of one matrix by
 * another of lower rank", Psychometrika 1, 1936. */
layer_status layer_factorize_describe(layer_factorize *factorize, const layer_shape *weight,
                                      const layer_factorize_options *options, layer_error *error);

/* Bytes of workspace that running takes with up to `threads` threads. */
size_t layer_factorize_workspace_size(const layer_factorize *factorize, int threads);

/* Factorizes by singular values, each value's root going to the column and to the row; of a column
 * the element of largest magnitude is positive.
 *   weight   [kernels][R][S]         values  [kernels][most], overwritten, descending
 *   column   room for [kernels][most][R], gets [kernels][rank][R] without gaps
 *   row      room for [kernels][most][S], gets [kernels][rank][S]
 * A kernel with infinities or NaN makes NaN of its values and factors.
 * The result is the same, bit for bit, for any number of threads.
 * Returns LAYER_OK and sets *result; LAYER_CANCELLED; or LAYER_FAILED if LAPACK gave up. */
layer_status layer_factorize_run(const layer_factorize *factorize, const float *weight,
                                 float *column, float *row, float *values, layer_factorized *result,
                                 const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
