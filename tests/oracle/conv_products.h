/* A convolution's definition as the list of its products: output o sums input i times weight w.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_CONV_PRODUCTS_H
#define ORACLE_CONV_PRODUCTS_H

#include "layer/conv.h"

/* Where the factors stand in their tensors, and the sum that they are part of. */
typedef struct {
    size_t input, weight, output;
} conv_product;

/* Calls visit(context, product) for each product whose input is real. `conv` says the shapes,
 * nothing else of it is trusted but its windows' strides, dilations and pads. */
void conv_products(const layer_conv *conv, void (*visit)(void *context, const conv_product *one),
                   void *context);

#endif
