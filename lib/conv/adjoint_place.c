/* The cells of an adjoint's phase, put between the others'.
 * SPDX-License-Identifier: MIT */
#include "conv/adjoint_parts.h"
#include "core/blocks.h"
#include "core/tasks.h"

enum { CELLS_PER_TASK = 1 << 15 };

/* A phase, and the one whose cells are between its own in each line, or NULL. */
typedef struct {
    const layer_phase *one, *other;
    size_t planes_per_task;
} placing;

static void place_line(const placing *call, const float *cells, const float *others, float *line)
{
    const layer_phase *const one = call->one;
    const layer_window *const width = &one->plan->conv->window[LAYER_WIDTH];
    const int first = one->axis[LAYER_WIDTH].first;
    if (call->other == NULL)
        one->kernels->place(cells, (size_t)one->axis[LAYER_WIDTH].window.output, line + first,
                            (size_t)width->stride);
    else
        one->kernels->merge(first == 0 ? cells : others, first == 0 ? others : cells,
                            (size_t)width->input, line);
}

/* Those of the input's plane `plane`; among those of all phases, if there is one for them all. */
static const float *cells_of(const layer_phase *at, size_t plane)
{
    const size_t channels = (size_t)at->plan->conv->input.extent[1];
    if (at->plan->joined)
        plane += (plane / channels * (at->plan->phases - 1) + at->index) * channels;
    return at->cells + plane * layer_conv_output_plane(&at->conv);
}

static void place_plane(const placing *call, size_t index)
{
    const layer_phase *const one = call->one, *const other = call->other;
    const layer_conv *const conv = one->plan->conv;
    const layer_window *const window = conv->window;
    const layer_phase_axis *const depth = &one->axis[LAYER_DEPTH];
    const layer_phase_axis *const height = &one->axis[LAYER_HEIGHT];
    const layer_window *const held = one->conv.window;
    float *const plane = one->input + index * layer_conv_input_plane(conv);
    const float *const cells = cells_of(one, index);
    const float *const others = other == NULL ? NULL : cells_of(other, index);
    for (int d = 0; d < depth->window.output; d++)
        for (int h = 0; h < height->window.output; h++) {
            const ptrdiff_t row = (ptrdiff_t)d * held[LAYER_HEIGHT].output + h;
            const ptrdiff_t z = depth->first + d * window[LAYER_DEPTH].stride;
            const ptrdiff_t y = height->first + h * window[LAYER_HEIGHT].stride;
            const ptrdiff_t line = z * window[LAYER_HEIGHT].input + y;
            place_line(call, cells + row * held[LAYER_WIDTH].output,
                       other == NULL ? NULL : others + row * other->conv.window[LAYER_WIDTH].output,
                       plane + line * window[LAYER_WIDTH].input);
        }
}

static void place_planes(void *argument, size_t task, int thread)
{
    (void)thread;
    const placing *const call = argument;
    const size_t first = task * call->planes_per_task;
    const size_t end =
        layer_smaller(first + call->planes_per_task, layer_adjoint_planes(call->one->plan));
    for (size_t i = first; i < end; i++)
        place_plane(call, i);
}

layer_status layer_adjoint_place(const layer_phase *one, const layer_phase *other,
                                 const layer_run *run)
{
    placing call = {one, other, CELLS_PER_TASK / layer_conv_output_plane(&one->conv) + 1};
    return layer_run_tasks(run,
                           layer_blocks_of(layer_adjoint_planes(one->plan), call.planes_per_task),
                           place_planes, &call);
}
