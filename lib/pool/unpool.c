/* Undoing a maximum pooling.
 * SPDX-License-Identifier: MIT */
#include "layer/unpool.h"
#include "core/refuse.h"
#include "core/tasks.h"
#include "pool/pool_kind.h"
#include "pool/scatter.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* Values put back between two looks at the cancellation flag. */
enum { BLOCK = 1 << 16 };

/* ---- Describing ------------------------------------------------------------------------------ */

static layer_status check_argument(const char *argument, const int values[], int axes, int least,
                                   layer_error *error)
{
    for (int axis = 0; axis < axes; axis++)
        if (values[axis] < least)
            return layer_refuse(error, LAYER_INVALID, argument,
                                "%s is %d along axis %d, expected at least %d", argument,
                                values[axis], axis, least);
    return LAYER_OK;
}

static layer_status check_arguments(const layer_shape *input, const layer_unpool_options *options,
                                    layer_error *error)
{
    const int axes = input->rank - 2;
    layer_status status = layer_pool_check_input(input, error);
    if (status == LAYER_OK)
        status = check_argument("kernel_shape", options->kernel, axes, 1, error);
    if (status == LAYER_OK)
        status = check_argument("strides", options->strides, axes, 0, error);
    if (status == LAYER_OK)
        status = check_argument("pads", options->pads_begin, axes, 0, error);
    if (status == LAYER_OK)
        status = check_argument("pads", options->pads_end, axes, 0, error);
    return status;
}

/* The extents that pooling has had if nothing was left over. */
static layer_status infer(const layer_unpool *unpool, const layer_unpool_options *options,
                          layer_shape *inferred, layer_error *error)
{
    *inferred = unpool->input;
    for (int axis = 0; axis < unpool->axes; axis++) {
        const long long extent = (unpool->input.extent[2 + axis] - 1LL) * unpool->strides[axis] +
                                 options->kernel[axis] - options->pads_begin[axis] -
                                 options->pads_end[axis];
        if (extent < 1)
            return layer_refuse(error, LAYER_INVALID, "pads",
                                "the output is %lld long along axis %d, expected at least 1",
                                extent, axis);
        inferred->extent[2 + axis] = extent > INT_MAX ? INT_MAX : (int)extent;
    }
    return LAYER_OK;
}

static layer_status choose_output(layer_unpool *unpool, const layer_unpool_options *options,
                                  const layer_shape *inferred, layer_error *error)
{
    unpool->output = *inferred;
    if (options->output[0] == 0)
        return LAYER_OK;
    for (int axis = 0; axis < unpool->axes; axis++) {
        const int least =
            options->index_shape == LAYER_INDEX_SHAPE_INFERRED ? inferred->extent[2 + axis] : 1;
        unpool->output.extent[2 + axis] = options->output[axis];
        if (options->output[axis] < least)
            return layer_refuse(error, LAYER_INVALID, "output_shape",
                                "output_shape is %d along axis %d, expected at least %d",
                                options->output[axis], axis, least);
    }
    return LAYER_OK;
}

static layer_status check_sizes(const layer_unpool *unpool, const layer_shape *indexed,
                                layer_error *error)
{
    size_t cells;
    if (layer_shape_count(&unpool->output, "input", &cells, error) != LAYER_OK ||
        layer_shape_count(indexed, "input", &cells, error) != LAYER_OK)
        return layer_refuse(error, LAYER_TOO_LARGE, "input",
                            "the output has more than %d elements, the most a tensor holds",
                            INT_MAX);
    const bool tensor = unpool->index_base == LAYER_INDEX_BASE_TENSOR;
    if (!tensor)
        cells /= (size_t)unpool->input.extent[0] * (size_t)unpool->input.extent[1];
    if (cells <= LAYER_MAX_INDEX_COUNT)
        return LAYER_OK;
    return layer_refuse(error, LAYER_TOO_LARGE, "index_base",
                        "the %s has %zu cells; indices, being floats, count at most %d",
                        tensor ? "tensor" : "plane", cells, LAYER_MAX_INDEX_COUNT);
}

static void spread(const layer_shape *shape, int extents[LAYER_MAX_SPATIAL])
{
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++) {
        const int at = shape->rank - LAYER_MAX_SPATIAL + axis;
        extents[axis] = at < 2 ? 1 : shape->extent[at];
    }
}

layer_status layer_unpool_describe(layer_unpool *unpool, const layer_shape *input,
                                   const layer_unpool_options *options, layer_error *error)
{
    layer_shape inferred;
    layer_status status = check_arguments(input, options, error);
    if (status != LAYER_OK)
        return status;
    layer_unpool described = {
        .input = *input, .axes = input->rank - 2, .index_base = options->index_base};
    for (int axis = 0; axis < described.axes; axis++)
        described.strides[axis] =
            options->strides[axis] == 0 ? options->kernel[axis] : options->strides[axis];
    status = infer(&described, options, &inferred, error);
    if (status == LAYER_OK)
        status = choose_output(&described, options, &inferred, error);
    if (status != LAYER_OK)
        return status;
    const layer_shape *const indexed =
        options->index_shape == LAYER_INDEX_SHAPE_INFERRED ? &inferred : &described.output;
    status = check_sizes(&described, indexed, error);
    if (status != LAYER_OK)
        return status;
    spread(indexed, described.indexed);
    spread(&described.output, described.extents);
    *unpool = described;
    return LAYER_OK;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* What indices count through: a plane, or the whole tensor as one. */
typedef struct {
    size_t count, inputs, indexed, outputs; /* how many, and the cells of each */
} spaces;

static size_t product(const int extents[], int count)
{
    size_t all = 1;
    for (int i = 0; i < count; i++)
        all *= (size_t)extents[i];
    return all;
}

static spaces spaces_of(const layer_unpool *unpool)
{
    const size_t planes = product(unpool->input.extent, 2);
    const size_t together = unpool->index_base == LAYER_INDEX_BASE_TENSOR ? planes : 1;
    return (spaces){
        .count = planes / together,
        .inputs = together * product(unpool->input.extent + 2, unpool->axes),
        .indexed = together * product(unpool->indexed, LAYER_MAX_SPATIAL),
        .outputs = together * product(unpool->extents, LAYER_MAX_SPATIAL),
    };
}

layer_status layer_unpool_check_indices(const layer_unpool *unpool, const float *indices,
                                        layer_error *error)
{
    const spaces space = spaces_of(unpool);
    for (size_t i = 0; i < space.count * space.inputs; i++) {
        const float index = indices[i];
        if (!(index >= -1 && index < (float)space.indexed && index == floorf(index)))
            return layer_refuse(error, LAYER_INVALID, "indices",
                                "element %zu of indices is %.9g; the %s's cells are 0 to %zu", i,
                                (double)index,
                                unpool->index_base == LAYER_INDEX_BASE_TENSOR ? "tensor" : "plane",
                                space.indexed - 1);
    }
    return LAYER_OK;
}

/* Where a cell lies in the output, if that is larger than what indices count. */
static size_t moved(const layer_unpool *unpool, size_t cell)
{
    const size_t height = (size_t)unpool->indexed[1], width = (size_t)unpool->indexed[2];
    const size_t depth = (size_t)unpool->indexed[0];
    const size_t x = cell % width, y = cell / width % height;
    const size_t z = cell / width / height % depth, plane = cell / width / height / depth;
    const size_t slices = plane * (size_t)unpool->extents[0] + z;
    return (slices * (size_t)unpool->extents[1] + y) * (size_t)unpool->extents[2] + x;
}

typedef struct {
    const layer_unpool *unpool;
    const layer_run *run;
    const float *input, *indices;
    float *output;
    spaces space;
    bool moves;
} unpooling;

static void put_back(const unpooling *call, const float *input, const float *indices, size_t count,
                     float *output)
{
    if (!call->moves) {
        layer_scatter_kernels_at(call->run->isa)->put(output, 0, indices, input, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (indices[i] >= 0)
            output[moved(call->unpool, (size_t)indices[i])] = input[i];
}

static void unpool_space(void *argument, size_t task, int thread)
{
    (void)thread;
    const unpooling *const call = argument;
    const spaces *const space = &call->space;
    const float *const input = call->input + task * space->inputs;
    const float *const indices = call->indices + task * space->inputs;
    float *const output = call->output + task * space->outputs;
    memset(output, 0, space->outputs * sizeof *output);
    for (size_t i = 0; i < space->inputs && !layer_run_cancelled(call->run); i += BLOCK)
        put_back(call, input + i, indices + i,
                 space->inputs - i < BLOCK ? space->inputs - i : BLOCK, output);
}

layer_status layer_unpool_forward(const layer_unpool *unpool, const float *input,
                                  const float *indices, float *output, const layer_run *run)
{
    assert(input != NULL && indices != NULL && output != NULL && run != NULL);
    unpooling call = {
        .unpool = unpool,
        .run = run,
        .input = input,
        .indices = indices,
        .output = output,
        .space = spaces_of(unpool),
        .moves = memcmp(unpool->indexed, unpool->extents, sizeof unpool->extents) != 0,
    };
    return layer_run_tasks(run, call.space.count, unpool_space, &call);
}
