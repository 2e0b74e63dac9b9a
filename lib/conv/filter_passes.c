/* Filtering a tile by a kernel of rank one in two passes.
 * SPDX-License-Identifier: MIT */
#include "conv/filter_passes.h"
#include "conv/rank_one.h"
#include "core/blocks.h"

#include <stdint.h>

/* Cells of kernels for which it pays. */
enum { FEWEST_CELLS = 25, FEWEST_LINES = 3 };

static size_t cells_of(const layer_filter_plan *plan)
{
    return (size_t)plan->height->kernel * (size_t)plan->width->kernel;
}

bool layer_filter_passes_pay(const layer_filter_plan *plan)
{
    return plan->height->kernel >= FEWEST_LINES && plan->width->kernel >= FEWEST_LINES &&
           cells_of(plan) >= FEWEST_CELLS;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef struct {
    size_t column, row, column_met, row_met, rows, end;
} layout;

static layout layout_of(const layer_filter_plan *plan)
{
    layout at = {.column = layer_aligned(plan->tile_rows * sizeof(ptrdiff_t))};
    at.row = at.column + layer_aligned(cells_of(plan) * sizeof(float));
    at.column_met = at.row + layer_aligned((size_t)plan->width->kernel * sizeof(float));
    at.row_met = at.column_met + layer_aligned((size_t)plan->height->kernel * sizeof(float));
    at.rows = at.row_met + layer_aligned((size_t)plan->width->kernel * sizeof(float));
    at.end = at.rows + plan->tile_rows * plan->line_count * sizeof(float);
    return at;
}

size_t layer_filter_passes_size(const layer_filter_plan *plan)
{
    return layout_of(plan).end;
}

layer_filter_passes layer_filter_passes_in(const layer_filter_plan *plan, void *memory)
{
    const layout at = layout_of(plan);
    char *const bytes = memory;
    const layer_filter_passes passes = {
        .lines = memory,
        .column = (float *)(bytes + at.column),
        .row = (float *)(bytes + at.row),
        .column_met = (float *)(bytes + at.column_met),
        .row_met = (float *)(bytes + at.row_met),
        .rows = (float *)(bytes + at.rows),
    };
    for (size_t row = 0; row < plan->tile_rows; row++)
        passes.lines[row] = (ptrdiff_t)(row * plan->line_count);
    return passes;
}

/* ---- The passes ------------------------------------------------------------------------------ */

/* The column lies as the kernel's own first one does, so that the plan's steps find its weights. */
static layer_filter column_pass(const layer_filter_plan *plan, const layer_filter_passes *passes,
                                const layer_filter *whole)
{
    static const layer_filter_tap only = {0};
    layer_filter pass = *whole;
    pass.taps = &only;
    pass.taps_end = &only + 1;
    pass.first_column = passes->first_column;
    pass.weight = passes->column + (whole->weight_line < 0 ? cells_of(plan) - 1 : 0);
    pass.output = passes->rows;
    pass.leading = plan->line_count;
    pass.columns = passes->columns;
    pass.bias = 0;
    pass.accumulates = false;
    return pass;
}

/* Every row of outputs meets a line, its own. */
static layer_filter row_pass(const layer_filter_passes *passes, const layer_filter *whole)
{
    layer_filter pass = *whole;
    pass.input = passes->rows;
    pass.lines = passes->lines;
    pass.first_column = passes->first_of_row;
    pass.weight = passes->row + (whole->weight_line < 0 ? -whole->weight_line - 1 : 0);
    return pass;
}

/* The factors in the order in which input meets them. */
static void order_factors(const layer_filter_plan *plan, layer_filter_passes *passes)
{
    const int lines = plan->height->kernel, width = plan->width->kernel;
    const float *const column = passes->column + (plan->flipped ? width - 1 : 0);
    for (int r = 0; r < lines; r++)
        passes->column_met[r] = column[(plan->flipped ? lines - 1 - r : r) * width];
    for (int s = 0; s < width; s++)
        passes->row_met[s] = passes->row[plan->flipped ? width - 1 - s : s];
}

/* Tiles often come to the same kernel again. */
static bool is_product(const layer_filter_plan *plan, layer_filter_passes *passes,
                       const float *kernel)
{
    const int lines = plan->height->kernel, width = plan->width->kernel;
    float *const column = passes->column + (plan->flipped ? width - 1 : 0);
    if (passes->kernel == kernel)
        return passes->is_product;
    passes->kernel = kernel;
    passes->is_product = layer_rank_one(kernel, lines, width, column, (size_t)width, passes->row);
    if (passes->is_product)
        order_factors(plan, passes);
    return passes->is_product;
}

static bool begins_on_lines(const layer_filter *whole)
{
    return (uintptr_t)whole->output % LAYER_ALIGNMENT == 0 &&
           whole->leading * sizeof(float) % LAYER_ALIGNMENT == 0;
}

/* All at once, where neighbours in input are met by neighbours among taps and rows. */
static layer_product_filter product_of(const layer_filter_plan *plan,
                                       const layer_filter_passes *passes, const layer_filter *whole)
{
    return (layer_product_filter){
        .whole = whole,
        .column = passes->column_met,
        .row = passes->row_met + (whole->taps - plan->taps),
        .lines = plan->height->kernel,
        .taps = (int)(whole->taps_end - whole->taps),
        .streams = passes->is_final && !whole->accumulates && begins_on_lines(whole),
        .first_column = passes->first_column,
        .scratch = passes->rows,
        .scratch_leading = plan->line_count,
    };
}

bool layer_filter_in_passes(const layer_filter_plan *plan, layer_isa isa, bool in_place,
                            layer_filter_passes *passes, const float *kernel,
                            const layer_filter *filter)
{
    if (!is_product(plan, passes, kernel))
        return false;
    if (in_place && plan->is_dense) {
        const layer_product_filter product = product_of(plan, passes, filter);
        layer_product_filter_kernels_at(isa)->filter(&product);
        return true;
    }
    const layer_filter_kernels *const kernels = layer_filter_kernels_at(isa);
    const layer_filter first = column_pass(plan, passes, filter);
    const layer_filter second = row_pass(passes, filter);
    kernels->filter(&first);
    kernels->filter_lines(&second);
    return true;
}
