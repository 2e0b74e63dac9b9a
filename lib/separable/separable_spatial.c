/* Spatially separable convolution: describe it, run it forward.
 * SPDX-License-Identifier: MIT */
#include "layer/separable_spatial.h"
#include "conv/implementation.h"
#include "core/refuse.h"
#include "core/saturate.h"
#include "core/sliding.h"
#include "core/tasks.h"
#include "separable/pieces.h"

#include <assert.h>

/* ---- Arguments alone ------------------------------------------------------------------------- */

static layer_status check_shapes(const layer_shape *input, const layer_shape *column,
                                 const layer_shape *row, layer_error *error)
{
    size_t count;
    if (input->rank != 4)
        return layer_refuse(error, LAYER_INVALID, "input",
                            "input has rank %d, expected 4: [N, C, H, W]", input->rank);
    if (column->rank != 3 && column->rank != 4)
        return layer_refuse(error, LAYER_INVALID, "column",
                            "column has rank %d, expected 3, [M, C/group, R], or 4, [K, C/group, "
                            "M, R]",
                            column->rank);
    if (row->rank != column->rank)
        return layer_refuse(error, LAYER_INVALID, "row",
                            "row has rank %d, expected %d as column has", row->rank, column->rank);
    layer_status status = layer_shape_count(input, "input", &count, error);
    if (status == LAYER_OK)
        status = layer_shape_count(column, "column", &count, error);
    return status == LAYER_OK ? layer_shape_count(row, "row", &count, error) : status;
}

/* Shared: row takes what column makes. Each: they go through the same kernels and products. */
static layer_status check_factors(const layer_shape *column, const layer_shape *row, int groups,
                                  layer_error *error)
{
    static const char *const subjects[] = {"output channels", "channels", "products"};
    if (column->rank == 4) {
        for (int axis = 0; axis < 3; axis++)
            if (row->extent[axis] != column->extent[axis])
                return layer_refuse(error, LAYER_INVALID, "row",
                                    "row has %d %s, expected %d as column has", row->extent[axis],
                                    subjects[axis], column->extent[axis]);
        return LAYER_OK;
    }
    if (column->extent[0] % groups != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "column's %d intermediate channels do not divide into %d groups",
                            column->extent[0], groups);
    if (column->extent[0] != (long long)row->extent[1] * groups)
        return layer_refuse(error, LAYER_INVALID, "row",
                            "column makes %d intermediate channels, but row takes %d in each of %d "
                            "groups",
                            column->extent[0], row->extent[1], groups);
    return LAYER_OK;
}

static layer_status check_channels(const layer_shape *input, const layer_shape *column,
                                   const layer_shape *row, int group, layer_error *error)
{
    if (group < 0)
        return layer_refuse(error, LAYER_INVALID, "group", "group is %d, expected at least 1",
                            group);
    const int groups = group == 0 ? 1 : group;
    if (input->extent[1] != (long long)column->extent[1] * groups)
        return layer_refuse(error, LAYER_INVALID, "column",
                            "input has %d channels, but column takes %d channels in each of %d "
                            "groups",
                            input->extent[1], column->extent[1], groups);
    if (row->extent[0] % groups != 0)
        return layer_refuse(error, LAYER_INVALID, "group",
                            "row's %d output channels do not divide into %d groups", row->extent[0],
                            groups);
    return check_factors(column, row, groups, error);
}

/* ---- Describing ------------------------------------------------------------------------------ */

/* The windows of the convolution in one piece, each factor's by itself, so that it is named. */
static layer_status describe_windows(layer_separable_spatial *separable,
                                     const layer_geometry *geometry, layer_error *error)
{
    const layer_shape *const column = &separable->column, *const row = &separable->row;
    const int *const inputs = separable->input.extent + 2;
    const int column_kernel[] = {column->extent[column->rank - 1], 1};
    const int row_kernel[] = {1, row->extent[row->rank - 1]};
    layer_window of_row[LAYER_MAX_SPATIAL];
    layer_status status = layer_sliding_describe(separable->window, 2, inputs, column_kernel,
                                                 geometry, false, "column", error);
    if (status == LAYER_OK)
        status =
            layer_sliding_describe(of_row, 2, inputs, row_kernel, geometry, false, "row", error);
    if (status == LAYER_OK)
        separable->window[LAYER_WIDTH] = of_row[LAYER_WIDTH];
    return status;
}

/* What a convolution along one of the two axes has of the options. */
static layer_conv_options along(const layer_separable_spatial *separable, int axis,
                                const layer_conv_options *options)
{
    const layer_window *const window = &separable->window[LAYER_HEIGHT + axis];
    layer_conv_options one = {.mode = options->mode, .algorithm = options->algorithm};
    one.geometry.strides[axis] = window->stride;
    one.geometry.dilations[axis] = window->dilation;
    one.geometry.pads_begin[axis] = window->pad_begin;
    one.geometry.pads_end[axis] = window->pad_end;
    return one;
}

static layer_status describe_chain(layer_separable_spatial *separable,
                                   const layer_conv_options *options, layer_error *error)
{
    const bool shared = separable->is_shared;
    const int *const column = separable->column.extent, *const row = separable->row.extent;
    const int height = separable->window[LAYER_HEIGHT].kernel;
    const int width = separable->window[LAYER_WIDTH].kernel;
    layer_conv_options vertical = along(separable, 0, options);
    layer_conv_options horizontal = along(separable, 1, options);
    layer_shape input = separable->input;
    layer_shape column_weight = {4, {column[0], column[1], height, 1}};
    layer_shape row_weight = {4, {row[0], row[1], 1, width}};
    vertical.group = horizontal.group = separable->group;
    if (!shared) { /* a channel's products are output channels of its own group */
        input.extent[0] = 1;
        input.extent[1] = vertical.group = column[1];
        column_weight = (layer_shape){4, {column[1] * column[2], 1, height, 1}};
        row_weight = (layer_shape){4, {1, column[1] * column[2], 1, width}};
        horizontal.group = 1;
    }
    const layer_status status =
        layer_conv_describe(&separable->vertical, &input, &column_weight, &vertical, error);
    return status != LAYER_OK
               ? status
               : layer_conv_describe(&separable->horizontal, &separable->vertical.output,
                                     &row_weight, &horizontal, error);
}

static layer_status describe_output(layer_separable_spatial *separable, layer_error *error)
{
    size_t count;
    separable->output = (layer_shape){4,
                                      {separable->input.extent[0], separable->row.extent[0],
                                       separable->window[LAYER_HEIGHT].output,
                                       separable->window[LAYER_WIDTH].output}};
    return layer_shape_count(&separable->output, "input", &count, error) == LAYER_OK
               ? LAYER_OK
               : layer_conv_refuse_output(&separable->output, error);
}

static void count_multiplications(layer_separable_spatial *separable)
{
    const layer_chain chain = layer_chain_of(separable);
    const layer_pieces pieces = layer_pieces_of(separable);
    const uint64_t count = (uint64_t)pieces.samples * (uint64_t)pieces.outputs;
    const uint64_t forward = layer_saturating_add(separable->vertical.multiplications,
                                                  separable->horizontal.multiplications);
    const uint64_t backward = separable->is_shared ? layer_chain_backward_multiplications(&chain)
                                                   : layer_saturating_multiply(3, forward);
    uint64_t full = (uint64_t)separable->column.extent[1];
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        full = layer_saturating_multiply(full, (uint64_t)separable->window[axis].kernel);
    for (int axis = 0; axis < separable->output.rank; axis++)
        full = layer_saturating_multiply(full, (uint64_t)separable->output.extent[axis]);
    separable->multiplications = layer_saturating_multiply(count, forward);
    separable->backward_multiplications = layer_saturating_multiply(count, backward);
    separable->full_multiplications = full;
}

layer_status layer_separable_spatial_describe(layer_separable_spatial *separable,
                                              const layer_shape *input, const layer_shape *column,
                                              const layer_shape *row,
                                              const layer_conv_options *options, layer_error *error)
{
    const layer_conv_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    layer_status status = check_shapes(input, column, row, error);
    if (status == LAYER_OK)
        status = check_channels(input, column, row, options->group, error);
    if (status != LAYER_OK)
        return status;
    layer_separable_spatial described = {
        .input = *input,
        .column = *column,
        .row = *row,
        .group = options->group == 0 ? 1 : options->group,
        .is_shared = column->rank == 3,
    };
    status = describe_windows(&described, &options->geometry, error);
    if (status == LAYER_OK)
        status = describe_output(&described, error);
    if (status == LAYER_OK)
        status = describe_chain(&described, options, error);
    if (status != LAYER_OK)
        return status;
    count_multiplications(&described);
    *separable = described;
    return LAYER_OK;
}

/* ---- Forward --------------------------------------------------------------------------------- */

typedef struct {
    const layer_separable_spatial_operands *operands;
    float *output;
    const layer_run *run;
    layer_chain chain;
    layer_pieces pieces;
    size_t tasks, share_size;
} forward;

static size_t share_size(const layer_separable_spatial *separable, size_t tasks, int threads)
{
    const layer_chain chain = layer_chain_of(separable);
    return layer_chain_workspace_size(&chain, layer_threads_of_task(tasks, threads));
}

static size_t tasks_of(const layer_separable_spatial *separable)
{
    const layer_pieces pieces = layer_pieces_of(separable);
    return pieces.samples * pieces.outputs;
}

size_t layer_separable_spatial_workspace_size(const layer_separable_spatial *separable, int threads)
{
    const size_t tasks = tasks_of(separable);
    return share_size(separable, tasks, threads) * (tasks == 1 ? 1 : (size_t)threads);
}

static void run_piece(void *argument, size_t piece, int thread)
{
    const forward *const call = argument;
    const layer_pieces *const pieces = &call->pieces;
    const layer_run run = layer_run_of_task(call->run, call->tasks, thread, call->share_size);
    const layer_chain_operands operands = layer_piece_operands(
        pieces, call->operands, piece / pieces->outputs, piece % pieces->outputs);
    layer_chain_forward(&call->chain, &operands, call->output + piece * pieces->plane, &run);
}

layer_status layer_separable_spatial_forward(const layer_separable_spatial *separable,
                                             const layer_separable_spatial_operands *operands,
                                             float *output, const layer_run *run)
{
    assert(operands->input != NULL && operands->column != NULL && operands->row != NULL);
    const size_t tasks = tasks_of(separable);
    forward call = {
        .operands = operands,
        .output = output,
        .run = run,
        .chain = layer_chain_of(separable),
        .pieces = layer_pieces_of(separable),
        .tasks = tasks,
        .share_size = share_size(separable, tasks, layer_run_threads(run)),
    };
    return layer_run_tasks(run, tasks, run_piece, &call);
}
