/* QR decomposition in double, over LAPACK.
 * SPDX-License-Identifier: MIT */
#include "core/qr.h"

#include <assert.h>

/* LAPACK by its Fortran entry points: not every OpenBLAS comes with LAPACKE. */
void dgeqrf_(const int *rows, const int *columns, double *matrix, const int *leading,
             double *reflectors, double *work, const int *work_count, int *info);
void dorgqr_(const int *rows, const int *columns, const int *reflector_count, double *matrix,
             const int *leading, const double *reflectors, double *work, const int *work_count,
             int *info);

/* LAPACK's own block size for QR; with less it falls back to an unblocked algorithm. */
enum { BLOCK = 32 };

size_t layer_qr_scratch_count(int columns)
{
    return (size_t)columns * (1 + BLOCK);
}

layer_status layer_qr(int rows, int columns, double *matrix, double *signs, double *scratch)
{
    assert(rows >= columns && columns >= 1);
    double *const reflectors = scratch;
    double *const work = scratch + columns;
    const int work_count = columns * BLOCK;
    int info = 0;
    dgeqrf_(&rows, &columns, matrix, &rows, reflectors, work, &work_count, &info);
    if (info != 0)
        return LAYER_FAILED;
    const double(*const r)[rows] = (const double(*)[rows])matrix;
    for (int j = 0; j < columns; j++)
        signs[j] = r[j][j] < 0 ? -1.0 : 1.0;
    dorgqr_(&rows, &columns, &columns, matrix, &rows, reflectors, work, &work_count, &info);
    return info == 0 ? LAYER_OK : LAYER_FAILED;
}
