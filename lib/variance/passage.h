/* Passing samples through a stack of layers, forward and backward.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_VARIANCE_PASSAGE_H
#define LAYER_VARIANCE_PASSAGE_H

#include "layer/variance.h"

/* Samples of a passage at most. */
enum { LAYER_PASSAGE_SAMPLES = 32 };

/* What a passage finds out about a layer. */
typedef struct {
    double forward, forward_squares;
    double backward, backward_squares;
    double ratios, least_ratio, most_ratio;
} layer_findings;

/* A task's samples on their way through the stack. Arrays are [channels][cells][samples]. */
typedef struct {
    const layer_variance *variance;
    const layer_run *run;
    const float *weights; /* of all layers, one after the other */
    size_t first, samples, columns;
    float *z;        /* of all layers, one after the other */
    float *x;        /* a layer's input, or the gradient with respect to it */
    float *gradient; /* with respect to a layer's z */
    float *patches;
    layer_findings *found; /* [layers] */
} layer_passage;

/* Draws inputs and gradients and fills the findings; stops early where the run was cancelled. */
void layer_pass_through(const layer_passage *way);

#endif
