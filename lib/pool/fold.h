/* Folding windows: the lines that a row of windows sees into one, then the columns of that, so that
 * what neighbouring windows share is done once.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_FOLD_H
#define LAYER_POOL_FOLD_H

#include "core/kernels.h"
#include "layer/window.h"

#include <stddef.h>
#include <stdint.h>

/* Of numbers that are equally large the first stays. A NaN may get lost. */
typedef enum { LAYER_FOLD_SUM, LAYER_FOLD_LARGEST } layer_fold_kind;

/* Floats that a folded line needs after its last one: vectors are loaded whole. */
enum { LAYER_FOLD_SLACK = 32 };

/* The most lines at a time. */
enum { LAYER_FOLD_LINES = 8 };

typedef struct {
    /* In two passes: folds lines, `cells` of each, and if it `continues` what `folded` holds before
     * them. Returns whether a cell of the lines is NaN, if it looks for the largest. */
    bool (*lines)(layer_fold_kind kind, float *folded, const float *const *lines, int count,
                  int cells, bool continues);

    /* And folds the columns of each window of a folded line. */
    void (*columns)(layer_fold_kind kind, const float *folded, float *output,
                    const layer_window *width);

    void (*divide)(float *sums, int count, float divisor);

    /* Adds shares to all columns of their windows; and cells to cells. */
    void (*spread)(float *columns, const float *shares, const layer_window *width);
    void (*add)(float *cells, const float *added, int count);

    /* Holds `count` cells, a stride apart, to the largest so far and where that is, -1 for nowhere.
     * `cell` is the number of the first. A NaN is the largest. */
    void (*find)(const float *x, int32_t cell, ptrdiff_t stride, float *largest, int32_t *where,
                 int count);
} layer_fold_kernels;
LAYER_DECLARE_KERNELS(layer_fold_kernels)

/* A row of windows of up to 3 columns, at a stride of 1 or 2. */
typedef struct {
    const float *const *lines; /* what the windows see of the input; up to LAYER_FOLD_LINES */
    int line_count, input;     /* cells of a line */
    int kernel, stride, pad;
    float *output;
    int outputs;
    float divisor; /* of sums */
} layer_small_windows;

typedef struct {
    /* In one pass. Returns whether any cell is NaN, if it looks for the largest. */
    bool (*windows)(layer_fold_kind kind, const layer_small_windows *windows);
} layer_small_fold_kernels;
LAYER_DECLARE_KERNELS(layer_small_fold_kernels)

/* The mean, and the largest, of each of `count` planes; a NaN is the largest. */
typedef struct {
    void (*average)(const float *planes, size_t cells, float *output, size_t count);
    void (*largest)(const float *planes, size_t cells, float *output, size_t count);
} layer_plane_fold_kernels;
LAYER_DECLARE_KERNELS(layer_plane_fold_kernels)

#endif
