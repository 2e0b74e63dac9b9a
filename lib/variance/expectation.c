/* Second moments of what a nonlinearity makes of a normal variable.
 * SPDX-License-Identifier: MIT */
#include "variance/expectation.h"
#include "core/normal.h"

#include <math.h>
#include <stdbool.h>

/* The nodes in u: beyond, the weights are below 1e-16. */
static const double FIRST = -3.75, LAST = 2.75, STEP = 1.0 / 16;

static double square(double x)
{
    return x * x;
}

/* Whether f(2z) = 2 f(z), which of all in the list the functions with one edge at zero have. */
static bool is_linear_on_either_side(layer_nonlinearity which, double slope)
{
    return layer_nonlinearity_value(which, slope, 2) ==
               2 * layer_nonlinearity_value(which, slope, 1) &&
           layer_nonlinearity_value(which, slope, -2) ==
               2 * layer_nonlinearity_value(which, slope, -1);
}

layer_second_moments layer_moments_through(layer_nonlinearity which, double slope, double variance)
{
    if (is_linear_on_either_side(which, slope)) {
        const double squares = square(layer_nonlinearity_derivative(which, slope, 1)) +
                               square(layer_nonlinearity_derivative(which, slope, -1));
        return (layer_second_moments){variance * squares / 2, squares / 2};
    }
    layer_second_moments sum = {0, 0};
    const double deviation = sqrt(variance);
    for (double u = FIRST; u <= LAST; u += STEP) {
        const double at = exp(u - exp(-u));
        const double weight = layer_normal_density(at) * at * (1 + exp(-u)) * STEP;
        for (int side = -1; side <= 1; side += 2) {
            const double z = side * deviation * at;
            sum.value += weight * square(layer_nonlinearity_value(which, slope, z));
            sum.derivative += weight * square(layer_nonlinearity_derivative(which, slope, z));
        }
    }
    return sum;
}
