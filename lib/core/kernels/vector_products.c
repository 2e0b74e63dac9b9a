/* Products of a matrix and a vector, some rows at a time, the next ones fetched meanwhile.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/kernels/vectors.h"
#include "core/vector.h"

/* Rows at a time, and how many floats of a row are summed in one chain. */
enum { ROWS = 4, LINE_COUNT = 16 };

#define UNROLLED _Pragma("GCC unroll 4")

/* ---- By rows --------------------------------------------------------------------------------- */

typedef struct {
    const float *rows[ROWS];
    lanes sums[ROWS][2];
} dots;

__attribute__((always_inline)) static inline void add_products(dots *at, const float *vector,
                                                               size_t j, const int chain,
                                                               const bool is_whole, int some)
{
    const lanes factor = is_whole ? lanes_load(vector + j) : lanes_load_some(vector + j, some);
    UNROLLED
    for (int i = 0; i < ROWS; i++) {
        const float *const row = at->rows[i] + j;
        at->sums[i][chain] += factor * (is_whole ? lanes_load(row) : lanes_load_some(row, some));
    }
}

static void fetch(const dots *at, size_t ahead, size_t j)
{
    for (int i = 0; i < ROWS; i++)
        for (size_t line = 0; line < 2 * LANES; line += LINE_COUNT)
            __builtin_prefetch(at->rows[i] + ahead + j + line);
}

/* ROWS rows from `row` on, of which those beyond the last one are that again. */
static void multiply_rows(const layer_vector_product *product, size_t row)
{
    const size_t columns = product->columns, last = product->rows - 1;
    const size_t ahead = row + 2 * ROWS <= product->rows ? ROWS * product->leading : 0;
    dots at = {0};
    size_t j = 0;
    for (size_t i = 0; i < ROWS; i++)
        at.rows[i] = product->matrix + layer_smaller(row + i, last) * product->leading;
    for (; j + 2 * LANES <= columns; j += 2 * LANES) {
        fetch(&at, ahead, j);
        add_products(&at, product->vector, j, 0, true, LANES);
        add_products(&at, product->vector, j + LANES, 1, true, LANES);
    }
    for (; j < columns; j += LANES)
        add_products(&at, product->vector, j, 0, false, (int)layer_smaller(LANES, columns - j));
    for (size_t i = 0; i < ROWS && row + i <= last; i++) {
        const float start = product->start == NULL ? 0 : product->start[row + i];
        product->result[row + i] = start + lanes_sum(at.sums[i][0] + at.sums[i][1]);
    }
}

static void by_rows(const layer_vector_product *product)
{
    for (size_t row = 0; row < product->rows; row += ROWS)
        multiply_rows(product, row);
}

/* ---- By columns ------------------------------------------------------------------------------ */

/* The result plus so many rows' products; `fresh` at the beginning. */
__attribute__((always_inline)) static inline void
add_rows(const layer_vector_product *product, size_t row, const int rows, const bool is_fresh)
{
    const size_t whole = product->columns / LANES * LANES;
    const float *const matrix = product->matrix + row * product->leading;
    const float *const from = is_fresh ? product->start : product->result;
    lanes factors[ROWS];
    for (int i = 0; i < rows; i++)
        factors[i] = lanes_all(product->vector[(row + (size_t)i) * product->vector_step]);
    for (size_t j = 0; j < whole; j += LANES) {
        lanes sum = from == NULL ? (lanes){0} : lanes_load(from + j);
        UNROLLED
        for (int i = 0; i < rows; i++)
            sum += factors[i] * lanes_load(matrix + (size_t)i * product->leading + j);
        lanes_store(product->result + j, sum);
    }
    if (whole == product->columns)
        return;
    const int some = (int)(product->columns - whole);
    lanes sum = from == NULL ? (lanes){0} : lanes_load_some(from + whole, some);
    for (int i = 0; i < rows; i++)
        sum += factors[i] * lanes_load_some(matrix + (size_t)i * product->leading + whole, some);
    lanes_store_some(product->result + whole, sum, some);
}

static void by_columns(const layer_vector_product *product)
{
    size_t row = 0;
    for (; row + ROWS <= product->rows; row += ROWS)
        add_rows(product, row, ROWS, row == 0);
    for (; row < product->rows; row++)
        add_rows(product, row, 1, row == 0);
}

const layer_vector_kernels LAYER_KERNELS(layer_vector_kernels) = {by_rows, by_columns};
