/* The standard normal distribution: its density, its distribution function and the inverse.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_NORMAL_H
#define LAYER_CORE_NORMAL_H

/* exp(-x^2 / 2) / sqrt(2 pi) */
double layer_normal_density(double x);

/* The share of the distribution between `lower` and `upper`, without loss in either tail. */
double layer_normal_between(double lower, double upper);

/* x whose share below is p, 0 < p <= 1/2: relative error about 1e-16. Beyond one half, take
 * -x of 1 - p.
 * Source: Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied
 * Statistics 37 (1988), PPND16. */
double layer_normal_quantile(double p);

/* x between `lower` and `upper` with the share u, 0 < u < 1, of what is between them below it. */
double layer_truncated_quantile(double lower, double upper, double u);

#endif
