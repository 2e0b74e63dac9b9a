/* The plan of a weight gradient as products of matrices.
 * SPDX-License-Identifier: MIT */
#include "conv/grad_weight_plan.h"
#include "core/blocks.h"

enum { VECTOR = 16 };

/* The most input channels of a block, and the least share of a block's vectors that they may fill
 * before those of several kernel cells go into them together, in percent. */
enum { MOST_INPUTS = 64, LEAST_SHARE = 80 };

/* The most cells of a unit and floats of a round, which the caches keep until they are read. */
enum { MOST_CELLS = 1 << 12, ROUND_COUNT = 1 << 21 };

/* Outputs that a product adds up: what it reads of the cells should stay in level 1. */
enum { DEPTH = 128 };

/* The most output channels and sums of a task, and how many tasks there should be. */
enum { MOST_OUTPUTS = 64, MOST_SUMS = 1 << 16, FEWEST_TASKS = 4 };

static layer_turned_axis axis_of(const layer_window *window)
{
    const int dilation = window->kernel == 1 ? 0 : window->dilation;
    const int step = layer_greatest_common_divisor(window->stride, dilation);
    return (layer_turned_axis){step, window->stride / step, dilation / step};
}

static int cells_of(const layer_turned_axis *axis, const layer_window *window, int outputs)
{
    return (outputs - 1) * axis->stride + (window->kernel - 1) * axis->distance + 1;
}

static size_t padded(size_t count)
{
    return layer_rounded_up(count, VECTOR);
}

static void plan_inputs(layer_grad_weight_plan *plan, const layer_conv *conv)
{
    const size_t blocks = layer_blocks_of(plan->inputs, MOST_INPUTS);
    const size_t width = (size_t)conv->window[LAYER_WIDTH].kernel;
    plan->block_inputs = padded(layer_blocks_of(plan->inputs, blocks));
    plan->input_blocks = layer_blocks_of(plan->inputs, plan->block_inputs);
    plan->leading = plan->block_inputs;
    plan->is_gathered =
        plan->kernel > 1 && 100 * plan->inputs < LEAST_SHARE * plan->input_blocks * plan->leading;
    plan->run_taps = 1;
    if (!plan->is_gathered)
        return;
    plan->input_blocks = 1;
    plan->block_inputs = plan->leading = plan->inputs;
    if (plan->axis[LAYER_WIDTH].distance == 1 && width * plan->inputs <= LAYER_GRAD_WEIGHT_ROW)
        plan->run_taps = width;
}

static void plan_blocks(layer_grad_weight_plan *plan)
{
    const size_t most = plan->is_gathered ? LAYER_GRAD_WEIGHT_ROW / plan->inputs
                                          : MOST_SUMS / MOST_OUTPUTS / plan->leading;
    const size_t runs = plan->kernel / plan->run_taps;
    const size_t fitting = layer_larger(most / plan->run_taps, 1);
    plan->block_taps = layer_blocks_of(runs, layer_blocks_of(runs, fitting)) * plan->run_taps;
    plan->tap_blocks = layer_blocks_of(plan->kernel, plan->block_taps);
    plan->output_blocks = layer_blocks_of(plan->outputs, MOST_OUTPUTS);
    plan->block_outputs = layer_blocks_of(plan->outputs, plan->output_blocks);
    plan->output_blocks = layer_blocks_of(plan->outputs, plan->block_outputs);
    plan->blocks = plan->groups * plan->input_blocks * plan->tap_blocks * plan->output_blocks;
}

/* More pieces see more of the same. */
static bool is_worth_cutting(const layer_window *window, int outputs)
{
    const int64_t overlap = (int64_t)(window->kernel - 1) * window->dilation;
    return outputs > 1 && (int64_t)outputs * window->stride > 2 * overlap;
}

static bool cut_band(layer_grad_weight_plan *plan, const layer_window *window)
{
    const bool is_line = plan->band_lines == 1;
    int *const outputs = is_line ? &plan->band_columns : &plan->band_lines;
    if (!is_worth_cutting(&window[is_line ? LAYER_WIDTH : LAYER_HEIGHT], *outputs))
        return false;
    *outputs = (*outputs + 1) / 2;
    return true;
}

/* Whether there are too few units for all parts of a block, but outputs enough for more. */
static bool lacks_units(const layer_grad_weight_plan *plan)
{
    return plan->units * plan->blocks < FEWEST_TASKS &&
           plan->band_lines * plan->band_columns >= 2 * DEPTH;
}

static void plan_units(layer_grad_weight_plan *plan, const layer_conv *conv)
{
    const layer_window *const window = conv->window;
    const size_t planes = (size_t)conv->input.extent[0] * (size_t)window[LAYER_DEPTH].output;
    const size_t lines = (size_t)window[LAYER_HEIGHT].output;
    const size_t width = (size_t)window[LAYER_WIDTH].output;
    plan->band_lines = (int)lines;
    plan->band_columns = (int)width;
    do {
        plan->cell_lines =
            cells_of(&plan->axis[LAYER_HEIGHT], &window[LAYER_HEIGHT], plan->band_lines);
        plan->cell_columns =
            cells_of(&plan->axis[LAYER_WIDTH], &window[LAYER_WIDTH], plan->band_columns);
        plan->cells = (size_t)window[LAYER_DEPTH].kernel * (size_t)plan->cell_lines *
                      (size_t)plan->cell_columns;
        plan->line_bands = layer_blocks_of(lines, (size_t)plan->band_lines);
        plan->column_bands = layer_blocks_of(width, (size_t)plan->band_columns);
        plan->units = planes * plan->line_bands * plan->column_bands;
    } while ((plan->cells > MOST_CELLS || lacks_units(plan)) && cut_band(plan, window));
}

static void plan_rounds(layer_grad_weight_plan *plan)
{
    plan->unit_count = plan->groups * plan->input_blocks * plan->cells * plan->leading;
    plan->round_units = layer_smaller(layer_larger(ROUND_COUNT / plan->unit_count, 1), plan->units);
    plan->parts = layer_smaller(layer_blocks_of(FEWEST_TASKS, plan->blocks), plan->round_units);
    plan->is_written = plan->kernel == 1 && plan->parts == 1;
    plan->is_once = plan->parts == 1 && plan->round_units == plan->units;
}

static void plan_room(layer_grad_weight_plan *plan)
{
    const size_t outputs = (size_t)plan->band_lines * (size_t)plan->band_columns;
    const bool are_whole = plan->line_bands * plan->column_bands == 1;
    plan->depth = DEPTH;
    plan->depth_units =
        are_whole ? layer_smaller(layer_larger(DEPTH / 2 / outputs, 1), plan->round_units) : 1;
    plan->row_count = plan->kernel == 1   ? plan->inputs
                      : plan->is_gathered ? padded(plan->block_taps * plan->inputs)
                                          : plan->leading;
    const size_t sums =
        plan->block_outputs * plan->row_count * (plan->is_gathered ? 1 : plan->block_taps);
    plan->rows_size = layer_aligned(plan->depth_units * outputs * sizeof(size_t));
    plan->taps_size = layer_aligned(plan->kernel * sizeof(size_t));
    plan->cells_size = layer_aligned(plan->round_units * plan->unit_count * sizeof(float));
    plan->sums_size = plan->is_written ? 0 : layer_aligned(sums * sizeof(float));
    plan->room_size = layer_aligned(((plan->is_gathered ? plan->row_count : 0) +
                                     (plan->depth_units > 1 ? plan->block_outputs : 0)) *
                                    DEPTH * sizeof(float));
}

layer_grad_weight_plan layer_grad_weight_plan_of(const layer_conv *conv)
{
    layer_grad_weight_plan plan = {
        .groups = (size_t)conv->group,
        .inputs = (size_t)conv->weight.extent[1],
        .outputs = (size_t)(conv->weight.extent[0] / conv->group),
        .kernel = layer_conv_kernel_plane(conv),
    };
    for (int axis = 0; axis < LAYER_MAX_SPATIAL; axis++)
        plan.axis[axis] = axis_of(&conv->window[axis]);
    plan_inputs(&plan, conv);
    plan_blocks(&plan);
    plan_units(&plan, conv);
    plan_rounds(&plan);
    plan_room(&plan);
    return plan;
}
