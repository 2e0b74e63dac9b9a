/* Ranks of inputs and weights.
 * SPDX-License-Identifier: MIT */
#include "ranks.h"

#include <stdio.h>

static bool is_bare(const layer_shape *weight)
{
    return weight->rank <= API_CHANNEL_AXES;
}

int api_spatial_axes(const layer_shape *weight)
{
    return is_bare(weight) ? weight->rank : weight->rank - API_CHANNEL_AXES;
}

static bool refuse_rank(const layer_shape *input, const layer_shape *weight, const char *name,
                        api_problem *problem)
{
    char pointer[API_POINTER_SIZE];
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (is_bare(weight))
        return api_refuse(problem, 422, pointer,
                          "%s has rank %d; a bare kernel of rank %d takes an input of the same "
                          "rank",
                          name, input->rank, weight->rank);
    return api_refuse(problem, 422, pointer,
                      "%s has rank %d; a weight of rank %d takes an input of rank %d, or %d for "
                      "one sample",
                      name, input->rank, weight->rank, weight->rank, weight->rank - 1);
}

bool api_check_ranks(const layer_shape *input, const layer_shape *weight, int group,
                     const char *name, api_problem *problem)
{
    if (is_bare(weight) && group > 1)
        return api_refuse(problem, 422, "/group",
                          "group is %d; a bare kernel has one channel, and so one group", group);
    const bool sample = !is_bare(weight) && input->rank == weight->rank - 1;
    return input->rank == weight->rank || sample || refuse_rank(input, weight, name, problem);
}

layer_shape api_widened(const layer_shape *shape, int rank)
{
    layer_shape wide = {.rank = rank};
    const int added = rank - shape->rank;
    for (int axis = 0; axis < rank; axis++)
        wide.extent[axis] = axis < added ? 1 : shape->extent[axis - added];
    return wide;
}

layer_shape api_narrowed(const layer_shape *shape, int rank)
{
    layer_shape narrow = {.rank = rank};
    for (int axis = 0; axis < rank; axis++)
        narrow.extent[axis] = shape->extent[shape->rank - rank + axis];
    return narrow;
}
