/* The plan of an implicit matrix product.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_IMPLICIT_H
#define LAYER_CONV_IMPLICIT_H

#include "conv/field.h"

/* Columns of the patch matrix, outputs that is, come in sets: those of a plane, or of one long
 * line. A set is cut into strips, which are multiplied one at a time, and consecutive strips are a
 * band, which has a field. A round fills the fields of some bands, then multiplies their strips. */
typedef struct {
    layer_field field;
    bool is_filled;                 /* or the input serves as the field */
    bool in_place;                  /* rows of strips lie in the field as they are; */
    bool is_even;                   /* and a channel's step apart */
    size_t groups, group_channels;  /* group, K/group */
    size_t kernel, depth;           /* rows of the patch matrix in one channel; in all of a group */
    size_t planes, lines, width;    /* of an output channel */
    size_t set_lines;               /* of outputs in a set: all of a plane, or one */
    size_t line_strips, set_strips; /* line_strips is 0 if strips go across lines */
    size_t band_strips, bands;      /* bands of a set */
    size_t units, round_units;      /* bands, of all sets of all samples and of a round */
    size_t task_strips, block_channels;        /* of a task */
    size_t strip_rows, strip_columns;          /* at most */
    size_t rows_size, fields_size, strip_size; /* parts of the workspace, in bytes */
} layer_implicit;

layer_implicit layer_implicit_plan(const layer_conv *conv);

/* The column of its set at which strip `index` begins, or the one before it ends. */
size_t layer_implicit_column(const layer_implicit *plan, size_t index);

#endif
