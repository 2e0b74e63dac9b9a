/* Arrays of numbers for tests.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_FLOATS_H
#define SUPPORT_FLOATS_H

#include "layer/tensor.h"
#include "support/sampling.h"

/* The elements of a shape that is none too large. */
size_t floats_count(const layer_shape *shape);

/* Memory or the end of the program; the caller frees it. */
float *floats_new(size_t count);
double *doubles_new(size_t count);

/* New floats in (-1, 1). */
float *floats_drawn(sampling *from, size_t count);

/* A new array of their magnitudes. */
float *floats_magnitudes(const float *elements, size_t count);

/* The largest magnitude. */
double doubles_largest(const double *elements, size_t count);

/* A workspace of `size` bytes full of garbage, NULL for none: what a run does not write would
 * show. */
void *floats_workspace(size_t size);

#endif
