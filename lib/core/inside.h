/* Which cells of a window lie on real input.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_INSIDE_H
#define LAYER_CORE_INSIDE_H

#include "layer/window.h"

#include <stdint.h>

/* From `begin` to before `end`; empty where begin >= end. */
typedef struct {
    int begin, end;
} layer_steps;

/* Which of start, start + step, ..., `count` of them, lie between 0 and `extent`. */
layer_steps layer_steps_inside(int64_t start, int64_t step, int64_t extent, int count);

/* The kernel cells of window number `output` that lie on real input, not on padding: mostly all. */
static inline layer_steps layer_inside_taps(const layer_window *window, int output)
{
    const int64_t first = (int64_t)output * window->stride - window->pad_begin;
    const int64_t last = first + (int64_t)(window->kernel - 1) * window->dilation;
    return first >= 0 && last < window->input
               ? (layer_steps){0, window->kernel}
               : layer_steps_inside(first, window->dilation, window->input, window->kernel);
}

/* The outputs whose kernel cell `tap` lies on real input. */
layer_steps layer_inside_outputs(const layer_window *window, int tap);

#endif
