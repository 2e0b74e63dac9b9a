/* The layout of a field.
 * SPDX-License-Identifier: MIT */
#include "conv/field.h"

#include <limits.h>

/* Channels that lie a multiple of so many floats apart fall on few of a cache's sets; a cache line
 * more sets them apart. */
enum { THRASHING = 256, LINE_COUNT = 16 };

static bool sees_itself(const layer_window *window)
{
    return window->kernel == 1 && window->stride == 1 && window->pad_begin == 0 &&
           window->output == window->input;
}

/* Where `inner` takes every line as it is, the lines that `outer` steps over are one long line. */
static void merge(layer_window *outer, layer_window *inner)
{
    const int64_t line = inner->input;
    if (!sees_itself(inner) || outer->stride != 1 || outer->dilation * line > INT_MAX ||
        outer->pad_begin * line > INT_MAX || outer->pad_begin * line < INT_MIN)
        return;
    *inner = (layer_window){
        .input = (int)(outer->input * line),
        .kernel = outer->kernel,
        .stride = 1,
        .dilation = (int)(outer->dilation * line),
        .pad_begin = (int)(outer->pad_begin * line),
        .output = (int)(outer->output * line),
    };
    *outer = (layer_window){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
}

void layer_field_windows(const layer_conv *conv, layer_window window[LAYER_MAX_SPATIAL])
{
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        window[axis] = conv->window[axis];
    merge(&window[LAYER_HEIGHT], &window[LAYER_WIDTH]);
    merge(&window[LAYER_DEPTH], &window[LAYER_HEIGHT]);
    merge(&window[LAYER_HEIGHT], &window[LAYER_WIDTH]);
}

static layer_field_axis axis_of(const layer_window *window, int outputs)
{
    const int64_t span = (int64_t)(window->kernel - 1) * window->dilation;
    const int64_t phases = span < window->stride ? span + 1 : window->stride;
    const int64_t count = outputs + span / window->stride;
    if (phases * count > (int64_t)window->kernel * outputs)
        return (layer_field_axis){.reads = *window, .phase_count = (size_t)outputs};
    layer_field_axis axis = {true, *window, (size_t)count};
    axis.reads.kernel = (int)phases;
    axis.reads.dilation = 1;
    axis.reads.output += (int)(count - outputs);
    return axis;
}

static bool lies_inside(const layer_window *window)
{
    return window->pad_begin == 0 && (int64_t)(window->output - 1) * window->stride +
                                             (int64_t)(window->kernel - 1) * window->dilation <
                                         window->input;
}

layer_field layer_conv_field(const layer_conv *conv, int lines, int columns)
{
    layer_field field = {.is_flipped = conv->mode == LAYER_CONV_CONVOLUTION};
    layer_field_windows(conv, field.window);
    const layer_window *const depth = &field.window[LAYER_DEPTH];
    const layer_window *const height = &field.window[LAYER_HEIGHT];
    const layer_window *const width = &field.window[LAYER_WIDTH];
    field.height = axis_of(height, lines);
    field.width = axis_of(width, columns);
    field.is_input =
        lies_inside(depth) && lies_inside(height) && lies_inside(width) && width->stride == 1;
    if (field.is_input) {
        field.line_step = (size_t)height->stride * (size_t)width->input;
        field.depth_step = (size_t)height->input * (size_t)width->input;
        field.channel_step = (size_t)depth->input * field.depth_step;
        return field;
    }
    field.line_step = (size_t)field.width.reads.kernel * field.width.phase_count;
    field.depth_step =
        (size_t)field.height.reads.kernel * field.height.phase_count * field.line_step;
    field.channel_step = (size_t)depth->kernel * field.depth_step;
    if (field.channel_step % THRASHING == 0)
        field.channel_step += LINE_COUNT;
    field.count = (size_t)conv->input.extent[1] * field.channel_step;
    return field;
}

/* How many outputs' places of a phase, or of the phases before it, a kernel cell is away. */
static size_t places_to(const layer_field_axis *axis, const layer_window *window, int cell)
{
    const size_t stride = (size_t)window->stride;
    const size_t distance = (size_t)cell * (size_t)window->dilation;
    return axis->is_shared ? distance % stride * axis->phase_count + distance / stride
                           : (size_t)cell * axis->phase_count;
}

static size_t distance_to(const layer_field *field, int d, int r, int s)
{
    const layer_window *const depth = &field->window[LAYER_DEPTH];
    const layer_window *const height = &field->window[LAYER_HEIGHT];
    const layer_window *const width = &field->window[LAYER_WIDTH];
    if (field->is_input)
        return ((size_t)d * (size_t)depth->dilation * (size_t)height->input +
                (size_t)r * (size_t)height->dilation) *
                   (size_t)width->input +
               (size_t)s * (size_t)width->dilation;
    return (size_t)d * field->depth_step + places_to(&field->height, height, r) * field->line_step +
           places_to(&field->width, width, s);
}

void layer_field_rows(const layer_field *field, size_t channels, size_t *rows)
{
    const layer_window *const window = field->window;
    const size_t cells = (size_t)window[LAYER_DEPTH].kernel * (size_t)window[LAYER_HEIGHT].kernel *
                         (size_t)window[LAYER_WIDTH].kernel;
    size_t i = 0;
    for (int d = 0; d < window[LAYER_DEPTH].kernel; d++)
        for (int r = 0; r < window[LAYER_HEIGHT].kernel; r++)
            for (int s = 0; s < window[LAYER_WIDTH].kernel; s++, i++)
                rows[field->is_flipped ? cells - 1 - i : i] = distance_to(field, d, r, s);
    for (; i < channels * cells; i++)
        rows[i] = rows[i - cells] + field->channel_step;
}

const float *layer_field_within(const layer_field *field, const layer_band *band,
                                const float *channels)
{
    const size_t plane = (size_t)band->depth * (size_t)field->window[LAYER_DEPTH].stride;
    return channels + plane * field->depth_step + (size_t)band->line * field->line_step +
           (size_t)band->column;
}
