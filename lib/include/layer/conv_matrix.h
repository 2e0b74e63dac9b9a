/* A convolution as a matrix: the T with T vec(x) = vec(y), a doubly blocked Toeplitz matrix where
 * there is one channel and the stride is 1.
 *
 * It has a row for each output of a sample, [K][P][Q] row-major, and a column for each input,
 * [C][H] [W]. A row holds the kernel at its window's positions and zeros elsewhere. Kernel cells
 * that fall on padding are left out; those on the input are there even if the weight is zero.
 * Source: Goodfellow, Bengio & Courville, "Deep Learning", 2016, section 9.1; Dumoulin & Visin,
 * arXiv:1603.07285, section 4.1.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_MATRIX_H
#define LAYER_CONV_MATRIX_H

#include "layer/conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Filled by layer_conv_matrix_describe(), read-only afterwards. */
typedef struct {
    layer_conv conv;
    int rows;     /* K P Q */
    int columns;  /* C H W */
    int nonzeros; /* kernel cells on the input, over all windows and channels */
} layer_conv_matrix;

/* Counts rows, columns and nonzeros of a described convolution of one sample.
 * Returns LAYER_OK and fills *matrix; or LAYER_INVALID (a batch of several) or LAYER_TOO_LARGE
 * (more than 2^31 - 1 nonzeros), leaves *matrix alone and says in *error that "input" is to blame.
 * Thread-safe. */
layer_status layer_conv_matrix_describe(layer_conv_matrix *matrix, const layer_conv *conv,
                                        layer_error *error);

/* Each writes the matrix of `weight`, [K][C/group][R][S], its cells sorted by row, then by column.
 * They take no workspace and overwrite what they write to. Return LAYER_OK, or LAYER_CANCELLED if
 * run->cancelled was set; what they write to is then undefined. Thread-safe. */

/* All cells: dense [rows][columns]. */
layer_status layer_conv_matrix_dense(const layer_conv_matrix *matrix, const float *weight,
                                     float *dense, const layer_run *run);

/* Coordinates: rows, columns and values, [nonzeros] each. */
layer_status layer_conv_matrix_coo(const layer_conv_matrix *matrix, const float *weight, int *rows,
                                   int *columns, float *values, const layer_run *run);

/* Compressed rows: those of row i are indptr[i] to before indptr[i + 1] of indices, their columns,
 * and values, [nonzeros] both. indptr is [rows + 1]. */
layer_status layer_conv_matrix_csr(const layer_conv_matrix *matrix, const float *weight,
                                   int *indptr, int *indices, float *values, const layer_run *run);

#ifdef __cplusplus
}
#endif
#endif
