/* Sums over windows, in double.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_POOL_SUMS_H
#define LAYER_POOL_SUMS_H

#include "pool/pool_kind.h"
#include "pool/sums_kernels.h"

/* The sums of a row's windows; they lie in `scratch`, layer_pool_sums_size() bytes of it. */
double *layer_pool_sums(const layer_pool_row *row, layer_pool_term term, void *scratch);
size_t layer_pool_sums_size(const layer_pool *pool);

#endif
