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

typedef struct {
    const float *cells, *weights, *start;
    float *sums;
} place;

/* LINES lines of `outputs` each, for VECTORS vectors of channels. Inlined with these as constants,
 * so that the sums are registers. */
__attribute__((always_inline)) static inline void accumulate_tile(const layer_packed_sums *of,
                                                                  place at, const int lines,
                                                                  const int outputs,
                                                                  const int vectors)
{
    const size_t depth = of->depth, channels = of->channels, line_step = of->line_step;
    const size_t *const rows = of->rows;
    const float *weights = at.weights;
    const int count = lines * outputs;
    lanes sums[MOST_OUTPUTS][PAIR];
    UNROLLED
    for (int v = 0; v < vectors; v++) {
        const lanes start = at.start == NULL ? (lanes){0} : lanes_load(at.start + v * LANES);
        UNROLLED
        for (int i = 0; i < count; i++)
            sums[i][v] = start;
    }
    for (size_t k = 0; k < depth; k++, weights += channels) {
        const float *const first = at.cells + rows[k], *const second = first + line_step;
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

/* One line, or two together, in tiles as even as can be. */
static void accumulate_line(const layer_packed_sums *of, place at, size_t tiles,
                            tile_function *accumulate_outputs)
{
    for (size_t i = 0, column = 0; i < tiles; i++) {
        const size_t end = of->columns * (i + 1) / tiles;
        accumulate_outputs(of, at, end - column);
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
    size_t line = 0;
    for (; of_two < 2 * of_one && line + 2 <= of->lines; line += 2) {
        accumulate_line(of, at, of_two, two_lines[vectors - 1]);
        at.cells += 2 * of->line_step;
        at.sums += 2 * of->columns * of->channels;
    }
    for (; line < of->lines; line++) {
        accumulate_line(of, at, of_one, one_line[vectors - 1]);
        at.cells += of->line_step;
        at.sums += of->columns * of->channels;
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
        };
        accumulate_lines(of, at, vectors);
    }
}

/* LANES products of LANES channels. */
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

static void lay_out(const float *weight, size_t channels, size_t depth, size_t width, float *to)
{
    const size_t whole_channels = channels / LANES * LANES, whole_depth = depth / LANES * LANES;
    for (size_t c = 0; c < whole_channels; c += LANES)
        for (size_t k = 0; k < whole_depth; k += LANES)
            turn(weight + c * depth + k, depth, to + k * width + c, width, LANES, LANES);
    for (size_t k = 0; k < depth; k++)
        for (size_t c = k < whole_depth ? whole_channels : 0; c < width; c++)
            to[k * width + c] = c < channels ? weight[c * depth + k] : 0;
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
