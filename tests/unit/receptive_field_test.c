/* Describing networks: refusals that name the layer, and sizes beyond 64 bits.
 * SPDX-License-Identifier: MIT */
#include "layer/receptive_field.h"
#include "support/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = LAYER_RECEPTIVE_LAYERS };

static void refused(const layer_receptive_network *network, layer_status status, size_t place,
                    const char *argument, const char *reason)
{
    static layer_receptive_field fields[MOST];
    layer_error error;
    size_t blamed;
    const layer_status returned = layer_receptive_field_describe(fields, network, &blamed, &error);
    expect_refusal(returned, &error, &(refusal){status, argument, reason});
    assert_int_equal(blamed, place);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    const int later = 1, negative = -2, size = 0;
    const layer_receptive_layer layers[] = {{.kernel = {1}},
                                            {.input_count = 1, .inputs = &later},
                                            {.input_count = 1, .inputs = &negative},
                                            {.kernel = {-1}}};
    refused(&(layer_receptive_network){0, layers, 1, NULL}, LAYER_INVALID, 0, "layers",
            "there are 0 layers, expected 1 to 1024");
    refused(&(layer_receptive_network){MOST + 1, layers, 1, NULL}, LAYER_INVALID, MOST + 1,
            "layers", "there are 1025 layers, expected 1 to 1024");
    refused(&(layer_receptive_network){1, layers, 4, NULL}, LAYER_INVALID, 1, "layers",
            "there are 4 axes, expected 1 to 3");
    refused(&(layer_receptive_network){1, layers, 1, &size}, LAYER_INVALID, 1, "input_size",
            "input_size is 0 along axis 0, expected at least 1");
    refused(&(layer_receptive_network){2, layers, 1, NULL}, LAYER_INVALID, 1, "inputs",
            "input 0 is layer 1, expected one before layer 1");
    refused(&(layer_receptive_network){1, layers + 2, 1, NULL}, LAYER_INVALID, 0, "inputs",
            "input 0 is layer -2, expected one before layer 0");
    refused(&(layer_receptive_network){1, layers + 3, 1, NULL}, LAYER_INVALID, 0, "kernel_shape",
            "kernel is -1 along axis 0, expected at least 1");
}

static void the_largest_field_is_exact(void **state)
{
    (void)state;
    layer_receptive_layer layers[54];
    layer_receptive_field fields[54];
    layer_error error;
    size_t place;
    for (int i = 0; i < 54; i++)
        layers[i] = (layer_receptive_layer){.kernel = {2}, .geometry.strides = {2}};
    const layer_receptive_network fits = {52, layers, 1, NULL}, exceeds = {54, layers, 1, NULL};
    assert_int_equal(layer_receptive_field_describe(fields, &fits, &place, &error), LAYER_OK);
    assert_true(fields[51].axis[0].last == (INT64_C(1) << 52) - 1);
    assert_true(fields[51].axis[0].stride == INT64_C(1) << 52);
    refused(&exceeds, LAYER_TOO_LARGE, 52, "strides",
            "the receptive field is beyond 2^53 cells along axis 0");
}

static void regions_too_far_out_are_refused(void **state)
{
    (void)state;
    layer_receptive_layer layers[50];
    layer_receptive_field fields[50];
    layer_region regions[50], seen;
    layer_error error;
    size_t place;
    for (int i = 0; i < 50; i++)
        layers[i] = (layer_receptive_layer){.geometry.strides = {2}};
    const layer_receptive_network network = {50, layers, 1, NULL};
    assert_int_equal(layer_receptive_field_describe(fields, &network, &place, &error), LAYER_OK);
    const int near = 7, far = 8;
    assert_int_equal(
        layer_receptive_field_seen(&network, fields, &near, false, regions, &seen, &error),
        LAYER_OK);
    assert_true(seen.first[0] == INT64_C(7) << 50 && seen.last[0] == INT64_C(7) << 50);
    assert_int_equal(
        layer_receptive_field_seen(&network, fields, &far, false, regions, &seen, &error),
        LAYER_TOO_LARGE);
    assert_string_equal(error.argument, "output_position");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_largest_field_is_exact),
        cmocka_unit_test(regions_too_far_out_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
