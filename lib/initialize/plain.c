/* Laws that take their numbers from the caller and look at no fan: normal, truncated, uniform.
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"
#include "initialize/independent.h"

#include <math.h>
#include <stdbool.h>

/* Beyond so many standard deviations doubles run out of digits, and nearer cuts leave no digits for
 * the variance between them. */
static const double FARTHEST_CUT = 30, NEAREST_CUTS = 0.01, DEFAULT_CUT = 2;

static double std_of(const layer_initialize_options *options)
{
    return options->std == 0 ? 1 : options->std;
}

static layer_status describe_normal(layer_initialize *initialize,
                                    const layer_initialize_options *options, size_t count,
                                    layer_error *error)
{
    (void)error;
    layer_describe_normal(initialize, options->mean, std_of(options), count);
    return LAYER_OK;
}

static layer_status check_cut(const char *name, double cut, layer_error *error)
{
    return fabs(cut) <= FARTHEST_CUT
               ? LAYER_OK
               : layer_refuse(error, LAYER_INVALID, name,
                              "%s is %g, expected standard deviations from %g to %g", name, cut,
                              -FARTHEST_CUT, FARTHEST_CUT);
}

static layer_status describe_truncated(layer_initialize *initialize,
                                       const layer_initialize_options *options, size_t count,
                                       layer_error *error)
{
    const bool open = options->lower == 0 && options->upper == 0;
    const double lower = open ? -DEFAULT_CUT : options->lower;
    const double upper = open ? DEFAULT_CUT : options->upper;
    layer_status status = check_cut("lower", lower, error);
    if (status == LAYER_OK)
        status = check_cut("upper", upper, error);
    if (status != LAYER_OK)
        return status;
    if (upper - lower < NEAREST_CUTS)
        return layer_refuse(error, LAYER_INVALID, "upper",
                            "upper is %g, expected at least %g more than lower, %g", upper,
                            NEAREST_CUTS, lower);
    layer_describe_truncated(initialize, options->mean, std_of(options), lower, upper, count);
    return LAYER_OK;
}

static layer_status describe_uniform(layer_initialize *initialize,
                                     const layer_initialize_options *options, size_t count,
                                     layer_error *error)
{
    const bool open = options->low == 0 && options->high == 0;
    const double low = options->low, high = open ? 1 : options->high;
    if (!((float)low < (float)high))
        return layer_refuse(error, LAYER_INVALID, "high", "high is %g, expected more than low, %g",
                            high, low);
    layer_describe_uniform(initialize, (low + high) / 2, (high - low) / 2, count);
    return LAYER_OK;
}

const layer_initialize_law layer_initialize_law_NORMAL = {
    .describe = describe_normal, .run = layer_run_independent, .widener = "std"};

const layer_initialize_law layer_initialize_law_TRUNCATED_NORMAL = {
    .describe = describe_truncated, .run = layer_run_independent, .widener = "std"};

const layer_initialize_law layer_initialize_law_UNIFORM = {
    .describe = describe_uniform, .run = layer_run_independent, .widener = "high"};
