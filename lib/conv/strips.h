/* Strips of the patch matrix: some of its rows, in a few neighbouring columns, gathered from a
 * field. SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_STRIPS_H
#define LAYER_CONV_STRIPS_H

#include "core/kernels.h"

#include <stddef.h>

/* The most columns of a strip. */
enum { LAYER_STRIP_COLUMNS = 64 };

/* Columns whose cells are neighbours in the field too. */
typedef struct {
    size_t cell, column, columns;
} layer_strip_run;

typedef struct {
    const float *cells; /* the field */
    const size_t *rows; /* [count]: from what a column meets first to what it meets by each row */
    size_t count;
    size_t columns, run_count;
    layer_strip_run runs[LAYER_STRIP_COLUMNS];
    float *gathered; /* [count][leading] */
    size_t leading;  /* a multiple of 16, no less than the columns; what is beyond them is zero */
} layer_strip;

typedef struct {
    void (*gather)(const layer_strip *strip);
} layer_strip_kernels;
LAYER_DECLARE_KERNELS(layer_strip_kernels)

#endif
