/* The gradients of a layer with one weight, as its backward operation is asked for them.
 * SPDX-License-Identifier: MIT */
#include "gradients.h"

const api_option api_gradients[] = {
    {"grad_input", API_GRAD_INPUT, "takes weight and grad_output"},
    {"grad_weight", API_GRAD_WEIGHT, "takes input and grad_output"},
    {"grad_bias", API_GRAD_BIAS, "takes grad_output"},
    {0},
};

const api_field api_gradient_fields[] = {
    {.name = "grad_input",
     .kind = &api_result_kind,
     .offset = offsetof(api_gradient_results, grad_input),
     .summary = "of the input's shape"},
    {.name = "grad_weight",
     .kind = &api_result_kind,
     .offset = offsetof(api_gradient_results, grad_weight),
     .summary = "of the weight's shape"},
    {.name = "grad_bias",
     .kind = &api_result_kind,
     .offset = offsetof(api_gradient_results, grad_bias),
     .summary = "one number per output, or output channel"},
    {0},
};

static bool has(uint32_t chosen, api_gradient gradient)
{
    return (chosen & api_choice_bit(gradient)) != 0;
}

void api_fill_gradients(api_gradient_results *results, uint32_t chosen, const layer_shape *input,
                        const layer_shape *weight, int outputs)
{
    const layer_shape bias = {.rank = 1, .extent = {outputs}};
    results->grad_input = (api_result){.given = has(chosen, API_GRAD_INPUT), .shape = *input};
    results->grad_weight = (api_result){.given = has(chosen, API_GRAD_WEIGHT), .shape = *weight};
    results->grad_bias = (api_result){.given = has(chosen, API_GRAD_BIAS), .shape = bias};
}

uint64_t api_gradient_products(uint32_t chosen)
{
    return (uint64_t)has(chosen, API_GRAD_INPUT) + (uint64_t)has(chosen, API_GRAD_WEIGHT);
}
