/* What going forward and backward through a depthwise-separable convolution share.
 * SPDX-License-Identifier: MIT */
#include "depthwise_fields.h"

#include "conv_fields.h"
#include "operation.h"
#include "ranks.h"
#include "shapes.h"

const api_field api_depthwise_fields[] = {
    {.name = "input",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_depthwise, input),
     .required = true,
     .summary = "[N, C, spatial ...], or one sample [C, spatial ...]"},
    {.name = "depthwise_weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_depthwise, depthwise_weight),
     .required = true,
     .summary = "[J, 1, kernel ...] with one to three spatial axes: J / C kernels for each of the "
                "input's channels in turn"},
    {.name = "depthwise_bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_depthwise, depthwise_bias),
     .summary = "[J]: what is added before the channels are mixed; by default nothing"},
    {.name = "pointwise_weight",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_depthwise, pointwise_weight),
     .required = true,
     .summary = "[K, J, 1 ...]: how the channels are mixed, of the rank of depthwise_weight"},
    {.name = "pointwise_bias",
     .kind = &api_tensor_kind,
     .offset = offsetof(api_depthwise, pointwise_bias),
     .summary = "[K]: what is added to each output channel; by default nothing"},
    {.name = "mode",
     .kind = &api_choice_kind,
     .offset = offsetof(api_depthwise, mode),
     .options = api_conv_modes,
     .fallback = "\"cross-correlation\"",
     .summary = "whether the depthwise kernels are flipped"},
    {0},
};

/* The batch may be left out. */
static bool check_rank(const api_depthwise *asked, api_problem *problem)
{
    const int input = asked->input.shape.rank, weight = asked->depthwise_weight.shape.rank;
    if (weight <= API_CHANNEL_AXES)
        return api_refuse(problem, 422, "/depthwise_weight",
                          "depthwise_weight has rank %d; expected 3 to %d: [J, 1, kernel ...]",
                          weight, LAYER_MAX_RANK);
    return input == weight || input == weight - 1 ||
           api_refuse(problem, 422, "/input",
                      "input has rank %d; a depthwise_weight of rank %d takes an input of rank %d, "
                      "or %d for one sample",
                      input, weight, weight, weight - 1);
}

bool api_describe_depthwise(const api_depthwise *asked, layer_separable_depthwise *separable,
                            api_problem *problem)
{
    const layer_shape *const weight = &asked->depthwise_weight.shape;
    if (!check_rank(asked, problem))
        return false;
    const int axes = weight->rank - API_CHANNEL_AXES;
    const layer_shape kernel = api_narrowed(weight, axes);
    layer_conv_options options = {.mode = (layer_conv_mode)asked->mode.value};
    if (!api_check_kernel(&asked->geometry, &kernel, "depthwise_weight", problem) ||
        !api_read_geometry(&asked->geometry, axes, &options.geometry, problem))
        return false;
    const layer_shape input = api_widened(&asked->input.shape, weight->rank);
    layer_error error;
    if (layer_separable_depthwise_describe(separable, &input, weight,
                                           &asked->pointwise_weight.shape, &options,
                                           &error) != LAYER_OK)
        return api_refuse_layer(problem, &error);
    return api_check_bias(&asked->depthwise_bias, "depthwise_bias", weight->extent[0], problem) &&
           api_check_bias(&asked->pointwise_bias, "pointwise_bias",
                          separable->pointwise.weight.extent[0], problem);
}

layer_separable_depthwise_operands api_depthwise_operands(const api_depthwise *asked)
{
    return (layer_separable_depthwise_operands){
        .input = asked->input.data,
        .depthwise_weight = asked->depthwise_weight.data,
        .depthwise_bias = asked->depthwise_bias.data,
        .pointwise_weight = asked->pointwise_weight.data,
        .pointwise_bias = asked->pointwise_bias.data,
    };
}
