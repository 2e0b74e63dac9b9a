/* The plan of an implicit matrix product: what is cut into which pieces.
 * SPDX-License-Identifier: MIT */
#include "conv/implicit.h"
#include "conv/strips.h"
#include "core/blocks.h"

/* The most rows of a strip, where few output channels take turns with it, and where many do: then
 * the nearest cache had better keep it from one to the next. Its columns are whole cache lines. */
enum { STRIP_ROWS = 256, KEPT_ROWS = 160, MANY_CHANNELS = 128, LINE_COUNT = 16 };

/* A strip is part of one line of outputs where lines are whole cache lines or at least so long; and
 * where they are longer than that, lines are sets of their own. */
enum { WIDE_LINE = 192, LONG_LINE = 1024 };

/* Rows that lie a multiple of NEAREST floats apart fall on one and the same of the nearest cache's
 * sets, those half of that apart on two, and so on: so many of them a set keeps, beside what else
 * is in use. */
enum { NEAREST = 1024, SET_ROWS = 8 };

/* Fields of a round in floats, which the caches keep until they are read. */
enum { FIELD_COUNT = 1 << 21 };

/* A task's weights in floats: the second cache keeps them from strip to strip. */
enum { BLOCK_WEIGHTS = 1 << 18 };

/* Multiplications a task should hold, so that handing it to a thread costs little beside it; tasks
 * hold as much as one another. And how many there should be, an even number of them if few, where
 * that leaves each so many output channels, which share what a strip costs to gather or to fetch.
 */
enum { TASK_MULTIPLICATIONS = 1 << 20, FEWEST_TASKS = 4, MANY_TASKS = 9, FEWEST_CHANNELS = 64 };

/* Boundaries within a line or plane are whole cache lines apart, as evenly as can be. */
size_t layer_implicit_column(const layer_implicit *plan, size_t index)
{
    const bool by_line = plan->line_strips > 0;
    const size_t strips = by_line ? plan->line_strips : plan->set_strips;
    const size_t columns = by_line ? plan->width : plan->set_lines * plan->width;
    const size_t lines = layer_blocks_of(columns, LINE_COUNT);
    return index / strips * columns + lines * (index % strips) / strips * LINE_COUNT;
}

static void plan_strips(layer_implicit *plan)
{
    const bool by_line = plan->width % LINE_COUNT == 0 || plan->width >= WIDE_LINE;
    plan->set_lines = by_line && plan->width >= LONG_LINE ? 1 : plan->lines;
    const size_t columns = by_line ? plan->width : plan->lines * plan->width;
    const size_t strips = layer_blocks_of(columns, LAYER_STRIP_COLUMNS);
    plan->line_strips = by_line ? strips : 0;
    plan->set_strips = by_line ? strips * plan->set_lines : strips;
    plan->strip_columns =
        layer_blocks_of(layer_blocks_of(columns, LINE_COUNT), strips) * LINE_COUNT;
    const size_t most = plan->group_channels >= MANY_CHANNELS ? KEPT_ROWS : STRIP_ROWS;
    plan->strip_rows = layer_blocks_of(plan->depth, layer_blocks_of(plan->depth, most));
}

/* The field of a band of so many strips. */
static layer_field field_of(const layer_implicit *plan, const layer_conv *conv, size_t strips)
{
    const size_t columns = strips * plan->strip_columns;
    if (plan->set_lines == 1)
        return layer_conv_field(conv, 1, (int)layer_smaller(columns, plan->width));
    const size_t lines = plan->line_strips > 0 ? layer_blocks_of(strips, plan->line_strips)
                                               : (columns - 2) / plan->width + 2;
    return layer_conv_field(conv, (int)layer_smaller(lines, plan->set_lines), (int)plan->width);
}

/* As many strips as there is room for the field of. */
static void plan_bands(layer_implicit *plan, const layer_conv *conv)
{
    const size_t unit = plan->set_lines > 1 && plan->line_strips > 0 ? plan->line_strips : 1;
    const size_t samples = (size_t)conv->input.extent[0];
    plan->band_strips = plan->set_strips;
    plan->field = field_of(plan, conv, plan->band_strips);
    while (plan->field.count > FIELD_COUNT && plan->band_strips > unit) {
        plan->band_strips = layer_rounded_up(plan->band_strips / 2, unit);
        plan->field = field_of(plan, conv, plan->band_strips);
    }
    plan->bands = layer_blocks_of(plan->set_strips, plan->band_strips);
    plan->units = samples * plan->planes * (plan->lines / plan->set_lines) * plan->bands;
    plan->is_filled = !plan->field.is_input;
    const size_t fitting = plan->is_filled ? FIELD_COUNT / plan->field.count : plan->units;
    plan->round_units = layer_smaller(layer_larger(fitting, 1), plan->units);
}

/* Into how many blocks output channels are cut, with so many strips to go with each. */
static size_t blocks_for(size_t strips)
{
    const size_t blocks = layer_blocks_of(FEWEST_TASKS, strips), tasks = strips * blocks;
    return tasks % 2 != 0 && tasks < MANY_TASKS ? 2 * blocks : blocks;
}

static void plan_tasks(layer_implicit *plan)
{
    const size_t strips = plan->round_units * plan->groups * plan->band_strips;
    const size_t channels = plan->group_channels;
    const size_t wanted =
        layer_smaller(blocks_for(strips), layer_blocks_of(channels, FEWEST_CHANNELS));
    const size_t fitting = layer_blocks_of(channels * plan->depth, BLOCK_WEIGHTS);
    plan->block_channels = layer_blocks_of(channels, layer_larger(wanted, fitting));
    const size_t strip = plan->block_channels * plan->depth * plan->strip_columns;
    const size_t pieces = layer_blocks_of(plan->band_strips, TASK_MULTIPLICATIONS / strip + 1);
    plan->task_strips = layer_blocks_of(plan->band_strips, pieces);
}

/* Whether the nearest cache keeps a strip's rows where they are. */
static bool rows_fit(const layer_implicit *plan)
{
    const size_t step = plan->field.channel_step | NEAREST;
    const size_t sets = NEAREST / (step & -step);
    return sets > NEAREST / 256 || plan->strip_rows / plan->kernel <= SET_ROWS * sets;
}

static void plan_room(layer_implicit *plan)
{
    const bool is_flat =
        plan->line_strips > 0 || plan->set_lines == 1 || plan->field.line_step == plan->width;
    plan->in_place = is_flat && rows_fit(plan);
    plan->is_even = plan->in_place && plan->kernel == 1;
    if (!plan->is_even)
        plan->rows_size = layer_aligned(plan->depth * sizeof(size_t));
    if (!plan->in_place)
        plan->strip_size = plan->strip_rows * plan->strip_columns * sizeof(float);
    if (plan->is_filled)
        plan->fields_size = layer_aligned(plan->round_units * plan->field.count * sizeof(float));
}

layer_implicit layer_implicit_plan(const layer_conv *conv)
{
    layer_window window[LAYER_MAX_SPATIAL];
    layer_field_windows(conv, window);
    layer_implicit plan = {
        .groups = (size_t)conv->group,
        .group_channels = (size_t)(conv->weight.extent[0] / conv->group),
        .kernel = layer_conv_kernel_plane(conv),
        .planes = (size_t)window[LAYER_DEPTH].output,
        .lines = (size_t)window[LAYER_HEIGHT].output,
        .width = (size_t)window[LAYER_WIDTH].output,
    };
    plan.depth = (size_t)conv->weight.extent[1] * plan.kernel;
    plan_strips(&plan);
    plan_bands(&plan, conv);
    plan_room(&plan);
    plan_tasks(&plan);
    return plan;
}
