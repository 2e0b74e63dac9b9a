/* Pooling by its definition, in double: what every kind is held to, forward and backward.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_POOL_ORACLE_H
#define ORACLE_POOL_ORACLE_H

#include "layer/pool.h"

/* Each window's largest cell, mean or norm of its real cells. `indices` may be NULL; of a window
 * without cells it is -1, and its maximum -infinity. `pool` says the shapes and how windows lie. */
void pool_oracle(const layer_pool *pool, const double *input, double *output, double *indices);

/* grad_input = the sum over windows of grad_output times the derivative of what the window makes of
 * each of its cells. */
void pool_backward_oracle(const layer_pool *pool, const double *input, const double *grad_output,
                          double *grad_input);

#endif
