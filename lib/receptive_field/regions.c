/* From an output back to the input that it sees, and from an input on to the outputs it reaches.
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"
#include "receptive_field/reads.h"

static const layer_region nothing = {.first = {1, 1, 1}};

static bool is_empty(const layer_region *region, int axes)
{
    for (int axis = 0; axis < axes; axis++)
        if (region->first[axis] > region->last[axis])
            return true;
    return false;
}

static layer_region at(const int position[], int axes)
{
    layer_region region = {0};
    for (int axis = 0; axis < axes; axis++)
        region.first[axis] = region.last[axis] = position[axis];
    return region;
}

/* Grows `region` until it holds `other`. */
static void cover(layer_region *region, const layer_region *other, int axes)
{
    if (is_empty(other, axes))
        return;
    const bool first = is_empty(region, axes);
    for (int axis = 0; axis < axes; axis++) {
        if (first || other->first[axis] < region->first[axis])
            region->first[axis] = other->first[axis];
        if (first || other->last[axis] > region->last[axis])
            region->last[axis] = other->last[axis];
    }
}

/* Cuts off what is not from 0 to before sizes[axis]; a size of 0 has no end. */
static void cut(layer_region *region, const int sizes[], int axes)
{
    for (int axis = 0; axis < axes; axis++) {
        if (region->first[axis] < 0)
            region->first[axis] = 0;
        if (sizes[axis] > 0 && region->last[axis] >= sizes[axis])
            region->last[axis] = sizes[axis] - 1;
    }
}

static void sizes_of(const layer_receptive_network *network, const layer_receptive_field fields[],
                     int place, int sizes[])
{
    for (int axis = 0; axis < network->axes; axis++)
        sizes[axis] = place != LAYER_NETWORK_INPUT  ? fields[place].axis[axis].output
                      : network->input_size == NULL ? 0
                                                    : network->input_size[axis];
}

static int64_t extent_of(const layer_window *window)
{
    return (int64_t)window->dilation * (window->kernel - 1) + 1;
}

/* ---- Back ------------------------------------------------------------------------------------ */

/* Turns a region of outputs into what their windows cover of what the layer reads; false where that
 * is too far out. */
static bool step_back(layer_region *region, const layer_window window[], int axes)
{
    for (int i = 0; i < axes; i++) {
        int64_t first = -window[i].pad_begin, last = first + extent_of(&window[i]) - 1;
        if (!layer_add_product(&first, region->first[i], window[i].stride) ||
            !layer_add_product(&last, region->last[i], window[i].stride))
            return false;
        region->first[i] = first;
        region->last[i] = last;
    }
    return true;
}

/* Adds what the layer reads to the regions of those that it reads it from. */
static void add_parts(const layer_receptive_network *network, const layer_receptive_field fields[],
                      size_t place, const layer_region *region, bool clipped,
                      layer_region regions[], layer_region *seen)
{
    for (int i = 0; i < layer_reads_count(network, place); i++) {
        const int from = layer_reads(network, place, i);
        layer_region part = *region;
        int sizes[LAYER_MAX_SPATIAL];
        sizes_of(network, fields, from, sizes);
        if (clipped)
            cut(&part, sizes, network->axes);
        cover(from == LAYER_NETWORK_INPUT ? seen : &regions[from], &part, network->axes);
    }
}

layer_status layer_receptive_field_seen(const layer_receptive_network *network,
                                        const layer_receptive_field fields[], const int position[],
                                        bool clipped, layer_region regions[], layer_region *seen,
                                        layer_error *error)
{
    const int axes = network->axes;
    for (size_t i = 0; i < network->count; i++)
        regions[i] = nothing;
    *seen = nothing;
    regions[network->count - 1] = at(position, axes);
    for (size_t place = network->count; place-- > 0;) {
        layer_region region = regions[place];
        if (is_empty(&region, axes))
            continue;
        if (!step_back(&region, layer_own_windows(network, &fields[place]), axes))
            return layer_refuse(error, LAYER_TOO_LARGE, "output_position",
                                "the region that the output sees is beyond 2^53 cells");
        add_parts(network, fields, place, &region, clipped, regions, seen);
    }
    return LAYER_OK;
}

/* ---- On -------------------------------------------------------------------------------------- */

static int64_t divided_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The outputs whose windows meet the region of what the layer reads. */
static layer_region meeting(const layer_region *inputs, const layer_window window[], int axes)
{
    layer_region region = {0};
    for (int i = 0; i < axes; i++) {
        const int64_t before = inputs->first[i] + window[i].pad_begin - (extent_of(&window[i]) - 1);
        region.first[i] = -divided_down(-before, window[i].stride);
        region.last[i] = divided_down(inputs->last[i] + window[i].pad_begin, window[i].stride);
    }
    return region;
}

void layer_receptive_field_reached(const layer_receptive_network *network,
                                   const layer_receptive_field fields[], const int position[],
                                   layer_region regions[], layer_region *reached)
{
    const int axes = network->axes;
    const layer_region input = at(position, axes);
    for (size_t place = 0; place < network->count; place++) {
        regions[place] = nothing;
        for (int i = 0; i < layer_reads_count(network, place); i++) {
            const int from = layer_reads(network, place, i);
            const layer_region *const read = from == LAYER_NETWORK_INPUT ? &input : &regions[from];
            if (is_empty(read, axes))
                continue;
            int sizes[LAYER_MAX_SPATIAL];
            layer_region part = meeting(read, layer_own_windows(network, &fields[place]), axes);
            sizes_of(network, fields, (int)place, sizes);
            cut(&part, sizes, axes);
            cover(&regions[place], &part, axes);
        }
    }
    *reached = regions[network->count - 1];
}
