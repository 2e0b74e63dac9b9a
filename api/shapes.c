/* Shapes as people and JSON see them, and the limits that hold for each.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include <stdio.h>

const char *api_shape_text(const layer_shape *shape, char text[API_SHAPE_TEXT_SIZE])
{
    text[0] = '\0';
    size_t length = 0;
    for (int axis = 0; axis < shape->rank && length < API_SHAPE_TEXT_SIZE; axis++) {
        length += (size_t)snprintf(text + length, API_SHAPE_TEXT_SIZE - length, "%s%d",
                                   axis == 0 ? "" : "x", shape->extent[axis]);
    }
    return text;
}

void api_write_shape(api_writer *writer, const layer_shape *shape)
{
    api_write_begin(writer, '[');
    for (int axis = 0; axis < shape->rank; axis++)
        api_write_integer(writer, shape->extent[axis]);
    api_write_end(writer, ']');
}

bool api_shape_admit(const layer_shape *shape, const char *name, const char *pointer, int longest,
                     size_t most, size_t *count, api_problem *problem)
{
    char text[API_SHAPE_TEXT_SIZE];
    double product = 1; /* five axes may pass 2^64 */
    for (int axis = 0; axis < shape->rank; axis++) {
        if (shape->extent[axis] > longest)
            return api_refuse_past(problem, API_LIMIT_AXIS, pointer,
                                   "the limit of an axis is %d; %s has shape %s", longest, name,
                                   api_shape_text(shape, text));
        product *= shape->extent[axis];
    }
    if (product > (double)most)
        return api_refuse_past(problem, API_LIMIT_ELEMENTS, pointer,
                               "the limit of a tensor is %zu elements; %s of shape %s has %.0f",
                               most, name, api_shape_text(shape, text), product);
    *count = (size_t)product;
    return true;
}

bool api_check_shape(const api_tensor *tensor, const char *field, const layer_shape *expected,
                     const char *what, api_problem *problem)
{
    bool same = tensor->shape.rank == expected->rank;
    for (int axis = 0; same && axis < expected->rank; axis++)
        same = tensor->shape.extent[axis] == expected->extent[axis];
    char pointer[API_POINTER_SIZE] = "", is[API_SHAPE_TEXT_SIZE], wanted[API_SHAPE_TEXT_SIZE];
    api_pointer_push(pointer, field);
    return same ||
           api_refuse(problem, 422, pointer, "%s has the shape %s; expected %s, %s", field,
                      api_shape_text(&tensor->shape, is), api_shape_text(expected, wanted), what);
}

bool api_check_bias(const api_tensor *bias, const char *field, int channels, api_problem *problem)
{
    const layer_shape expected = {.rank = 1, .extent = {channels}};
    return !bias->given ||
           api_check_shape(bias, field, &expected, "one number per output channel", problem);
}
