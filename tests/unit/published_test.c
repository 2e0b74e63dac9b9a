/* The random numbers that lib/initialize/README.md publishes are those that are drawn.
 * SPDX-License-Identifier: MIT */
#include "core/normal.h"
#include "layer/random.h"
#include "support/drawing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_ROWS = 64, ELEMENTS = 8 };

typedef struct {
    uint64_t seed, index;
    double uniform, normal, truncated;
} published_row;

/* Reads "| seed | i | u | z | t |" of every line that is made of numbers. */
static size_t read_table(published_row rows[MOST_ROWS])
{
    FILE *const file = fopen("lib/initialize/README.md", "r");
    assert_non_null(file);
    char line[256];
    size_t count = 0;
    while (count < MOST_ROWS && fgets(line, sizeof line, file) != NULL) {
        unsigned long long seed, index;
        published_row *const row = &rows[count];
        if (sscanf(line, "| %llu | %llu | %lf | %lf | %lf |", &seed, &index, &row->uniform,
                   &row->normal, &row->truncated) != 5)
            continue;
        row->seed = seed;
        row->index = index;
        count++;
    }
    fclose(file);
    return count;
}

/* A logarithm, a sine or an error function may differ in its last bits from one libm to the next.
 */
static void streams_are_as_published(void **state)
{
    (void)state;
    published_row rows[MOST_ROWS];
    const size_t count = read_table(rows);
    assert_int_equal(count, 2 * ELEMENTS);
    for (size_t i = 0; i < count; i++) {
        const published_row *const row = &rows[i];
        assert_true(layer_random_uniform(row->seed, row->index) == row->uniform);
        assert_true(fabs(layer_random_normal(row->seed, row->index) - row->normal) <= 1e-14);
        const double truncated = layer_truncated_quantile(-2, 2, row->uniform);
        assert_true(fabs(truncated - row->truncated) <= 1e-14);
    }
}

/* The element that a method draws of one that was published. */
static void check_method(layer_initialize_options options, const published_row *rows,
                         double (*element)(const published_row *))
{
    options.seed = rows[0].seed;
    const layer_initialize law = drawing_describe((layer_shape){2, {2, ELEMENTS / 2}}, options);
    float *const weight = drawing_new(&law, 1);
    for (size_t i = 0; i < ELEMENTS; i++)
        assert_true(fabs((double)weight[i] - element(&rows[i])) <= 1e-6);
    free(weight);
}

static double normal_element(const published_row *row)
{
    return 1 + 2 * row->normal;
}

static double truncated_element(const published_row *row)
{
    return 1 + 2 * row->truncated;
}

static double uniform_element(const published_row *row)
{
    return 5 * row->uniform - 2;
}

static void weights_are_made_of_them(void **state)
{
    (void)state;
    published_row rows[MOST_ROWS];
    const size_t count = read_table(rows);
    for (size_t first = 0; first < count; first += ELEMENTS) {
        check_method(
            (layer_initialize_options){.method = LAYER_INITIALIZE_NORMAL, .mean = 1, .std = 2},
            &rows[first], normal_element);
        check_method((layer_initialize_options){.method = LAYER_INITIALIZE_TRUNCATED_NORMAL,
                                                .mean = 1,
                                                .std = 2},
                     &rows[first], truncated_element);
        check_method(
            (layer_initialize_options){.method = LAYER_INITIALIZE_UNIFORM, .low = -2, .high = 3},
            &rows[first], uniform_element);
    }
}

/* The inverse undoes the distribution function, from one end of a double's range to the other. */
static void quantiles_undo_shares(void **state)
{
    (void)state;
    for (double x = -37; x <= 0; x += 0.01) {
        const double share = erfc(-x * M_SQRT1_2) / 2;
        assert_true(fabs(layer_normal_quantile(share) - x) <= 4e-16 * fmax(1, x * x));
    }
    static const double cuts[][2] = {{-2, 2}, {0, 1}, {8, 9}, {-30, -29}, {-1, 30}, {29, 30}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const double lower = cuts[i][0], upper = cuts[i][1];
        double last = lower;
        for (double u = 1.0 / 64; u < 1; u += 1.0 / 64) {
            const double x = layer_truncated_quantile(lower, upper, u);
            const double share = layer_normal_between(lower, x);
            assert_true(x > last && x < upper);
            assert_true(fabs(share / layer_normal_between(lower, upper) - u) <= 1e-11);
            last = x;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_as_published),
        cmocka_unit_test(weights_are_made_of_them),
        cmocka_unit_test(quantiles_undo_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
