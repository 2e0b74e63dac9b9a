/* The norm (sum of |x|^p)^(1/p) of each window.
 * SPDX-License-Identifier: MIT */
#include "pool/sums.h"

#include <math.h>
#include <string.h>

/* p of 1 and 2 are plain sums. A real power is summed relative to the window's largest magnitude,
 * lest |x|^p leave the range of double. */
static bool is_plain(const layer_pool *pool)
{
    return pool->p == 1 || pool->p == 2;
}

static layer_pool_term term_of(const layer_pool *pool)
{
    return pool->p == 1 ? LAYER_TERM_MAGNITUDE : LAYER_TERM_SQUARE;
}

static size_t scratch_size(const layer_pool *pool)
{
    const size_t outputs = (size_t)pool->window[LAYER_POOL_WIDTH].output;
    return is_plain(pool) ? layer_pool_sums_size(pool) : 2 * outputs * sizeof(double);
}

/* What magnitudes are divided by before they are raised. */
static double scale_of(double largest)
{
    return largest > 0 && isfinite(largest) ? largest : 1;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static double *real_norms(const layer_pool_row *row, void *scratch)
{
    const layer_window *const width = &row->pool->window[LAYER_POOL_WIDTH];
    const size_t outputs = (size_t)width->output;
    double *const norms = scratch, *const scales = norms + outputs;
    memset(scratch, 0, 2 * outputs * sizeof(double));
    for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);) {
        const float *x = row->input + taps.cell;
        for (int q = taps.outputs.begin; q < taps.outputs.end; q++, x += width->stride)
            scales[q] = fmax(scales[q], fabs((double)*x));
    }
    for (size_t q = 0; q < outputs; q++)
        scales[q] = scale_of(scales[q]);
    for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);) {
        const float *x = row->input + taps.cell;
        for (int q = taps.outputs.begin; q < taps.outputs.end; q++, x += width->stride)
            norms[q] += pow(fabs((double)*x) / scales[q], row->pool->p);
    }
    for (size_t q = 0; q < outputs; q++)
        norms[q] = scales[q] * pow(norms[q], 1 / row->pool->p);
    return norms;
}

static double *norms_of(const layer_pool_row *row, void *scratch)
{
    if (!is_plain(row->pool))
        return real_norms(row, scratch);
    double *const norms = layer_pool_sums(row, term_of(row->pool), scratch);
    for (int q = 0; row->pool->p == 2 && q < row->pool->window[LAYER_POOL_WIDTH].output; q++)
        norms[q] = sqrt(norms[q]);
    return norms;
}

static void forward_row(const layer_pool_row *row, float *output, float *indices, void *scratch)
{
    (void)indices;
    const double *const norms = norms_of(row, scratch);
    for (int q = 0; q < row->pool->window[LAYER_POOL_WIDTH].output; q++)
        output[q] = (float)norms[q];
}

/* ---- Whole planes ---------------------------------------------------------------------------- */

static double real_norm(const float *cells, size_t count, double p)
{
    double largest = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)cells[i]));
    const double scale = scale_of(largest);
    for (size_t i = 0; i < count; i++)
        sum += pow(fabs((double)cells[i]) / scale, p);
    return scale * pow(sum, 1 / p);
}

static double plain_norm(const layer_pool_plan *plan, const float *cells, size_t count)
{
    const double sum =
        layer_sum_kernels_at(plan->run->isa)->add_cells(term_of(plan->pool), cells, count);
    return plan->pool->p == 2 ? sqrt(sum) : sum;
}

static void forward_whole(const layer_pool_plan *plan, const float *planes, size_t cells,
                          float *output, size_t count)
{
    const layer_pool *const pool = plan->pool;
    for (size_t i = 0; i < count; i++) {
        const float *const plane = planes + i * cells;
        output[i] = (float)(is_plain(pool) ? plain_norm(plan, plane, cells)
                                           : real_norm(plane, cells, pool->p));
    }
}

/* ---- Backward -------------------------------------------------------------------------------- */

/* sign(x) (|x| / y)^(p - 1), which y^(1-p) alone would overflow. Nothing where y is 0. */
static double derivative(double x, double norm, double p)
{
    return norm == 0 || x == 0 ? 0 : copysign(pow(fabs(x) / norm, p - 1), x);
}

static void spread_real(const layer_pool_taps *taps, const float *grad_output, const double *norms,
                        float *grad_input)
{
    const layer_pool_row *const row = taps->row;
    size_t cell = taps->cell;
    for (int q = taps->outputs.begin; q < taps->outputs.end; q++) {
        const double slope = derivative((double)row->input[cell], norms[q], row->pool->p);
        grad_input[cell] += (float)((double)grad_output[q] * slope);
        cell += (size_t)row->pool->window[LAYER_POOL_WIDTH].stride;
    }
}

/* What norms become to be multiplied with x, or the sign of x. */
static void find_shares(const layer_pool_row *row, const float *grad_output, double *norms)
{
    for (int q = 0; q < row->pool->window[LAYER_POOL_WIDTH].output; q++)
        norms[q] = norms[q] == 0       ? 0
                   : row->pool->p == 1 ? (double)grad_output[q]
                                       : (double)grad_output[q] / norms[q];
}

static void backward_row(const layer_pool_row *row, const float *grad_output, float *grad_input,
                         void *scratch)
{
    const layer_sum_kernels *const kernels = layer_sum_kernels_at(row->plan->run->isa);
    double *const norms = norms_of(row, scratch);
    if (is_plain(row->pool))
        find_shares(row, grad_output, norms);
    for (layer_pool_taps taps = layer_pool_taps_of(row); layer_pool_next_tap(&taps);)
        if (is_plain(row->pool))
            kernels->spread(term_of(row->pool), grad_input + taps.cell, row->input + taps.cell,
                            norms + taps.outputs.begin, taps.outputs.end - taps.outputs.begin,
                            row->pool->window[LAYER_POOL_WIDTH].stride);
        else
            spread_real(&taps, grad_output, norms, grad_input);
}

const layer_pool_implementation layer_pool_implementation_LP = {
    .scratch_size = scratch_size,
    .row = forward_row,
    .whole = forward_whole,
    .row_backward = backward_row,
};
