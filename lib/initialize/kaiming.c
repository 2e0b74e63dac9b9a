/* Kaiming's laws: independent elements, normal or uniform, whose variance is gain^2 / fan.
 * Source: He, Zhang, Ren & Sun 2015, eqs. 10 (fan_in) and 14 (fan_out).
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"
#include "initialize/independent.h"
#include "layer/nonlinearity.h"

#include <math.h>
#include <stdbool.h>

static layer_status check_mode(layer_fan mode, layer_error *error)
{
    return mode != LAYER_FAN_AVG
               ? LAYER_OK
               : layer_refuse(
                     error, LAYER_INVALID, "mode",
                     "mode fan_avg goes with variance_scaling; expected fan_in or fan_out");
}

/* gain / sqrt(fan); where no gain is given it is that of the ReLU, which the law was made for. */
static double choose_std(layer_initialize *initialize, const layer_initialize_options *options)
{
    if (options->gain == 0)
        initialize->gain = layer_nonlinearity_gain(LAYER_NONLINEARITY_RELU, 0);
    const bool backward = initialize->mode == LAYER_FAN_OUT;
    return initialize->gain / sqrt(backward ? initialize->fan_out : initialize->fan_in);
}

static layer_status describe_normal(layer_initialize *initialize,
                                    const layer_initialize_options *options, size_t count,
                                    layer_error *error)
{
    const layer_status status = check_mode(initialize->mode, error);
    if (status == LAYER_OK)
        layer_describe_normal(initialize, 0, choose_std(initialize, options), count);
    return status;
}

static layer_status describe_uniform(layer_initialize *initialize,
                                     const layer_initialize_options *options, size_t count,
                                     layer_error *error)
{
    const layer_status status = check_mode(initialize->mode, error);
    if (status == LAYER_OK)
        layer_describe_uniform(initialize, 0, sqrt(3) * choose_std(initialize, options), count);
    return status;
}

const layer_initialize_law layer_initialize_law_KAIMING_NORMAL = {
    .describe = describe_normal, .run = layer_run_independent, .widener = "gain"};

const layer_initialize_law layer_initialize_law_KAIMING_UNIFORM = {
    .describe = describe_uniform, .run = layer_run_independent, .widener = "gain"};
