/* Nonlinearities between layers: their gains, values and derivatives.
 * SPDX-License-Identifier: MIT */
#include "layer/nonlinearity.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

double layer_nonlinearity_gain(layer_nonlinearity which, double slope)
{
    assert((unsigned)which < LAYER_NONLINEARITIES);
    const double gains[] = {
#define GAIN(id, name, gain) [LAYER_NONLINEARITY_##id] = (gain),
        LAYER_NONLINEARITY_LIST(GAIN)
#undef GAIN
    };
    return gains[which];
}

/* ---- Values and derivatives: two functions a row --------------------------------------------- */

static double value_LINEAR(double slope, double z)
{
    (void)slope;
    return z;
}

static double derivative_LINEAR(double slope, double z)
{
    (void)slope;
    (void)z;
    return 1;
}

static double value_CONV(double slope, double z)
{
    return value_LINEAR(slope, z);
}

static double derivative_CONV(double slope, double z)
{
    return derivative_LINEAR(slope, z);
}

static double value_SIGMOID(double slope, double z)
{
    (void)slope;
    return 1 / (1 + exp(-z));
}

static double derivative_SIGMOID(double slope, double z)
{
    const double value = value_SIGMOID(slope, z);
    return value * (1 - value);
}

static double value_TANH(double slope, double z)
{
    (void)slope;
    return tanh(z);
}

static double derivative_TANH(double slope, double z)
{
    const double value = value_TANH(slope, z);
    return 1 - value * value;
}

static double value_LEAKY_RELU(double slope, double z)
{
    return z < 0 ? slope * z : z;
}

static double derivative_LEAKY_RELU(double slope, double z)
{
    return z < 0 ? slope : 1;
}

static double value_RELU(double slope, double z)
{
    (void)slope;
    return value_LEAKY_RELU(0, z);
}

static double derivative_RELU(double slope, double z)
{
    (void)slope;
    return derivative_LEAKY_RELU(0, z);
}

/* Klambauer et al. 2017, eq. 14: the fixed point of mean 0 and variance 1. */
static const double SELU_SCALE = 1.0507009873554804934, SELU_ALPHA = 1.6732632423543772848;

static double value_SELU(double slope, double z)
{
    (void)slope;
    return SELU_SCALE * (z < 0 ? SELU_ALPHA * expm1(z) : z);
}

static double derivative_SELU(double slope, double z)
{
    (void)slope;
    return SELU_SCALE * (z < 0 ? SELU_ALPHA * exp(z) : 1);
}

double layer_nonlinearity_value(layer_nonlinearity which, double slope, double z)
{
    static double (*const values[])(double, double) = {
#define VALUE(id, name, gain) [LAYER_NONLINEARITY_##id] = value_##id,
        LAYER_NONLINEARITY_LIST(VALUE)
#undef VALUE
    };
    assert((unsigned)which < LAYER_NONLINEARITIES);
    return values[which](slope, z);
}

double layer_nonlinearity_derivative(layer_nonlinearity which, double slope, double z)
{
    static double (*const derivatives[])(double, double) = {
#define DERIVATIVE(id, name, gain) [LAYER_NONLINEARITY_##id] = derivative_##id,
        LAYER_NONLINEARITY_LIST(DERIVATIVE)
#undef DERIVATIVE
    };
    assert((unsigned)which < LAYER_NONLINEARITIES);
    return derivatives[which](slope, z);
}
