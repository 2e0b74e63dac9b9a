/* A sliding window's positions counted one by one.
 * SPDX-License-Identifier: MIT */
#include "oracle/window_oracle.h"

/* The cell on which a window's last kernel cell lies, if its first lies on `start`. */
static int last_cell(const layer_window *window, int start)
{
    int cell = start;
    for (int tap = 1; tap < window->kernel; tap++)
        cell += window->dilation;
    return cell;
}

/* Windows that fit into the padded input; with ceil_mode those too that hang over its end, if only
 * they begin before the end padding does. */
static int count_positions(const layer_window *window, bool ceil_mode)
{
    const int end = window->input + window->pad_end;
    int count = 0;
    for (int start = -window->pad_begin; start < end; start += window->stride) {
        const bool fits = last_cell(window, start) < end;
        const bool previous_touches_end =
            count > 0 && last_cell(window, start - window->stride) >= end - 1;
        if (!fits && (!ceil_mode || count == 0 || previous_touches_end || start >= window->input))
            break;
        count++;
    }
    return count;
}

/* The fewest cells of padding with which every stride-th cell of the input gets an output. */
static void pad_same(layer_window *window, bool upper)
{
    int outputs = 0;
    for (int cell = 0; cell < window->input; cell += window->stride)
        outputs++;
    window->pad_begin = window->pad_end = 0;
    while (count_positions(window, false) < outputs) {
        const bool balanced = window->pad_begin == window->pad_end;
        if (balanced == upper)
            window->pad_end++;
        else
            window->pad_begin++;
    }
}

/* Padding such that the first window touches the input with its last cell, the last one with its
 * first. */
static void pad_full(layer_window *window)
{
    window->pad_begin = window->pad_end = last_cell(window, 0);
}

bool window_oracle(layer_window *window, layer_auto_pad auto_pad, bool ceil_mode)
{
    if (auto_pad == LAYER_AUTO_PAD_FULL && window->stride != 1)
        return false;
    if (auto_pad == LAYER_AUTO_PAD_VALID)
        window->pad_begin = window->pad_end = 0;
    if (auto_pad == LAYER_AUTO_PAD_FULL)
        pad_full(window);
    const bool same =
        auto_pad == LAYER_AUTO_PAD_SAME_UPPER || auto_pad == LAYER_AUTO_PAD_SAME_LOWER;
    if (same)
        pad_same(window, auto_pad == LAYER_AUTO_PAD_SAME_UPPER);
    window->output = count_positions(window, ceil_mode && !same);
    return window->output > 0;
}
