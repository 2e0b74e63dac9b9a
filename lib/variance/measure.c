/* How the variance passes through a stack of layers: measured.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/product.h"
#include "core/tasks.h"
#include "layer/random.h"
#include "variance/lattice.h"
#include "variance/stack.h"

#include <assert.h>
#include <math.h>

/* Columns of a product, and the samples they come from at most. A task passes so many samples
 * through the whole stack. */
enum { COLUMNS = 1024, MOST_SAMPLES = 32 };

enum { ALIGNMENT = 64 };

/* What a task finds out about a layer. */
typedef struct {
    double forward, forward_squares;
    double backward, backward_squares;
    double ratios, least_ratio, most_ratio;
} findings;

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
    findings *found; /* [tasks][layers] */
    char *scratch;   /* of drawing, then [threads] of the tasks */
} measuring;

/* A task's samples on their way through the stack. Arrays are [channels][cells][samples]. */
typedef struct {
    const measuring *call;
    size_t first, samples, columns;
    float *z;        /* of all layers, one after the other */
    float *x;        /* a layer's input, or the gradient with respect to it */
    float *gradient; /* with respect to a layer's z */
    float *patches;
    findings *found; /* [layers] */
} passage;

/* ---- Sizes ----------------------------------------------------------------------------------- */

static size_t fan_of(const layer_initialize *law)
{
    return (size_t)law->fan_in;
}

static sizes sizes_of(const layer_variance *variance)
{
    sizes size = {.weights = 0};
    const size_t fitting = layer_larger(COLUMNS / variance->cells, 1);
    size.task_samples = layer_smaller(layer_smaller(fitting, MOST_SAMPLES), variance->samples);
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

static size_t aligned(size_t size)
{
    return layer_blocks_of(size, ALIGNMENT) * ALIGNMENT;
}

static size_t task_size(const layer_variance *variance, const sizes *size)
{
    const size_t columns = variance->cells * size->task_samples;
    return aligned((size->outputs + 2 * size->channels + size->patches) * columns * sizeof(float));
}

static size_t found_size(const layer_variance *variance, const sizes *size)
{
    return aligned(size->tasks * variance->count * sizeof(findings));
}

size_t layer_variance_workspace_size(const layer_variance *variance, int threads)
{
    assert(threads >= 1);
    const sizes size = sizes_of(variance);
    const size_t scratch = (size_t)threads * task_size(variance, &size);
    return aligned(size.weights * sizeof(float)) + found_size(variance, &size) +
           layer_larger(scratch, size.law_size);
}

static measuring lay_out(const layer_variance *variance, const layer_run *run)
{
    measuring call = {.variance = variance, .run = run, .size = sizes_of(variance)};
    char *const memory = run->workspace;
    const size_t weights_size = aligned(call.size.weights * sizeof(float));
    call.weights = (float *)memory;
    call.found = (findings *)(memory + weights_size);
    call.scratch = memory + weights_size + found_size(variance, &call.size);
    return call;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* A layer's groups as products of matrices. */
typedef struct {
    const float *weight;
    size_t groups, inputs, outputs, fan; /* of a group */
    layer_lattice lattice;
} grouped;

static grouped grouped_of(const passage *way, size_t l, const float *weight)
{
    const layer_variance *const variance = way->call->variance;
    const layer_initialize *const law = &variance->layers[l].law;
    const size_t inputs = (size_t)law->shape.extent[1];
    return (grouped){
        .weight = weight,
        .groups = (size_t)law->group,
        .inputs = inputs,
        .outputs = (size_t)(law->shape.extent[0] / law->group),
        .fan = fan_of(law),
        .lattice = layer_lattice_of(variance, law, inputs, way->samples),
    };
}

static void multiply(const passage *way, const layer_product *product)
{
    layer_multiply(product, &(layer_run){.cancelled = way->call->run->cancelled});
}

/* z = W x */
static void pass_forward(const passage *way, const grouped *layer, float *z)
{
    for (size_t g = 0; g < layer->groups; g++) {
        const float *const input = way->x + g * layer->inputs * way->columns;
        const bool is_pointwise = layer->lattice.taps == 1;
        if (!is_pointwise)
            layer_lattice_gather(&layer->lattice, input, way->patches);
        const layer_product product = {
            .rows = layer->outputs,
            .columns = way->columns,
            .depth = layer->fan,
            .left = {layer->weight + g * layer->outputs * layer->fan, layer->fan, false},
            .right = {is_pointwise ? input : way->patches, way->columns, false},
            .result = z + g * layer->outputs * way->columns,
        };
        multiply(way, &product);
    }
}

/* dL/dx = W' dL/dz */
static void pass_backward(const passage *way, const grouped *layer)
{
    for (size_t g = 0; g < layer->groups; g++) {
        float *const to = way->x + g * layer->inputs * way->columns;
        const bool is_pointwise = layer->lattice.taps == 1;
        const layer_product product = {
            .rows = layer->fan,
            .columns = way->columns,
            .depth = layer->outputs,
            .left = {layer->weight + g * layer->outputs * layer->fan, layer->fan, true},
            .right = {way->gradient + g * layer->outputs * way->columns, way->columns, false},
            .result = is_pointwise ? to : way->patches,
        };
        multiply(way, &product);
        if (!is_pointwise)
            layer_lattice_scatter(&layer->lattice, way->patches, to);
    }
}

/* ---- Findings -------------------------------------------------------------------------------- */

static void sum_up(const float *elements, size_t count, double *sum, double *squares)
{
    for (size_t i = 0; i < count; i++) {
        *sum += (double)elements[i];
        *squares += (double)elements[i] * (double)elements[i];
    }
}

static double norm_of(const passage *way, const float *elements, size_t channels, size_t sample)
{
    double squares = 0;
    for (size_t i = 0; i < channels * way->call->variance->cells; i++) {
        const double element = (double)elements[i * way->samples + sample];
        squares += element * element;
    }
    return sqrt(squares);
}

static void find_ratios(const passage *way, const grouped *layer, const float *z, findings *found)
{
    for (size_t n = 0; n < way->samples; n++) {
        const double before = norm_of(way, way->x, layer->groups * layer->inputs, n);
        const double after = norm_of(way, z, layer->groups * layer->outputs, n);
        const double ratio = before > 0 ? after / before : 0;
        found->ratios += ratio;
        found->least_ratio = n == 0 ? ratio : fmin(found->least_ratio, ratio);
        found->most_ratio = n == 0 ? ratio : fmax(found->most_ratio, ratio);
    }
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* Element [channel][cell] of sample n is number n * channels * cells + channel * cells + cell of
 * the normal stream. */
static void draw(const passage *way, size_t stream, size_t channels, float *elements)
{
    const layer_variance *const variance = way->call->variance;
    const uint64_t seed = layer_variance_seed(variance->seed, stream);
    const size_t count = channels * variance->cells;
    for (size_t n = 0; n < way->samples; n++)
        for (size_t i = 0; i < count; i++)
            elements[i * way->samples + n] =
                (float)layer_random_normal(seed, (way->first + n) * count + i);
}

static void run_forward(const passage *way)
{
    const layer_variance *const variance = way->call->variance;
    const float *weight = way->call->weights;
    float *z = way->z;
    draw(way, LAYER_VARIANCE_INPUTS, layer_variance_channels_in(&variance->layers[0].law), way->x);
    for (size_t l = 0; l < variance->count && !layer_run_cancelled(way->call->run); l++) {
        const grouped layer = grouped_of(way, l, weight);
        const size_t outputs = layer.groups * layer.outputs, count = outputs * way->columns;
        findings *const found = &way->found[l];
        *found = (findings){.forward = 0};
        pass_forward(way, &layer, z);
        sum_up(z, count, &found->forward, &found->forward_squares);
        find_ratios(way, &layer, z, found);
        for (size_t i = 0; i < count; i++)
            way->x[i] = (float)layer_nonlinearity_value(variance->nonlinearity, variance->slope,
                                                        (double)z[i]);
        weight += outputs * layer.fan;
        z += count;
    }
}

static void run_backward(const passage *way)
{
    const layer_variance *const variance = way->call->variance;
    const float *weight = way->call->weights + way->call->size.weights;
    const layer_initialize *const last = &variance->layers[variance->count - 1].law;
    const float *z =
        way->z + (way->call->size.outputs - (size_t)last->shape.extent[0]) * way->columns;
    draw(way, LAYER_VARIANCE_GRADIENTS, (size_t)last->shape.extent[0], way->gradient);
    for (size_t l = variance->count; l-- > 0 && !layer_run_cancelled(way->call->run);) {
        grouped layer = grouped_of(way, l, weight);
        weight -= layer.groups * layer.outputs * layer.fan;
        layer.weight = weight;
        const size_t count = layer.groups * layer.inputs * way->columns;
        findings *const found = &way->found[l];
        pass_backward(way, &layer);
        sum_up(way->x, count, &found->backward, &found->backward_squares);
        if (l == 0)
            return;
        z -= count; /* of the layer before, which has as many channels */
        for (size_t i = 0; i < count; i++)
            way->gradient[i] =
                way->x[i] * (float)layer_nonlinearity_derivative(variance->nonlinearity,
                                                                 variance->slope, (double)z[i]);
    }
}

static void run_task(void *argument, size_t task, int thread)
{
    const measuring *const call = argument;
    const layer_variance *const variance = call->variance;
    const sizes *const size = &call->size;
    passage way = {.call = call, .first = task * size->task_samples};
    way.samples = layer_smaller(size->task_samples, variance->samples - way.first);
    way.columns = variance->cells * way.samples;
    way.z = (float *)(call->scratch + (size_t)thread * task_size(variance, size));
    way.x = way.z + size->outputs * way.columns;
    way.gradient = way.x + size->channels * way.columns;
    way.patches = way.gradient + size->channels * way.columns;
    way.found = call->found + task * variance->count;
    run_forward(&way);
    run_backward(&way);
}

/* ---- Measuring ------------------------------------------------------------------------------- */

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
    findings all = call->found[l];
    for (size_t task = 1; task < call->size.tasks; task++) {
        const findings *const found = &call->found[task * variance->count + l];
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
