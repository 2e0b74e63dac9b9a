/* Unpooling by its definition: what the library is held to.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_UNPOOL_ORACLE_H
#define ORACLE_UNPOOL_ORACLE_H

#include "layer/unpool.h"

/* Walks over the values in order and puts each into its cell, found by taking the index apart into
 * coordinates within the shape that indices count in. */
void unpool_oracle(const layer_unpool *unpool, const float *input, const float *indices,
                   float *output);

#endif
