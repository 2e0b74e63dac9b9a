/* Vectors of neighbouring floats, as wide as the registers of the instruction set that is compiled
 * for. SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_VECTORS_H
#define LAYER_CORE_KERNELS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static inline lanes lanes_load(const float *x)
{
    lanes loaded;
    memcpy(&loaded, x, sizeof loaded);
    return loaded;
}

static inline void lanes_store(float *x, lanes stored)
{
    memcpy(x, &stored, sizeof stored);
}

/* Past the caches, to a multiple of a vector's size; only with AVX-512, whose vectors are whole
 * lines. Before another thread reads what was stored, lanes_end_stream() has to be called. */
static inline void lanes_stream(float *x, lanes stored)
{
#if defined(__AVX512F__)
    _mm512_stream_ps(x, (__m512)stored);
#else
    lanes_store(x, stored);
#endif
}

static inline void lanes_end_stream(void)
{
#if defined(__AVX512F__)
    _mm_sfence();
#endif
}

static inline lanes lanes_all(float value)
{
    return value - (lanes){0};
}

#if defined(__AVX__) && !defined(__AVX512F__)
/* Ones for the first `count` lanes. */
static inline __m256i lanes_mask(int count)
{
    static const int ones[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(ones + LANES - count));
}
#endif

/* Lanes 0, 2, 4 ... of the two, one after the other; and 1, 3, 5 ... */
static inline lanes lanes_even(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif defined(__AVX__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}

static inline lanes lanes_odd(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX__)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

/* The last lanes of `a`, from the second, or the third on, and then the first of `b`. */
static inline lanes lanes_second(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
#elif defined(__AVX__)
    return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8);
#else
    return __builtin_shufflevector(a, b, 1, 2, 3, 4);
#endif
}

static inline lanes lanes_third(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return __builtin_shufflevector(a, b, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
#elif defined(__AVX__)
    return __builtin_shufflevector(a, b, 2, 3, 4, 5, 6, 7, 8, 9);
#else
    return __builtin_shufflevector(a, b, 2, 3, 4, 5);
#endif
}

/* The first `count` only, 0 to LANES; the rest is neither read, and zero, nor written. */
static inline lanes lanes_load_some(const float *x, int count)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#elif defined(__AVX__)
    return (lanes)_mm256_maskload_ps(x, lanes_mask(count));
#else
    lanes loaded = {0};
    for (int i = 0; i < LANES; i++)
        if (i < count)
            loaded[i] = x[i];
    return loaded;
#endif
}

/* Some lanes, side by side. */
#if defined(__AVX512F__)
typedef __mmask16 lanes_range;
#elif defined(__AVX__)
typedef __m256i lanes_range;
#else
typedef struct {
    int begin, end;
} lanes_range;
#endif

/* Lanes `begin` to before `end`, 0 to LANES. */
static inline lanes_range lanes_between(int begin, int end)
{
#if defined(__AVX512F__)
    return (lanes_range)(((1u << end) - 1) & ~((1u << begin) - 1));
#elif defined(__AVX__)
    return (lanes_range)(lanes_mask(end) & ~lanes_mask(begin));
#else
    return (lanes_range){begin, end};
#endif
}

/* The others are not read, and zero. */
static inline lanes lanes_load_range(const float *x, lanes_range range)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_maskz_loadu_ps(range, x);
#elif defined(__AVX__)
    return (lanes)_mm256_maskload_ps(x, range);
#else
    lanes loaded = {0};
    for (int i = 0; i < LANES; i++)
        if (i >= range.begin && i < range.end)
            loaded[i] = x[i];
    return loaded;
#endif
}

/* The others are those of `under`. */
static inline lanes lanes_load_over(lanes under, const float *x, lanes_range range)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_mask_loadu_ps((__m512)under, range, x);
#elif defined(__AVX__)
    return (lanes)_mm256_blendv_ps((__m256)under, _mm256_maskload_ps(x, range), (__m256)range);
#else
    for (int i = range.begin; i < range.end; i++)
        under[i] = x[i];
    return under;
#endif
}

static inline void lanes_store_some(float *x, lanes stored, int count)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), (__m512)stored);
#elif defined(__AVX__)
    _mm256_maskstore_ps(x, lanes_mask(count), (__m256)stored);
#else
    for (int i = 0; i < LANES; i++)
        if (i < count)
            x[i] = stored[i];
#endif
}

/* The others are not written. */
static inline void lanes_store_range(float *x, lanes stored, lanes_range range)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(x, range, (__m512)stored);
#elif defined(__AVX__)
    _mm256_maskstore_ps(x, range, (__m256)stored);
#else
    for (int i = 0; i < LANES; i++)
        if (i >= range.begin && i < range.end)
            x[i] = stored[i];
#endif
}

/* In each lane the larger; the former where they are equal, and where one is NaN. */
static inline lanes lanes_larger(lanes former, lanes latter)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_max_ps((__m512)latter, (__m512)former);
#elif defined(__AVX__)
    return (lanes)_mm256_max_ps((__m256)latter, (__m256)former);
#elif defined(__SSE2__)
    return (lanes)_mm_max_ps((__m128)latter, (__m128)former);
#else
    typedef int bits __attribute__((vector_size(sizeof(lanes))));
    const bits is_larger = latter > former;
    return (lanes)((is_larger & (bits)latter) | (~is_larger & (bits)former));
#endif
}

/* A flag for each lane; flags are joined by |. */
#if defined(__AVX512F__)
typedef __mmask16 lanes_flags;
#else
typedef int lanes_flags __attribute__((vector_size(sizeof(lanes))));
#endif

/* Where one is NaN. */
static inline lanes_flags lanes_unordered(lanes a, lanes b)
{
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q);
#elif defined(__AVX__)
    return (lanes_flags)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_UNORD_Q);
#elif defined(__SSE2__)
    return (lanes_flags)_mm_cmpunord_ps((__m128)a, (__m128)b);
#else
    return (a != a) | (b != b);
#endif
}

/* Whether any flag is set. */
static inline bool lanes_flagged(lanes_flags flags)
{
#if defined(__AVX512F__)
    return flags != 0;
#elif defined(__AVX__)
    return _mm256_movemask_ps((__m256)flags) != 0;
#elif defined(__SSE2__)
    return _mm_movemask_ps((__m128)flags) != 0;
#else
    int any = 0;
    for (int i = 0; i < LANES; i++)
        any |= flags[i];
    return any != 0;
#endif
}

/* The sum of all lanes, and the largest of them if none is NaN. */
static inline float lanes_sum(lanes x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)x);
#else
#if defined(__AVX__)
    const __m128 four = _mm256_castps256_ps128((__m256)x) + _mm256_extractf128_ps((__m256)x, 1);
#else
    const lanes four = x;
#endif
    return (four[0] + four[2]) + (four[1] + four[3]);
#endif
}

static inline float lanes_largest(lanes x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)x);
#else
    float largest = x[0];
    for (int i = 1; i < LANES; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
#endif
}

#endif
