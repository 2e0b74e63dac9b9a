/* Xavier's laws: independent elements, normal or uniform, whose variance is 2 / (fan_in + fan_out).
 * Source: Glorot & Bengio 2010, eqs. 12 and 16.
 * SPDX-License-Identifier: MIT */
#include "initialize/independent.h"

#include <math.h>

static layer_status describe_normal(layer_initialize *initialize,
                                    const layer_initialize_options *options, size_t count,
                                    layer_error *error)
{
    (void)options;
    (void)error;
    const double fans = initialize->fan_in + initialize->fan_out;
    layer_describe_normal(initialize, 0, initialize->gain * sqrt(2 / fans), count);
    return LAYER_OK;
}

static layer_status describe_uniform(layer_initialize *initialize,
                                     const layer_initialize_options *options, size_t count,
                                     layer_error *error)
{
    (void)options;
    (void)error;
    const double fans = initialize->fan_in + initialize->fan_out;
    layer_describe_uniform(initialize, 0, initialize->gain * sqrt(6 / fans), count);
    return LAYER_OK;
}

const layer_initialize_law layer_initialize_law_XAVIER_NORMAL = {
    .describe = describe_normal, .run = layer_run_independent, .widener = "gain"};

const layer_initialize_law layer_initialize_law_XAVIER_UNIFORM = {
    .describe = describe_uniform, .run = layer_run_independent, .widener = "gain"};
