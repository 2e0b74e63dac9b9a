/* Filtering a pair of tiles by their spectra.
 *
 * Fourier's transform makes a product of what is a sum over the kernel in space. Two tiles are
 * transformed at once, one as the real part, one as the imaginary part: the kernel being real, the
 * parts stay apart. Source: Cooley & Tukey, "An algorithm for the machine calculation of complex
 * Fourier series", 1965; Stockham, "High-speed convolution and correlation", 1966, for the tiles.
 *
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FFT_H
#define LAYER_CONV_FFT_H

#include "core/inside.h"
#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* The sides of tiles are powers of 2 from here on. */
enum { LAYER_FFT_LEAST_SIDE = 16, LAYER_FFT_MOST_SIDE = 512 };

/* Of complex numbers, each scratch being 64-byte aligned; `roots` are exp(-2 pi i k / root_count),
 * one after the other, root_count being a multiple of both sides. */
typedef struct {
    int height, width;
    const float *roots;
    int root_count;
    float *tile; /* [height * width] complex */
    float *rows; /* [width] of as many as a vector has lanes, LAYER_FFT_ROWS complex each */
} layer_fft;
enum { LAYER_FFT_ROWS = 16 };

/* A tile of reals: `x` is where its first cell would be; cells not within are zero. NULL: all. */
typedef struct {
    const float *x;
    ptrdiff_t leading;
    layer_steps rows, columns;
} layer_fft_source;

/* Where results go: those of rows first_row, first_row + row_stride ... of the tile, `rows` of
 * them, and of columns alike. Adds to what is there, or else to the bias. NULL: nowhere. */
typedef struct {
    float *output;
    ptrdiff_t leading;
    int first_row, row_stride, rows;
    int first_column, column_stride, columns;
    float bias;
    bool accumulates;
} layer_fft_target;

typedef struct {
    /* spectrum [height * width] complex, in an order of its own, divided by that number. */
    void (*analyze)(const layer_fft *fft, const layer_fft_source *kernel, float *spectrum);
    /* Convolves two sources, around the tile's ends, with what was analyzed. */
    void (*filter)(const layer_fft *fft, const layer_fft_source sources[2], const float *spectrum,
                   const layer_fft_target targets[2]);
} layer_fft_kernels;
LAYER_DECLARE_KERNELS(layer_fft_kernels)

#endif
