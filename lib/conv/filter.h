/* Filtering a plane: each output is a sum over a kernel's cells of what they meet. The core of what
 * computes plane by plane: depthwise convolution, filters of images.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_FILTER_H
#define LAYER_CONV_FILTER_H

#include "core/inside.h"
#include "core/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* Rows of outputs that are computed at once, so that a line of input is loaded once for them. */
enum { LAYER_FILTER_ROWS = 4 };

/* Floats that gathered lines need after the last one: vectors are loaded and stored whole. */
enum { LAYER_FILTER_SLACK = 16 };

/* Bytes of scratch that a column of the kernel takes. */
enum { LAYER_FILTER_TAP_SIZE = 128 };

/* Lines of input brought together: their floats number start, start + stride, ..., where they lie
 * on the line, and zeros elsewhere. */
typedef struct {
    const float *plane;
    ptrdiff_t width; /* of the plane */
    const ptrdiff_t *lines, *lines_end;
    ptrdiff_t start, stride;
    layer_steps inside; /* which of them lie on the line */
    int count;          /* all of them */
    float *gathered;
    size_t leading; /* floats between gathered lines */
} layer_gathering;

/* A line that a group of output rows meets: which one, counted from the first that they may meet;
 * which of the rows meet it, a bit for each; and where the weights of that meeting lie. */
typedef struct {
    ptrdiff_t line;
    unsigned rows;
    ptrdiff_t weights[LAYER_FILTER_ROWS];
} layer_filter_step;

/* A column of the kernel: where in a line output column 0 meets it, and where its weight lies from
 * the first of its line on. */
typedef struct {
    ptrdiff_t column, weight;
} layer_filter_tap;

/* Some rows of outputs, in groups that begin `group_lines` lines after each other:
 *
 *     output[row][q] = start + the sum over steps, rows having it, and taps of
 *         weight[step.weights[row] + tap.weight] *
 *         input[lines[first_line + step.line] + first_column + tap.column + q]
 *
 * leaving out lines that are not 0 to line_count - 1, and what is not column 0 to width - 1 of a
 * line; start is the bias, or what output holds if it accumulates. What is left out of a block of
 * vectors must lie in its first and last one.
 */
typedef struct {
    const layer_filter_step *steps, *steps_end;
    const layer_filter_tap *taps, *taps_end;
    const float *input;
    const ptrdiff_t *lines;
    ptrdiff_t first_line, group_lines, line_count, first_column, width;
    const float *weight;
    float *output;
    size_t leading; /* floats between rows of outputs */
    int rows, columns;
    float bias;
    bool accumulates;
    void *scratch; /* LAYER_FILTER_TAP_SIZE bytes for each tap */

    int kernel_lines, stride; /* for square kernels only, and the next */
    ptrdiff_t weight_line;    /* floats between lines of the kernel */
} layer_filter;

typedef struct {
    int lanes; /* of a vector, if parts of vectors are loaded without ado; else 1 */
    /* Up to LAYER_FILTER_SLACK floats after a line's last come out as anything. */
    void (*gather)(const layer_gathering *gathering);
    void (*filter)(const layer_filter *filter);
    /* For a kernel of one line: rows meet a line each, the table's next one, and all that is loaded
     * is there. Looks at no steps. */
    void (*filter_lines)(const layer_filter *filter);
} layer_filter_kernels;
LAYER_DECLARE_KERNELS(layer_filter_kernels)

/* For kernels of 3x3 and 5x5 cells without gaps, and a stride both ways of 1, or 2 along lines that
 * are read in place: column 0 meets columns first_column, first_column + 1 ... of input, column 1
 * those a stride further. */
typedef struct {
    void (*filter)(const layer_filter *filter);
} layer_square_filter_kernels;
LAYER_DECLARE_KERNELS(layer_square_filter_kernels)

/* A kernel that is a column times a row, without gaps, its strides 1; the column has three lines or
 * more. */
typedef struct {
    const layer_filter *whole; /* input is read in place, lines being `width` floats long */
    const float *column, *row;
    int lines, taps;
    bool streams;           /* rows of outputs, which begin on cache lines, go past the caches */
    ptrdiff_t first_column; /* of input, that output column 0 meets with the first tap */
    float *scratch;         /* LAYER_FILTER_ROWS lines of columns + taps + 2 LAYER_FILTER_SLACK */
    size_t scratch_leading; /* a multiple of LAYER_FILTER_SLACK */
} layer_product_filter;

/* Some rows at a time: their columns are summed into scratch, and what that makes along rows. */
typedef struct {
    void (*filter)(const layer_product_filter *product);
    /* Before another thread reads what was streamed. */
    void (*finish)(void);
} layer_product_filter_kernels;
LAYER_DECLARE_KERNELS(layer_product_filter_kernels)

#endif
