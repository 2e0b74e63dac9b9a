/* Filtering a plane by a small square kernel, whose weights are registers too. All is written out,
 * for a loop over lines or taps would keep them and the sums in memory.
 * SPDX-License-Identifier: MIT */
#include "conv/kernels/filter_block.h"

enum { MOST_SQUARE = 5 };
#define EACH_TAP(DO, line) DO(line, 0) DO(line, 1) DO(line, 2) DO(line, 3) DO(line, 4)
#define EACH_LINE(DO)      DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10)

#define LIST_WEIGHT(line, tap)                                                                     \
    if (line < kernel && tap < kernel)                                                             \
        weights[line][tap] =                                                                       \
            lanes_all(filter->weight[line * filter->weight_line + filter->taps[tap].weight]);
#define LIST_EDGE(line, tap)                                                                       \
    if (tap < kernel)                                                                              \
        edge[tap] = edges_of(filter, first_column + tap, vectors, stride);

/* Inlined with all but `sums`, `weights` and `met` as constants. */
FILTER_INLINE void add_met(lanes sums[ROWS][MOST_VECTORS], lanes weights[MOST_SQUARE][MOST_SQUARE],
                           const lanes met[MOST_VECTORS], const int line, const int tap,
                           const int row, const int vectors, const int kernel, const int stride)
{
    const int r = line - row * stride;
    for (int v = 0; v < vectors && r >= 0 && r < kernel; v++)
        sums[row][v] += weights[r][tap] * met[v];
}

#define ADD_TAP(line, tap)                                                                         \
    if (tap < kernel) {                                                                            \
        lanes met[MOST_VECTORS];                                                                   \
        load_met(met, x + tap, &edge[tap], vectors, stride);                                       \
        add_met(sums, weights, met, line, tap, 0, vectors, kernel, stride);                        \
        add_met(sums, weights, met, line, tap, 1, vectors, kernel, stride);                        \
        add_met(sums, weights, met, line, tap, 2, vectors, kernel, stride);                        \
        add_met(sums, weights, met, line, tap, 3, vectors, kernel, stride);                        \
    }
#define ADD_SQUARE_LINE(line)                                                                      \
    if (line < (ROWS - 1) * stride + kernel && first_line + line >= 0 &&                           \
        first_line + line < line_count) {                                                          \
        const float *const x = input + lines[first_line + line];                                   \
        EACH_TAP(ADD_TAP, line)                                                                    \
    }

FILTER_INLINE void filter_square(const layer_filter *filter, int column, const int vectors,
                                 int last, const int kernel, const int stride)
{
    const ptrdiff_t first_column = filter->first_column + (ptrdiff_t)column * stride;
    const float *const input = filter->input + first_column;
    const ptrdiff_t *const lines = filter->lines;
    const ptrdiff_t line_count = filter->line_count;
    ptrdiff_t first_line = filter->first_line;
    lanes weights[MOST_SQUARE][MOST_SQUARE];
    edges edge[MOST_SQUARE];
    EACH_TAP(LIST_EDGE, 0)
    EACH_TAP(LIST_WEIGHT, 0)
    EACH_TAP(LIST_WEIGHT, 1)
    EACH_TAP(LIST_WEIGHT, 2)
    EACH_TAP(LIST_WEIGHT, 3)
    EACH_TAP(LIST_WEIGHT, 4)
    for (int row = 0; row < filter->rows; row += ROWS, first_line += filter->group_lines) {
        lanes sums[ROWS][MOST_VECTORS];
        float *const output = filter->output + (size_t)row * filter->leading + column;
        const int rows = filter->rows - row;
        EACH_ROW(START_ROW)
        EACH_LINE(ADD_SQUARE_LINE)
        EACH_ROW(STORE_ROW)
    }
}

BLOCKS(blocks_3, filter_square, 3, 1)
BLOCKS(blocks_5, filter_square, 5, 1)
#if defined(__AVX__)
BLOCKS(blocks_3_strided, filter_square, 3, 2)
BLOCKS(blocks_5_strided, filter_square, 5, 2)
#endif

static void filter(const layer_filter *filter)
{
    const bool small = filter->kernel_lines == 3;
#if defined(__AVX__)
    if (filter->stride == 2) {
        filter_blocks(filter, small ? blocks_3_strided : blocks_5_strided);
        return;
    }
#endif
    filter_blocks(filter, small ? blocks_3 : blocks_5);
}

const layer_square_filter_kernels LAYER_KERNELS(layer_square_filter_kernels) = {filter};
