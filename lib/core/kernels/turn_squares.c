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

#if defined(__AVX512F__)
/* Which column an element belongs to where three rows are turned into one line. */
static const int column_of[3 * LANES] = {
    0, 0, 0, 1, 1, 1, 2,  2,  2,  3,  3,  3,  4,  4,  4,  5,  5,  5,  6,  6,  6,  7,  7,  7,
    8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15};

/* LANES columns of three rows, such as an image's colours. */
static void turn_three(const layer_turn *turn, const float *from, float *to)
{
    static const __mmask16 second[3] = {0x2492, 0x9249, 0x4924},
                           third[3] = {0x4924, 0x2492, 0x9249};
    const __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + turn->from_leading);
    const __m512 c = _mm512_loadu_ps(from + 2 * turn->from_leading);
    for (int i = 0; i < 3; i++) {
        const __m512i columns = _mm512_loadu_si512(column_of + i * LANES);
        const __m512i places =
            _mm512_mask_add_epi32(columns, second[i], columns, _mm512_set1_epi32(LANES));
        const __m512 two = _mm512_permutex2var_ps(a, places, b);
        _mm512_storeu_ps(to + i * LANES, _mm512_mask_permutexvar_ps(two, third[i], columns, c));
    }
}
#else
static void turn_three(const layer_turn *turn, const float *from, float *to)
{
    turn_rows(turn, from, to, 3);
}
#endif

static void turn_matrix(const layer_turn *turn)
{
    const bool are_three = turn->rows == 3 && turn->to_leading == 3 && turn->step == 1;
    for (size_t j = 0; j < turn->columns; j += LANES)
        for (size_t i = 0; i < turn->rows; i += LANES) {
            const float *const from =
                turn->from + (ptrdiff_t)i * turn->from_leading + (ptrdiff_t)j * turn->step;
            float *const to = turn->to + j * turn->to_leading + i;
            const int rows = (int)layer_smaller(LANES, turn->rows - i);
            const int columns = (int)layer_smaller(LANES, turn->columns - j);
            if (rows == LANES && columns == LANES && turn->step == 1 && turn->from_leading > 0)
                turn_whole(turn, from, to);
            else if (columns == LANES && are_three)
                turn_three(turn, from, to);
            else if (columns == LANES && turn->step == 1)
                turn_rows(turn, from, to, rows);
            else
                turn_part(turn, from, to, rows, columns);
        }
}

const layer_turn_kernels LAYER_KERNELS(layer_turn_kernels) = {turn_matrix};
