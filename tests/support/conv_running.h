/* Running a convolution in the ways there are, with garbage where nothing has been written.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CONV_RUNNING_H
#define SUPPORT_CONV_RUNNING_H

#include "layer/conv.h"
#include "support/sampling.h"

#include <stdbool.h>

typedef struct {
    float *input, *weight, *bias; /* bias may be NULL */
} conv_operands;

conv_operands conv_operands_draw(sampling *from, const layer_conv *conv, bool biased);

void conv_operands_release(conv_operands *drawn);

/* All zero but `threads`: as everyone would run it. */
typedef struct {
    int threads;
    layer_isa isa;
    const int *cancelled;
} conv_way;

/* Output and workspace start as garbage: what a run does not write would show. */
layer_status conv_run(const layer_conv *conv, const conv_operands *given, float *output,
                      conv_way way);

/* The same with weights prepared first, in as much workspace as that takes. */
layer_status conv_run_prepared(const layer_conv *conv, const conv_operands *given, float *output,
                               conv_way way);

#endif
