/* How a convolution with output channels in the lanes is cut: by its shape alone.
 * SPDX-License-Identifier: MIT */
#include "conv/packed.h"
#include "core/blocks.h"

/* Fields filled at once in floats, which the caches keep until they are read. */
enum { FIELD_COUNT = 1 << 21 };

/* Input channels whose products are summed at once: the nearest cache keeps what a tile meets of
 * them until the next one meets the rest of the same cache lines. */
enum { MOST_CHANNELS = 128 };

/* Floats between which the channels of a block may lie to be met in turn for each kernel cell: a
 * processor knows the places of about a hundred pages. */
enum { NEAR = 96 << 10 };

/* Strips end with whole cache lines where lines of output are cut. */
enum { LINE_COUNT = 16 };

/* Multiplications a task should hold, so that handing it to a thread costs little beside it; and
 * how many tasks there should be, where there is so much. */
enum { TASK_MULTIPLICATIONS = 1 << 21, FEWEST_TASKS = 8 };

/* The first of `count` things that part `index` of `parts` has. */
static size_t part_begin(size_t count, size_t parts, size_t index)
{
    return count * index / parts;
}

static layer_field field_of(const layer_packed *plan, const layer_conv *conv)
{
    return layer_conv_field(conv, (int)layer_blocks_of(plan->lines, plan->line_units),
                            (int)layer_blocks_of(plan->width, plan->column_units));
}

/* As many outputs at once as there is room for the field of. */
static void plan_units(layer_packed *plan, const layer_conv *conv)
{
    const size_t samples = (size_t)conv->input.extent[0];
    plan->line_units = plan->column_units = 1;
    plan->field = field_of(plan, conv);
    while (plan->field.count > FIELD_COUNT &&
           (plan->line_units < plan->lines || plan->column_units < plan->width)) {
        if (plan->line_units < plan->lines)
            plan->line_units = layer_smaller(2 * plan->line_units, plan->lines);
        else
            plan->column_units = layer_smaller(2 * plan->column_units, plan->width);
        plan->field = field_of(plan, conv);
    }
    plan->is_filled = !plan->field.is_input;
    plan->units = samples * plan->planes * plan->line_units * plan->column_units;
    const size_t fitting = plan->is_filled ? FIELD_COUNT / plan->field.count : plan->units;
    plan->round_units = layer_smaller(layer_larger(fitting, 1), plan->units);
    plan->is_flat =
        plan->lines == 1 || (plan->column_units == 1 && plan->field.line_step == plan->width);
}

int layer_packed_axis(const layer_packed *plan)
{
    return plan->field.window[LAYER_HEIGHT].kernel > 1 ? LAYER_HEIGHT : LAYER_WIDTH;
}

/* Whether kernel cells of the first or last window along that axis lie on padding. */
static bool overhangs(const layer_packed *plan)
{
    const layer_window *const window = &plan->field.window[layer_packed_axis(plan)];
    const layer_steps first = layer_inside_taps(window, 0);
    const layer_steps last = layer_inside_taps(window, window->output - 1);
    return first.begin > 0 || last.end < window->kernel;
}

static void plan_depth(layer_packed *plan)
{
    const size_t blocks = layer_blocks_of(plan->channels, MOST_CHANNELS);
    const size_t channels = layer_blocks_of(plan->channels, blocks);
    const bool is_joined = plan->is_flat && plan->lines > 1;
    plan->depth_block = channels * plan->kernel;
    plan->skips = plan->field.window[LAYER_DEPTH].kernel == 1 && !is_joined && overhangs(plan) &&
                  plan->field.channel_step * channels <= NEAR;
    plan->interleaved = plan->skips ? channels : 1;
}

static size_t strips_of(const layer_packed *plan, size_t lines, size_t columns)
{
    if (plan->is_flat)
        return layer_blocks_of(lines * columns, LAYER_PACKED_STRIP);
    if (columns > LAYER_PACKED_STRIP)
        return lines * layer_blocks_of(columns, LAYER_PACKED_STRIP);
    return layer_blocks_of(lines, LAYER_PACKED_STRIP / columns);
}

/* Into how many tasks the blocks of a strip go. */
static size_t pieces_of(const layer_packed *plan, size_t outputs)
{
    const size_t others = plan->round_units * plan->strips * plan->groups;
    const size_t work = plan->blocks * LAYER_PACKED_BLOCK * plan->depth * outputs;
    const size_t most = layer_smaller(work / TASK_MULTIPLICATIONS + 1, plan->blocks);
    return layer_smaller(layer_blocks_of(FEWEST_TASKS, others), most);
}

static void plan_tasks(layer_packed *plan)
{
    const size_t lines = layer_blocks_of(plan->lines, plan->line_units);
    const size_t columns = layer_blocks_of(plan->width, plan->column_units);
    plan->strips = strips_of(plan, lines, columns);
    plan->blocks = layer_blocks_of(plan->group_channels, LAYER_PACKED_BLOCK);
    plan->task_blocks = layer_blocks_of(
        plan->blocks, pieces_of(plan, layer_blocks_of(lines * columns, plan->strips)));
}

layer_packed layer_packed_plan(const layer_conv *conv)
{
    layer_window window[LAYER_MAX_SPATIAL];
    layer_field_windows(conv, window);
    layer_packed plan = {
        .groups = (size_t)conv->group,
        .group_channels = (size_t)(conv->weight.extent[0] / conv->group),
        .depth = (size_t)conv->weight.extent[1] * layer_conv_kernel_plane(conv),
        .kernel = layer_conv_kernel_plane(conv),
        .channels = (size_t)conv->weight.extent[1],
        .planes = (size_t)window[LAYER_DEPTH].output,
        .lines = (size_t)window[LAYER_HEIGHT].output,
        .width = (size_t)window[LAYER_WIDTH].output,
    };
    plan.packed_channels = layer_rounded_up(plan.group_channels, LAYER_PACKED_PART);
    plan_units(&plan, conv);
    plan_depth(&plan);
    plan_tasks(&plan);
    plan.rows_size = layer_aligned((plan.depth + plan.kernel) * sizeof(size_t));
    plan.fields_size =
        plan.is_filled ? layer_aligned(plan.round_units * plan.field.count * sizeof(float)) : 0;
    plan.sums_size = (size_t)LAYER_PACKED_STRIP * LAYER_PACKED_BLOCK * sizeof(float);
    return plan;
}

/* Units: [sample][depth][lines][columns]. */
layer_packed_unit layer_packed_unit_at(const layer_packed *plan, size_t index)
{
    const size_t across = index % plan->column_units, rest = index / plan->column_units;
    const size_t down = rest % plan->line_units, plane = rest / plan->line_units;
    const size_t line = part_begin(plan->lines, plan->line_units, down);
    const size_t column = part_begin(plan->width, plan->column_units, across);
    return (layer_packed_unit){
        .sample = plane / plan->planes,
        .band =
            {
                .depth = (int)(plane % plan->planes),
                .line = (int)line,
                .lines = (int)(part_begin(plan->lines, plan->line_units, down + 1) - line),
                .column = (int)column,
                .columns = (int)(part_begin(plan->width, plan->column_units, across + 1) - column),
            },
    };
}

/* Piece `index` of a line that is cut into `pieces`, as evenly as whole cache lines can be. */
static layer_packed_strip piece_of_line(size_t line, size_t columns, size_t pieces, size_t index)
{
    const size_t cut = layer_blocks_of(columns, LINE_COUNT);
    const size_t column = part_begin(cut, pieces, index) * LINE_COUNT;
    const size_t end = layer_smaller(part_begin(cut, pieces, index + 1) * LINE_COUNT, columns);
    return (layer_packed_strip){line, 1, column, end - column};
}

layer_packed_strip layer_packed_strip_at(const layer_packed *plan, const layer_packed_unit *unit,
                                         size_t index)
{
    const size_t lines = (size_t)unit->band.lines, columns = (size_t)unit->band.columns;
    const size_t strips = strips_of(plan, lines, columns);
    if (index >= strips)
        return (layer_packed_strip){0};
    if (plan->is_flat)
        return piece_of_line(0, lines * columns, strips, index);
    if (columns > LAYER_PACKED_STRIP)
        return piece_of_line(index / (strips / lines), columns, strips / lines,
                             index % (strips / lines));
    const size_t line = part_begin(lines, strips, index);
    return (layer_packed_strip){line, part_begin(lines, strips, index + 1) - line, 0, columns};
}

void layer_packed_rows(const layer_packed *plan, size_t *rows)
{
    size_t *const cells = rows + plan->depth;
    layer_field_rows(&plan->field, 1, cells);
    for (size_t first = 0, end; first < plan->channels; first = end) {
        end = layer_smaller(first + plan->interleaved, plan->channels);
        for (size_t i = 0; i < plan->kernel; i++)
            for (size_t c = first; c < end; c++)
                *rows++ = cells[i] + c * plan->field.channel_step;
    }
}

/* Input channels of a kernel of one cell lie far apart: a page each, of which a processor knows the
 * places of about a hundred. */
static bool spans_pages(const layer_packed *plan, size_t channels)
{
    enum { PAGE_COUNT = 1024, PAGES = 110 };
    return plan->depth_block <= channels &&
           plan->depth_block * layer_smaller(plan->field.channel_step, PAGE_COUNT) >
               (size_t)PAGES * PAGE_COUNT;
}

/* What does not depend on how many outputs there are: weights are laid out, or read at least, and
 * the input padded. */
static double cost_once(const layer_conv *conv, const layer_packed *plan)
{
    enum { CACHED = 1 << 20 };
    const double filled = 20, read = 4;
    const double weights = (double)(plan->groups * plan->packed_channels * plan->depth);
    const double laid_out = conv->is_prepared ? 0 : weights > CACHED ? 60 : 40;
    const double fields = plan->is_filled ? (double)plan->units * (double)plan->field.count : 0;
    return fields * filled + weights * (laid_out + read * (double)(plan->units * plan->strips));
}

/* Output channels that take as long as a group's do in whole blocks: one of a single vector has too
 * few sums to keep the multiplications' units busy. */
static double busy_channels(const layer_packed *plan)
{
    const double slower = 1.4;
    const size_t single = plan->packed_channels % LAYER_PACKED_BLOCK;
    return (double)(plan->packed_channels - single) + slower * (double)single;
}

double layer_packed_cost(const layer_conv *conv)
{
    const double rate = 1.05, scattered = 0.2, stored = 30;
    const layer_packed plan = layer_packed_plan(conv);
    const double outputs = (double)layer_conv_output_plane(conv) * conv->output.extent[0] *
                           (double)plan.groups * busy_channels(&plan);
    const bool is_scattered = spans_pages(&plan, (size_t)conv->weight.extent[1]);
    return outputs * ((rate + (is_scattered ? scattered : 0)) * (double)plan.depth + stored) +
           cost_once(conv, &plan);
}
