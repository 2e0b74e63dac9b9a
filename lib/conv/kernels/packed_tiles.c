/* Sums of products with output channels in the lanes: a tile of them in registers, a vector of
 * weights at a time multiplied with some values of the input.
 * Source: Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
 * architectures", arXiv:1808.05567, section II.
 * SPDX-License-Identifier: MIT */
#include "conv/packed.h"
#include "core/blocks.h"
#include "core/kernels/transpose.h"

/* The most outputs of a tile: the sums, the weights and a value of the input fill the registers, 32
 * with AVX-512, else 16. */
#if defined(__AVX512F__)
enum { MOST_OUTPUTS = 14 };
#else
enum { MOST_OUTPUTS = 6 };
#endif
enum { PAIR = 2 };

/* How many vectors of weights ahead they are fetched: they stream from the second cache. */
enum { AHEAD = 8 };

#define UNROLLED _Pragma("GCC unroll 14")

/* Where a tile's part of everything begins, and which of the products are its. */
typedef struct {
    const float *cells, *weights, *start;
    float *sums;
    size_t first, end;
} place;

/* Keeps the compiler from holding what it adds to another address in registers for each output. */
__attribute__((always_inline)) static inline const float *afresh(const float *pointer)
{
    __asm__("" : "+r"(pointer));
    return pointer;
}

/* Lines of `outputs` each, for some vectors of channels. Inlined with these as constants,
 * so that the sums are registers. */
__attribute__((always_inline)) static inline void accumulate_tile(const layer_packed_sums *of,
                                                                  place at, const int lines,
                                                                  const int outputs,
                                                                  const int vectors)
{
    const size_t channels = of->channels, line_step = of->line_step;
    const size_t *const rows = of->rows;
    const float *weights = at.weights + at.first * channels;
    const int count = lines * outputs;
    lanes sums[MOST_OUTPUTS][PAIR];
    UNROLLED
    for (int v = 0; v < vectors; v++) {
        const lanes start = at.start == NULL ? (lanes){0} : lanes_load(at.start + v * LANES);
        UNROLLED
        for (int i = 0; i < count; i++)
            sums[i][v] = start;
    }
    for (size_t k = at.first; k < at.end; k++, weights += channels) {
        const float *const first = at.cells + rows[k];
        const float *const second = lines == 2 ? afresh(first + line_step) : first;
        lanes factors[PAIR];
        __builtin_prefetch(first + 2 * outputs - 1); /* what the next tile meets */
        UNROLLED
        for (int v = 0; v < vectors; v++)
            __builtin_prefetch(weights + AHEAD * channels + v * LANES);
        UNROLLED
        for (int v = 0; v < vectors; v++)
            factors[v] = lanes_load(weights + v * LANES);
        UNROLLED
        for (int i = 0; i < count; i++) {
            const float value = i < outputs ? first[i] : second[i - outputs];
            UNROLLED
            for (int v = 0; v < vectors; v++)
                sums[i][v] += value * factors[v];
        }
    }
    UNROLLED
    for (int i = 0; i < count; i++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            const size_t output = (size_t)i + (i < outputs ? 0 : of->columns - (size_t)outputs);
            float *const to = at.sums + output * channels + v * LANES;
            lanes_store(to, at.start == NULL ? lanes_load(to) + sums[i][v] : sums[i][v]);
        }
    }
}

#define TILE(lines, outputs, vectors)                                                              \
    case outputs:                                                                                  \
        accumulate_tile(of, at, lines, outputs, vectors);                                          \
        return
#define TILES_TO_3(lines, vectors)                                                                 \
    TILE(lines, 1, vectors);                                                                       \
    TILE(lines, 2, vectors);                                                                       \
    TILE(lines, 3, vectors)
#define TILES_TO_6(lines, vectors)                                                                 \
    TILES_TO_3(lines, vectors);                                                                    \
    TILE(lines, 4, vectors);                                                                       \
    TILE(lines, 5, vectors);                                                                       \
    TILE(lines, 6, vectors)
#define TILES_TO_7(lines, vectors)                                                                 \
    TILES_TO_6(lines, vectors);                                                                    \
    TILE(lines, 7, vectors)
#define TILES_TO_14(lines, vectors)                                                                \
    TILES_TO_7(lines, vectors);                                                                    \
    TILE(lines, 8, vectors);                                                                       \
    TILE(lines, 9, vectors);                                                                       \
    TILE(lines, 10, vectors);                                                                      \
    TILE(lines, 11, vectors);                                                                      \
    TILE(lines, 12, vectors);                                                                      \
    TILE(lines, 13, vectors);                                                                      \
    TILE(lines, 14, vectors)

typedef void tile_function(const layer_packed_sums *of, place at, size_t outputs);
#define TILES(name, tiles, lines, vectors)                                                         \
    static void name(const layer_packed_sums *of, place at, size_t outputs)                        \
    {                                                                                              \
        switch (outputs) {                                                                         \
            tiles(lines, vectors);                                                                 \
        }                                                                                          \
    }
#if defined(__AVX512F__)
TILES(one_line_single, TILES_TO_14, 1, 1)
TILES(two_lines_single, TILES_TO_7, 2, 1)
TILES(one_line_pair, TILES_TO_14, 1, 2)
TILES(two_lines_pair, TILES_TO_7, 2, 2)
static tile_function *const one_line[] = {one_line_single, one_line_pair};
static tile_function *const two_lines[] = {two_lines_single, two_lines_pair};
#else
TILES(one_line_pair, TILES_TO_6, 1, 2)
TILES(two_lines_pair, TILES_TO_3, 2, 2)
static tile_function *const one_line[] = {NULL, one_line_pair};
static tile_function *const two_lines[] = {NULL, two_lines_pair};
#endif

/* The products of some of the kernel cells. */
static void choose(const layer_packed_skips *skips, layer_steps some, place *at)
{
    const int kernel = skips->window->kernel;
    at->first = at->end = 0;
    if (some.begin >= some.end)
        return;
    at->first = skips->each * (size_t)(skips->is_flipped ? kernel - some.end : some.begin);
    at->end = skips->each * (size_t)(skips->is_flipped ? kernel - some.begin : some.end);
}

/* Those that a window of lines `begin` to before `end` has on real input. */
static void choose_down(const layer_packed_skips *skips, size_t begin, size_t end, place *at)
{
    const layer_steps first = layer_inside_taps(skips->window, skips->first + (int)begin);
    const layer_steps last = layer_inside_taps(skips->window, skips->first + (int)end - 1);
    choose(skips, (layer_steps){last.begin, first.end}, at);
}

/* One kernel cell's, of those outputs of a tile that have it on real input. */
static void accumulate_tap(const layer_packed_sums *of, place at, layer_steps outputs, int tap,
                           tile_function *accumulate_outputs)
{
    const layer_steps inside = layer_inside_outputs(of->skips.window, tap);
    const int begin = inside.begin > outputs.begin ? inside.begin : outputs.begin;
    const int end = inside.end < outputs.end ? inside.end : outputs.end;
    if (begin >= end)
        return;
    choose(&of->skips, (layer_steps){tap, tap + 1}, &at);
    at.cells += begin - outputs.begin;
    at.sums += (size_t)(begin - outputs.begin) * of->channels;
    accumulate_outputs(of, at, (size_t)(end - begin));
}

/* A tile: first the kernel cells that all its outputs have on real input, then the others. */
static void accumulate_across(const layer_packed_sums *of, place at, layer_steps outputs,
                              tile_function *accumulate_outputs)
{
    const layer_steps first = layer_inside_taps(of->skips.window, outputs.begin);
    const layer_steps last = layer_inside_taps(of->skips.window, outputs.end - 1);
    const layer_steps all = {first.begin, last.end};
    choose(&of->skips, all, &at);
    accumulate_outputs(of, at, (size_t)(outputs.end - outputs.begin));
    at.start = NULL;
    for (int tap = last.begin; tap < first.end; tap++)
        if (tap < all.begin || tap >= all.end)
            accumulate_tap(of, at, outputs, tap, accumulate_outputs);
}

/* One line, or two together, in tiles as even as can be. */
static void accumulate_line(const layer_packed_sums *of, place at, size_t tiles,
                            tile_function *accumulate_outputs)
{
    const layer_packed_skips *const skips = &of->skips;
    for (size_t i = 0, column = 0; i < tiles; i++) {
        const size_t end = of->columns * (i + 1) / tiles;
        const int first = skips->first + (int)column, last = skips->first + (int)end;
        if (skips->window == NULL || skips->goes_down)
            accumulate_outputs(of, at, end - column);
        else
            accumulate_across(of, at, (layer_steps){first, last}, accumulate_outputs);
        at.cells += end - column;
        at.sums += (end - column) * of->channels;
        column = end;
    }
}

/* Two lines together where that makes larger tiles. */
static void accumulate_lines(const layer_packed_sums *of, place at, size_t vectors)
{
    const size_t of_one = layer_blocks_of(of->columns, MOST_OUTPUTS);
    const size_t of_two = layer_blocks_of(of->columns, MOST_OUTPUTS / 2);
    const bool are_paired = of_two < 2 * of_one;
    for (size_t line = 0, lines; line < of->lines; line += lines) {
        lines = are_paired && line + 2 <= of->lines ? 2 : 1;
        if (of->skips.window != NULL && of->skips.goes_down)
            choose_down(&of->skips, line, line + lines, &at);
        accumulate_line(of, at, lines == 2 ? of_two : of_one,
                        (lines == 2 ? two_lines : one_line)[vectors == PAIR]);
        at.cells += lines * of->line_step;
        at.sums += lines * of->columns * of->channels;
    }
}

static void accumulate(const layer_packed_sums *of)
{
    for (size_t channel = 0, vectors; channel < of->channels; channel += vectors * LANES) {
        vectors = layer_smaller(PAIR, (of->channels - channel) / LANES);
        const place at = {
            .cells = of->cells,
            .weights = of->weights + channel,
            .start = of->start == NULL ? NULL : of->start + channel,
            .sums = of->sums + channel,
            .end = of->depth,
        };
        accumulate_lines(of, at, vectors);
    }
}

/* A square of LANES rows: `rows` of its columns to where they belong, `count` lanes of each. */
static void turn(const float *from, size_t step, float *to, size_t to_step, size_t rows, int count)
{
    lanes columns[LANES];
    lanes_load_transposed(from, step, columns);
    for (size_t i = 0; i < rows; i++)
        if (count == LANES)
            lanes_store(to + i * to_step, columns[i]);
        else
            lanes_store_some(to + i * to_step, columns[i], count);
}

/* LANES products, from number `k` on in the order [inputs][kernel], of LANES channels. */
static void turn_weights(const layer_packed_weights *of, size_t channel, size_t k, float *to)
{
    lanes columns[LANES];
    size_t input = k / of->kernel, cell = k % of->kernel;
    lanes_load_transposed(of->weight + channel * of->depth + k, of->depth, columns);
    for (size_t i = 0; i < LANES; i++) {
        lanes_store(to + (cell * of->inputs + input) * of->width + channel, columns[i]);
        cell++;
        if (cell == of->kernel) {
            cell = 0;
            input++;
        }
    }
}

/* What is left of squares: channels from `first` on, those before only of the last products. */
static void lay_out_rest(const layer_packed_weights *of, size_t first, size_t whole, float *to)
{
    for (size_t k = 0; k < of->inputs * of->kernel; k++) {
        float *const row = to + (k % of->kernel * of->inputs + k / of->kernel) * of->width;
        for (size_t c = k < whole ? first : 0; c < of->width; c++)
            row[c] = c < of->channels ? of->weight[c * of->depth + k] : 0;
    }
}

static void lay_out(const layer_packed_weights *of, float *to)
{
    const size_t whole = of->inputs * of->kernel / LANES * LANES;
    const size_t channels = of->channels / LANES * LANES;
    for (size_t c = 0; c < channels; c += LANES)
        for (size_t k = 0; k < whole; k += LANES)
            turn_weights(of, c, k, to);
    if (channels < of->width || whole < of->inputs * of->kernel)
        lay_out_rest(of, channels, whole, to);
}

static void store(const float *sums, size_t count, size_t width, size_t channels, float *output,
                  size_t plane)
{
    for (size_t c = 0; c < channels; c += LANES)
        for (size_t i = 0; i < count; i += LANES)
            turn(sums + i * width + c, width, output + c * plane + i, plane,
                 layer_smaller(LANES, channels - c), (int)layer_smaller(LANES, count - i));
}

const layer_packed_kernels LAYER_KERNELS(layer_packed_kernels) = {lay_out, accumulate, store};
