/* Pooling: describe it, and the list of kinds.
 * SPDX-License-Identifier: MIT */
#include "layer/pool.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "core/sliding.h"
#include "pool/pool_kind.h"

#include <limits.h>
#include <math.h>

/* A real power takes about the time of so many multiplications. */
enum { POWER_COST = 32 };

static const layer_pool_implementation *const implementations[] = {
#define POOL_IMPLEMENTATION(id, name, sentence) [LAYER_POOL_##id] = &layer_pool_implementation_##id,
    LAYER_POOL_KIND_LIST(POOL_IMPLEMENTATION)
#undef POOL_IMPLEMENTATION
};

enum { KINDS = sizeof implementations / sizeof *implementations };

const layer_pool_implementation *layer_pool_implementation_of(const layer_pool *pool)
{
    return implementations[pool->kind];
}

/* ---- Arguments alone ------------------------------------------------------------------------- */

layer_status layer_pool_check_input(const layer_shape *input, layer_error *error)
{
    size_t count;
    if (input->rank < 3 || input->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input has rank %d, expected 3 to %d: [N, C, 1 to %d spatial axes]",
                            input->rank, LAYER_MAX_RANK, LAYER_MAX_SPATIAL);
    return layer_shape_count(input, "input", &count, error);
}

/* What only some kinds have. */
static layer_status check_kind(const layer_pool_options *options, layer_error *error)
{
    const layer_pool_kind kind = options->kind;
    if ((size_t)kind >= KINDS)
        return layer_refuse(error, LAYER_INVALID, "kind", "kind %d is none of the list", (int)kind);
    if (options->p != 0 && kind != LAYER_POOL_LP)
        return layer_refuse(error, LAYER_INVALID, "p", "p goes with kind lp only");
    if (options->p != 0 && !(options->p >= 1 && isfinite(options->p)))
        return layer_refuse(error, LAYER_INVALID, "p", "p is %g, expected a number of at least 1",
                            options->p);
    if (options->count_include_pad && kind != LAYER_POOL_AVERAGE)
        return layer_refuse(error, LAYER_INVALID, "count_include_pad",
                            "count_include_pad goes with kind average only");
    if (options->indices && kind != LAYER_POOL_MAX)
        return layer_refuse(error, LAYER_INVALID, "return_indices",
                            "indices go with kind max only");
    return LAYER_OK;
}

static bool any(const int values[])
{
    return values[0] != 0 || values[1] != 0 || values[2] != 0;
}

static layer_status check_global(const layer_pool_options *options, layer_error *error)
{
    const layer_geometry *const geometry = &options->geometry;
    const struct {
        const char *argument;
        bool given;
    } rivals[] = {
        {"kernel_shape", any(options->kernel)},
        {"strides", any(geometry->strides)},
        {"dilations", any(geometry->dilations)},
        {"pads", any(geometry->pads_begin) || any(geometry->pads_end)},
        {"auto_pad", geometry->auto_pad != LAYER_AUTO_PAD_NOTSET},
        {"ceil_mode", options->ceil_mode},
    };
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
        if (rivals[i].given)
            return layer_refuse(error, LAYER_INVALID, rivals[i].argument,
                                "%s conflicts with global, whose window is the whole plane",
                                rivals[i].argument);
    return LAYER_OK;
}

static layer_status check_kernel(const layer_pool_options *options, int axes, layer_error *error)
{
    for (int axis = 0; axis < axes; axis++)
        if (options->kernel[axis] < 1)
            return layer_refuse(error, LAYER_INVALID, "kernel_shape",
                                "kernel_shape is %d along axis %d, expected at least 1",
                                options->kernel[axis], axis);
    return LAYER_OK;
}

static layer_status check_arguments(const layer_shape *input, const layer_pool_options *options,
                                    layer_error *error)
{
    layer_status status = layer_pool_check_input(input, error);
    if (status == LAYER_OK)
        status = check_kind(options, error);
    if (status != LAYER_OK)
        return status;
    return options->global ? check_global(options, error)
                           : check_kernel(options, input->rank - 2, error);
}

/* ---- What follows from them ------------------------------------------------------------------ */

static layer_status describe_windows(layer_pool *pool, const layer_pool_options *options,
                                     layer_error *error)
{
    const int *const inputs = pool->input.extent + 2;
    const int *const kernels = options->global ? inputs : options->kernel;
    layer_geometry geometry = options->geometry;
    for (int axis = 0; axis < pool->axes; axis++)
        if (geometry.strides[axis] == 0)
            geometry.strides[axis] = kernels[axis];
    return layer_sliding_describe(pool->window, pool->axes, inputs, kernels, &geometry,
                                  options->ceil_mode, "kernel_shape", error);
}

static layer_status describe_output(layer_pool *pool, layer_error *error)
{
    size_t count;
    pool->output = pool->input;
    for (int axis = 0; axis < pool->axes; axis++)
        pool->output.extent[2 + axis] = pool->window[LAYER_MAX_SPATIAL - pool->axes + axis].output;
    if (layer_shape_count(&pool->output, "input", &count, error) == LAYER_OK)
        return LAYER_OK;
    char text[64];
    long long extents[LAYER_MAX_RANK];
    for (int axis = 0; axis < pool->output.rank; axis++)
        extents[axis] = pool->output.extent[axis];
    layer_write_extents(text, sizeof text, extents, pool->output.rank);
    return layer_refuse(error, LAYER_TOO_LARGE, "input",
                        "the output of %s has more than %d elements, the most a tensor holds", text,
                        INT_MAX);
}

static layer_status check_indices(const layer_pool *pool, layer_error *error)
{
    const bool tensor = pool->index_base == LAYER_INDEX_BASE_TENSOR;
    const size_t planes =
        tensor ? (size_t)pool->input.extent[0] * (size_t)pool->input.extent[1] : 1;
    const size_t cells = planes * layer_pool_input_plane(pool);
    if (!pool->indices || cells <= LAYER_MAX_INDEX_COUNT)
        return LAYER_OK;
    return layer_refuse(error, LAYER_TOO_LARGE, "index_base",
                        "the %s has %zu cells; indices, being floats, count at most %d",
                        tensor ? "tensor" : "plane", cells, LAYER_MAX_INDEX_COUNT);
}

static uint64_t count_multiplications(const layer_pool *pool)
{
    const bool powers = pool->kind == LAYER_POOL_LP && pool->p != 1 && pool->p != 2;
    uint64_t product =
        layer_saturating_multiply(layer_pool_kernel_cells(pool), powers ? POWER_COST : 1);
    for (int axis = 0; axis < pool->output.rank; axis++)
        product = layer_saturating_multiply(product, (uint64_t)pool->output.extent[axis]);
    return product;
}

layer_status layer_pool_describe(layer_pool *pool, const layer_shape *input,
                                 const layer_pool_options *options, layer_error *error)
{
    layer_status status = check_arguments(input, options, error);
    if (status != LAYER_OK)
        return status;
    layer_pool described = {
        .input = *input,
        .axes = input->rank - 2,
        .kind = options->kind,
        .count_include_pad = options->count_include_pad,
        .p = options->p == 0 ? 2 : options->p,
        .indices = options->indices,
        .index_base = options->index_base,
        .column_major = options->column_major,
    };
    status = describe_windows(&described, options, error);
    if (status == LAYER_OK)
        status = describe_output(&described, error);
    if (status == LAYER_OK)
        status = check_indices(&described, error);
    if (status != LAYER_OK)
        return status;
    described.multiplications = count_multiplications(&described);
    *pool = described;
    return LAYER_OK;
}
