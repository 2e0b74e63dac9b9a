/* The steps of an adjoint.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_ADJOINT_PARTS_H
#define LAYER_CONV_ADJOINT_PARTS_H

#include "conv/adjoint_plan.h"

/* Puts the cells of a phase, and of another or NULL whose cells alternate with them in each line,
 * where they belong. */
layer_status layer_adjoint_place(const layer_phase *one, const layer_phase *other,
                                 const layer_run *run);

/* All phases as one convolution. */
layer_status layer_adjoint_run_joined(const layer_phase *common, const float *output,
                                      const layer_run *run);

#endif
