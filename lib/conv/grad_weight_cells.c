/* The cells of a weight gradient's units: the padded input, turned so that channels lie side by
 * side. SPDX-License-Identifier: MIT */
#include "conv/grad_weight_call.h"
#include "core/blocks.h"
#include "core/tasks.h"

#include <string.h>

/* Channels that a task turns. */
enum { TURNED = 16 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

layer_grad_weight_place layer_grad_weight_place_of(const layer_grad_weight_call *call, size_t unit)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const layer_window *const window = call->conv->window;
    const size_t planes = (size_t)window[LAYER_DEPTH].output;
    const size_t row = unit / plan->column_bands, plane = row / plan->line_bands;
    const int line = (int)(row % plan->line_bands) * plan->band_lines;
    const int column = (int)(unit % plan->column_bands) * plan->band_columns;
    return (layer_grad_weight_place){
        .sample = plane / planes,
        .plane = plane % planes,
        .line = line,
        .lines = smaller(plan->band_lines, window[LAYER_HEIGHT].output - line),
        .column = column,
        .columns = smaller(plan->band_columns, window[LAYER_WIDTH].output - column),
    };
}

/* ---- Turning --------------------------------------------------------------------------------- */

/* Some channels of a unit. */
typedef struct {
    const float *channels; /* the first one's input */
    size_t count;
    float *cells;
} slice;

static void clear_cells(const layer_grad_weight_call *call, const slice *part, float *cells,
                        int begin, int end)
{
    for (int i = begin; i < end; i++)
        memset(cells + (size_t)i * call->plan.leading, 0, part->count * sizeof *cells);
}

/* The cells of the line at `line` of input, or of padding if that is NULL. */
static void turn_line(const layer_grad_weight_call *call, const slice *part, const float *line,
                      layer_grad_weight_place at, float *cells)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const layer_window *const width = &call->conv->window[LAYER_WIDTH];
    const layer_turned_axis *const axis = &plan->axis[LAYER_WIDTH];
    const int64_t start = (int64_t)at.column * width->stride - width->pad_begin;
    const layer_steps inside =
        layer_steps_inside(start, axis->step, width->input, plan->cell_columns);
    if (line == NULL || inside.begin >= inside.end) {
        clear_cells(call, part, cells, 0, plan->cell_columns);
        return;
    }
    clear_cells(call, part, cells, 0, inside.begin);
    clear_cells(call, part, cells, inside.end, plan->cell_columns);
    call->turns->turn(&(layer_turn){
        .from = line + (start + (int64_t)inside.begin * axis->step),
        .from_leading = (ptrdiff_t)layer_conv_input_plane(call->conv),
        .step = axis->step,
        .rows = part->count,
        .columns = (size_t)(inside.end - inside.begin),
        .to = cells + (size_t)inside.begin * plan->leading,
        .to_leading = plan->leading,
    });
}

static int64_t met_by(const layer_window *window, const layer_turned_axis *axis, int output,
                      int cell)
{
    const int64_t met =
        (int64_t)output * window->stride - window->pad_begin + (int64_t)cell * axis->step;
    return met >= 0 && met < window->input ? met : -1;
}

static void turn_slice(const layer_grad_weight_call *call, const slice *part,
                       layer_grad_weight_place at)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const layer_window *const depth = &call->conv->window[LAYER_DEPTH];
    const layer_window *const height = &call->conv->window[LAYER_HEIGHT];
    const layer_turned_axis whole = {.step = depth->dilation};
    float *cells = part->cells;
    for (int k = 0; k < depth->kernel; k++)
        for (int i = 0; i < plan->cell_lines; i++) {
            const int64_t z = met_by(depth, &whole, (int)at.plane, k);
            const int64_t y = met_by(height, &plan->axis[LAYER_HEIGHT], at.line, i);
            const int64_t line = (z * height->input + y) * call->conv->window[LAYER_WIDTH].input;
            turn_line(call, part, z < 0 || y < 0 ? NULL : part->channels + line, at, cells);
            cells += (size_t)plan->cell_columns * plan->leading;
        }
}

static size_t slices_of(const layer_grad_weight_plan *plan)
{
    return layer_blocks_of(plan->inputs, TURNED);
}

/* A block has whole slices, but where it is the only one. */
static void turn_task(void *argument, size_t task, int thread)
{
    (void)thread;
    const layer_grad_weight_call *const call = argument;
    const layer_grad_weight_plan *const plan = &call->plan;
    const size_t slices = slices_of(plan), group = task / slices % plan->groups;
    const size_t unit = task / slices / plan->groups, first = task % slices * TURNED;
    const layer_grad_weight_place at = layer_grad_weight_place_of(call, call->first + unit);
    const size_t channel = (at.sample * plan->groups + group) * plan->inputs + first;
    const size_t block = group * plan->input_blocks + first / plan->block_inputs;
    const slice part = {
        .channels = call->input + channel * layer_conv_input_plane(call->conv),
        .count = layer_smaller(TURNED, plan->inputs - first),
        .cells = call->cells + unit * plan->unit_count + block * plan->cells * plan->leading +
                 first % plan->block_inputs,
    };
    turn_slice(call, &part, at);
}

layer_status layer_grad_weight_turn(layer_grad_weight_call *call)
{
    const size_t slices = slices_of(&call->plan);
    return layer_run_tasks(call->run, call->units * call->plan.groups * slices, turn_task, call);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* The outputs of a unit in order, those of the next unit after them. */
static void fill_rows(const layer_grad_weight_call *call)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    size_t *row = call->rows;
    for (size_t unit = 0; unit < plan->depth_units; unit++)
        for (int p = 0; p < plan->band_lines; p++)
            for (int q = 0; q < plan->band_columns; q++) {
                const size_t line = (size_t)p * (size_t)plan->axis[LAYER_HEIGHT].stride;
                const size_t column = (size_t)q * (size_t)plan->axis[LAYER_WIDTH].stride;
                *row++ = unit * plan->unit_count +
                         (line * (size_t)plan->cell_columns + column) * plan->leading;
            }
}

static void fill_taps(const layer_grad_weight_call *call)
{
    const layer_grad_weight_plan *const plan = &call->plan;
    const layer_window *const window = call->conv->window;
    size_t *tap = call->taps;
    for (int d = 0; d < window[LAYER_DEPTH].kernel; d++)
        for (int r = 0; r < window[LAYER_HEIGHT].kernel; r++)
            for (int s = 0; s < window[LAYER_WIDTH].kernel; s++) {
                const size_t line = (size_t)d * (size_t)plan->cell_lines +
                                    (size_t)r * (size_t)plan->axis[LAYER_HEIGHT].distance;
                const size_t column = (size_t)s * (size_t)plan->axis[LAYER_WIDTH].distance;
                *tap++ = (line * (size_t)plan->cell_columns + column) * plan->leading;
            }
}

void layer_grad_weight_fill_tables(const layer_grad_weight_call *call)
{
    fill_rows(call);
    fill_taps(call);
}
