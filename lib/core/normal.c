/* The standard normal distribution: its density, its distribution function and the inverse.
 * SPDX-License-Identifier: MIT */
#include "core/normal.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

double layer_normal_density(double x)
{
    return exp(-x * x / 2) * (M_2_SQRTPI * M_SQRT1_2 / 2);
}

static double share_below(double x)
{
    return erfc(-x * M_SQRT1_2) / 2;
}

double layer_normal_between(double lower, double upper)
{
    return lower > 0 ? share_below(-lower) - share_below(-upper)
                     : share_below(upper) - share_below(lower);
}

/* ---- The inverse ----------------------------------------------------------------------------- */

enum { TERMS = 8 };

/* A quotient of two polynomials, coefficients from the constant on. */
typedef struct {
    double numerator[TERMS], denominator[TERMS];
} fraction;

/* |p - 1/2| <= 0.425, in 0.180625 - (p - 1/2)^2 */
static const fraction middle = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
     1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
     3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
     5.2264952788528545610e+3},
};

/* r = sqrt(-ln p) <= 5, in r - 1.6 */
static const fraction tail = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9},
};

/* r beyond, in r - 5 */
static const fraction far_tail = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15},
};

static double evaluate(const fraction *of, double x)
{
    double numerator = 0, denominator = 0;
    for (size_t i = TERMS; i-- > 0;) {
        numerator = numerator * x + of->numerator[i];
        denominator = denominator * x + of->denominator[i];
    }
    return numerator / denominator;
}

double layer_normal_quantile(double p)
{
    assert(p > 0 && p <= 0.5);
    const double q = p - 0.5;
    if (q >= -0.425)
        return q * evaluate(&middle, 0.180625 - q * q);
    const double r = sqrt(-log(p));
    return r <= 5 ? -evaluate(&tail, r - 1.6) : -evaluate(&far_tail, r - 5);
}

/* From the end whose share is smaller, which a double holds with all its digits. */
double layer_truncated_quantile(double lower, double upper, double u)
{
    const double between = layer_normal_between(lower, upper);
    const double below = share_below(lower) + u * between;
    const double above = share_below(-upper) + (1 - u) * between;
    return below <= above ? layer_normal_quantile(fmin(below, 0.5))
                          : -layer_normal_quantile(fmin(above, 0.5));
}
