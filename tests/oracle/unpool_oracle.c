/* Unpooling by its definition: what the library is held to.
 * SPDX-License-Identifier: MIT */
#include "oracle/unpool_oracle.h"

enum { AXES = 2 + LAYER_MAX_SPATIAL };

/* [N][C][depth][height][width] */
static void extents_of(const layer_unpool *unpool, const int spatial[LAYER_MAX_SPATIAL],
                       long extents[AXES])
{
    for (int axis = 0; axis < AXES; axis++)
        extents[axis] = axis < 2 ? unpool->input.extent[axis] : spatial[axis - 2];
}

static long position(const long coordinates[AXES], const long extents[AXES])
{
    long at = 0;
    for (int axis = 0; axis < AXES; axis++)
        at = at * extents[axis] + coordinates[axis];
    return at;
}

static long count_of(const long extents[], int axes)
{
    long count = 1;
    for (int axis = 0; axis < axes; axis++)
        count *= extents[axis];
    return count;
}

void unpool_oracle(const layer_unpool *unpool, const float *input, const float *indices,
                   float *output)
{
    long indexed[AXES], whole[AXES], values[AXES], coordinates[AXES];
    const int first = AXES - unpool->axes;
    extents_of(unpool, unpool->indexed, indexed);
    extents_of(unpool, unpool->extents, whole);
    for (int axis = 0; axis < AXES; axis++)
        values[axis] = axis < 2       ? unpool->input.extent[axis]
                       : axis < first ? 1
                                      : unpool->input.extent[axis - first + 2];
    for (long i = 0; i < count_of(whole, AXES); i++)
        output[i] = 0;
    const long in_plane = count_of(values + 2, LAYER_MAX_SPATIAL);
    for (long i = 0; i < count_of(values, AXES); i++) {
        long index = (long)indices[i];
        if (index < 0)
            continue;
        if (unpool->index_base == LAYER_INDEX_BASE_PLANE)
            index += i / in_plane * count_of(indexed + 2, LAYER_MAX_SPATIAL);
        for (int axis = AXES - 1; axis >= 0; axis--) {
            coordinates[axis] = index % indexed[axis];
            index /= indexed[axis];
        }
        output[position(coordinates, whole)] = input[i];
    }
}
