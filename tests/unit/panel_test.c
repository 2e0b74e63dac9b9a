/* Small products against their definition, for every instruction set that the processor has.
 * SPDX-License-Identifier: MIT */
#include "core/panel.h"
#include "support/floats.h"
#include "support/part.h"
#include "support/sampling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHAPES = 600 / PART, MOST_ROWS = 40, MOST_COLUMNS = 150, MOST_DEPTH = 600, MOST_SLACK = 5 };

static const double BOUND = 2e-6; /* relative to the sum of |terms| */
static const float UNTOUCHED = -12345.0f;

static float *draw_matrix(sampling *from, size_t rows, size_t leading)
{
    float *const drawn = floats_new(rows * leading);
    sampling_fill(from, drawn, rows * leading);
    return drawn;
}

static size_t row_begin(const layer_panel *panel, size_t k)
{
    return panel->right_rows == NULL ? k * panel->right_leading : panel->right_rows[k];
}

static void check_element(const layer_panel *panel, const float *before, size_t i, size_t j)
{
    double sum = panel->accumulates     ? (double)before[i * panel->result_leading + j]
                 : panel->start != NULL ? (double)panel->start[i]
                                        : 0;
    double terms = fabs(sum);
    for (size_t k = 0; k < panel->depth; k++) {
        const double term = (double)panel->left[i * panel->left_leading + k] *
                            (double)panel->right[row_begin(panel, k) + j];
        sum += term;
        terms += fabs(term);
    }
    const double found = (double)panel->result[i * panel->result_leading + j];
    if (!(fabs(found - sum) <= BOUND * terms))
        fail_msg("%zu x %zu x %zu: element %zu, %zu is %.9g, expected %.9g", panel->rows,
                 panel->columns, panel->depth, i, j, found, sum);
}

/* Rows of the right factor anywhere within it, even twice. */
static size_t *draw_rows(sampling *from, const layer_panel *panel)
{
    size_t *const rows = malloc(panel->depth * sizeof *rows);
    assert_non_null(rows);
    const size_t last = panel->depth * panel->right_leading - panel->columns;
    for (size_t k = 0; k < panel->depth; k++)
        rows[k] = (size_t)sampling_between(from, 0, (int)last);
    return rows;
}

static void check_panel(sampling *from, const layer_panel_kernels *kernels, layer_panel panel)
{
    const size_t results = panel.rows * panel.result_leading;
    float *const left = draw_matrix(from, panel.rows, panel.left_leading);
    float *const right = draw_matrix(from, panel.depth, panel.right_leading);
    float *const before = draw_matrix(from, panel.rows, panel.result_leading);
    float *const result = floats_new(results);
    float *const start =
        sampling_between(from, 0, 1) == 0 ? NULL : draw_matrix(from, panel.rows, 1);
    for (size_t i = 0; i < panel.rows; i++)
        for (size_t j = panel.columns; j < panel.result_leading; j++)
            before[i * panel.result_leading + j] = UNTOUCHED;
    memcpy(result, before, results * sizeof *result);
    panel.left = left;
    panel.right = right;
    panel.result = result;
    panel.start = start;
    size_t *const rows = sampling_between(from, 0, 1) == 0 ? NULL : draw_rows(from, &panel);
    panel.right_rows = rows;
    kernels->multiply(&panel);
    for (size_t i = 0; i < panel.rows; i++) {
        for (size_t j = 0; j < panel.columns; j++)
            check_element(&panel, before, i, j);
        for (size_t j = panel.columns; j < panel.result_leading; j++)
            assert_true(result[i * panel.result_leading + j] == UNTOUCHED);
    }
    free(rows);
    free(start);
    free(result);
    free(before);
    free(right);
    free(left);
}

static void products_are_sums_of_products(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < SHAPES; number++) {
        layer_panel panel = {.rows = (size_t)sampling_between(from, 1, MOST_ROWS),
                             .columns = (size_t)sampling_between(from, 1, MOST_COLUMNS),
                             .depth = (size_t)sampling_between(from, 1, MOST_DEPTH),
                             .accumulates = sampling_between(from, 0, 1) == 1};
        panel.left_leading = panel.depth + (size_t)sampling_between(from, 0, MOST_SLACK);
        panel.right_leading = panel.columns + (size_t)sampling_between(from, 0, MOST_SLACK);
        panel.result_leading = panel.columns + (size_t)sampling_between(from, 0, MOST_SLACK);
        for (layer_isa isa = LAYER_ISA_BASELINE; isa <= layer_isa_best(); isa++)
            check_panel(from, layer_panel_kernels_at(isa), panel);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(products_are_sums_of_products, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
