/* Filtering by a column and then by a row, four rows of outputs at a time, so that what lies
 * between stays in the nearest cache. SPDX-License-Identifier: MIT */
#include "conv/kernels/filter_block.h"

#define UNROLLED _Pragma("GCC unroll 8")

/* ---- Along columns --------------------------------------------------------------------------- */

/* Where vectors meet input. */
typedef struct {
    lanes_range ranges[MOST_VECTORS];
} inside;

FILTER_INLINE void load_line(lanes met[MOST_VECTORS], const float *x, const inside *in,
                             const int vectors, const bool is_whole)
{
    UNROLLED
    for (int v = 0; v < vectors; v++)
        met[v] =
            is_whole ? lanes_load(x + v * LANES) : lanes_load_range(x + v * LANES, in->ranges[v]);
}

#define START_COLUMN(i)                                                                            \
    UNROLLED                                                                                       \
    for (int v = 0; v < vectors; v++)                                                              \
        sums[i][v] = (lanes){0};
#define ADD_MET(i)                                                                                 \
    if (rows >> (i)&1) {                                                                           \
        const float weight = product->column[line - i];                                            \
        UNROLLED                                                                                   \
        for (int v = 0; v < vectors; v++)                                                          \
            sums[i][v] += weight * met[v];                                                         \
    }
#define STORE_COLUMN(i)                                                                            \
    UNROLLED                                                                                       \
    for (int v = 0; v < vectors; v++)                                                              \
        lanes_store(to + (i)*product->scratch_leading + v * LANES, sums[i][v]);

/* Adds a line to the sums of `rows`, a bit for each. */
FILTER_INLINE void add_line(lanes sums[ROWS][MOST_VECTORS], const layer_product_filter *product,
                            const float *x, int line, const inside *in, const unsigned rows,
                            const int vectors, const bool is_whole)
{
    lanes met[MOST_VECTORS];
    load_line(met, x + line * product->whole->width, in, vectors, is_whole);
    EACH_ROW(ADD_MET)
}

/* A block of all rows, none of which meets padding above or below. The kernel has three lines at
 * least. */
FILTER_INLINE void sum_columns(const layer_product_filter *product, const float *x, float *to,
                               const inside *in, const int vectors, const bool is_whole)
{
    const int lines = product->lines;
    lanes sums[ROWS][MOST_VECTORS];
    EACH_ROW(START_COLUMN)
    add_line(sums, product, x, 0, in, 1, vectors, is_whole);
    add_line(sums, product, x, 1, in, 3, vectors, is_whole);
    add_line(sums, product, x, 2, in, 7, vectors, is_whole);
    for (int line = ROWS - 1; line < lines; line++)
        add_line(sums, product, x, line, in, 15, vectors, is_whole);
    add_line(sums, product, x, lines, in, 14, vectors, is_whole);
    add_line(sums, product, x, lines + 1, in, 12, vectors, is_whole);
    add_line(sums, product, x, lines + 2, in, 8, vectors, is_whole);
    EACH_ROW(STORE_COLUMN)
}

/* A vector of a single row, which meets the kernel's lines from `begin` to `end` only. */
static void sum_column(const layer_product_filter *product, const float *x, float *to,
                       lanes_range range, layer_steps lines)
{
    const ptrdiff_t leading = product->whole->width;
    lanes sum = {0};
    for (int line = lines.begin; line < lines.end; line++)
        sum += product->column[line] * lanes_load_range(x + line * leading, range);
    lanes_store(to, sum);
}

/* The lines of the kernel that lie on input. */
static layer_steps lines_inside(const layer_product_filter *product, ptrdiff_t first_line)
{
    const ptrdiff_t left = product->whole->line_count - first_line;
    return (layer_steps){
        first_line < 0 ? (int)-first_line : 0,
        left < product->lines ? (int)left : product->lines,
    };
}

/* Rows from `row` on, which begin at x; `to` is where the first one's sums go. */
FILTER_INLINE void sum_block(const layer_product_filter *product, int row, const float *x,
                             ptrdiff_t column, float *to, const int vectors)
{
    const layer_filter *const whole = product->whole;
    const ptrdiff_t first_line = whole->first_line + row;
    const int rows = whole->rows - row < ROWS ? whole->rows - row : ROWS;
    inside in;
    UNROLLED
    for (int v = 0; v < vectors; v++)
        in.ranges[v] = range_from(whole, column + v * LANES);
    if (rows < ROWS || first_line < 0 ||
        first_line + product->lines + ROWS - 1 > whole->line_count) {
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                sum_column(product, x + i * whole->width + v * LANES,
                           to + (size_t)i * product->scratch_leading + v * LANES, in.ranges[v],
                           lines_inside(product, first_line + i));
    } else if (column >= 0 && column + vectors * LANES <= whole->width) {
        sum_columns(product, x, to, &in, vectors, true);
    } else {
        sum_columns(product, x, to, &in, vectors, false);
    }
}

static void sum_all_columns(const layer_product_filter *product, int row)
{
    const layer_filter *const whole = product->whole;
    const float *const x = whole->input + whole->lines[0] +
                           (whole->first_line + row) * whole->width + product->first_column;
    const int columns = whole->columns + product->taps - 1;
    int i = 0;
    for (; i + (MOST_VECTORS - 1) * LANES < columns; i += MOST_VECTORS * LANES)
        sum_block(product, row, x + i, product->first_column + i, product->scratch + i,
                  MOST_VECTORS);
    for (; i < columns; i += LANES)
        sum_block(product, row, x + i, product->first_column + i, product->scratch + i, 1);
}

/* ---- Along rows ------------------------------------------------------------------------------ */

/* A vector from the middle of a cache line on takes two loads or, of two that are there, a shuffle:
 * half of them are one, half the other, for each has units of its own. Shorter ones are loaded. */
#if defined(__AVX512F__)
enum { SHUFFLES = true };
#define EACH_ACROSS(DO) DO(0) DO(1)
#define EACH_TAP(DO)                                                                               \
    DO(0)                                                                                          \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#define FOLLOWING(low, high, n)                                                                    \
    __builtin_shufflevector(low, high, n, (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6,    \
                            (n) + 7, (n) + 8, (n) + 9, (n) + 10, (n) + 11, (n) + 12, (n) + 13,     \
                            (n) + 14, (n) + 15)
enum { ACROSS = 2, TAPS = 16 };
#else
enum { SHUFFLES = false };
#define EACH_ACROSS(DO)         EACH_ROW(DO)
#define EACH_TAP(DO)            DO(0) DO(1) DO(2) DO(3)
#define FOLLOWING(low, high, n) (low)
enum { ACROSS = ROWS, TAPS = 4 };
#endif

#define LOAD_ACROSS(i)                                                                             \
    UNROLLED                                                                                       \
    for (int v = 0; v <= vectors && SHUFFLES; v++)                                                 \
        met[i][v] = lanes_load(x + (i)*product->scratch_leading + v * LANES);
#define ADD_ACROSS(i, n)                                                                           \
    UNROLLED                                                                                       \
    for (int v = 0; v < vectors; v++)                                                              \
        sums[i][v] +=                                                                              \
            weight * (SHUFFLES && (n) % 2 == 0                                                     \
                          ? FOLLOWING(met[i][v], met[i][v + 1], n)                                 \
                          : lanes_load(x + (i)*product->scratch_leading + v * LANES + (n)));
#if defined(__AVX512F__)
#define ADD_EACH_ACROSS(n) ADD_ACROSS(0, n) ADD_ACROSS(1, n)
#else
#define ADD_EACH_ACROSS(n) ADD_ACROSS(0, n) ADD_ACROSS(1, n) ADD_ACROSS(2, n) ADD_ACROSS(3, n)
#endif
#define STORE_ACROSS(i)                                                                            \
    if (i < rows && product->streams && last == LANES) {                                           \
        UNROLLED                                                                                   \
        for (int v = 0; v < vectors; v++)                                                          \
            lanes_stream(output + (i)*filter->leading + v * LANES, sums[i][v]);                    \
    } else if (i < rows) {                                                                         \
        store_row(sums[i], output + (i)*filter->leading, vectors, last);                           \
    }
#define ADD_TAP(n)                                                                                 \
    if (tap + (n) < product->taps) {                                                               \
        const float weight = product->row[tap + (n)];                                              \
        ADD_EACH_ACROSS(n)                                                                         \
    }

/* Rows from `row` on, of which `from` is the first in scratch. */
FILTER_INLINE void sum_rows(const layer_product_filter *product, int row, const float *from,
                            int column, const int vectors, int last)
{
    const layer_filter *const filter = product->whole;
    float *const output = filter->output + (size_t)row * filter->leading + column;
    const int rows = filter->rows - row;
    const float *x = from + column;
    lanes sums[ACROSS][MOST_VECTORS];
    EACH_ACROSS(START_ROW)
    for (int tap = 0; tap < product->taps; tap += TAPS, x += TAPS) {
        lanes met[ACROSS][MOST_VECTORS + 1];
        EACH_ACROSS(LOAD_ACROSS)
        EACH_TAP(ADD_TAP)
    }
    EACH_ACROSS(STORE_ACROSS)
}

static void sum_all_rows(const layer_product_filter *product, int row)
{
    const layer_filter *const whole = product->whole;
    const int end = row + ROWS < whole->rows ? row + ROWS : whole->rows;
    const float *from = product->scratch;
    for (; row < end; row += ACROSS, from += ACROSS * product->scratch_leading) {
        int column = 0;
        for (; column + MOST_VECTORS * LANES <= whole->columns; column += MOST_VECTORS * LANES)
            sum_rows(product, row, from, column, MOST_VECTORS, LANES);
        for (; column < whole->columns; column += LANES) {
            const int left = whole->columns - column;
            sum_rows(product, row, from, column, 1, left < LANES ? left : LANES);
        }
    }
}

static void filter(const layer_product_filter *product)
{
    for (int row = 0; row < product->whole->rows; row += ROWS) {
        sum_all_columns(product, row);
        sum_all_rows(product, row);
    }
}

static void finish(void)
{
    lanes_end_stream();
}

const layer_product_filter_kernels LAYER_KERNELS(layer_product_filter_kernels) = {filter, finish};
