/* Transposing squares of vectors: lane j of row i and lane i of row j change places.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_TRANSPOSE_H
#define LAYER_CORE_KERNELS_TRANSPOSE_H

#include "core/kernels/vectors.h"

/* Of two rows that lie `d` apart, lane l of the first and of the second after the exchange of the
 * blocks of d lanes that the diagonal parts. */
#define LANE_OF_FIRST(d, l)  ((l) & (d) ? LANES + (l) - (d) : (l))
#define LANE_OF_SECOND(d, l) ((l) & (d) ? LANES + (l) : (l) + (d))

#define LANES_TO_4(lane, d) lane(d, 0), lane(d, 1), lane(d, 2), lane(d, 3)
#define LANES_TO_8(lane, d) LANES_TO_4(lane, d), lane(d, 4), lane(d, 5), lane(d, 6), lane(d, 7)
#define LANES_TO_16(lane, d)                                                                       \
    LANES_TO_8(lane, d), lane(d, 8), lane(d, 9), lane(d, 10), lane(d, 11), lane(d, 12),            \
        lane(d, 13), lane(d, 14), lane(d, 15)
#if defined(__AVX512F__)
#define ALL_LANES(lane, d) LANES_TO_16(lane, d)
#elif defined(__AVX__)
#define ALL_LANES(lane, d) LANES_TO_8(lane, d)
#else
#define ALL_LANES(lane, d) LANES_TO_4(lane, d)
#endif

#define EXCHANGE_BLOCKS(d)                                                                         \
    for (int i = 0; i < LANES; i++)                                                                \
        if ((i & (d)) == 0) {                                                                      \
            const lanes a = rows[i], b = rows[i + (d)];                                            \
            rows[i] = __builtin_shufflevector(a, b, ALL_LANES(LANE_OF_FIRST, d));                  \
            rows[i + (d)] = __builtin_shufflevector(a, b, ALL_LANES(LANE_OF_SECOND, d));           \
        }

/* In registers. Source: Eklundh, "A fast computer method for matrix transposing", 1972. */
__attribute__((always_inline)) static inline void lanes_transpose(lanes rows[LANES])
{
#if defined(__AVX512F__)
    EXCHANGE_BLOCKS(8)
#endif
#if defined(__AVX__)
    EXCHANGE_BLOCKS(4)
#endif
    EXCHANGE_BLOCKS(2)
    EXCHANGE_BLOCKS(1)
}

/* From memory, each row from where its pointer says. With AVX-512 quarters of rows are loaded to
 * where they belong: processors have one unit that moves lanes, but two that load. */
__attribute__((always_inline)) static inline void
lanes_load_transposed_rows(const float *const from[LANES], lanes columns[LANES])
{
#if defined(__AVX512F__)
    for (int quarter = 0; quarter < 4; quarter++) {
        __m512 rows[4];
        for (size_t i = 0; i < 4; i++) {
            rows[i] = _mm512_castps128_ps512(_mm_loadu_ps(from[i] + quarter * 4));
            rows[i] = _mm512_insertf32x4(rows[i], _mm_loadu_ps(from[i + 4] + quarter * 4), 1);
            rows[i] = _mm512_insertf32x4(rows[i], _mm_loadu_ps(from[i + 8] + quarter * 4), 2);
            rows[i] = _mm512_insertf32x4(rows[i], _mm_loadu_ps(from[i + 12] + quarter * 4), 3);
        }
        const __m512 low01 = _mm512_unpacklo_ps(rows[0], rows[1]);
        const __m512 high01 = _mm512_unpackhi_ps(rows[0], rows[1]);
        const __m512 low23 = _mm512_unpacklo_ps(rows[2], rows[3]);
        const __m512 high23 = _mm512_unpackhi_ps(rows[2], rows[3]);
        lanes *const column = columns + quarter * 4;
        column[0] = (lanes)_mm512_shuffle_ps(low01, low23, 0x44);
        column[1] = (lanes)_mm512_shuffle_ps(low01, low23, 0xEE);
        column[2] = (lanes)_mm512_shuffle_ps(high01, high23, 0x44);
        column[3] = (lanes)_mm512_shuffle_ps(high01, high23, 0xEE);
    }
#else
    for (size_t i = 0; i < LANES; i++)
        columns[i] = lanes_load(from[i]);
    lanes_transpose(columns);
#endif
}

/* From memory, where rows lie `stride` floats apart. */
__attribute__((always_inline)) static inline void
lanes_load_transposed(const float *from, size_t stride, lanes columns[LANES])
{
    const float *rows[LANES];
    for (size_t i = 0; i < LANES; i++)
        rows[i] = from + i * stride;
    lanes_load_transposed_rows(rows, columns);
}

#endif
