/* Strips of the patch matrix: some of its rows, in a few neighbouring columns, gathered by vectors.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_STRIPS_H
#define LAYER_CONV_STRIPS_H

#include "conv/patches.h"
#include "core/kernels.h"

/* The most columns of a strip. */
enum { LAYER_STRIP_COLUMNS = 64 };

/* The most lines that are read for a line of the kernel. */
enum { LAYER_STRIP_READS = 32 };

/* Floats that may be written beyond a strip's last row. */
enum { LAYER_STRIP_SLACK = 16 };

/* What all strips of a convolution have in common.
 *
 * A line of outputs reads, for each line of the kernel, a line of input. Where the kernel's cells
 * along it read nearly the same, it is copied once, padded, a stride of two taken apart, and rows
 * of the strip are copies of parts of that. */
typedef struct {
    layer_patches patches;
    layer_window window[LAYER_MAX_SPATIAL]; /* the convolution's; axes along which lines of input
                                               follow one another as outputs do are one */
    layer_window reads; /* along the width: what is read of a line of input, once for each cell of
                           this window's kernel */
    bool is_shared;     /* all cells of a kernel's line copy from those, or have one each */
    bool is_vectorized; /* else rows are gathered one at a time as layer_patches_gather() does */
} layer_strips;

/* A strip: rows first ... first + rows, and columns column ... column + columns. Rows are whole
 * lines of the kernel if is_shared. */
typedef struct {
    const float *channels; /* the input of the sample and group */
    size_t first, rows, column, columns;
    float *gathered; /* [rows][leading], and the slack */
    size_t leading;
    float *lines; /* room for layer_strips_lines() floats */
} layer_strip;

layer_strips layer_conv_strips(const layer_conv *conv);

/* How many floats of scratch gathering takes beside the strip itself, for so many columns. */
size_t layer_strips_lines(const layer_strips *strips, size_t columns);

/* How many rows a strip has to be cut into multiples of. */
size_t layer_strips_step(const layer_strips *strips);

typedef struct {
    void (*gather)(const layer_strips *strips, const layer_strip *strip);
} layer_strip_kernels;
LAYER_DECLARE_KERNELS(layer_strip_kernels)

#endif
