/* The gradients of a layer with one weight, as its backward operation is asked for them.
 * SPDX-License-Identifier: MIT */
#ifndef API_GRADIENTS_H
#define API_GRADIENTS_H

#include "fields.h"

typedef enum { API_GRAD_INPUT, API_GRAD_WEIGHT, API_GRAD_BIAS } api_gradient;

/* For a row of api_choices_kind: what is asked for. */
extern const api_option api_gradients[];

typedef struct {
    api_result grad_input, grad_weight, grad_bias;
} api_gradient_results;

/* For a row of api_included_kind in a reply's table. */
extern const api_field api_gradient_fields[];

/* Gives those that are chosen their shapes; a bias has one number for each output. */
void api_fill_gradients(api_gradient_results *results, uint32_t chosen, const layer_shape *input,
                        const layer_shape *weight, int outputs);

/* How many of those that are chosen take as many multiplications as going forward does. */
uint64_t api_gradient_products(uint32_t chosen);

#endif
