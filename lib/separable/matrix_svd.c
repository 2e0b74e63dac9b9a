/* Singular values of a matrix of floats, and factors of it.
 * SPDX-License-Identifier: MIT */
#include "separable/matrix_svd.h"
#include "core/blocks.h"
#include "core/svd.h"

#include <math.h>
#include <stdbool.h>

layer_matrix_svd layer_matrix_svd_at(int rows, int columns, void *memory)
{
    layer_matrix_svd svd = {
        .rows = rows, .columns = columns, .most = rows < columns ? rows : columns};
    const size_t height = (size_t)rows, width = (size_t)columns, most = (size_t)svd.most;
    const size_t doubles =
        height * width + most * (1 + height + width) + layer_svd_scratch_count(rows, columns);
    svd.size = layer_aligned(doubles * sizeof(double));
    if (memory != NULL) {
        svd.matrix = memory;
        svd.values = svd.matrix + height * width;
        svd.left = svd.values + most;
        svd.right = svd.left + height * most;
        svd.scratch = svd.right + most * width;
    }
    return svd;
}

static bool are_finite(const double *elements, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++)
        finite = finite && isfinite(elements[i]);
    return finite;
}

static void fill_with_nan(double *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = NAN;
}

layer_status layer_matrix_svd_run(const layer_matrix_svd *svd)
{
    const size_t rows = (size_t)svd->rows, columns = (size_t)svd->columns;
    const size_t most = (size_t)svd->most;
    if (are_finite(svd->matrix, rows * columns))
        return layer_svd(svd->rows, svd->columns, svd->matrix, svd->values, svd->left, svd->right,
                         svd->scratch);
    fill_with_nan(svd->values, most);
    fill_with_nan(svd->left, rows * most);
    fill_with_nan(svd->right, most * columns);
    return LAYER_OK;
}

double layer_matrix_svd_scale(const layer_matrix_svd *svd, int i)
{
    double largest = 0;
    for (int row = 0; row < svd->rows; row++) {
        const double element = svd->left[(size_t)row * (size_t)svd->most + (size_t)i];
        if (fabs(element) > fabs(largest))
            largest = element;
    }
    return largest < 0 ? -sqrt(svd->values[i]) : sqrt(svd->values[i]);
}
