/* Passing samples through a stack of layers, forward and backward.
 * SPDX-License-Identifier: MIT */
#include "variance/passage.h"
#include "core/product.h"
#include "core/tasks.h"
#include "layer/random.h"
#include "variance/lattice.h"
#include "variance/stack.h"

#include <math.h>

static size_t fan_of(const layer_initialize *law)
{
    return (size_t)law->fan_in;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* A layer's groups as products of matrices. */
typedef struct {
    const float *weight;
    size_t groups, inputs, outputs, fan; /* of a group */
    layer_lattice lattice;
} grouped;

static grouped grouped_of(const layer_passage *way, size_t l, const float *weight)
{
    const layer_variance *const variance = way->variance;
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

static void multiply(const layer_passage *way, const layer_product *product)
{
    layer_multiply(product, &(layer_run){.cancelled = way->run->cancelled});
}

/* z = W x */
static void pass_forward(const layer_passage *way, const grouped *layer, float *z)
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
static void pass_backward(const layer_passage *way, const grouped *layer)
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

/* |column|^2 of each sample. */
static void square_norms(const layer_passage *way, const float *elements, size_t channels,
                         double squares[LAYER_PASSAGE_SAMPLES])
{
    for (size_t n = 0; n < way->samples; n++)
        squares[n] = 0;
    for (size_t i = 0; i < channels * way->variance->cells; i++)
        for (size_t n = 0; n < way->samples; n++) {
            const double element = (double)elements[i * way->samples + n];
            squares[n] += element * element;
        }
}

static void find_ratios(const layer_passage *way, const grouped *layer, const float *z,
                        layer_findings *found)
{
    double before[LAYER_PASSAGE_SAMPLES], after[LAYER_PASSAGE_SAMPLES];
    square_norms(way, way->x, layer->groups * layer->inputs, before);
    square_norms(way, z, layer->groups * layer->outputs, after);
    for (size_t n = 0; n < way->samples; n++) {
        const double ratio = before[n] > 0 ? sqrt(after[n] / before[n]) : 0;
        found->ratios += ratio;
        found->least_ratio = n == 0 ? ratio : fmin(found->least_ratio, ratio);
        found->most_ratio = n == 0 ? ratio : fmax(found->most_ratio, ratio);
    }
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* Element [channel][cell] of sample n is number n * channels * cells + channel * cells + cell of
 * the normal stream. */
static void draw(const layer_passage *way, size_t stream, size_t channels, float *elements)
{
    const layer_variance *const variance = way->variance;
    const uint64_t seed = layer_variance_seed(variance->seed, stream);
    const size_t count = channels * variance->cells;
    for (size_t n = 0; n < way->samples; n++)
        for (size_t i = 0; i < count; i++)
            elements[i * way->samples + n] =
                (float)layer_random_normal(seed, (way->first + n) * count + i);
}

static void run_forward(const layer_passage *way)
{
    const layer_variance *const variance = way->variance;
    const float *weight = way->weights;
    float *z = way->z;
    draw(way, LAYER_VARIANCE_INPUTS, layer_variance_channels_in(&variance->layers[0].law), way->x);
    for (size_t l = 0; l < variance->count && !layer_run_cancelled(way->run); l++) {
        const grouped layer = grouped_of(way, l, weight);
        const size_t outputs = layer.groups * layer.outputs, count = outputs * way->columns;
        layer_findings *const found = &way->found[l];
        *found = (layer_findings){.forward = 0};
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

static void run_backward(const layer_passage *way)
{
    const layer_variance *const variance = way->variance;
    const layer_initialize *const last = &variance->layers[variance->count - 1].law;
    const float *weight = way->weights;
    const float *z = way->z;
    for (size_t l = 0; l < variance->count; l++) {
        const size_t outputs = (size_t)variance->layers[l].law.shape.extent[0];
        weight += outputs * fan_of(&variance->layers[l].law);
        z += l + 1 < variance->count ? outputs * way->columns : 0;
    }
    draw(way, LAYER_VARIANCE_GRADIENTS, (size_t)last->shape.extent[0], way->gradient);
    for (size_t l = variance->count; l-- > 0 && !layer_run_cancelled(way->run);) {
        grouped layer = grouped_of(way, l, weight);
        weight -= layer.groups * layer.outputs * layer.fan;
        layer.weight = weight;
        const size_t count = layer.groups * layer.inputs * way->columns;
        layer_findings *const found = &way->found[l];
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

void layer_pass_through(const layer_passage *way)
{
    run_forward(way);
    run_backward(way);
}
