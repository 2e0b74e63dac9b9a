/* Fourier's transform of tiles: along columns, a vector of neighbouring ones at a time, then along
 * rows that a transpose has made columns. It leaves numbers in an order that its inverse undoes.
 * SPDX-License-Identifier: MIT */
#include "conv/fft.h"
#include "core/kernels/transpose.h"

#define FFT_INLINE __attribute__((always_inline)) static inline

/* A vector of complex numbers: in memory the real parts, then the imaginary ones. */
typedef struct {
    lanes re, im;
} complexes;
enum { COMPLEX = 2 * LANES };

FFT_INLINE complexes load(const float *x)
{
    return (complexes){lanes_load(x), lanes_load(x + LANES)};
}

FFT_INLINE void store(float *x, complexes a)
{
    lanes_store(x, a.re);
    lanes_store(x + LANES, a.im);
}

FFT_INLINE complexes add(complexes a, complexes b)
{
    return (complexes){a.re + b.re, a.im + b.im};
}

FFT_INLINE complexes subtract(complexes a, complexes b)
{
    return (complexes){a.re - b.re, a.im - b.im};
}

FFT_INLINE complexes multiply(complexes a, complexes b)
{
    return (complexes){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* By i. */
FFT_INLINE complexes turn(complexes a)
{
    return (complexes){-a.im, a.re};
}

/* ---- Along columns --------------------------------------------------------------------------- */

/* Some column vectors, `count` long, and roots of unity. */
typedef struct {
    float *x;
    int count;
    const float *roots;
    int root_count;
} columns;

/* Three roots: of an index, and its double and triple. */
typedef struct {
    complexes one, two, three;
} root_powers;

FFT_INLINE complexes root(const columns *all, int index, const bool inverse)
{
    const float *const of = all->roots + 2 * index;
    return (complexes){lanes_all(of[0]), lanes_all(inverse ? -of[1] : of[1])};
}

FFT_INLINE root_powers powers_of(const columns *all, int index, const bool inverse)
{
    return (root_powers){root(all, index, inverse), root(all, 2 * index, inverse),
                         root(all, 3 * index, inverse)};
}

/* Four numbers a quarter of a block apart: a step to four transforms of a quarter of its size each,
 * and back. Decimation in frequency; the inverse mirrors it. Without roots they are all 1. */
FFT_INLINE void separate_four(float *x, ptrdiff_t quarter, const root_powers *roots)
{
    const complexes a = load(x), b = load(x + quarter);
    const complexes c = load(x + 2 * quarter), d = load(x + 3 * quarter);
    const complexes even = add(a, c), odd = add(b, d);
    const complexes even_rest = subtract(a, c), odd_rest = turn(subtract(d, b));
    const complexes one = add(even_rest, odd_rest), two = subtract(even, odd);
    const complexes three = subtract(even_rest, odd_rest);
    store(x, add(even, odd));
    store(x + quarter, roots == NULL ? one : multiply(one, roots->one));
    store(x + 2 * quarter, roots == NULL ? two : multiply(two, roots->two));
    store(x + 3 * quarter, roots == NULL ? three : multiply(three, roots->three));
}

FFT_INLINE void join_four(float *x, ptrdiff_t quarter, const root_powers *roots)
{
    const complexes one = load(x + quarter), two = load(x + 2 * quarter);
    const complexes three = load(x + 3 * quarter);
    const complexes a = load(x), b = roots == NULL ? one : multiply(one, roots->one);
    const complexes c = roots == NULL ? two : multiply(two, roots->two);
    const complexes d = roots == NULL ? three : multiply(three, roots->three);
    const complexes even = add(a, c), even_rest = subtract(a, c);
    const complexes odd = add(b, d), odd_rest = turn(subtract(b, d));
    store(x, add(even, odd));
    store(x + quarter, add(even_rest, odd_rest));
    store(x + 2 * quarter, subtract(even, odd));
    store(x + 3 * quarter, subtract(even_rest, odd_rest));
}

FFT_INLINE void step_four(float *x, ptrdiff_t quarter, const root_powers *roots, const bool inverse)
{
    if (inverse)
        join_four(x, quarter, roots);
    else
        separate_four(x, quarter, roots);
}

FFT_INLINE void pass_four(const columns *all, int block, const bool inverse)
{
    const int step = all->root_count / block, count = all->count;
    const ptrdiff_t quarter = (ptrdiff_t)(block / 4) * COMPLEX, whole = (ptrdiff_t)block * COMPLEX;
    float *const end = all->x + (ptrdiff_t)count * COMPLEX;
    for (float *x = all->x; x < end; x += whole)
        step_four(x, quarter, NULL, inverse);
    for (int i = 1; i < block / 4; i++) {
        const root_powers roots = powers_of(all, i * step, inverse);
        for (float *x = all->x + (ptrdiff_t)i * COMPLEX; x < end; x += whole)
            step_four(x, quarter, &roots, inverse);
    }
}

static void pass_two(const columns *all)
{
    for (int i = 0; i < all->count; i += 2) {
        float *const x = all->x + (ptrdiff_t)i * COMPLEX;
        const complexes a = load(x), b = load(x + COMPLEX);
        store(x, add(a, b));
        store(x + COMPLEX, subtract(a, b));
    }
}

static void transform(const columns *all)
{
    int block = all->count;
    for (; block >= 4; block /= 4)
        pass_four(all, block, false);
    if (block == 2)
        pass_two(all);
}

static void transform_back(const columns *all)
{
    int block = 4;
    for (int size = all->count; size > 1; size /= 4)
        if (size == 2) {
            pass_two(all);
            block = 8;
        }
    for (; block <= all->count; block *= 4)
        pass_four(all, block, true);
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

/* A tile lies in memory as strips, each of LANES neighbouring columns. */
FFT_INLINE columns strip_at(const layer_fft *fft, int strip)
{
    return (columns){fft->tile + (ptrdiff_t)strip * fft->height * COMPLEX, fft->height, fft->roots,
                     fft->root_count};
}

static int clamped(ptrdiff_t lane)
{
    return lane < 0 ? 0 : lane < LANES ? (int)lane : LANES;
}

/* Up to LANES columns of a source, from `column` on, into each complex number's real part or,
 * behind that, its imaginary one. */
static void read_columns(const layer_fft_source *source, int height, int column, float *to)
{
    const int begin = clamped(source->columns.begin - column);
    const int end = clamped(source->columns.end - column);
    const lanes_range range = lanes_between(begin, end);
    for (int row = 0; row < height; row++, to += COMPLEX)
        if (source->x == NULL || row < source->rows.begin || row >= source->rows.end)
            lanes_store(to, (lanes){0});
        else if (begin == 0 && end == LANES)
            lanes_store(to, lanes_load(source->x + row * source->leading + column));
        else
            lanes_store(to, lanes_load_range(source->x + row * source->leading + column, range));
}

static void read_strips(const layer_fft *fft, const layer_fft_source *real,
                        const layer_fft_source *imaginary)
{
    for (int strip = 0; strip < fft->width / LANES; strip++) {
        const columns all = strip_at(fft, strip);
        read_columns(real, fft->height, strip * LANES, all.x);
        read_columns(imaginary, fft->height, strip * LANES, all.x + LANES);
        transform(&all);
    }
}

/* LANES rows of the tile become columns, or these become rows again. */
static void turn_rows(const layer_fft *fft, int row, bool back)
{
    for (int strip = 0; strip < fft->width / LANES; strip++) {
        float *const in_tile = strip_at(fft, strip).x + (ptrdiff_t)row * COMPLEX;
        float *const in_rows = fft->rows + (ptrdiff_t)strip * LANES * COMPLEX;
        const float *const from = back ? in_rows : in_tile;
        float *const to = back ? in_tile : in_rows;
        for (int part = 0; part < COMPLEX; part += LANES) {
            lanes turned[LANES];
            lanes_load_transposed(from + part, COMPLEX, turned);
            for (int i = 0; i < LANES; i++)
                lanes_store(to + part + (ptrdiff_t)i * COMPLEX, turned[i]);
        }
    }
}

static void analyze(const layer_fft *fft, const layer_fft_source *kernel, float *spectrum)
{
    static const layer_fft_source nothing = {0};
    const columns rows = {fft->rows, fft->width, fft->roots, fft->root_count};
    const float scale = 1 / ((float)fft->height * (float)fft->width);
    read_strips(fft, kernel, &nothing);
    for (int row = 0; row < fft->height; row += LANES) {
        turn_rows(fft, row, false);
        transform(&rows);
        for (ptrdiff_t i = 0; i < (ptrdiff_t)fft->width * COMPLEX; i += LANES, spectrum += LANES)
            lanes_store(spectrum, lanes_load(fft->rows + i) * scale);
    }
}

static void filter_rows(const layer_fft *fft, const float *spectrum)
{
    const columns rows = {fft->rows, fft->width, fft->roots, fft->root_count};
    for (int row = 0; row < fft->height; row += LANES) {
        turn_rows(fft, row, false);
        transform(&rows);
        for (int i = 0; i < fft->width; i++, spectrum += COMPLEX) {
            float *const x = fft->rows + (ptrdiff_t)i * COMPLEX;
            store(x, multiply(load(x), load(spectrum)));
        }
        transform_back(&rows);
        turn_rows(fft, row, true);
    }
}

/* ---- Results --------------------------------------------------------------------------------- */

/* Of LANES columns from `column` on, side by side in the output. */
static void write_neighbours(const layer_fft_target *target, int column, const float *x)
{
    const int first = column - target->first_column; /* may be negative, as the pointer's offset */
    const lanes_range range =
        lanes_between(clamped(-(ptrdiff_t)first), clamped((ptrdiff_t)target->columns - first));
    const lanes bias = lanes_all(target->bias);
    for (int row = 0; row < target->rows; row++) {
        float *const to = target->output + row * target->leading + first;
        const int in_tile = target->first_row + row * target->row_stride;
        const lanes before = target->accumulates ? lanes_load_range(to, range) : bias;
        lanes_store_range(to, before + lanes_load(x + (ptrdiff_t)in_tile * COMPLEX), range);
    }
}

static void write_some(const layer_fft_target *target, int column, const float *x)
{
    for (int lane = 0; lane < LANES; lane++) {
        const int beyond = column + lane - target->first_column, q = beyond / target->column_stride;
        if (beyond < 0 || beyond % target->column_stride != 0 || q >= target->columns)
            continue;
        for (int row = 0; row < target->rows; row++) {
            float *const to = target->output + row * target->leading + q;
            const int in_tile = target->first_row + row * target->row_stride;
            *to =
                (target->accumulates ? *to : target->bias) + x[(ptrdiff_t)in_tile * COMPLEX + lane];
        }
    }
}

static void write_columns(const layer_fft_target *target, int column, const float *x)
{
    if (target->output == NULL)
        return;
    if (target->column_stride == 1)
        write_neighbours(target, column, x);
    else
        write_some(target, column, x);
}

static void filter(const layer_fft *fft, const layer_fft_source sources[2], const float *spectrum,
                   const layer_fft_target targets[2])
{
    read_strips(fft, &sources[0], &sources[1]);
    filter_rows(fft, spectrum);
    for (int strip = 0; strip < fft->width / LANES; strip++) {
        const columns all = strip_at(fft, strip);
        transform_back(&all);
        write_columns(&targets[0], strip * LANES, all.x);
        write_columns(&targets[1], strip * LANES, all.x + LANES);
    }
}

const layer_fft_kernels LAYER_KERNELS(layer_fft_kernels) = {analyze, filter};
