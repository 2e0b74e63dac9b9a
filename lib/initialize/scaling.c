/* Laws that scale the variance by a fan: LeCun's, and the one that leaves everything open.
 * Sources: LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998, eq. 16; Keras,
 * VarianceScaling.
 * SPDX-License-Identifier: MIT */
#include "initialize/independent.h"

#include <math.h>

/* Where variance_scaling cuts the normal distribution, in its standard deviations. */
static const double CUT = 2;

static layer_status describe_lecun_normal(layer_initialize *initialize,
                                          const layer_initialize_options *options, size_t count,
                                          layer_error *error)
{
    (void)options;
    (void)error;
    layer_describe_normal(initialize, 0, 1 / sqrt(initialize->fan_in), count);
    return LAYER_OK;
}

static layer_status describe_lecun_uniform(layer_initialize *initialize,
                                           const layer_initialize_options *options, size_t count,
                                           layer_error *error)
{
    (void)options;
    (void)error;
    layer_describe_uniform(initialize, 0, sqrt(3 / initialize->fan_in), count);
    return LAYER_OK;
}

static double fan_of(const layer_initialize *initialize)
{
    const double fans[] = {
        [LAYER_FAN_IN] = initialize->fan_in,
        [LAYER_FAN_OUT] = initialize->fan_out,
        [LAYER_FAN_AVG] = (initialize->fan_in + initialize->fan_out) / 2,
    };
    return fans[initialize->mode];
}

/* The cut normal is drawn from a wider one, so that its own standard deviation is the one wanted.
 */
static layer_status describe_scaling(layer_initialize *initialize,
                                     const layer_initialize_options *options, size_t count,
                                     layer_error *error)
{
    (void)error;
    double mean;
    const double std = sqrt(initialize->scale / fan_of(initialize));
    if (options->distribution == LAYER_DISTRIBUTION_NORMAL)
        layer_describe_normal(initialize, 0, std, count);
    else if (options->distribution == LAYER_DISTRIBUTION_UNIFORM)
        layer_describe_uniform(initialize, 0, sqrt(3) * std, count);
    else
        layer_describe_truncated(initialize, 0, std / layer_truncated_std(-CUT, CUT, &mean), -CUT,
                                 CUT, count);
    return LAYER_OK;
}

const layer_initialize_law layer_initialize_law_LECUN_NORMAL = {
    .describe = describe_lecun_normal, .run = layer_run_independent, .widener = "shape"};

const layer_initialize_law layer_initialize_law_LECUN_UNIFORM = {
    .describe = describe_lecun_uniform, .run = layer_run_independent, .widener = "shape"};

const layer_initialize_law layer_initialize_law_VARIANCE_SCALING = {
    .describe = describe_scaling, .run = layer_run_independent, .widener = "scale"};
