/* ONNX's operators that compute nothing.
 * SPDX-License-Identifier: MIT */
#include "onnx_moves.h"
#include "onnx_values.h"

#include <string.h>

static tensor reshaped(const tensor *values, size_t rank, const size_t extent[])
{
    tensor copy = tensor_create(rank, extent);
    memcpy(copy.data, values->data, values->count * sizeof *copy.data);
    return copy;
}

/* The axes that an operator lists: an attribute, in later versions an input. */
typedef struct {
    size_t count;
    size_t axis[TENSOR_MAX_RANK];
} axis_list;

static bool read_axes(const onnx_node *node, axis_list *axes)
{
    const Onnx__AttributeProto *const attribute = onnx_attribute(node, "axes");
    const tensor *const input = onnx_input(node, 1);
    axes->count = attribute != NULL ? attribute->n_ints : input != NULL ? input->count : 0;
    if (axes->count == 0 || axes->count > TENSOR_MAX_RANK)
        return false;
    for (size_t index = 0; index < axes->count; index++)
        axes->axis[index] =
            attribute != NULL ? (size_t)attribute->ints[index] : (size_t)input->data[index];
    return true;
}

static bool is_listed(const axis_list *axes, size_t axis)
{
    for (size_t index = 0; index < axes->count; index++)
        if (axes->axis[index] == axis)
            return true;
    return false;
}

/* An axis of 1 at each of the places listed, as the output counts them. */
static bool unsqueeze(const onnx_node *node)
{
    const tensor *const input = onnx_input(node, 0);
    axis_list axes;
    size_t extent[TENSOR_MAX_RANK], from = 0;
    if (input == NULL || !read_axes(node, &axes) || input->rank + axes.count > TENSOR_MAX_RANK)
        return false;
    const size_t rank = input->rank + axes.count;
    for (size_t axis = 0; axis < rank; axis++)
        extent[axis] = is_listed(&axes, axis) ? 1 : input->extent[from++];
    onnx_set_output(node, 0, reshaped(input, rank, extent));
    return true;
}

/* Without the axes listed, as the input counts them. */
static bool squeeze(const onnx_node *node)
{
    const tensor *const input = onnx_input(node, 0);
    axis_list axes;
    size_t extent[TENSOR_MAX_RANK], rank = 0;
    if (input == NULL || !read_axes(node, &axes))
        return false;
    for (size_t axis = 0; axis < input->rank; axis++)
        if (!is_listed(&axes, axis))
            extent[rank++] = input->extent[axis];
    onnx_set_output(node, 0, reshaped(input, rank, extent));
    return true;
}

static bool constant(const onnx_node *node)
{
    const Onnx__AttributeProto *const value = onnx_attribute(node, "value");
    tensor values;
    if (value == NULL || value->t == NULL || !onnx_tensor_convert(value->t, &values))
        return false;
    onnx_set_output(node, 0, values);
    return true;
}

static const struct {
    const char *name;
    bool (*move)(const onnx_node *node);
} movers[] = {{"Constant", constant}, {"Squeeze", squeeze}, {"Unsqueeze", unsqueeze}};

enum { MOVERS = sizeof movers / sizeof *movers };

static size_t mover_of(const onnx_node *node)
{
    size_t index = 0;
    while (index < MOVERS && strcmp(movers[index].name, onnx_operator(node)) != 0)
        index++;
    return index;
}

bool onnx_only_moves(const onnx_node *node)
{
    return mover_of(node) < MOVERS;
}

bool onnx_move(const onnx_node *node)
{
    const size_t index = mover_of(node);
    return index < MOVERS && movers[index].move(node);
}
