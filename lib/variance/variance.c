/* How the variance passes through a stack of layers: checked and predicted.
 * SPDX-License-Identifier: MIT */
#include "layer/variance.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "layer/random.h"
#include "variance/expectation.h"
#include "variance/stack.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A mean that rounding leaves of a law around zero. */
static const double ROUNDING = 1e-9;

/* Of an input or a gradient drawn, in multiplications. */
enum { NORMAL_MULTIPLICATIONS = 64 };

/* ---- Checks ---------------------------------------------------------------------------------- */

static layer_status check_options(const layer_variance_options *options, size_t count,
                                  layer_error *error)
{
    if (count < 1 || count > LAYER_VARIANCE_MAX_LAYERS)
        return layer_refuse(error, LAYER_INVALID, "layers", "%zu layers, expected 1 to %d", count,
                            LAYER_VARIANCE_MAX_LAYERS);
    if (options->samples > LAYER_VARIANCE_MAX_SAMPLES)
        return layer_refuse(error, LAYER_INVALID, "samples", "samples is %zu, expected 1 to %d",
                            options->samples, LAYER_VARIANCE_MAX_SAMPLES);
    if ((unsigned)options->nonlinearity >= LAYER_NONLINEARITIES)
        return layer_refuse(error, LAYER_INVALID, "nonlinearity",
                            "nonlinearity %d is none of the list", (int)options->nonlinearity);
    if (!isfinite(options->slope))
        return layer_refuse(error, LAYER_INVALID, "slope", "slope is %g, expected a finite number",
                            options->slope);
    return LAYER_OK;
}

/* A refusal of the law's own, which says nothing of layers, is told which one it is about. */
static layer_status describe_law(layer_initialize *law, const layer_variance_weight *weight,
                                 layer_initialize_options options, size_t index, layer_error *error)
{
    layer_error inner = {0};
    options.group = weight->group;
    options.seed = layer_variance_seed(options.seed, index);
    const layer_status status = layer_initialize_describe(law, &weight->shape, &options, &inner);
    if (status != LAYER_OK)
        return layer_refuse(error, status, inner.argument, "layer %zu: %.150s", index,
                            inner.reason);
    if (law->std == 0 || fabs(law->mean) > ROUNDING * law->std)
        return layer_refuse(error, LAYER_INVALID, "method",
                            "%s makes weights of mean %g and deviation %g; expected a law around 0",
                            layer_initialize_method_name(law->method), law->mean, law->std);
    return LAYER_OK;
}

static layer_status check_follows(const layer_initialize *before, const layer_initialize *law,
                                  size_t index, layer_error *error)
{
    const size_t inputs = layer_variance_channels_in(law);
    return inputs == (size_t)before->shape.extent[0]
               ? LAYER_OK
               : layer_refuse(error, LAYER_INVALID, "shape",
                              "layer %zu takes %zu channels; the layer before it makes %d", index,
                              inputs, before->shape.extent[0]);
}

/* ---- The lattice ----------------------------------------------------------------------------- */

static layer_status describe_lattice(layer_variance *variance, layer_error *error)
{
    uint64_t cells = 1;
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        variance->lattice[axis] = 1;
        for (size_t l = 0; l < variance->count; l++) {
            const int extent = layer_variance_kernel(&variance->layers[l].law, axis);
            if (extent > variance->lattice[axis])
                variance->lattice[axis] = extent;
        }
        cells = layer_saturating_multiply(cells, (uint64_t)variance->lattice[axis]);
    }
    if (cells > LAYER_VARIANCE_MAX_CELLS)
        return layer_refuse(error, LAYER_TOO_LARGE, "layers",
                            "the kernels span %llu cells, more than %d", (unsigned long long)cells,
                            LAYER_VARIANCE_MAX_CELLS);
    variance->cells = (size_t)cells;
    return LAYER_OK;
}

/* ---- Predictions ----------------------------------------------------------------------------- */

static layer_second_moments through(const layer_variance *variance, double before)
{
    return layer_moments_through(variance->nonlinearity, variance->slope, before);
}

/* What comes before layer l: the input, or what the nonlinearity makes of the layer's z. */
typedef struct {
    double square;     /* E x^2 */
    double derivative; /* E f'(z)^2 */
    double factor;     /* c */
    double c_backward; /* c' */
} preceding;

static preceding precede(const layer_variance *variance, size_t l)
{
    const double before = l == 0 ? 1 : variance->layers[l - 1].forward;
    const layer_second_moments moments = through(variance, before);
    return (preceding){
        .square = l == 0 ? 1 : moments.value,
        .derivative = l == 0 ? 1 : moments.derivative,
        .factor = moments.value / before,
        .c_backward = moments.derivative,
    };
}

static void predict(layer_variance *variance)
{
    double derivatives[LAYER_VARIANCE_MAX_LAYERS];
    for (size_t l = 0; l < variance->count; l++) {
        layer_variance_layer *const layer = &variance->layers[l];
        const double kept_forward = layer->law.fan_in * layer->weight_variance;
        const preceding before = precede(variance, l);
        layer->forward = kept_forward * before.square;
        layer->forward_factor = kept_forward * before.factor;
        layer->backward_factor = layer->law.fan_out * layer->weight_variance * before.c_backward;
        derivatives[l] = before.derivative;
    }
    double gradient = 1; /* D dL/dz of the layer */
    for (size_t l = variance->count; l-- > 0;) {
        layer_variance_layer *const layer = &variance->layers[l];
        layer->backward = layer->law.fan_out * layer->weight_variance * gradient;
        gradient = layer->backward * derivatives[l];
    }
}

/* ---- Cost ------------------------------------------------------------------------------------ */

/* Drawing the weights, inputs and gradients, and a product forward and one backward a layer. */
static uint64_t count_multiplications(const layer_variance *variance)
{
    const uint64_t columns = (uint64_t)variance->samples * variance->cells;
    const layer_initialize *const first = &variance->layers[0].law;
    const layer_initialize *const last = &variance->layers[variance->count - 1].law;
    const uint64_t ends = layer_variance_channels_in(first) + (uint64_t)last->shape.extent[0];
    uint64_t sum = layer_saturating_multiply(columns * NORMAL_MULTIPLICATIONS, ends);
    for (size_t l = 0; l < variance->count; l++) {
        const layer_initialize *const law = &variance->layers[l].law;
        const uint64_t weights = (uint64_t)(law->fan_in * law->shape.extent[0]);
        sum = layer_saturating_add(sum, law->multiplications);
        sum = layer_saturating_add(sum, layer_saturating_multiply(2 * columns, weights));
    }
    return sum;
}

/* ---- Describing ------------------------------------------------------------------------------ */

static bool is_of_layer(const layer_error *error)
{
    return strcmp(error->argument, "shape") == 0 || strcmp(error->argument, "group") == 0;
}

static layer_status describe_layers(layer_variance *variance, const layer_variance_weight *weights,
                                    const layer_variance_options *options, size_t *place,
                                    layer_error *error)
{
    layer_status status = LAYER_OK;
    for (size_t l = 0; l < variance->count && status == LAYER_OK; l++) {
        layer_variance_layer *const layer = &variance->layers[l];
        *layer = (layer_variance_layer){.weight_variance = 0};
        status = describe_law(&layer->law, &weights[l], options->law, l, error);
        if (status == LAYER_OK && l > 0)
            status = check_follows(&variance->layers[l - 1].law, &layer->law, l, error);
        if (status != LAYER_OK && is_of_layer(error))
            *place = l;
        layer->weight_variance = layer->law.std * layer->law.std;
    }
    return status;
}

layer_status layer_variance_describe(layer_variance *variance, const layer_variance_weight *weights,
                                     size_t count, const layer_variance_options *options,
                                     size_t *place, layer_error *error)
{
    const layer_variance_options defaults = {.samples = 0};
    if (options == NULL)
        options = &defaults;
    *place = count;
    layer_status status = check_options(options, count, error);
    if (status != LAYER_OK)
        return status;
    layer_variance described = {
        .count = count,
        .nonlinearity = options->nonlinearity,
        .slope = options->slope,
        .samples = options->samples == 0 ? LAYER_VARIANCE_SAMPLES : options->samples,
        .seed = options->law.seed,
    };
    status = describe_layers(&described, weights, options, place, error);
    if (status == LAYER_OK)
        status = describe_lattice(&described, error);
    if (status != LAYER_OK)
        return status;
    predict(&described);
    described.multiplications = count_multiplications(&described);
    *variance = described;
    return LAYER_OK;
}
