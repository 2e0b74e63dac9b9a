/* Filtering a plane by any kernel: what is loaded of a line of input serves all rows that meet it.
 * SPDX-License-Identifier: MIT */
#include "conv/kernels/filter_block.h"

/* Those of all columns of the kernel, `step` after each other: 0 where all lanes meet columns. */
typedef struct {
    const edges *first;
    ptrdiff_t step;
} edge_list;

static edge_list list_edges(const layer_filter *filter, int column, int vectors)
{
    edges *const all = filter->scratch;
    const ptrdiff_t taps = filter->taps_end - filter->taps, begin = column + filter->first_column;
    const bool is_inside = taps > 0 && begin + filter->taps[0].column >= 0 &&
                           begin + filter->taps[taps - 1].column + vectors * LANES <= filter->width;
    for (ptrdiff_t i = 0; i < (is_inside ? 1 : taps); i++)
        all[i] = edges_of(filter, begin + filter->taps[i].column, vectors, 1);
    return (edge_list){all, is_inside ? 0 : 1};
}

#define ADD_ROW(i)                                                                                 \
    if (rows >> (i)&1)                                                                             \
        add_row(sums[i], weight[step->weights[i]], met, vectors);

/* Adds a line of input to the sums of `rows`. Inlined with those as a constant. */
FILTER_INLINE void add_line(lanes sums[ROWS][MOST_VECTORS], const layer_filter *filter,
                            const layer_filter_step *step, const float *x, edge_list list,
                            const unsigned rows, const int vectors)
{
    const edges *edge = list.first;
    for (const layer_filter_tap *tap = filter->taps; tap < filter->taps_end;
         tap++, edge += list.step) {
        const float *const weight = filter->weight + tap->weight;
        lanes met[MOST_VECTORS];
        load_met(met, x + tap->column, edge, vectors, 1);
        EACH_ROW(ADD_ROW)
    }
}

#define ADD_LINE(rows)                                                                             \
    case rows:                                                                                     \
        add_line(sums, filter, step, x, list, rows, vectors);                                      \
        break

FILTER_INLINE void filter_group(const layer_filter *filter, ptrdiff_t first_line, edge_list list,
                                float *output, int rows, int column, const int vectors, int last)
{
    lanes sums[ROWS][MOST_VECTORS];
    const unsigned wanted = (1u << rows) - 1;
    EACH_ROW(START_ROW)
    for (const layer_filter_step *step = filter->steps; step < filter->steps_end; step++) {
        const ptrdiff_t line = first_line + step->line;
        if (line < 0 || line >= filter->line_count)
            continue;
        const float *const x = filter->input + filter->lines[line] + column + filter->first_column;
        switch (step->rows & wanted) {
            ADD_LINE(1);
            ADD_LINE(2);
            ADD_LINE(3);
            ADD_LINE(4);
            ADD_LINE(5);
            ADD_LINE(6);
            ADD_LINE(7);
            ADD_LINE(8);
            ADD_LINE(9);
            ADD_LINE(10);
            ADD_LINE(11);
            ADD_LINE(12);
            ADD_LINE(13);
            ADD_LINE(14);
            ADD_LINE(15);
        }
    }
    EACH_ROW(STORE_ROW)
}

FILTER_INLINE void filter_any(const layer_filter *filter, int column, const int vectors, int last)
{
    const edge_list list = list_edges(filter, column, vectors);
    ptrdiff_t first_line = filter->first_line;
    for (int row = 0; row < filter->rows; row += ROWS, first_line += filter->group_lines)
        filter_group(filter, first_line, list,
                     filter->output + (size_t)row * filter->leading + column,
                     filter->rows - row < ROWS ? filter->rows - row : ROWS, column, vectors, last);
}

BLOCKS(blocks, filter_any)

static void filter(const layer_filter *filter)
{
    filter_blocks(filter, blocks);
}

/* ---- A row for each line --------------------------------------------------------------------- */

#define FIND_LINE(i) x[i] = input + filter->lines[row + (i < rows ? i : 0)];
#define ADD_ACROSS(i)                                                                              \
    for (int v = 0; v < vectors; v++)                                                              \
        sums[i][v] += weight * lanes_load(x[i] + tap->column + v * LANES);

FILTER_INLINE void filter_across(const layer_filter *filter, int column, const int vectors,
                                 int last)
{
    const float *const input = filter->input + column + filter->first_column;
    for (int row = 0; row < filter->rows; row += ROWS) {
        lanes sums[ROWS][MOST_VECTORS];
        const float *x[ROWS];
        float *const output = filter->output + (size_t)row * filter->leading + column;
        const int rows = filter->rows - row;
        EACH_ROW(FIND_LINE)
        EACH_ROW(START_ROW)
        for (const layer_filter_tap *tap = filter->taps; tap < filter->taps_end; tap++) {
            const float weight = filter->weight[tap->weight];
            EACH_ROW(ADD_ACROSS)
        }
        EACH_ROW(STORE_ROW)
    }
}

BLOCKS(blocks_across, filter_across)

static void filter_lines(const layer_filter *filter)
{
    filter_blocks(filter, blocks_across);
}

/* ---- Gathering ------------------------------------------------------------------------------- */

FILTER_INLINE void gather_line(const layer_gathering *from, const float *x, float *gathered)
{
    const layer_steps inside = from->inside;
    for (int i = 0; i < inside.begin; i += LANES)
        lanes_store(gathered + i, (lanes){0});
    int i = inside.begin;
    if (from->stride == 1) {
        for (; i + LANES <= inside.end; i += LANES)
            lanes_store(gathered + i, lanes_load(x + i));
        if (i < inside.end)
            lanes_store(gathered + i, lanes_load_some(x + i, inside.end - i));
        i = inside.end > i ? inside.end : i;
    } else if (from->stride == 2) {
        for (; i + LANES < inside.end; i += LANES)
            lanes_store(gathered + i,
                        lanes_even(lanes_load(x + 2 * i), lanes_load(x + 2 * i + LANES)));
    }
    for (; i < inside.end; i++)
        gathered[i] = x[i * from->stride];
    for (; i < from->count; i += LANES)
        lanes_store(gathered + i, (lanes){0});
}

static void gather(const layer_gathering *from)
{
    float *gathered = from->gathered;
    for (const ptrdiff_t *line = from->lines; line < from->lines_end; line++) {
        gather_line(from, from->plane + *line * from->width + from->start, gathered);
        gathered += from->leading;
    }
}

const layer_filter_kernels LAYER_KERNELS(layer_filter_kernels) = {
    MASKED ? LANES : 1,
    gather,
    filter,
    filter_lines,
};
