/* Weights whose elements are independent and of one distribution: what most laws are made of.
 * SPDX-License-Identifier: MIT */
#include "initialize/independent.h"
#include "core/blocks.h"
#include "core/draw.h"
#include "core/normal.h"
#include "core/tasks.h"

#include <math.h>
#include <stdbool.h>

/* Elements a task draws: a multiple of what a Philox block yields. */
enum { CHUNK = 4096 };

/* ---- Describing ------------------------------------------------------------------------------ */

void layer_describe_normal(layer_initialize *initialize, double mean, double std, size_t count)
{
    initialize->distribution = LAYER_DISTRIBUTION_NORMAL;
    initialize->mean = initialize->centre = mean;
    initialize->std = initialize->spread = std;
    initialize->multiplications = count * LAYER_NORMAL_MULTIPLICATIONS;
}

static void describe_bounds(layer_initialize *initialize, double low, double high)
{
    initialize->low = low;
    initialize->high = high;
    initialize->bound = fmax(fabs(low), fabs(high));
}

void layer_describe_uniform(layer_initialize *initialize, double centre, double half, size_t count)
{
    initialize->distribution = LAYER_DISTRIBUTION_UNIFORM;
    initialize->mean = initialize->centre = centre;
    initialize->spread = half;
    initialize->std = half / sqrt(3);
    describe_bounds(initialize, centre - half, centre + half);
    initialize->multiplications = count * LAYER_UNIFORM_MULTIPLICATIONS;
}

/* Source: Johnson, Kotz & Balakrishnan, "Continuous univariate distributions" 1, 1994, section
 * 13.10.1. */
double layer_truncated_std(double lower, double upper, double *mean)
{
    const double between = layer_normal_between(lower, upper);
    const double left = layer_normal_density(lower), right = layer_normal_density(upper);
    *mean = (left - right) / between;
    return sqrt(1 + (lower * left - upper * right) / between - *mean * *mean);
}

void layer_describe_truncated(layer_initialize *initialize, double centre, double spread,
                              double lower, double upper, size_t count)
{
    double mean;
    initialize->distribution = LAYER_DISTRIBUTION_TRUNCATED_NORMAL;
    initialize->centre = centre;
    initialize->spread = spread;
    initialize->lower = lower;
    initialize->upper = upper;
    initialize->std = spread * layer_truncated_std(lower, upper, &mean);
    initialize->mean = centre + spread * mean;
    describe_bounds(initialize, centre + spread * lower, centre + spread * upper);
    initialize->multiplications = count * LAYER_TRUNCATED_MULTIPLICATIONS;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

typedef struct {
    const layer_initialize *initialize;
    float *weight;
    size_t count;
    float least, most; /* the floats that lie within the bounds */
} drawing;

static void draw_normals(void *argument, size_t task, int thread)
{
    (void)thread;
    const drawing *const whole = argument;
    const layer_initialize *const law = whole->initialize;
    const size_t end = layer_smaller(whole->count, (task + 1) * CHUNK);
    for (size_t first = task * CHUNK; first < end; first += LAYER_NORMALS_PER_BLOCK) {
        double normals[LAYER_NORMALS_PER_BLOCK];
        layer_draw_normals(law->seed, first / LAYER_NORMALS_PER_BLOCK, normals);
        for (size_t i = 0; i < layer_smaller(LAYER_NORMALS_PER_BLOCK, end - first); i++)
            whole->weight[first + i] = (float)(law->centre + law->spread * normals[i]);
    }
}

static double element_of(const layer_initialize *law, double uniform)
{
    const double standard = law->distribution == LAYER_DISTRIBUTION_UNIFORM
                                ? 2 * uniform - 1
                                : layer_truncated_quantile(law->lower, law->upper, uniform);
    return law->centre + law->spread * standard;
}

static void draw_uniforms(void *argument, size_t task, int thread)
{
    (void)thread;
    const drawing *const whole = argument;
    const layer_initialize *const law = whole->initialize;
    const size_t end = layer_smaller(whole->count, (task + 1) * CHUNK);
    for (size_t first = task * CHUNK; first < end; first += LAYER_UNIFORMS_PER_BLOCK) {
        double uniforms[LAYER_UNIFORMS_PER_BLOCK];
        layer_draw_uniforms(law->seed, first / LAYER_UNIFORMS_PER_BLOCK, uniforms);
        for (size_t i = 0; i < layer_smaller(LAYER_UNIFORMS_PER_BLOCK, end - first); i++) {
            const float element = (float)element_of(law, uniforms[i]);
            whole->weight[first + i] = fminf(whole->most, fmaxf(whole->least, element));
        }
    }
}

/* Rounding an element just within a bound to float could carry it beyond. */
static float least_from(double low)
{
    const float rounded = (float)low;
    return (double)rounded < low ? nextafterf(rounded, INFINITY) : rounded;
}

layer_status layer_run_independent(const layer_initialize *initialize, float *weight, size_t count,
                                   const layer_run *run)
{
    drawing whole = {initialize, weight, count, least_from(initialize->low),
                     -least_from(-initialize->high)};
    const bool normal = initialize->distribution == LAYER_DISTRIBUTION_NORMAL;
    return layer_run_tasks(run, layer_blocks_of(count, CHUNK),
                           normal ? draw_normals : draw_uniforms, &whole);
}
