/* Vectors of neighbouring floats, as wide as the registers of the instruction set that is compiled
 * for. SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_KERNELS_VECTORS_H
#define LAYER_CORE_KERNELS_VECTORS_H

#include <stddef.h>
#include <string.h>

#if defined(__AVX__)
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

static inline float lanes_sum(lanes summed)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)summed);
#else
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            summed[i] += summed[i + half];
    return summed[0];
#endif
}

/* Lanes 0, 2, 4 ... of the two, one after the other. */
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

/* The first `count` only, 0 to LANES; the rest is neither read, and zero, nor written. */
static inline lanes lanes_load_some(const float *x, int count)
{
#if defined(__AVX512F__)
    return (lanes)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#elif defined(__AVX__)
    return (lanes)_mm256_maskload_ps(x, lanes_mask(count));
#else
    lanes loaded = {0};
    for (int i = 0; i < count; i++)
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
    for (int i = range.begin; i < range.end; i++)
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
    for (int i = 0; i < count; i++)
        x[i] = stored[i];
#endif
}

#endif
