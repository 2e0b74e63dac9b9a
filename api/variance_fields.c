/* The layers of a stack whose variances are followed: as a request has them, as a reply tells them.
 * SPDX-License-Identifier: MIT */
#include "variance_fields.h"

#include <math.h>

/* A condition holds if its factor is 1 but for rounding. */
static const double ROUNDING = 1e-6;

/* ---- The fields ------------------------------------------------------------------------------ */

const api_field api_asked_layer_fields[] = {
    {.name = "shape",
     .kind = &api_shape_kind,
     .offset = offsetof(api_asked_layer, shape),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 2,
     .most = LAYER_MAX_RANK,
     .summary = "the weight's shape, as /v1/initialize takes it: [out, in] or [K, C/group, kernel "
                "...]"},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(api_asked_layer, group),
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fallback = "1",
     .summary = "groups of the convolution"},
    {0},
};

static const api_field direction_fields[] = {
    {.name = "predicted",
     .kind = &api_figure_kind,
     .offset = offsetof(api_direction, predicted),
     .required = true,
     .summary = "the variance by the formulas"},
    {.name = "measured",
     .kind = &api_figure_kind,
     .offset = offsetof(api_direction, measured),
     .summary = "the variance of all elements of all samples; a dry run has none"},
    {.name = "factor",
     .kind = &api_figure_kind,
     .offset = offsetof(api_direction, factor),
     .required = true,
     .summary = "fan * weight_variance * the nonlinearity's factor: what the variance is "
                "multiplied by"},
    {.name = "holds",
     .kind = &api_boolean_kind,
     .offset = offsetof(api_direction, holds),
     .required = true,
     .summary = "whether the factor is 1: the condition that keeps the variance"},
    {0},
};

static const api_field ratio_fields[] = {
    {.name = "mean",
     .kind = &api_figure_kind,
     .offset = offsetof(api_norm_ratio, mean),
     .required = true,
     .summary = "over the samples"},
    {.name = "smallest", .kind = &api_figure_kind, .offset = offsetof(api_norm_ratio, smallest)},
    {.name = "largest", .kind = &api_figure_kind, .offset = offsetof(api_norm_ratio, largest)},
    {0},
};

const api_field api_told_layer_fields[] = {
    {.name = "shape",
     .kind = &api_list_kind,
     .offset = offsetof(api_told_layer, shape),
     .required = true,
     .summary = "the weight's shape"},
    {.name = "group",
     .kind = &api_integer_kind,
     .offset = offsetof(api_told_layer, group),
     .required = true,
     .summary = "groups of the convolution"},
    {.name = "seed",
     .kind = &api_integer_kind,
     .offset = offsetof(api_told_layer, seed),
     .required = true,
     .summary = "with it /v1/initialize draws this layer's weight"},
    {.name = "fan_in",
     .kind = &api_figure_kind,
     .offset = offsetof(api_told_layer, fan_in),
     .required = true,
     .summary = "C/group times the kernel's cells"},
    {.name = "fan_out",
     .kind = &api_figure_kind,
     .offset = offsetof(api_told_layer, fan_out),
     .required = true,
     .summary = "K/group times the kernel's cells"},
    {.name = "weight_variance",
     .kind = &api_figure_kind,
     .offset = offsetof(api_told_layer, weight_variance),
     .required = true,
     .summary = "the law's variance of one weight"},
    {.name = "forward",
     .kind = &api_object_kind,
     .offset = offsetof(api_told_layer, forward),
     .required = true,
     .fields = direction_fields,
     .summary = "D z, of the layer's output before the nonlinearity; the condition is fan_in * D w "
                "= 1"},
    {.name = "backward",
     .kind = &api_object_kind,
     .offset = offsetof(api_told_layer, backward),
     .required = true,
     .fields = direction_fields,
     .summary = "D of the gradient with respect to the layer's input; the condition is fan_out * D "
                "w = 1"},
    {.name = "norm_ratio",
     .kind = &api_object_kind,
     .offset = offsetof(api_told_layer, norm_ratio),
     .fields = ratio_fields,
     .summary = "|Wx| / |x| of the samples: 1 for each of them where W is orthogonal and not wide; "
                "a dry run has none"},
    {0},
};

/* ---- Telling --------------------------------------------------------------------------------- */

static api_direction tell_direction(double predicted, double factor)
{
    return (api_direction){.given = true,
                           .predicted = {true, predicted},
                           .factor = {true, factor},
                           .holds = {true, fabs(factor - 1) <= ROUNDING}};
}

api_told_layer api_tell_layer(const layer_variance_layer *layer)
{
    const layer_initialize *const law = &layer->law;
    api_told_layer told = {
        .given = true,
        .shape = {.given = true, .count = law->shape.rank},
        .group = {true, law->group},
        .seed = {true, (int64_t)law->seed},
        .fan_in = {true, law->fan_in},
        .fan_out = {true, law->fan_out},
        .weight_variance = {true, layer->weight_variance},
        .forward = tell_direction(layer->forward, layer->forward_factor),
        .backward = tell_direction(layer->backward, layer->backward_factor),
    };
    for (int axis = 0; axis < law->shape.rank; axis++)
        told.shape.value[axis] = law->shape.extent[axis];
    return told;
}

void api_tell_measured(api_told_layer *told, const layer_variance_measured *measured)
{
    told->forward.measured = (api_number){true, measured->forward};
    told->backward.measured = (api_number){true, measured->backward};
    told->norm_ratio = (api_norm_ratio){.given = true,
                                        .mean = {true, measured->mean_ratio},
                                        .smallest = {true, measured->least_ratio},
                                        .largest = {true, measured->most_ratio}};
}
