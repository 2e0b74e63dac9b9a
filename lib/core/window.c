/* The arithmetic of a window sliding along one axis.
 * SPDX-License-Identifier: MIT */
#include "layer/window.h"
#include "core/refuse.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* A layer_window's derived fields, wide enough that nothing on the way overflows: every factor is
 * below 2^31. */
typedef struct {
    int64_t extent; /* of the dilated kernel */
    int64_t pad_begin, pad_end, output;
} wide_window;

static layer_status check_fields(const layer_window *window, bool explicit_pads, int axis,
                                 layer_error *error)
{
    const struct {
        const char *argument, *subject;
        int value, minimum;
    } fields[] = {
        {"input", "input", window->input, 1},
        {"weight", "kernel", window->kernel, 1},
        {"strides", "stride", window->stride, 1},
        {"dilations", "dilation", window->dilation, 1},
        {"pads", "padding at the beginning", explicit_pads ? window->pad_begin : 0, 0},
        {"pads", "padding at the end", explicit_pads ? window->pad_end : 0, 0},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value < fields[i].minimum)
            return layer_refuse(error, LAYER_INVALID, fields[i].argument,
                                "%s is %d along axis %d, expected at least %d", fields[i].subject,
                                fields[i].value, axis, fields[i].minimum);
    return LAYER_OK;
}

/* The pads are known, the output follows. */
static layer_status slide(wide_window *wide, const layer_window *window, bool ceil_mode, int axis,
                          layer_error *error)
{
    const int64_t padded = window->input + wide->pad_begin + wide->pad_end;
    if (wide->extent > padded)
        return layer_refuse(error, LAYER_INVALID, "weight",
                            "weight spans %lld, more than the padded input of %lld along axis %d",
                            (long long)wide->extent, (long long)padded, axis);
    const int64_t way = padded - wide->extent;
    wide->output = (ceil_mode ? way + window->stride - 1 : way) / window->stride + 1;
    if (ceil_mode && (wide->output - 1) * window->stride >= window->input + wide->pad_begin)
        wide->output--;
    return LAYER_OK;
}

/* SAME: the output is given, the pads follow. */
static void pad_same(wide_window *wide, const layer_window *window, bool upper)
{
    wide->output = ((int64_t)window->input - 1) / window->stride + 1;
    const int64_t reach = (wide->output - 1) * window->stride + wide->extent;
    const int64_t total = reach > window->input ? reach - window->input : 0;
    wide->pad_begin = upper ? total / 2 : total - total / 2;
    wide->pad_end = total - wide->pad_begin;
}

static layer_status pad_full(wide_window *wide, const layer_window *window, int axis,
                             layer_error *error)
{
    if (window->stride != 1)
        return layer_refuse(error, LAYER_INVALID, "strides",
                            "auto_pad FULL takes stride 1 only, but the stride is %d along axis %d",
                            window->stride, axis);
    wide->pad_begin = wide->pad_end = wide->extent - 1;
    wide->output = window->input + wide->extent - 1;
    return LAYER_OK;
}

static layer_status derive(wide_window *wide, const layer_window *window, layer_auto_pad auto_pad,
                           bool ceil_mode, int axis, layer_error *error)
{
    switch (auto_pad) {
    case LAYER_AUTO_PAD_NOTSET:
        wide->pad_begin = window->pad_begin;
        wide->pad_end = window->pad_end;
        return slide(wide, window, ceil_mode, axis, error);
    case LAYER_AUTO_PAD_VALID:
        return slide(wide, window, ceil_mode, axis, error);
    case LAYER_AUTO_PAD_SAME_UPPER:
    case LAYER_AUTO_PAD_SAME_LOWER:
        pad_same(wide, window, auto_pad == LAYER_AUTO_PAD_SAME_UPPER);
        return LAYER_OK;
    case LAYER_AUTO_PAD_FULL:
        return pad_full(wide, window, axis, error);
    }
    return layer_refuse(error, LAYER_INVALID, "auto_pad", "auto_pad %d is none of the list",
                        (int)auto_pad);
}

/* Later arithmetic on positions is in int: every position a window reaches has to fit. */
static layer_status check_reach(const wide_window *wide, const layer_window *window,
                                layer_auto_pad auto_pad, int axis, layer_error *error)
{
    const int64_t padded = window->input + wide->pad_begin + wide->pad_end;
    const int64_t reach = (wide->output - 1) * window->stride + wide->extent;
    if (padded <= INT_MAX && reach <= INT_MAX)
        return LAYER_OK;
    return layer_refuse(error, LAYER_TOO_LARGE,
                        auto_pad == LAYER_AUTO_PAD_NOTSET ? "pads" : "dilations",
                        "the padded input is %lld long along axis %d, expected at most %d",
                        (long long)(padded > reach ? padded : reach), axis, INT_MAX);
}

layer_status layer_window_describe(layer_window *window, layer_auto_pad auto_pad, bool ceil_mode,
                                   int axis, layer_error *error)
{
    layer_status status = check_fields(window, auto_pad == LAYER_AUTO_PAD_NOTSET, axis, error);
    if (status != LAYER_OK)
        return status;
    wide_window wide = {.extent = (int64_t)window->dilation * (window->kernel - 1) + 1};
    status = derive(&wide, window, auto_pad, ceil_mode, axis, error);
    if (status == LAYER_OK)
        status = check_reach(&wide, window, auto_pad, axis, error);
    if (status != LAYER_OK)
        return status;
    window->pad_begin = (int)wide.pad_begin;
    window->pad_end = (int)wide.pad_end;
    window->output = (int)wide.output;
    return LAYER_OK;
}
