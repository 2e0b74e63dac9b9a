/* Second moments of what a nonlinearity makes of a normal variable.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_VARIANCE_EXPECTATION_H
#define LAYER_VARIANCE_EXPECTATION_H

#include "layer/nonlinearity.h"

/* E f(z)^2 and E f'(z)^2 of z ~ N(0, variance). */
typedef struct {
    double value, derivative;
} layer_second_moments;

/* Exact where f is linear on either side of zero. Otherwise by quadrature on each half line, with
 * z = exp(u - exp(-u)) standard deviations and the trapezoidal rule in u, whose error is below
 * 1e-9: the nodes crowd at zero, where f may have an edge, and f's scale does not matter.
 * Source: Takahasi & Mori, "Double exponential formulas for numerical integration", 1974. */
layer_second_moments layer_moments_through(layer_nonlinearity which, double slope, double variance);

#endif
