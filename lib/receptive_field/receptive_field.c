/* The strides and regions of a network's layers, from its input on.
 * SPDX-License-Identifier: MIT */
#include "layer/receptive_field.h"
#include "core/refuse.h"
#include "core/sliding.h"
#include "receptive_field/reads.h"

#include <string.h>

/* Stands for an input's size where none is given: large enough for every window. */
enum { ENDLESS = 1 << 30 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- What a layer reads ---------------------------------------------------------------------- */

static layer_receptive_field network_input(const layer_receptive_network *network)
{
    layer_receptive_field field = {.uniform = true, .aligned = true};
    for (int axis = 0; axis < network->axes; axis++)
        field.axis[axis] = (layer_receptive_axis){
            .stride = 1, .output = network->input_size == NULL ? 0 : network->input_size[axis]};
    return field;
}

static layer_status check_inputs(const layer_receptive_layer *layer, size_t place,
                                 layer_error *error)
{
    for (int i = 0; i < layer->input_count; i++)
        if (layer->inputs[i] < LAYER_NETWORK_INPUT || layer->inputs[i] >= (int)place)
            return layer_refuse(error, LAYER_INVALID, "inputs",
                                "input %d is layer %d, expected one before layer %zu", i,
                                layer->inputs[i], place);
    return LAYER_OK;
}

/* Joins one more path to those that came to `into` so far. */
static layer_status join(layer_receptive_field *into, const layer_receptive_field *path, int axes,
                         layer_error *error)
{
    into->uniform = into->uniform && path->uniform;
    into->aligned = into->aligned && path->aligned;
    for (int i = 0; i < axes; i++) {
        layer_receptive_axis *const all = &into->axis[i];
        const layer_receptive_axis *const one = &path->axis[i];
        if (all->output != one->output)
            return layer_refuse(error, LAYER_INVALID, "inputs",
                                "the inputs have %d and %d cells along axis %d, expected the same "
                                "of all",
                                all->output, one->output, i);
        into->uniform = into->uniform && all->stride == one->stride;
        into->aligned =
            into->aligned && into->uniform && all->first + all->last == one->first + one->last;
        all->first = smaller(all->first, one->first);
        all->last = larger(all->last, one->last);
        all->pad_end = larger(all->pad_end, one->pad_end);
    }
    return LAYER_OK;
}

static layer_status read_inputs(layer_receptive_field *read, const layer_receptive_field fields[],
                                const layer_receptive_network *network, size_t place,
                                layer_error *error)
{
    const layer_receptive_field input = network_input(network);
    layer_status status = check_inputs(&network->layers[place], place, error);
    for (int i = 0; i < layer_reads_count(network, place) && status == LAYER_OK; i++) {
        const int from = layer_reads(network, place, i);
        const layer_receptive_field *const path =
            from == LAYER_NETWORK_INPUT ? &input : &fields[from];
        if (i == 0)
            *read = *path;
        else
            status = join(read, path, network->axes, error);
    }
    return status;
}

/* ---- What a layer adds ----------------------------------------------------------------------- */

static layer_status check_same(const layer_receptive_network *network,
                               const layer_geometry *geometry, layer_error *error)
{
    const bool same = geometry->auto_pad == LAYER_AUTO_PAD_SAME_UPPER ||
                      geometry->auto_pad == LAYER_AUTO_PAD_SAME_LOWER;
    for (int axis = 0; axis < network->axes && same && network->input_size == NULL; axis++)
        if (geometry->strides[axis] > 1)
            return layer_refuse(error, LAYER_INVALID, "auto_pad",
                                "with a stride of %d, SAME padding depends on the input's size: "
                                "input_size is missing",
                                geometry->strides[axis]);
    return LAYER_OK;
}

static layer_status slide(layer_receptive_field *field, const layer_receptive_network *network,
                          size_t place, layer_error *error)
{
    const layer_receptive_layer *const layer = &network->layers[place];
    int inputs[LAYER_MAX_SPATIAL], kernels[LAYER_MAX_SPATIAL];
    for (int axis = 0; axis < network->axes; axis++) {
        inputs[axis] = network->input_size == NULL ? ENDLESS : field->axis[axis].output;
        kernels[axis] = layer->kernel[axis] == 0 ? 1 : layer->kernel[axis];
        if (kernels[axis] < 1)
            return layer_refuse(error, LAYER_INVALID, "kernel_shape",
                                "kernel is %d along axis %d, expected at least 1", kernels[axis],
                                axis);
    }
    const layer_status status = check_same(network, &layer->geometry, error);
    return status != LAYER_OK
               ? status
               : layer_sliding_describe(field->window, network->axes, inputs, kernels,
                                        &layer->geometry, false, "kernel_shape", error);
}

/* From what the layer reads to what its outputs see; false where that is too large. */
static bool widen(layer_receptive_axis *axis, const layer_window *window)
{
    const int64_t extent = (int64_t)window->dilation * (window->kernel - 1) + 1;
    const int64_t stride = axis->stride;
    axis->stride = 0;
    return layer_add_product(&axis->first, -window->pad_begin, stride) &&
           layer_add_product(&axis->last, extent - 1 - window->pad_begin, stride) &&
           layer_add_product(&axis->pad_end, window->pad_end, stride) &&
           layer_add_product(&axis->stride, window->stride, stride) &&
           axis->last - axis->first < LAYER_RECEPTIVE_MOST;
}

static layer_status see(layer_receptive_field *field, const layer_receptive_network *network,
                        layer_error *error)
{
    const layer_window *const window = layer_own_windows(network, field);
    for (int i = 0; i < network->axes; i++) {
        field->axis[i].output = network->input_size == NULL ? 0 : window[i].output;
        if (field->uniform && !widen(&field->axis[i], &window[i]))
            return layer_refuse(error, LAYER_TOO_LARGE, "strides",
                                "the receptive field is beyond 2^53 cells along axis %d", i);
    }
    return LAYER_OK;
}

static layer_status check_network(const layer_receptive_network *network, layer_error *error)
{
    if (network->axes < 1 || network->axes > LAYER_MAX_SPATIAL)
        return layer_refuse(error, LAYER_INVALID, "layers", "there are %d axes, expected 1 to %d",
                            network->axes, LAYER_MAX_SPATIAL);
    if (network->count < 1 || network->count > LAYER_RECEPTIVE_LAYERS)
        return layer_refuse(error, LAYER_INVALID, "layers",
                            "there are %zu layers, expected 1 to %d", network->count,
                            LAYER_RECEPTIVE_LAYERS);
    for (int axis = 0; axis < network->axes && network->input_size != NULL; axis++)
        if (network->input_size[axis] < 1)
            return layer_refuse(error, LAYER_INVALID, "input_size",
                                "input_size is %d along axis %d, expected at least 1",
                                network->input_size[axis], axis);
    return LAYER_OK;
}

layer_status layer_receptive_field_describe(layer_receptive_field fields[],
                                            const layer_receptive_network *network, size_t *place,
                                            layer_error *error)
{
    *place = network->count;
    layer_status status = check_network(network, error);
    for (size_t i = 0; status == LAYER_OK && i < network->count; i++) {
        *place = i;
        status = read_inputs(&fields[i], fields, network, i, error);
        if (status == LAYER_OK)
            status = slide(&fields[i], network, i, error);
        if (status == LAYER_OK)
            status = see(&fields[i], network, error);
    }
    return status;
}
