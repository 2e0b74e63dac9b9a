/* Counting the elements of a shape.
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"
#include "layer/tensor.h"

#include <limits.h>
#include <stdint.h>

layer_status layer_shape_count(const layer_shape *shape, const char *argument, size_t *count,
                               layer_error *error)
{
    if (shape->rank < 1 || shape->rank > LAYER_MAX_RANK)
        return layer_refuse(error, LAYER_INVALID, argument, "%s has rank %d, expected 1 to %d",
                            argument, shape->rank, LAYER_MAX_RANK);
    for (int axis = 0; axis < shape->rank; axis++)
        if (shape->extent[axis] < 1)
            return layer_refuse(error, LAYER_INVALID, argument,
                                "%s has extent %d along axis %d, expected at least 1", argument,
                                shape->extent[axis], axis);
    uint64_t product = 1;
    for (int axis = 0; axis < shape->rank; axis++) {
        product *= (uint64_t)shape->extent[axis];
        if (product > INT_MAX)
            return layer_refuse(error, LAYER_TOO_LARGE, argument,
                                "%s has more than %d elements, the most a tensor holds", argument,
                                INT_MAX);
    }
    *count = (size_t)product;
    return LAYER_OK;
}
