/* Transposing a square of vectors in registers.
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

/* Lane j of row i and lane i of row j change places. Source: Eklundh, "A fast computer method for
 * matrix transposing", 1972. */
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

#endif
