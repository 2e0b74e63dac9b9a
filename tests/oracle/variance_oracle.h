/* A stack of layers by its definition, in double: every connection by itself.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_VARIANCE_ORACLE_H
#define ORACLE_VARIANCE_ORACLE_H

#include "layer/variance.h"

/* Passes the samples through the layers, forward and backward, and takes the variances and ratios
 * of everything at once. weights[l] is layer l's; inputs [samples][channels][cells], gradients
 * [samples][last channels][cells]. Of `variance` the shapes, the lattice and the nonlinearity are
 * trusted. */
void variance_oracle(const layer_variance *variance, const float *const weights[],
                     const float *inputs, const float *gradients,
                     layer_variance_measured *measured);

/* E f(z)^2, or E f'(z)^2, of z ~ N(0, variance), by Simpson's rule over +-12 standard deviations,
 * either side of zero by itself. */
double second_moment_oracle(double (*function)(layer_nonlinearity, double, double),
                            layer_nonlinearity which, double slope, double variance);

#endif
