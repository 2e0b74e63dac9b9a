/* The phases of an adjoint, each a convolution: how many, and which.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_ADJOINT_PLAN_H
#define LAYER_CONV_ADJOINT_PLAN_H

#include "conv/implementation.h"
#include "conv/taps.h"
#include "core/turn.h"

/* Along an axis: the cells first, first + stride ..., and the kernel cells that they meet. */
typedef struct {
    int first;
    int tap, tap_step;   /* the first that the window meets, in the weight; may step backwards */
    layer_window window; /* on the outputs */
} layer_phase_axis;

typedef struct {
    const layer_conv *conv;
    int counts[LAYER_MAX_SPATIAL]; /* phases along each axis that meet any kernel cell */
    size_t phases;
    bool whole;   /* one phase is all there is */
    bool covered; /* every input cell is in a layer_phase */
    bool joined;  /* all phases are one convolution, `joint`, a set of channels each */
    bool paired;  /* phases come in two, whose cells alternate in the lines of the input */
    layer_conv joint;
    size_t taps_size, places_size, weight_size, bias_size, cells_size,
        inner_size; /* parts of the workspace */
} layer_adjoint;

/* One phase while it is computed. */
typedef struct {
    const layer_adjoint *plan;
    size_t index;
    layer_phase_axis axis[LAYER_MAX_SPATIAL];
    layer_conv conv;
    const float *weight, *bias;
    int *taps;      /* where the phase's kernel cells are in the whole kernel */
    size_t *places; /* and in the packed weights, if phases are joined */
    float *packed, *cells, *input;
    const layer_tap_kernels *kernels;
    const layer_turn_kernels *turns;
} layer_phase;

layer_adjoint layer_adjoint_plan(const layer_conv *conv, int threads);

/* Planes of the input. */
size_t layer_adjoint_planes(const layer_adjoint *made);

/* Fills the axes of phase `index`; false if no cell is in it. And its convolution as well. */
bool layer_adjoint_locate_axes(layer_phase *at, size_t index);
bool layer_adjoint_locate(layer_phase *at, size_t index);

/* Fills at->taps: where the phase's kernel cells are in the whole kernel. */
void layer_adjoint_find_taps(const layer_phase *at);

/* For the cells of how many phases there is room. */
size_t layer_adjoint_rooms(const layer_adjoint *made);

/* Whether the phase's algorithm takes the weight as it is. */
bool layer_phase_is_exchanged(const layer_phase *at);

#endif
