/* Convolution with output channels in the lanes of vectors: how it is cut, and its inner loops.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_PACKED_H
#define LAYER_CONV_PACKED_H

#include "conv/field.h"

/* Output channels of a block, and of the last one of a group a multiple of so many; the most
 * outputs of a strip. */
enum { LAYER_PACKED_BLOCK = 32, LAYER_PACKED_PART = 16, LAYER_PACKED_STRIP = 224 };

/* Some outputs of a plane, for which a field is filled: lines and columns of them. */
typedef struct {
    size_t sample;
    layer_band band;
} layer_packed_unit;

/* Outputs of a unit that a block of channels is computed for at once, [lines][columns]; they
 * follow one another in the output. */
typedef struct {
    size_t line, lines, column, columns; /* counted from the unit's first */
} layer_packed_strip;

typedef struct {
    layer_field field;
    bool is_filled; /* or the input serves as the field */
    bool is_flat;   /* the lines of a unit lie in the field as if they were one */
    size_t groups, group_channels, packed_channels; /* K/group; and in whole parts of a block */
    size_t depth, depth_block;                      /* products of an output, and at once */
    size_t kernel, channels;                        /* of them: kernel cells, input channels */
    /* Channels; products are in order [channel / this][kernel][channel % this]. */
    size_t interleaved;
    bool skips;                      /* kernel cells that lie on padding only, along one axis */
    size_t planes, lines, width;     /* of an output channel */
    size_t line_units, column_units; /* into how many a plane's lines, a line is cut */
    size_t units, round_units;       /* of all samples, and filled at once */
    size_t strips;                   /* of a unit at most */
    size_t blocks, task_blocks;      /* of a group, and of a task */
    size_t rows_size, fields_size, sums_size; /* parts of the workspace, in bytes */
} layer_packed;

layer_packed layer_packed_plan(const layer_conv *conv);

/* The axis along which it skips: LAYER_HEIGHT or LAYER_WIDTH. */
int layer_packed_axis(const layer_packed *plan);

/* Where each product finds what it multiplies, [depth]; there is room for as many again as the
 * kernel has cells. */
void layer_packed_rows(const layer_packed *plan, size_t *rows);

double layer_packed_cost(const layer_conv *conv);

layer_packed_unit layer_packed_unit_at(const layer_packed *plan, size_t index);

/* Strip `index` of a unit; without outputs if it has fewer strips. */
layer_packed_strip layer_packed_strip_at(const layer_packed *plan, const layer_packed_unit *unit,
                                         size_t index);

/* Which of the products are left out: those of kernel cells beyond the input. */
typedef struct {
    const layer_window *window; /* NULL: none */
    bool goes_down;             /* the height's window, else the width's */
    bool is_flipped;
    int first;   /* the window of the first line or column of outputs */
    size_t each; /* products of one of the window's kernel cells */
} layer_packed_skips;

/* For one block of channels, its weights laid out as [depth][channels]. */
typedef struct {
    const float *cells; /* what the first output meets first; it meets the others `rows` further */
    const size_t *rows; /* [depth] */
    size_t depth;
    const float *weights;             /* [depth][channels] */
    size_t channels;                  /* a multiple of LAYER_PACKED_PART */
    size_t lines, columns, line_step; /* outputs, and how far apart lines are in the field */
    layer_packed_skips skips;
    const float *start; /* [channels]; or NULL: what is in `sums` is added to */
    float *sums;        /* [lines][columns][channels] */
} layer_packed_sums;

/* Some input channels' weights of a block, [channels][inputs][kernel], a channel's `depth` apart;
 * laid out, `width` are side by side. */
typedef struct {
    const float *weight;
    size_t channels, inputs, kernel, depth, width;
} layer_packed_weights;

typedef struct {
    /* To [kernel][inputs][width], zero beyond the channels. */
    void (*lay_out)(const layer_packed_weights *of, float *to);
    void (*accumulate)(const layer_packed_sums *of);
    /* [count][width] to `channels` rows of `count` that are `plane` apart. Rows of `sums` are there
     * up to a multiple of LAYER_PACKED_PART. */
    void (*store)(const float *sums, size_t count, size_t width, size_t channels, float *output,
                  size_t plane);
} layer_packed_kernels;
LAYER_DECLARE_KERNELS(layer_packed_kernels)

#endif
