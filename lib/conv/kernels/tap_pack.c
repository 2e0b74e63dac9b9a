/* Exchanging channels and outputs of kernels, and putting cells apart.
 * SPDX-License-Identifier: MIT */
#include "conv/taps.h"
#include "core/blocks.h"
#include "core/kernels/vectors.h"

/* Output channels between a kernel and the one that is fetched meanwhile. */
enum { AHEAD = 4 };

static void pack_each(const layer_taps *taps, const float *kernel, float *packed)
{
    for (size_t t = 0; t < taps->count; t++)
        packed[t] = kernel[taps->cells[t]];
}

/* What lies ahead in the cache is a line for every kernel or two. */
static void fetch(const layer_taps *taps, size_t k, const float *kernel)
{
    if (k + AHEAD < taps->outputs)
        __builtin_prefetch(kernel + AHEAD * taps->output_step);
}

#if defined(__AVX512F__)
/* Kernels of up to a vector. */
static void pack_small(const layer_taps *taps)
{
    const int kernel_count = (int)taps->kernel, count = (int)taps->count;
    const __m512i cells = _mm512_maskz_loadu_epi32((__mmask16)((1u << count) - 1), taps->cells);
    for (size_t k = 0; k < taps->outputs; k++)
        for (size_t c = 0; c < taps->channels; c++) {
            const float *const kernel = taps->weight + k * taps->output_step + c * taps->kernel;
            fetch(taps, k, kernel);
            const lanes whole = lanes_load_some(kernel, kernel_count);
            lanes_store_some(taps->packed + c * taps->channel_step + k * taps->count,
                             (lanes)_mm512_permutexvar_ps(cells, (__m512)whole), count);
        }
}
#else
static void pack_small(const layer_taps *taps)
{
    for (size_t k = 0; k < taps->outputs; k++)
        for (size_t c = 0; c < taps->channels; c++) {
            const float *const kernel = taps->weight + k * taps->output_step + c * taps->kernel;
            fetch(taps, k, kernel);
            pack_each(taps, kernel, taps->packed + c * taps->channel_step + k * taps->count);
        }
}
#endif

static void pack(const layer_taps *taps)
{
    if (taps->kernel <= LANES) {
        pack_small(taps);
        return;
    }
    for (size_t k = 0; k < taps->outputs; k++)
        for (size_t c = 0; c < taps->channels; c++)
            pack_each(taps, taps->weight + k * taps->output_step + c * taps->kernel,
                      taps->packed + c * taps->channel_step + k * taps->count);
}

static void place_each(const float *cells, size_t count, float *line, size_t stride)
{
    for (size_t i = 0; i < count; i++)
        line[i * stride] = cells[i];
}

#if defined(__AVX512F__)
/* Half a vector of cells at a time; what lies between them is not written. */
static void place_alternate(const float *cells, size_t count, float *line)
{
    enum { HALF = LANES / 2 };
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    for (size_t i = 0; i < count; i += HALF) {
        const int some = count - i < HALF ? (int)(count - i) : HALF;
        const __mmask16 alternate = (__mmask16)(((1u << (2 * some)) - 1) & 0x5555);
        const lanes apart =
            (lanes)_mm512_permutexvar_ps(twice, (__m512)lanes_load_some(cells + i, some));
        _mm512_mask_storeu_ps(line + 2 * i, alternate, (__m512)apart);
    }
}
#else
static void place_alternate(const float *cells, size_t count, float *line)
{
    place_each(cells, count, line, 2);
}
#endif

static void place(const float *cells, size_t count, float *line, size_t stride)
{
    if (stride == 2)
        place_alternate(cells, count, line);
    else
        place_each(cells, count, line, stride);
}

#if defined(__AVX512F__)
/* Two vectors at a time of the line, which takes from both halves of its cells. */
static void merge(const float *even, const float *odd, size_t count, float *line)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(LANES / 2));
    for (size_t i = 0; i < count; i += 2 * LANES, even += LANES, odd += LANES) {
        const int some = (int)layer_smaller(2 * LANES, count - i);
        const __m512 a = (__m512)lanes_load_some(even, (some + 1) / 2);
        const __m512 b = (__m512)lanes_load_some(odd, some / 2);
        const int first = some < LANES ? some : LANES;
        lanes_store_some(line + i, (lanes)_mm512_permutex2var_ps(a, low, b), first);
        lanes_store_some(line + i + LANES, (lanes)_mm512_permutex2var_ps(a, high, b), some - first);
    }
}
#else
static void merge(const float *even, const float *odd, size_t count, float *line)
{
    for (size_t i = 0; i + 2 <= count; i += 2) {
        line[i] = even[i / 2];
        line[i + 1] = odd[i / 2];
    }
    if (count % 2 > 0)
        line[count - 1] = even[count / 2];
}
#endif

const layer_tap_kernels LAYER_KERNELS(layer_tap_kernels) = {pack, place, merge};
