/* A tile of planes that are filtered alike.
 * SPDX-License-Identifier: MIT */
#include "conv/filter_tile.h"
#include "core/blocks.h"

#include <string.h>

/* ---- Lines ----------------------------------------------------------------------------------- */

/* The input line that a row's first kernel cell meets. */
static ptrdiff_t line_met(const layer_window *height, int row)
{
    return (ptrdiff_t)row * height->stride - height->pad_begin;
}

static void mark_lines(const layer_filter_tile *tile, ptrdiff_t *lines)
{
    const layer_filter_plan *const plan = tile->plan;
    for (int row = tile->rows.begin; row < tile->rows.end; row += LAYER_FILTER_ROWS) {
        const int rows = tile->rows.end - row;
        const unsigned wanted = rows < LAYER_FILTER_ROWS ? (1u << rows) - 1 : ~0u;
        const ptrdiff_t first = line_met(plan->height, row);
        for (const layer_filter_step *step = plan->steps; step < plan->steps_end; step++) {
            const ptrdiff_t line = first + step->line;
            if ((step->rows & wanted) != 0 && line >= 0 && line < plan->height->input)
                lines[line - tile->first_line] = 1;
        }
    }
}

/* Fills the table of lines with where they will lie, and lists those to gather. Returns how many
 * they are. */
static size_t place_lines(const layer_filter_tile *tile, ptrdiff_t *lines, ptrdiff_t *gathered)
{
    const layer_filter_plan *const plan = tile->plan;
    size_t count = 0;
    memset(lines, 0, plan->lines * sizeof *lines);
    mark_lines(tile, lines);
    for (size_t i = 0; i < plan->lines; i++) {
        if (lines[i] == 0)
            continue;
        lines[i] = (ptrdiff_t)(count * plan->line_count);
        gathered[count++] = tile->first_line + (ptrdiff_t)i;
    }
    return count;
}

/* ---- Gathering, or not ----------------------------------------------------------------------- */

static bool meets_input(const layer_filter_tile *tile)
{
    return tile->taps.begin < tile->taps.end;
}

static bool is_whole(const layer_filter_tile *tile)
{
    return tile->taps.begin == 0 && tile->taps.end == tile->plan->width->kernel;
}

static int columns_of(const layer_filter_tile *tile)
{
    return tile->columns.end - tile->columns.begin;
}

/* The cell of a line that the tile's first output meets with a column of the kernel. */
static ptrdiff_t column_met(const layer_filter_tile *tile, int tap)
{
    const layer_window *const width = tile->plan->width;
    return (ptrdiff_t)tile->columns.begin * width->stride - width->pad_begin +
           (ptrdiff_t)tap * width->dilation;
}

/* Whether all cells that vectors of `columns` outputs meet with those taps are input, but for the
 * first and last one's. */
static bool has_padding_at_ends(const layer_filter_tile *tile, int columns, int first_tap,
                                int last_tap)
{
    const int lanes = tile->kernels->lanes, stride = tile->plan->width->stride;
    const int inner = (columns - 1) / lanes * lanes; /* not in the last vector */
    return inner == 0 ||
           (column_met(tile, first_tap) >= -(ptrdiff_t)lanes * stride &&
            column_met(tile, last_tap) + (ptrdiff_t)inner * stride <= tile->plan->width->input);
}

static bool can_read_in_place(const layer_filter_tile *tile)
{
    const layer_window *const width = tile->plan->width;
    return tile->kernels->lanes > 1 &&
           (width->stride == 1 || (tile->plan->is_square && is_whole(tile))) &&
           has_padding_at_ends(tile, columns_of(tile), tile->taps.begin, tile->taps.end - 1);
}

/* What a tile's outputs meet of a phase. */
static int phase_columns(const layer_filter_tile *tile)
{
    const layer_window *const width = tile->plan->width;
    const size_t first = layer_filter_tap_column(width, (size_t)tile->taps.begin);
    const size_t last = layer_filter_tap_column(width, (size_t)tile->taps.end - 1);
    return columns_of(tile) + (int)(last - first);
}

/* Whether the tile can be filtered in two passes. */
static bool plan_passes(layer_filter_tile *tile)
{
    const layer_filter_plan *const plan = tile->plan;
    const size_t first = layer_filter_tap_column(plan->width, (size_t)tile->taps.begin);
    if (!layer_filter_passes_pay(plan) || !meets_input(tile))
        return false;
    tile->passes.first_of_row = -(ptrdiff_t)first;
    tile->passes.first_column = tile->in_place ? column_met(tile, tile->taps.begin) : 0;
    tile->passes.columns = tile->in_place ? phase_columns(tile) : (int)plan->line_count;
    return !tile->in_place || plan->is_dense ||
           (plan->width->stride == 1 &&
            has_padding_at_ends(tile, tile->passes.columns, tile->taps.begin, tile->taps.begin));
}

static void plan_gathering(const layer_filter_tile *tile, layer_gathering whole)
{
    const layer_filter_plan *const plan = tile->plan;
    const layer_window *const width = plan->width;
    const size_t first = layer_filter_tap_column(width, (size_t)tile->taps.begin);
    const ptrdiff_t start = column_met(tile, 0) + (ptrdiff_t)first * width->stride;
    whole.stride = width->stride;
    whole.width = width->input;
    whole.count = phase_columns(tile) + LAYER_FILTER_SLACK;
    whole.leading = plan->line_count;
    for (size_t phase = 0; phase < plan->phases; phase++) {
        layer_gathering *const one = &tile->gatherings[phase];
        *one = whole;
        one->start = start + (ptrdiff_t)phase * width->dilation % width->stride;
        one->inside = layer_steps_inside(one->start, width->stride, width->input, whole.count);
        one->gathered += phase * plan->phase_count;
    }
}

/* ---- The tile -------------------------------------------------------------------------------- */

/* Where the parts of a tile's memory begin. */
typedef struct {
    size_t gatherings, lines, gathered, floats, passes, end;
} layout;

static layout layout_of(const layer_filter_plan *plan)
{
    layout at = {.gatherings = (size_t)plan->width->kernel * LAYER_FILTER_TAP_SIZE};
    at.lines = at.gatherings + plan->phases * sizeof(layer_gathering);
    at.gathered = at.lines + plan->lines * sizeof(ptrdiff_t);
    at.floats = layer_aligned(at.gathered + plan->slots * sizeof(ptrdiff_t));
    at.passes = at.floats + plan->slots * plan->line_count * sizeof(float);
    at.end = at.passes + (layer_filter_passes_pay(plan) ? layer_filter_passes_size(plan) : 0);
    return at;
}

size_t layer_filter_tile_size(const layer_filter_plan *plan)
{
    return layout_of(plan).end;
}

static layer_filter filter_of(const layer_filter_tile *tile, const ptrdiff_t *lines, void *memory)
{
    const layer_filter_plan *const plan = tile->plan;
    const layer_window *const height = plan->height, *const width = plan->width;
    const size_t first_tap = layer_filter_tap_column(width, (size_t)tile->taps.begin);
    return (layer_filter){
        .taps = plan->taps + tile->taps.begin,
        .taps_end = plan->taps + tile->taps.end,
        .kernel_lines = height->kernel,
        .stride = width->stride,
        .lines = lines,
        .first_line = line_met(height, tile->rows.begin) - tile->first_line,
        .group_lines = (ptrdiff_t)height->stride * LAYER_FILTER_ROWS,
        .line_count = height->input - tile->first_line,
        .first_column = tile->in_place ? column_met(tile, 0) : -(ptrdiff_t)first_tap,
        .width = tile->in_place ? width->input : (ptrdiff_t)plan->line_count,
        .weight_line = plan->flipped ? -width->kernel : width->kernel,
        .leading = (size_t)width->output,
        .rows = tile->rows.end - tile->rows.begin,
        .columns = columns_of(tile),
        .scratch = memory,
    };
}

static layer_steps part_of(size_t number, size_t size, int whole)
{
    const size_t begin = number * size;
    return (layer_steps){(int)begin, (int)layer_smaller(begin + size, (size_t)whole)};
}

layer_filter_tile layer_filter_tile_in(const layer_filter_plan *plan, layer_isa isa, void *memory)
{
    layer_filter_tile tile = {
        .plan = plan,
        .isa = isa,
        .memory = memory,
        .kernels = layer_filter_kernels_at(isa),
    };
    if (layer_filter_passes_pay(plan))
        tile.passes = layer_filter_passes_in(plan, (char *)memory + layout_of(plan).passes);
    return tile;
}

static void find_lines(layer_filter_tile *tile)
{
    const layer_filter_plan *const plan = tile->plan;
    const layout at = layout_of(plan);
    char *const bytes = tile->memory;
    ptrdiff_t *const lines = (ptrdiff_t *)(bytes + at.lines);
    ptrdiff_t *const gathered = (ptrdiff_t *)(bytes + at.gathered);
    float *const floats = (float *)(bytes + at.floats);
    tile->gatherings = (layer_gathering *)(bytes + at.gatherings);
    tile->filter = filter_of(tile, lines, tile->memory);
    tile->filter.input = floats;
    if (tile->in_place)
        for (size_t i = 0; i < plan->lines; i++)
            lines[i] = (tile->first_line + (ptrdiff_t)i) * plan->width->input;
    else if (meets_input(tile))
        plan_gathering(tile, (layer_gathering){
                                 .lines = gathered,
                                 .lines_end = gathered + place_lines(tile, lines, gathered),
                                 .gathered = floats,
                             });
}

void layer_filter_tile_move(layer_filter_tile *tile, size_t number)
{
    const layer_filter_plan *const plan = tile->plan;
    const layer_window *const height = plan->height, *const width = plan->width;
    tile->rows = part_of(number / plan->column_tiles, plan->tile_rows, height->output);
    tile->columns = part_of(number % plan->column_tiles, plan->tile_columns, width->output);
    const ptrdiff_t first = line_met(height, tile->rows.begin);
    tile->first_line = first > 0 ? first : 0;
    tile->taps.begin = layer_inside_taps(width, tile->columns.end - 1).begin;
    tile->taps.end = layer_inside_taps(width, tile->columns.begin).end;
    tile->in_place = can_read_in_place(tile);
    tile->is_square = plan->is_square && is_whole(tile) && (tile->in_place || width->stride == 1);
    tile->divides = plan_passes(tile);
    find_lines(tile);
}

void layer_filter_tile_read(layer_filter_tile *tile, const float *plane)
{
    if (tile->in_place)
        tile->filter.input = plane;
    else if (meets_input(tile))
        for (size_t phase = 0; phase < tile->plan->phases; phase++) {
            tile->gatherings[phase].plane = plane;
            tile->kernels->gather(&tile->gatherings[phase]);
        }
}

void layer_filter_tile_write(layer_filter_tile *tile, const float *kernel, float *output,
                             float bias, bool accumulates)
{
    const layer_filter_plan *const plan = tile->plan;
    const size_t width = (size_t)plan->width->output;
    const size_t cells = (size_t)plan->height->kernel * (size_t)plan->width->kernel;
    layer_filter *const filter = &tile->filter;
    const bool adds = kernel != NULL && meets_input(tile);
    filter->steps = plan->steps;
    filter->steps_end = adds ? plan->steps_end : plan->steps;
    filter->weight = adds && plan->flipped ? kernel + cells - 1 : kernel;
    filter->output = output + (size_t)tile->rows.begin * width + tile->columns.begin;
    filter->bias = bias;
    filter->accumulates = accumulates;
    if (adds && tile->divides &&
        layer_filter_in_passes(plan, tile->isa, tile->in_place, &tile->passes, kernel, filter))
        return;
    if (adds && tile->is_square)
        layer_square_filter_kernels_at(tile->isa)->filter(filter);
    else
        tile->kernels->filter(filter);
}

void layer_filter_tile_finish(const layer_filter_tile *tile)
{
    layer_product_filter_kernels_at(tile->isa)->finish();
}
