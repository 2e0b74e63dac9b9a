/* Separable kernels: the best sums of products of a column and a row, as
 * layer/separable_spatial.h convolves with them.
 *
 * A bank [K, C, R, S] of kernels becomes a vertical and a horizontal convolution by one of two
 * schemes. `each` takes every kernel by itself, as a matrix R x S of a rank:
 *
 *     kernel[k][c][r][s] = the sum over m < rank of column[k][c][m][r] * row[k][c][m][s]
 *
 * `shared` takes the whole bank as one matrix, (C R) x (K S), whose rank is that of the channels
 * between the two convolutions:
 *
 *     kernel[k][c][r][s] = the sum over m < rank of column[m][c][r] * row[k][m][s]
 *
 * Singular values make either the best of its rank: what is left out has as Frobenius norm the root
 * of the sum of their squares. At a position of the output, over all its channels, the kernels take
 * K C R S multiplications, `each` K C rank (R + S), `shared` rank (C R + K S).
 * Sources: Eckart & Young, "The approximation of one matrix by another of lower rank",
 * Psychometrika 1, 1936; Jaderberg, Vedaldi & Zisserman, arXiv:1405.3866, section 2.2, scheme 2;
 * that its minimum is this matrix's: Tai, Xiao, Zhang, Wang & E, "Convolutional neural networks
 * with low-rank regularization", arXiv:1511.06067, theorem 1.
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

#define LAYER_FACTORIZE_SCHEME_LIST(X)                                                             \
    X(EACH, "each", "every kernel by itself, all of one rank")                                     \
    X(SHARED, "shared", "columns and rows that all kernels share")

typedef enum {
    LAYER_FACTORIZE_AUTO, /* whichever multiplies less; EACH where a rank is asked for */
#define LAYER_FACTORIZE_SCHEME_ENUM(id, name, sentence) LAYER_FACTORIZE_##id,
    LAYER_FACTORIZE_SCHEME_LIST(LAYER_FACTORIZE_SCHEME_ENUM)
#undef LAYER_FACTORIZE_SCHEME_ENUM
} layer_factorize_scheme;

/* AUTO leaves `shared` out where both sides of its matrix are longer than this, for the time. */
#define LAYER_FACTORIZE_MOST_SHARED 1536

/* All zero means: the scheme that multiplies less, the smallest rank within
 * LAYER_FACTORIZE_TOLERANCE. */
typedef struct {
    layer_factorize_scheme scheme;
    int rank;         /* 0: the smallest within the tolerance */
    double tolerance; /* of the relative error; 0: LAYER_FACTORIZE_TOLERANCE */
} layer_factorize_options;

/* Kernels to be factorized. Filled by layer_factorize_describe(), read-only afterwards. */
typedef struct {
    int outputs, channels;         /* K and C, 1 and 1 for a single kernel */
    int height, width;             /* R and S */
    layer_factorize_scheme scheme; /* AUTO: both are tried */
    int each_most, shared_most;    /* the highest rank: min(R, S), min(C R, K S) */
    int rank;                      /* asked for, or 0 */
    double tolerance;
    size_t columns, rows, values;  /* elements that running needs room for */
    uint64_t full_multiplications; /* K C R S */
    uint64_t multiplications;      /* of factorizing, about */
} layer_factorize;

typedef struct {
    layer_factorize_scheme scheme; /* EACH or SHARED */
    int rank;
    double error;   /* the Frobenius norm of all that is left out, relative to that of the bank */
    bool separable; /* one product for each kernel is within the tolerance */
    uint64_t multiplications; /* with the factors, at a position of the output */
} layer_factorized;

/* Checks a kernel [R, S] or a bank [K, C, R, S] of them.
 * Returns LAYER_OK and fills *factorize; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *factorize
 * alone and names in *error one of "weight", "rank", "tolerance", "scheme". Thread-safe. */
layer_status layer_factorize_describe(layer_factorize *factorize, const layer_shape *weight,
                                      const layer_factorize_options *options, layer_error *error);

/* Bytes of workspace that running takes with up to `threads` threads. */
size_t layer_factorize_workspace_size(const layer_factorize *factorize, int threads);

/* Factorizes by singular values, each value's root going to the column and to the row; of a column
 * the element of largest magnitude is positive. By result->scheme and result->rank:
 *
 *              column             row                values, descending, those left out too
 *     EACH     [K][C][rank][R]    [K][C][rank][S]    [K][C][each_most]
 *     SHARED   [rank][C][R]       [K][rank][S]       [shared_most]
 *
 * A kernel with infinities or NaN makes NaN of its values and factors, where they are shared of
 * all. The result is the same, bit for bit, for any number of threads.
 * Returns LAYER_OK and sets *result; LAYER_CANCELLED; or LAYER_FAILED if LAPACK gave up. */
layer_status layer_factorize_run(const layer_factorize *factorize, const float *weight,
                                 float *column, float *row, float *values, layer_factorized *result,
                                 const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
