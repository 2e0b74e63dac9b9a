/* Properties of variances through random stacks: measured as the definition passes them, the same
 * bits for any number of threads, and near to what the formulas predict.
 * SPDX-License-Identifier: MIT */
#include "layer/random.h"
#include "oracle/variance_oracle.h"
#include "support/drawing.h"
#include "support/floats.h"
#include "support/threads.h"
#include "variance/stack.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STACKS = 120, MOST_THREADS = 3, MOST_LAYERS = 4 };

/* Allowed difference from the definition in double, relative: a few layers of sums of floats. */
static const double BOUND = 2e-4;

typedef struct {
    layer_variance_weight weights[MOST_LAYERS];
    size_t count;
} stack;

/* ---- Drawing --------------------------------------------------------------------------------- */

static layer_variance describe(const stack *layers, const layer_variance_options *options)
{
    layer_variance variance;
    size_t place;
    layer_error error = {.reason = ""};
    if (layer_variance_describe(&variance, layers->weights, layers->count, options, &place,
                                &error) != LAYER_OK)
        fail_msg("%s", error.reason);
    return variance;
}

/* Linear layers and convolutions over one to three axes, in groups now and then. */
static stack draw_stack(sampling *from)
{
    stack drawn = {.count = (size_t)sampling_between(from, 1, MOST_LAYERS)};
    const int most_axes = sampling_between(from, 0, 3);
    int channels = sampling_between(from, 1, 12);
    for (size_t l = 0; l < drawn.count; l++) {
        const int axes = sampling_between(from, 0, most_axes);
        const int group = channels % 2 == 0 && axes > 0 ? sampling_between(from, 1, 2) : 1;
        const int outputs = group * sampling_between(from, 1, 6);
        layer_variance_weight *const weight = &drawn.weights[l];
        *weight = (layer_variance_weight){{2 + axes, {outputs, channels / group}}, group};
        for (int axis = 0; axis < axes; axis++)
            weight->shape.extent[2 + axis] = sampling_between(from, 1, 3);
        channels = outputs;
    }
    return drawn;
}

static layer_variance draw_variance(sampling *from)
{
    static const layer_initialize_method methods[] = {
        LAYER_INITIALIZE_XAVIER_NORMAL, LAYER_INITIALIZE_KAIMING_UNIFORM,
        LAYER_INITIALIZE_ORTHOGONAL, LAYER_INITIALIZE_VARIANCE_SCALING};
    const stack layers = draw_stack(from);
    const layer_variance_options options = {
        .law.method = methods[sampling_between(from, 0, 3)],
        .law.seed = (uint64_t)sampling_between(from, 0, 1 << 30),
        .nonlinearity = (layer_nonlinearity)sampling_between(from, 0, LAYER_NONLINEARITIES - 1),
        .slope = 0.1,
        .samples = (size_t)sampling_between(from, 1, 70),
    };
    return describe(&layers, &options);
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static layer_status measure(const layer_variance *variance, layer_variance_measured *measured,
                            int threads, const int *cancelled)
{
    void *const workspace = floats_workspace(layer_variance_workspace_size(variance, threads));
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    memset(measured, 0xFF, variance->count * sizeof *measured);
    const layer_status status = layer_variance_measure(variance, measured, &run);
    free(workspace);
    return status;
}

/* Elements of the stream that layer/variance.h's inputs and gradients are. */
static float *stream_of(const layer_variance *variance, size_t index, size_t channels)
{
    const size_t count = variance->samples * channels * variance->cells;
    const uint64_t seed = layer_variance_seed(variance->seed, index);
    float *const elements = floats_new(count);
    for (size_t i = 0; i < count; i++)
        elements[i] = (float)layer_random_normal(seed, i);
    return elements;
}

static void expect(const layer_variance *variance, layer_variance_measured *expected)
{
    float *weights[LAYER_VARIANCE_MAX_LAYERS];
    const layer_initialize *const first = &variance->layers[0].law;
    const layer_initialize *const last = &variance->layers[variance->count - 1].law;
    for (size_t l = 0; l < variance->count; l++)
        weights[l] = drawing_new(&variance->layers[l].law, 1);
    float *const inputs =
        stream_of(variance, LAYER_VARIANCE_INPUTS, layer_variance_channels_in(first));
    float *const gradients =
        stream_of(variance, LAYER_VARIANCE_GRADIENTS, (size_t)last->shape.extent[0]);
    variance_oracle(variance, (const float *const *)weights, inputs, gradients, expected);
    free(gradients);
    free(inputs);
    for (size_t l = 0; l < variance->count; l++)
        free(weights[l]);
}

static void assert_close(const char *what, size_t layer, double actual, double expected,
                         double scale)
{
    if (!(fabs(actual - expected) <= BOUND * scale))
        fail_msg("%s of layer %zu is %.9g, expected %.9g", what, layer, actual, expected);
}

static void stacks_are_measured_as_defined(void **state)
{
    sampling *const from = *state;
    for (int number = 0; number < STACKS; number++) {
        const layer_variance variance = draw_variance(from);
        layer_variance_measured alone[MOST_LAYERS], together[MOST_LAYERS], expected[MOST_LAYERS];
        assert_int_equal(measure(&variance, alone, 1, NULL), LAYER_OK);
        expect(&variance, expected);
        for (size_t l = 0; l < variance.count; l++) {
            const double most = expected[l].most_ratio;
            assert_close("forward", l, alone[l].forward, expected[l].forward,
                         fmax(expected[l].forward, 1e-6));
            assert_close("backward", l, alone[l].backward, expected[l].backward,
                         fmax(expected[l].backward, 1e-6));
            assert_close("mean_ratio", l, alone[l].mean_ratio, expected[l].mean_ratio, most);
            assert_close("least_ratio", l, alone[l].least_ratio, expected[l].least_ratio, most);
            assert_close("most_ratio", l, alone[l].most_ratio, expected[l].most_ratio, most);
        }
        for (int threads = 2; threads <= MOST_THREADS; threads++) {
            assert_int_equal(measure(&variance, together, threads, NULL), LAYER_OK);
            assert_memory_equal(alone, together, variance.count * sizeof *alone);
        }
        const int cancelled = 1;
        assert_int_equal(measure(&variance, together, 2, &cancelled), LAYER_CANCELLED);
    }
}

/* ---- The formulas ---------------------------------------------------------------------------- */

/* One draw of the weights keeps to the formulas within the noise of its n = 400 neurons: a layer's
 * mean square scatters by up to sqrt(2 / n) = 7 %, and layers add up. So 20 % at the fourth layer
 * are some two of its deviations for a ReLU, where the mean of the inputs makes the samples alike,
 * and many more for the others. The seeds are fixed: this does not fail now and then. */
static void check_formulas(layer_initialize_options law, layer_nonlinearity nonlinearity,
                           const stack *layers, double allowed)
{
    const layer_variance_options options = {
        .law = law, .nonlinearity = nonlinearity, .slope = 0.2, .samples = 64};
    const layer_variance variance = describe(layers, &options);
    layer_variance_measured measured[MOST_LAYERS];
    assert_int_equal(measure(&variance, measured, 2, NULL), LAYER_OK);
    for (size_t l = 0; l < variance.count; l++) {
        const layer_variance_layer *const layer = &variance.layers[l];
        if (!(fabs(measured[l].forward / layer->forward - 1) <= allowed))
            fail_msg("%s, %d: forward of layer %zu is %g, predicted %g",
                     layer_initialize_method_name(law.method), (int)nonlinearity, l,
                     measured[l].forward, layer->forward);
        if (!(fabs(measured[l].backward / layer->backward - 1) <= allowed))
            fail_msg("%s, %d: backward of layer %zu is %g, predicted %g",
                     layer_initialize_method_name(law.method), (int)nonlinearity, l,
                     measured[l].backward, layer->backward);
    }
}

static void wide_stacks_keep_to_the_formulas(void **state)
{
    (void)state;
    static const layer_initialize_options laws[] = {
        {.method = LAYER_INITIALIZE_XAVIER_NORMAL, .seed = 1},
        {.method = LAYER_INITIALIZE_XAVIER_UNIFORM, .seed = 2, .gain = 1.5},
        {.method = LAYER_INITIALIZE_KAIMING_NORMAL, .seed = 3},
        {.method = LAYER_INITIALIZE_KAIMING_UNIFORM, .seed = 4, .mode = LAYER_FAN_OUT},
        {.method = LAYER_INITIALIZE_LECUN_NORMAL, .seed = 5},
        {.method = LAYER_INITIALIZE_VARIANCE_SCALING, .seed = 6, .mode = LAYER_FAN_AVG},
        {.method = LAYER_INITIALIZE_NORMAL, .seed = 7, .std = 0.05},
    };
    const stack dense = {.weights = {{{2, {400, 300}}, 0},
                                     {{2, {500, 400}}, 0},
                                     {{2, {400, 500}}, 0},
                                     {{2, {600, 400}}, 0}},
                         .count = 4};
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        for (layer_nonlinearity which = 0; which < LAYER_NONLINEARITIES; which++)
            if (which != LAYER_NONLINEARITY_CONV)
                check_formulas(laws[i], which, &dense, 0.2);
}

/* With 48 to 64 channels a layer scatters by up to 20 %. */
static void convolutions_keep_to_the_formulas(void **state)
{
    (void)state;
    const stack layers = {
        .weights = {{{4, {64, 32, 3, 3}}, 1}, {{4, {64, 32, 3, 1}}, 2}, {{2, {48, 64}}, 1}},
        .count = 3};
    const layer_initialize_options law = {.method = LAYER_INITIALIZE_KAIMING_NORMAL, .seed = 8};
    check_formulas(law, LAYER_NONLINEARITY_RELU, &layers, 0.35);
    check_formulas(law, LAYER_NONLINEARITY_LINEAR, &layers, 0.1);
}

/* |Wx| = |x| for every x where W'W = I; on average, and never above, where WW' = I. */
static void orthogonal_layers_keep_norms(void **state)
{
    (void)state;
    const stack layers = {.weights = {{{2, {90, 60}}, 0}, {{2, {90, 90}}, 0}, {{2, {45, 90}}, 0}},
                          .count = 3};
    const layer_variance_options options = {
        .law = {.method = LAYER_INITIALIZE_ORTHOGONAL, .seed = 5}};
    const layer_variance variance = describe(&layers, &options);
    layer_variance_measured measured[MOST_LAYERS];
    assert_int_equal(measure(&variance, measured, 1, NULL), LAYER_OK);
    for (size_t l = 0; l < 2; l++) {
        assert_true(fabs(measured[l].least_ratio - 1) <= 1e-5);
        assert_true(fabs(measured[l].most_ratio - 1) <= 1e-5);
    }
    assert_true(measured[2].most_ratio < 1 && measured[2].least_ratio > 0.3);
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(stacks_are_measured_as_defined, &from),
        cmocka_unit_test(wide_stacks_keep_to_the_formulas),
        cmocka_unit_test(convolutions_keep_to_the_formulas),
        cmocka_unit_test(orthogonal_layers_keep_norms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
