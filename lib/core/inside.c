/* Which cells of a window lie on real input.
 * SPDX-License-Identifier: MIT */
#include "core/inside.h"

#include <stdint.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many of start, start + step, ... come before `bound`. */
static int64_t count_before(int64_t start, int64_t step, int64_t bound)
{
    return start >= bound ? 0 : (bound - start - 1) / step + 1;
}

layer_steps layer_steps_inside(int64_t start, int64_t step, int64_t extent, int count)
{
    return (layer_steps){
        .begin = start >= 0 ? 0 : (int)least(count_before(start, step, 0), count),
        .end = start + (count - 1) * step < extent
                   ? count
                   : (int)least(count_before(start, step, extent), count),
    };
}

layer_steps layer_inside_outputs(const layer_window *window, int tap)
{
    const int64_t start = (int64_t)tap * window->dilation - window->pad_begin;
    return layer_steps_inside(start, window->stride, window->input, window->output);
}
