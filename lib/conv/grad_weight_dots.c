/* The gradient of a convolution with respect to its weight, where groups have few output channels:
 * an inner product for each weight, several kernel cells at a time, over bands of a plane, whose
 * field is in the nearest cache. Sums of bands are added up in order.
 * SPDX-License-Identifier: MIT */
#include "conv/field.h"
#include "conv/grad_weight.h"
#include "conv/tap_dots.h"
#include "core/blocks.h"
#include "core/tasks.h"

/* Floats of a band's field or outputs, and the most columns of it. */
enum { BAND_COUNT = 1 << 14, MOST_COLUMNS = 1 << 12 };

/* With fewer channels, a channel's bands are cut into parts for several tasks; and multiplications
 * a task should hold, so that handing it to a thread costs little beside it. */
enum { FEWEST_TASKS = 8, TASK_MULTIPLICATIONS = 1 << 17 };

/* How many there are of what. */
typedef struct {
    layer_field field;
    size_t channels, group_inputs, group_outputs, kernel, weights;
    int planes, lines, width;        /* of an output channel */
    int band_lines, band_columns;    /* at most */
    size_t line_bands, column_bands; /* of a plane */
    size_t bands, parts, part_bands; /* of a channel of all samples; and how many a part has */
    size_t sums_size, taps_size, room_size; /* of the workspace */
} plan;

typedef struct {
    const layer_conv *conv;
    plan made;
    const float *input, *grad_output;
    float *gradient;
    const layer_run *run;
    const layer_field_kernels *fields;
    const layer_tap_dot_kernels *kernels;
    double *sums; /* [parts][weights] */
    size_t *taps; /* [kernel] */
    char *rooms;  /* a band's field for each thread */
    size_t units_per_task;
} grad_weight;

/* ---- The plan -------------------------------------------------------------------------------- */

static void plan_bands(plan *made, const layer_conv *conv)
{
    made->band_columns = made->width < MOST_COLUMNS ? made->width : MOST_COLUMNS;
    made->band_lines = made->lines;
    for (;; made->band_lines = (made->band_lines + 1) / 2) {
        made->field = layer_conv_field(conv, made->band_lines, made->band_columns);
        const size_t count = made->field.is_input
                                 ? (size_t)made->band_lines * (size_t)made->band_columns
                                 : made->field.channel_step;
        if (count <= BAND_COUNT || made->band_lines == 1)
            break;
    }
    made->line_bands = layer_blocks_of((size_t)made->lines, (size_t)made->band_lines);
    made->column_bands = layer_blocks_of((size_t)made->width, (size_t)made->band_columns);
}

static plan plan_of(const layer_conv *conv)
{
    layer_window window[LAYER_MAX_SPATIAL];
    layer_field_windows(conv, window);
    plan made = {
        .channels = (size_t)conv->input.extent[1],
        .group_inputs = (size_t)conv->weight.extent[1],
        .group_outputs = (size_t)(conv->weight.extent[0] / conv->group),
        .kernel = layer_conv_kernel_plane(conv),
        .planes = window[LAYER_DEPTH].output,
        .lines = window[LAYER_HEIGHT].output,
        .width = window[LAYER_WIDTH].output,
    };
    plan_bands(&made, conv);
    made.weights = (size_t)conv->weight.extent[0] * made.group_inputs * made.kernel;
    made.bands =
        (size_t)conv->input.extent[0] * (size_t)made.planes * made.line_bands * made.column_bands;
    const size_t wanted = layer_blocks_of(FEWEST_TASKS, made.channels);
    made.part_bands = layer_blocks_of(made.bands, layer_smaller(wanted, made.bands));
    made.parts = layer_blocks_of(made.bands, made.part_bands);
    made.sums_size = layer_aligned(made.parts * made.weights * sizeof(double));
    made.taps_size = layer_aligned(made.kernel * sizeof(size_t));
    made.room_size = made.field.is_input ? 0 : made.field.channel_step * sizeof(float);
    made.room_size = layer_aligned(made.room_size);
    return made;
}

/* ---- Adding up ------------------------------------------------------------------------------- */

/* A band of a sample's plane. */
typedef struct {
    size_t sample;
    layer_band band;
} place;

static place place_of(const plan *made, size_t index)
{
    const size_t column = index % made->column_bands, row = index / made->column_bands;
    const size_t line = row % made->line_bands, plane = row / made->line_bands;
    place at = {plane / (size_t)made->planes,
                {.depth = (int)(plane % (size_t)made->planes),
                 .line = (int)line * made->band_lines,
                 .column = (int)column * made->band_columns}};
    const int lines = made->lines - at.band.line, columns = made->width - at.band.column;
    at.band.lines = lines < made->band_lines ? lines : made->band_lines;
    at.band.columns = columns < made->band_columns ? columns : made->band_columns;
    return at;
}

/* All kernel cells of all weights that see the channel, over a band of it. */
static void add_band(const grad_weight *call, size_t channel, place at, layer_tap_dots *dots,
                     double *sums)
{
    const plan *const made = &call->made;
    const size_t group = channel / made->group_inputs, first = group * made->group_outputs;
    const size_t outputs = (size_t)call->conv->output.extent[1];
    dots->lines = at.band.lines;
    dots->columns = at.band.columns;
    for (size_t k = first; k < first + made->group_outputs; k++) {
        const size_t plane =
            (at.sample * outputs + k) * (size_t)made->planes + (size_t)at.band.depth;
        const size_t line = plane * (size_t)made->lines + (size_t)at.band.line;
        const size_t weight = k * made->group_inputs + channel % made->group_inputs;
        dots->gradient = call->grad_output + line * (size_t)made->width + at.band.column;
        for (size_t t = 0; t < made->kernel; t += LAYER_TAP_DOTS) {
            dots->taps = call->taps + t;
            dots->count = (int)layer_smaller(LAYER_TAP_DOTS, made->kernel - t);
            dots->sums = sums + weight * made->kernel + t;
            call->kernels->add(dots);
        }
    }
}

static void clear_sums(const plan *made, size_t channel, double *sums)
{
    const size_t first = channel / made->group_inputs * made->group_outputs;
    for (size_t k = first; k < first + made->group_outputs; k++) {
        const size_t weight = k * made->group_inputs + channel % made->group_inputs;
        for (size_t t = 0; t < made->kernel; t++)
            sums[weight * made->kernel + t] = 0;
    }
}

/* A part of a channel's bands. */
static void add_part(const grad_weight *call, size_t channel, size_t part, float *cells)
{
    const plan *const made = &call->made;
    const size_t plane = layer_conv_input_plane(call->conv);
    const size_t begin = part * made->part_bands;
    const size_t end = layer_smaller(begin + made->part_bands, made->bands);
    double *const sums = call->sums + part * made->weights;
    layer_tap_dots dots = {
        .cells = cells,
        .gradient_step = (size_t)made->width,
        .cell_step = made->field.line_step,
    };
    clear_sums(made, channel, sums);
    for (size_t i = begin; i < end && !layer_run_cancelled(call->run); i++) {
        const place at = place_of(made, i);
        const float *const input = call->input + (at.sample * made->channels + channel) * plane;
        if (made->field.is_input)
            dots.cells = layer_field_within(&made->field, &at.band, input);
        else
            call->fields->fill(&made->field, &at.band, input, 1, cells);
        add_band(call, channel, at, &dots, sums);
    }
}

static void add_parts(void *argument, size_t task, int thread)
{
    const grad_weight *const call = argument;
    const plan *const made = &call->made;
    const size_t first = task * call->units_per_task;
    const size_t end = layer_smaller(first + call->units_per_task, made->channels * made->parts);
    float *const cells = (float *)(void *)(call->rooms + (size_t)thread * made->room_size);
    for (size_t i = first; i < end; i++)
        add_part(call, i / made->parts, i % made->parts, cells);
}

enum { WEIGHTS_PER_TASK = 1 << 14 };

static void join_parts(void *argument, size_t task, int thread)
{
    (void)thread;
    const grad_weight *const call = argument;
    const plan *const made = &call->made;
    const size_t first = task * WEIGHTS_PER_TASK;
    const size_t end = layer_smaller(first + WEIGHTS_PER_TASK, made->weights);
    for (size_t i = first; i < end; i++) {
        double total = 0;
        for (size_t part = 0; part < made->parts; part++)
            total += call->sums[part * made->weights + i];
        call->gradient[i] = (float)total;
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

size_t layer_grad_weight_dots_size(const layer_conv *conv, int threads)
{
    const plan made = plan_of(conv);
    return made.sums_size + made.taps_size + (size_t)threads * made.room_size;
}

layer_status layer_grad_weight_dots(const layer_conv *conv, const float *input,
                                    const float *grad_output, float *gradient, const layer_run *run)
{
    char *const workspace = run->workspace;
    grad_weight call = {
        .conv = conv,
        .made = plan_of(conv),
        .input = input,
        .grad_output = grad_output,
        .gradient = gradient,
        .run = run,
        .fields = layer_field_kernels_at(run->isa),
        .kernels = layer_tap_dot_kernels_at(run->isa),
        .sums = (double *)(void *)workspace,
    };
    const plan *const made = &call.made;
    call.taps = (size_t *)(void *)(workspace + made->sums_size);
    call.rooms = workspace + made->sums_size + made->taps_size;
    layer_field_rows(&made->field, 1, call.taps);
    const size_t units = made->channels * made->parts;
    call.units_per_task = TASK_MULTIPLICATIONS / (conv->multiplications / units + 1) + 1;
    const layer_status status =
        layer_run_tasks(run, layer_blocks_of(units, call.units_per_task), add_parts, &call);
    if (status != LAYER_OK)
        return status;
    return layer_run_tasks(run, layer_blocks_of(made->weights, WEIGHTS_PER_TASK), join_parts,
                           &call);
}
