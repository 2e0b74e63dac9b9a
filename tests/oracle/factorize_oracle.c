/* Singular values by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/factorize_oracle.h"

#include <math.h>
#include <stdlib.h>

enum { SWEEPS = 60 };

static double product(const double *a, const double *b, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Turns two rows in their plane so that they are at right angles. */
static void turn(double *a, double *b, int count)
{
    const double across = product(a, b, count);
    if (across == 0)
        return;
    const double angle = 0.5 * atan2(2 * across, product(a, a, count) - product(b, b, count));
    for (int i = 0; i < count; i++) {
        const double was = a[i];
        a[i] = cos(angle) * was + sin(angle) * b[i];
        b[i] = cos(angle) * b[i] - sin(angle) * was;
    }
}

static int compare_down(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

void factorize_oracle(const float *kernel, int height, int width, double *values)
{
    double *const rows = calloc((size_t)height * (size_t)width, sizeof *rows);
    double *const lengths = calloc((size_t)height, sizeof *lengths);
    if (rows == NULL || lengths == NULL)
        abort();
    for (int i = 0; i < height * width; i++)
        rows[i] = (double)kernel[i];
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < height; i++)
            for (int j = i + 1; j < height; j++)
                turn(rows + i * width, rows + j * width, width);
    for (int i = 0; i < height; i++)
        lengths[i] = sqrt(product(rows + i * width, rows + i * width, width));
    qsort(lengths, (size_t)height, sizeof *lengths, compare_down);
    for (int i = 0; i < height && i < width; i++)
        values[i] = lengths[i];
    free(rows);
    free(lengths);
}
