/* Singular value decomposition in double, over LAPACK: to two diagonals, then to one, divide and
 * conquer.
 * SPDX-License-Identifier: MIT */
#include "core/svd.h"
#include "core/blocks.h"

#include <cblas.h>
#include <string.h>

/* LAPACK by its Fortran entry points, as in qr.c. Its driver dgesdd would do all this in one call,
 * but takes Fortran's runtime library for a few strings. */
void dgebrd_(const int *rows, const int *columns, double *matrix, const int *leading,
             double *diagonal, double *beside, double *left_reflectors, double *right_reflectors,
             double *work, const int *work_count, int *info);
void dorgbr_(const char *which, const int *rows, const int *columns, const int *other,
             double *matrix, const int *leading, const double *reflectors, double *work,
             const int *work_count, int *info);
void dbdsdc_(const char *triangle, const char *vectors, const int *count, double *diagonal,
             double *beside, double *left, const int *left_leading, double *right,
             const int *right_leading, double *packed, int *packed_integers, double *work,
             int *integers, int *info);

enum { BLOCK = 32 }; /* LAPACK's own block size */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* What dgebrd and dorgbr take, or after them dbdsdc. */
static size_t work_count(int rows, int columns)
{
    const size_t n = (size_t)smaller(rows, columns);
    return layer_larger(BLOCK * ((size_t)rows + (size_t)columns), 3 * n * n + 4 * n);
}

size_t layer_svd_scratch_count(int rows, int columns)
{
    enum { INTEGERS = 8 }; /* for each of n */
    const size_t n = (size_t)smaller(rows, columns);
    return n * (3 + (size_t)rows + (size_t)columns + n) + work_count(rows, columns) +
           n * INTEGERS * sizeof(int) / sizeof(double);
}

/* product = left right, by columns as LAPACK has them: rows x depth by depth x columns. */
static void multiply(int rows, int columns, int depth, const double *left, const double *right,
                     double *product)
{
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, columns, depth, 1, left, rows,
                right, depth, 0, product, rows);
}

/* To LAPACK, which goes by columns, our matrix is its transpose: left and right change places.
 * A = outer B inner with B of two diagonals, which is u values v. */
layer_status layer_svd(int rows, int columns, double *matrix, double *values, double *left,
                       double *right, double *scratch)
{
    const int n = smaller(rows, columns), work_size = BLOCK * (rows + columns);
    const size_t size = (size_t)n;
    double *const beside = scratch, *const left_reflectors = beside + n;
    double *const right_reflectors = left_reflectors + n, *const outer = right_reflectors + n;
    double *const inner = outer + (size_t)columns * size, *const v = inner + size * (size_t)rows;
    double *const work = v + size * size, *const u = matrix;
    int *const integers = (int *)(work + work_count(rows, columns));
    int info = 0;
    dgebrd_(&columns, &rows, matrix, &columns, values, beside, left_reflectors, right_reflectors,
            work, &work_size, &info);
    if (info != 0)
        return LAYER_FAILED;
    memcpy(outer, matrix, size * (size_t)columns * sizeof *outer);
    for (size_t row = 0; row < (size_t)rows; row++)
        memcpy(inner + row * size, matrix + row * (size_t)columns, size * sizeof *inner);
    dorgbr_("Q", &columns, &n, &rows, outer, &columns, left_reflectors, work, &work_size, &info);
    if (info == 0)
        dorgbr_("P", &n, &rows, &columns, inner, &n, right_reflectors, work, &work_size, &info);
    if (info == 0)
        dbdsdc_(columns >= rows ? "U" : "L", "I", &n, values, beside, u, &n, v, &n, NULL, NULL,
                work, integers, &info);
    if (info != 0)
        return LAYER_FAILED;
    multiply(columns, n, n, outer, u, right);
    multiply(n, rows, n, v, inner, left);
    return LAYER_OK;
}
