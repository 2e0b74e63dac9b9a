/* A run of a weight gradient as products of matrices: what its steps work on.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_GRAD_WEIGHT_CALL_H
#define LAYER_CONV_GRAD_WEIGHT_CALL_H

#include "conv/grad_weight_plan.h"
#include "conv/runs.h"
#include "core/panel.h"
#include "core/turn.h"

typedef struct {
    const layer_conv *conv;
    layer_grad_weight_plan plan;
    const float *input, *grad_output;
    float *gradient;
    const layer_run *run;
    const layer_panel_kernels *panels;
    const layer_turn_kernels *turns;
    const layer_run_kernels *runs;
    size_t *rows;        /* where the cells of a unit's outputs begin, or of several units' */
    size_t *taps;        /* how far the kernel's cells are from there */
    float *cells;        /* the units of a round */
    char *sums, *rooms;  /* of each task, or one after the other of each thread */
    size_t first, units; /* of the round */
} layer_grad_weight_call;

/* Outputs of a unit. */
typedef struct {
    size_t sample, plane;
    int line, lines, column, columns;
} layer_grad_weight_place;

layer_grad_weight_place layer_grad_weight_place_of(const layer_grad_weight_call *call, size_t unit);

/* Fills the tables of rows and taps. */
void layer_grad_weight_fill_tables(const layer_grad_weight_call *call);

/* Turns the cells of the round's units. */
layer_status layer_grad_weight_turn(layer_grad_weight_call *call);

#endif
