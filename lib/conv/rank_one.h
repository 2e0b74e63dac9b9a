/* Kernels that are a column times a row.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CONV_RANK_ONE_H
#define LAYER_CONV_RANK_ONE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the kernel [rows][columns] is the product of a column and a row, so closely that every
 * weight may be the rounded one of such a product: none is off by more than 2^-21 of itself. Fills
 * column[0], column[step] ... and row[0] to row[columns - 1] if it is. */
bool layer_rank_one(const float *kernel, int rows, int columns, float *column, size_t step,
                    float *row);

#endif
