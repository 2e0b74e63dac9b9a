/* How the variance passes through a stack of layers: measured.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/tasks.h"
#include "variance/passage.h"
#include "variance/stack.h"

#include <assert.h>
#include <math.h>

/* Columns of a product at most: samples times cells. A task passes as many samples through the
 * whole stack as make so many, but not more than LAYER_PASSAGE_SAMPLES. */
enum { COLUMNS = 1024 };

/* Sizes of arrays, in elements. */
typedef struct {
    size_t task_samples, tasks;
    size_t weights;  /* of all layers */
    size_t outputs;  /* channels of all layers' z */
    size_t channels; /* of the widest input or output */
    size_t patches;  /* of a column, of the layer whose groups have most */
    size_t law_size; /* of the largest workspace that drawing a weight takes, in bytes */
} sizes;

typedef struct {
    const layer_variance *variance;
    const layer_run *run;
    sizes size;
    float *weights;
    layer_findings *found; /* [tasks][layers] */
    char *scratch;         /* of drawing, then [threads] of the tasks */
} measuring;

/* ---- Sizes ----------------------------------------------------------------------------------- */

static size_t fan_of(const layer_initialize *law)
{
    return (size_t)law->fan_in;
}

static sizes sizes_of(const layer_variance *variance)
{
    sizes size = {.weights = 0};
    const size_t fitting = layer_larger(COLUMNS / variance->cells, 1);
    size.task_samples =
        layer_smaller(layer_smaller(fitting, LAYER_PASSAGE_SAMPLES), variance->samples);
    size.tasks = layer_blocks_of(variance->samples, size.task_samples);
    for (size_t l = 0; l < variance->count; l++) {
        const layer_initialize *const law = &variance->layers[l].law;
        const size_t outputs = (size_t)law->shape.extent[0];
        size.weights += outputs * fan_of(law);
        size.outputs += outputs;
        size.channels = layer_larger(size.channels, outputs);
        size.channels = layer_larger(size.channels, layer_variance_channels_in(law));
        size.patches = layer_larger(size.patches, fan_of(law));
        size.law_size = layer_larger(size.law_size, layer_initialize_workspace_size(law));
    }
    return size;
}

static size_t task_size(const layer_variance *variance, const sizes *size)
{
    const size_t columns = variance->cells * size->task_samples;
    return layer_aligned((size->outputs + 2 * size->channels + size->patches) * columns *
                         sizeof(float));
}

static size_t found_size(const layer_variance *variance, const sizes *size)
{
    return layer_aligned(size->tasks * variance->count * sizeof(layer_findings));
}

size_t layer_variance_workspace_size(const layer_variance *variance, int threads)
{
    assert(threads >= 1);
    const sizes size = sizes_of(variance);
    const size_t scratch = (size_t)threads * task_size(variance, &size);
    return layer_aligned(size.weights * sizeof(float)) + found_size(variance, &size) +
           layer_larger(scratch, size.law_size);
}

static measuring lay_out(const layer_variance *variance, const layer_run *run)
{
    measuring call = {.variance = variance, .run = run, .size = sizes_of(variance)};
    char *const memory = run->workspace;
    const size_t weights_size = layer_aligned(call.size.weights * sizeof(float));
    call.weights = (float *)memory;
    call.found = (layer_findings *)(memory + weights_size);
    call.scratch = memory + weights_size + found_size(variance, &call.size);
    return call;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static void run_task(void *argument, size_t task, int thread)
{
    const measuring *const call = argument;
    const layer_variance *const variance = call->variance;
    const sizes *const size = &call->size;
    layer_passage way = {.variance = variance,
                         .run = call->run,
                         .weights = call->weights,
                         .first = task * size->task_samples,
                         .found = call->found + task * variance->count};
    way.samples = layer_smaller(size->task_samples, variance->samples - way.first);
    way.columns = variance->cells * way.samples;
    way.z = (float *)(call->scratch + (size_t)thread * task_size(variance, size));
    way.x = way.z + size->outputs * way.columns;
    way.gradient = way.x + size->channels * way.columns;
    way.patches = way.gradient + size->channels * way.columns;
    layer_pass_through(&way);
}

static layer_status draw_weights(const measuring *call)
{
    layer_run run = *call->run;
    run.workspace = call->scratch;
    float *weight = call->weights;
    layer_status status = LAYER_OK;
    for (size_t l = 0; l < call->variance->count && status == LAYER_OK; l++) {
        const layer_initialize *const law = &call->variance->layers[l].law;
        status = layer_initialize_run(law, weight, &run);
        weight += (size_t)law->shape.extent[0] * fan_of(law);
    }
    return status;
}

static double variance_of(double sum, double squares, double count)
{
    const double mean = sum / count;
    return squares / count - mean * mean;
}

/* In the order of the tasks, whoever was first. */
static layer_variance_measured conclude(const measuring *call, size_t l)
{
    const layer_variance *const variance = call->variance;
    layer_findings all = call->found[l];
    for (size_t task = 1; task < call->size.tasks; task++) {
        const layer_findings *const found = &call->found[task * variance->count + l];
        all.forward += found->forward;
        all.forward_squares += found->forward_squares;
        all.backward += found->backward;
        all.backward_squares += found->backward_squares;
        all.ratios += found->ratios;
        all.least_ratio = fmin(all.least_ratio, found->least_ratio);
        all.most_ratio = fmax(all.most_ratio, found->most_ratio);
    }
    const layer_initialize *const law = &variance->layers[l].law;
    const double columns = (double)variance->samples * (double)variance->cells;
    const double inputs = columns * (double)layer_variance_channels_in(law);
    return (layer_variance_measured){
        .forward = variance_of(all.forward, all.forward_squares, columns * law->shape.extent[0]),
        .backward = variance_of(all.backward, all.backward_squares, inputs),
        .mean_ratio = all.ratios / (double)variance->samples,
        .least_ratio = all.least_ratio,
        .most_ratio = all.most_ratio,
    };
}

layer_status layer_variance_measure(const layer_variance *variance,
                                    layer_variance_measured *measured, const layer_run *run)
{
    assert(measured != NULL && run != NULL && run->workspace != NULL);
    measuring call = lay_out(variance, run);
    layer_status status = draw_weights(&call);
    if (status == LAYER_OK)
        status = layer_run_tasks(run, call.size.tasks, run_task, &call);
    for (size_t l = 0; l < variance->count && status == LAYER_OK; l++)
        measured[l] = conclude(&call, l);
    return status;
}
