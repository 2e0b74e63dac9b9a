/* Singular value decomposition in double, over LAPACK: to two diagonals, then to one.
 * SPDX-License-Identifier: MIT */
#include "core/svd.h"

#include <string.h>

/* LAPACK by its Fortran entry points, as in qr.c. Its drivers dgesvd and dgesdd would do all this
 * in one call, but take Fortran's runtime library for a few strings. */
void dgebrd_(const int *rows, const int *columns, double *matrix, const int *leading,
             double *diagonal, double *beside, double *left_reflectors, double *right_reflectors,
             double *work, const int *work_count, int *info);
void dorgbr_(const char *which, const int *rows, const int *columns, const int *other,
             double *matrix, const int *leading, const double *reflectors, double *work,
             const int *work_count, int *info);
void dbdsqr_(const char *triangle, const int *count, const int *right_columns, const int *left_rows,
             const int *other_columns, double *diagonal, double *beside, double *right,
             const int *right_leading, double *left, const int *left_leading, double *other,
             const int *other_leading, double *work, int *info);

enum { BLOCK = 32 }; /* LAPACK's own block size */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

size_t layer_svd_scratch_count(int rows, int columns)
{
    return 3 * (size_t)smaller(rows, columns) + BLOCK * ((size_t)rows + (size_t)columns);
}

/* To LAPACK, which goes by columns, our matrix is its transpose: left and right change places. */
layer_status layer_svd(int rows, int columns, double *matrix, double *values, double *left,
                       double *right, double *scratch)
{
    const int n = smaller(rows, columns), none = 0, one = 1;
    const int work_count = BLOCK * (rows + columns);
    double *const beside = scratch;
    double *const left_reflectors = beside + n, *const right_reflectors = left_reflectors + n;
    double *const work = right_reflectors + n;
    int info = 0;
    dgebrd_(&columns, &rows, matrix, &columns, values, beside, left_reflectors, right_reflectors,
            work, &work_count, &info);
    if (info != 0)
        return LAYER_FAILED;
    memcpy(right, matrix, (size_t)n * (size_t)columns * sizeof *right);
    for (size_t row = 0; row < (size_t)rows; row++)
        memcpy(left + row * (size_t)n, matrix + row * (size_t)columns, (size_t)n * sizeof *left);
    dorgbr_("Q", &columns, &n, &rows, right, &columns, left_reflectors, work, &work_count, &info);
    if (info == 0)
        dorgbr_("P", &n, &rows, &columns, left, &n, right_reflectors, work, &work_count, &info);
    if (info == 0)
        dbdsqr_(columns >= rows ? "U" : "L", &n, &rows, &columns, &none, values, beside, left, &n,
                right, &columns, NULL, &one, work, &info);
    return info == 0 ? LAYER_OK : LAYER_FAILED;
}
