/* Weights whose elements are independent and of one distribution: what most laws are made of.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_INITIALIZE_INDEPENDENT_H
#define LAYER_INITIALIZE_INDEPENDENT_H

#include "initialize/method.h"

/* The describing halves of laws: N(mean, std^2); U(centre - half, centre + half); N(centre,
 * spread^2) cut at `lower` and `upper` in units of spread. They fill in everything from the
 * distribution to the multiplications. */
void layer_describe_normal(layer_initialize *initialize, double mean, double std, size_t count);
void layer_describe_uniform(layer_initialize *initialize, double centre, double half, size_t count);
void layer_describe_truncated(layer_initialize *initialize, double centre, double spread,
                              double lower, double upper, size_t count);

/* The factor of the standard deviation that cutting a standard normal at `lower` and `upper`
 * leaves, and its mean. */
double layer_truncated_std(double lower, double upper, double *mean);

/* Draws what was described so. */
layer_status layer_run_independent(const layer_initialize *initialize, float *weight, size_t count,
                                   const layer_run *run);

#endif
