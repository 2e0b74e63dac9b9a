/* POST /v1/unpool: undoes a maximum pooling.
 * SPDX-License-Identifier: MIT */
#include "operation.h"
#include "pool_fields.h"
#include "ranks.h"
#include "shapes.h"

#include <layer/unpool.h>

#include <string.h>

typedef struct {
    api_call call;
    struct {
        api_tensor input, indices;
        api_integers kernel_shape, strides, pads;
        api_shape output_shape;
        api_choice index_base, index_shape;
    } request;
    layer_unpool unpool;
    struct {
        api_result output;
        api_integers kernel_shape, strides, pads;
    } reply;
} unpool_call;

/* ---- The fields ------------------------------------------------------------------------------ */

static const api_option index_shapes[] = {
#define SHAPE_OPTION(id, name, sentence) {name, LAYER_INDEX_SHAPE_##id, sentence},
    LAYER_INDEX_SHAPE_LIST(SHAPE_OPTION)
#undef SHAPE_OPTION
        {0}};

static const api_field request_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(unpool_call, request.input),
     .required = true,
     .summary = "what pooling answered: [N, C, spatial ...], or one sample [C, spatial ...], or a "
                "bare plane of rank 1 or 2"},
    {.name = "indices",
     .kind = &api_tensor_kind,
     .offset = offsetof(unpool_call, request.indices),
     .required = true,
     .summary = "of the input's shape: the cell, in row-major order, that each value goes to; -1 "
                "is none"},
    {.name = "kernel_shape",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(unpool_call, request.kernel_shape),
     .required = true,
     .summary = "the window's extents, as pooling took them"},
    {.name = "strides",
     API_PER_AXIS(1, API_MAX_WINDOW),
     .offset = offsetof(unpool_call, request.strides),
     .summary = "as pooling took them, by default kernel_shape"},
    {.name = "pads",
     API_PER_SIDE(0, API_MAX_WINDOW),
     .offset = offsetof(unpool_call, request.pads),
     .fallback = "0",
     .summary = "as pooling took them: all begins, then all ends, or one for all"},
    {.name = "output_shape",
     .kind = &api_shape_kind,
     .offset = offsetof(unpool_call, request.output_shape),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 1,
     .most = LAYER_MAX_RANK,
     .summary = "what the shape was before pooling, whole or its spatial extents; by default the "
                "smallest that it can have been, (input - 1) * stride + kernel - pads"},
    {.name = "index_base",
     .kind = &api_choice_kind,
     .offset = offsetof(unpool_call, request.index_base),
     .options = api_index_bases,
     .fallback = "\"plane\"",
     .summary = "in what indices count cells"},
    {.name = "index_shape",
     .kind = &api_choice_kind,
     .offset = offsetof(unpool_call, request.index_shape),
     .options = index_shapes,
     .fallback = "\"output\"",
     .summary = "the shape in which indices count, where output_shape is given"},
    {0},
};

static const api_field reply_fields[] = {
    {.name = "output",
     .kind = &api_result_kind,
     .offset = offsetof(unpool_call, reply.output),
     .required = true,
     .summary = "of the input's kind of rank"},
    {.name = "kernel_shape",
     .kind = &api_list_kind,
     .offset = offsetof(unpool_call, reply.kernel_shape),
     .required = true,
     .summary = "per spatial axis"},
    {.name = "strides",
     .kind = &api_list_kind,
     .offset = offsetof(unpool_call, reply.strides),
     .required = true,
     .summary = "per spatial axis"},
    {.name = "pads",
     .kind = &api_list_kind,
     .offset = offsetof(unpool_call, reply.pads),
     .required = true,
     .summary = "all begins, then all ends"},
    {0},
};

/* ---- Describing ------------------------------------------------------------------------------ */

static bool are_equal(const int a[], const int b[], int count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

/* Takes output_shape whole, if it goes with the input's batch and channels, or its last axes. */
static bool read_output(const unpool_call *call, int axes, int output[], api_problem *problem)
{
    char text[API_SHAPE_TEXT_SIZE], of[API_SHAPE_TEXT_SIZE];
    const layer_shape *const shape = &call->request.output_shape.value;
    const layer_shape *const input = &call->request.input.shape;
    if (!call->request.output_shape.given)
        return true;
    const bool whole =
        shape->rank == input->rank && are_equal(shape->extent, input->extent, input->rank - axes);
    if (shape->rank != axes && !whole)
        return api_refuse(problem, 422, "/output_shape",
                          "output_shape is %s; with an input of %s it takes %d spatial extents, or "
                          "all %d with the input's others",
                          api_shape_text(shape, text), api_shape_text(input, of), axes,
                          input->rank);
    for (int axis = 0; axis < axes; axis++)
        output[axis] = shape->extent[shape->rank - axes + axis];
    return true;
}

static bool read_options(const unpool_call *call, int axes, layer_unpool_options *options,
                         api_problem *problem)
{
    int pads[API_MAX_INTEGERS] = {0};
    options->index_base = (layer_index_base)call->request.index_base.value;
    options->index_shape = (layer_index_shape)call->request.index_shape.value;
    if (!api_spread(&call->request.kernel_shape, "/kernel_shape", axes, options->kernel, problem) ||
        !api_spread(&call->request.strides, "/strides", axes, options->strides, problem) ||
        !api_spread(&call->request.pads, "/pads", 2 * axes, pads, problem) ||
        !read_output(call, axes, options->output, problem))
        return false;
    memcpy(options->pads_begin, pads, (size_t)axes * sizeof *pads);
    memcpy(options->pads_end, pads + axes, (size_t)axes * sizeof *pads);
    return true;
}

static api_integers listed(int count)
{
    return (api_integers){.given = true, .count = count};
}

static void fill_reply(unpool_call *call, const layer_unpool_options *options)
{
    const int axes = call->unpool.axes;
    call->reply.output = (api_result){
        .given = true,
        .shape = api_narrowed(&call->unpool.output, call->request.input.shape.rank),
    };
    call->reply.kernel_shape = listed(axes);
    call->reply.strides = listed(axes);
    call->reply.pads = listed(2 * axes);
    for (int axis = 0; axis < axes; axis++) {
        call->reply.kernel_shape.value[axis] = options->kernel[axis];
        call->reply.strides.value[axis] = call->unpool.strides[axis];
        call->reply.pads.value[axis] = options->pads_begin[axis];
        call->reply.pads.value[axes + axis] = options->pads_end[axis];
    }
}

static bool describe(api_call *base, api_problem *problem)
{
    unpool_call *const call = (unpool_call *)base;
    const layer_shape *const input = &call->request.input.shape;
    layer_unpool_options options = {0};
    layer_error error;
    int axes;
    if (!api_check_shape(&call->request.indices, "indices", input, "the input's", problem) ||
        !api_pooled_axes(&call->request.kernel_shape, input, "input", &axes, problem) ||
        !read_options(call, axes, &options, problem))
        return false;
    const layer_shape wide = api_widened(input, axes + API_CHANNEL_AXES);
    if (layer_unpool_describe(&call->unpool, &wide, &options, &error) != LAYER_OK ||
        layer_unpool_check_indices(&call->unpool, call->request.indices.data, &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    call->call.multiplications = call->request.input.count;
    fill_reply(call, &options);
    return true;
}

/* ---- Computing ------------------------------------------------------------------------------- */

static layer_status compute(api_call *base, const layer_run *run)
{
    const unpool_call *const call = (const unpool_call *)base;
    return layer_unpool_forward(&call->unpool, call->request.input.data, call->request.indices.data,
                                call->reply.output.data, run);
}

const api_operation api_operation_unpool = {
    .name = "unpool",
    .summary = "Put what maximum pooling chose back to where it was",
    .description =
        "Undoes a maximum pooling, by the indices that it answered: each value goes back to its "
        "cell, all other cells are 0. Where several values go to one cell the last in row-major "
        "order wins. Ranks are as in pooling. Several shapes pool to the same one; output_shape "
        "says which it was. An index outside the output is refused.",
    .example = "{\"input\":[[4,5],[6,9]],\"indices\":[[4,7],[13,10]],\"kernel_shape\":[2,2]}",
    .request = request_fields,
    .reply = reply_fields,
    .call_size = sizeof(unpool_call),
    .describe = describe,
    .compute = compute,
};
