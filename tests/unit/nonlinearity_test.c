/* Nonlinearities: gains, values, derivatives, and the second moments of a normal variable through
 * them.
 * SPDX-License-Identifier: MIT */
#include "layer/nonlinearity.h"
#include "oracle/variance_oracle.h"
#include "variance/expectation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SLOPE 0.2

static void assert_near(double actual, double expected, double relative)
{
    if (!(fabs(actual - expected) <= relative * fabs(expected)))
        fail_msg("%.17g, expected %.17g within %g", actual, expected, relative);
}

static void gains_are_the_published_ones(void **state)
{
    (void)state;
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_LINEAR, 0), 1, 0);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_CONV, 0), 1, 0);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_SIGMOID, 0), 1, 0);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_TANH, 0), 5. / 3, 0);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_RELU, 0), 1.4142135623730951, 1e-16);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_LEAKY_RELU, 1), 1, 0);
    assert_near(layer_nonlinearity_gain(LAYER_NONLINEARITY_SELU, 0), 0.75, 0);
}

static void values_are_known(void **state)
{
    (void)state;
    static const struct {
        layer_nonlinearity which;
        double z, value;
    } cases[] = {
        {LAYER_NONLINEARITY_LINEAR, -3, -3},
        {LAYER_NONLINEARITY_CONV, 3, 3},
        {LAYER_NONLINEARITY_SIGMOID, 0, 0.5},
        {LAYER_NONLINEARITY_SIGMOID, 1, 0.73105857863000488},
        {LAYER_NONLINEARITY_SIGMOID, -800, 0},
        {LAYER_NONLINEARITY_TANH, 1, 0.76159415595576489},
        {LAYER_NONLINEARITY_RELU, -2, 0},
        {LAYER_NONLINEARITY_RELU, 2, 2},
        {LAYER_NONLINEARITY_LEAKY_RELU, -2, -0.4},
        {LAYER_NONLINEARITY_LEAKY_RELU, 2, 2},
        {LAYER_NONLINEARITY_SELU, 1, 1.0507009873554805},
        {LAYER_NONLINEARITY_SELU, -1, -1.1113307378125627},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(layer_nonlinearity_value(cases[i].which, SLOPE, cases[i].z), cases[i].value,
                    1e-15);
}

static void derivatives_are_finite_differences(void **state)
{
    (void)state;
    const double step = 1e-5;
    for (layer_nonlinearity which = 0; which < LAYER_NONLINEARITIES; which++)
        for (double z = -4.05; z < 4; z += 0.1) {
            const double difference = (layer_nonlinearity_value(which, SLOPE, z + step) -
                                       layer_nonlinearity_value(which, SLOPE, z - step)) /
                                      (2 * step);
            const double derivative = layer_nonlinearity_derivative(which, SLOPE, z);
            assert_true(fabs(derivative - difference) <= 1e-8);
        }
}

static void second_moments_are_integrals(void **state)
{
    (void)state;
    static const double variances[] = {1e-6, 0.01, 0.5, 1, 2, 30, 1000};
    for (layer_nonlinearity which = 0; which < LAYER_NONLINEARITIES; which++)
        for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
            const layer_second_moments moments = layer_moments_through(which, SLOPE, variances[i]);
            assert_near(moments.value,
                        second_moment_oracle(layer_nonlinearity_value, which, SLOPE, variances[i]),
                        1e-8);
            assert_near(
                moments.derivative,
                second_moment_oracle(layer_nonlinearity_derivative, which, SLOPE, variances[i]),
                1e-8);
        }
}

/* He et al. 2015: half the second moment is left, and half of the gradient's. */
static void a_relu_halves_exactly(void **state)
{
    (void)state;
    const layer_second_moments relu = layer_moments_through(LAYER_NONLINEARITY_RELU, 0, 3);
    const layer_second_moments leaky = layer_moments_through(LAYER_NONLINEARITY_LEAKY_RELU, 0.5, 3);
    const layer_second_moments linear = layer_moments_through(LAYER_NONLINEARITY_LINEAR, 0, 3);
    assert_true(relu.value == 1.5 && relu.derivative == 0.5);
    assert_true(leaky.value == 1.875 && leaky.derivative == 0.625);
    assert_true(linear.value == 3 && linear.derivative == 1);
}

/* Klambauer et al. 2017: mean 0 and variance 1 are a fixed point of selu. */
static void selu_keeps_its_fixed_point(void **state)
{
    (void)state;
    assert_near(layer_moments_through(LAYER_NONLINEARITY_SELU, 0, 1).value, 1, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gains_are_the_published_ones),
        cmocka_unit_test(values_are_known),
        cmocka_unit_test(derivatives_are_finite_differences),
        cmocka_unit_test(second_moments_are_integrals),
        cmocka_unit_test(a_relu_halves_exactly),
        cmocka_unit_test(selu_keeps_its_fixed_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
