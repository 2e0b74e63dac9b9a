/* Turning a matrix square by square.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/kernels/transpose.h"
#include "core/turn.h"

/* `count` elements, up to LANES, each `step` after the last. */
__attribute__((always_inline)) static inline lanes load_row(const float *x, ptrdiff_t step,
                                                            int count)
{
    if (step == 1)
        return lanes_load_some(x, count);
    lanes loaded = {0};
    for (int i = 0; i < count; i++)
        loaded[i] = x[i * step];
    return loaded;
}

/* Up to LANES rows and columns. */
static void turn_part(const layer_turn *turn, const float *from, float *to, int rows, int columns)
{
    lanes square[LANES];
    for (int i = 0; i < rows; i++)
        square[i] = load_row(from + i * turn->from_leading, turn->step, columns);
    for (int i = rows; i < LANES; i++)
        square[i] = (lanes){0};
    lanes_transpose(square);
    for (int j = 0; j < columns; j++)
        lanes_store_some(to + (size_t)j * turn->to_leading, square[j], rows);
}

static void turn_whole(const layer_turn *turn, const float *from, float *to)
{
    lanes square[LANES];
    lanes_load_transposed(from, (size_t)turn->from_leading, square);
    for (size_t j = 0; j < LANES; j++)
        lanes_store(to + j * turn->to_leading, square[j]);
}

/* Up to LANES rows of LANES columns. */
static void turn_rows(const layer_turn *turn, const float *from, float *to, int rows)
{
    lanes square[LANES];
    const float *row[LANES];
    for (int i = 0; i < LANES; i++)
        row[i] = from + (i < rows ? i : rows - 1) * turn->from_leading;
    lanes_load_transposed_rows(row, square);
    for (size_t j = 0; j < LANES; j++)
        lanes_store_some(to + j * turn->to_leading, square[j], rows);
}

static void turn_matrix(const layer_turn *turn)
{
    for (size_t j = 0; j < turn->columns; j += LANES)
        for (size_t i = 0; i < turn->rows; i += LANES) {
            const float *const from =
                turn->from + (ptrdiff_t)i * turn->from_leading + (ptrdiff_t)j * turn->step;
            float *const to = turn->to + j * turn->to_leading + i;
            const int rows = (int)layer_smaller(LANES, turn->rows - i);
            const int columns = (int)layer_smaller(LANES, turn->columns - j);
            if (rows == LANES && columns == LANES && turn->step == 1 && turn->from_leading > 0)
                turn_whole(turn, from, to);
            else if (columns == LANES && turn->step == 1)
                turn_rows(turn, from, to, rows);
            else
                turn_part(turn, from, to, rows, columns);
        }
}

const layer_turn_kernels LAYER_KERNELS(layer_turn_kernels) = {turn_matrix};
