/* Field tables: each kind decoded, refused, written.
 * SPDX-License-Identifier: MIT */
#include "support/decoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    bool given;
    api_integer depth;
} inner;

typedef struct {
    api_boolean flag;
    api_integer count;
    api_integers axes;
    api_number ratio, any;
    api_choice colour;
    api_shape shape;
    inner object;
} target;

static const api_option colours[] = {{"red", 7, "warm"}, {"blue", 9, NULL}, {0}};

static const api_field inner_fields[] = {
    {.name = "depth",
     .kind = &api_integer_kind,
     .offset = offsetof(inner, depth),
     .required = true,
     .minimum = -5,
     .maximum = 5},
    {0},
};

static const api_field fields[] = {
    {.name = "flag", .kind = &api_boolean_kind, .offset = offsetof(target, flag)},
    {.name = "count",
     .kind = &api_integer_kind,
     .offset = offsetof(target, count),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_SEED},
    {.name = "axes",
     .kind = &api_integers_kind,
     .offset = offsetof(target, axes),
     .minimum = 0,
     .maximum = 8,
     .fewest = 2,
     .most = 3},
    {.name = "ratio",
     .kind = &api_number_kind,
     .offset = offsetof(target, ratio),
     .minimum = -1,
     .maximum = 1},
    {.name = "any", .kind = &api_number_kind, .offset = offsetof(target, any)},
    {.name = "colour",
     .kind = &api_choice_kind,
     .offset = offsetof(target, colour),
     .options = colours},
    {0},
};

static const api_field more_fields[] = {
    {.name = "shape",
     .kind = &api_shape_kind,
     .offset = offsetof(target, shape),
     .minimum = 1,
     .maximum = 9,
     .fewest = 2,
     .most = 3},
    {.name = "object",
     .kind = &api_object_kind,
     .offset = offsetof(target, object),
     .fields = inner_fields},
    {0},
};

static const api_field *const tables[] = {fields, more_fields, NULL};

static target accept(const char *text)
{
    target decoded = {0};
    const decoding result = decode_text(text, tables, &decoded);
    if (result.problem.status != 0)
        fail_msg("%s: %s", text, result.problem.detail);
    api_arena_destroy(result.arena);
    return decoded;
}

static void refuse(const char *text, const char *pointer, const char *detail)
{
    decode_refused(text, tables, sizeof(target), pointer, detail);
}

static void what_is_absent_is_not_given(void **state)
{
    (void)state;
    const target got = accept("{\"count\":3}");
    assert_true(got.count.given);
    assert_int_equal(got.count.value, 3);
    assert_false(got.flag.given || got.axes.given || got.ratio.given || got.any.given ||
                 got.colour.given || got.shape.given || got.object.given);
}

static void every_kind_is_decoded(void **state)
{
    (void)state;
    const target got =
        accept("{\"object\":{\"depth\":-5},\"shape\":[2,9],\"colour\":\"blue\",\"any\":-1e-7,"
               "\"ratio\":-1,\"axes\":[0,8],\"count\":9007199254740991,\"flag\":true}");
    assert_true(got.flag.given && got.flag.value);
    assert_true(got.count.value == 9007199254740991);
    assert_int_equal(got.axes.count, 2);
    assert_int_equal(got.axes.value[0], 0);
    assert_int_equal(got.axes.value[1], 8);
    assert_true(got.ratio.value == -1 && got.any.value == -1e-7);
    assert_int_equal(got.colour.value, 9);
    assert_int_equal(got.shape.value.rank, 2);
    assert_int_equal(got.shape.value.extent[1], 9);
    assert_true(got.object.given && got.object.depth.value == -5);
}

static void one_integer_stands_for_all_axes(void **state)
{
    (void)state;
    const target got = accept("{\"count\":1.0e0,\"axes\":4}");
    assert_int_equal(got.count.value, 1);
    assert_int_equal(got.axes.count, 0);
    assert_int_equal(got.axes.value[0], 4);
}

static void missing_and_unknown_fields_are_refused(void **state)
{
    (void)state;
    refuse("{}", "/count", "missing field \"count\"");
    refuse("{\"count\":1,\"object\":{}}", "/object/depth", "missing field \"depth\"");
    refuse("{\"cuont\":1}", "/cuont", "unknown field \"cuont\"; did you mean \"count\"?");
    refuse("{\"zzz\":1}", "/zzz", "unknown field \"zzz\"");
    refuse("{\"\":1}", "/", "unknown field \"\"");
    refuse("{\"object\":{\"~/\":1}}", "/object/~0~1", "unknown field \"~/\"");
}

static void names_too_long_to_point_at_are_left_out(void **state)
{
    (void)state;
    char text[1200] = "{\"", detail[200] = "unknown field \"";
    memset(text + 2, 'z', 1000);
    strcpy(text + 1002, "\":1}");
    memset(detail + strlen(detail), 'z', 64);
    strcat(detail, "\"");
    refuse(text, "", detail);
    memset(text + 2, '~', 100); /* fits, but not when it is escaped */
    memcpy(text + 102, "\":1}", 5);
    memset(detail + 15, '~', 64);
    refuse(text, "", detail);
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"{\"flag\":1}", "/flag", "flag is 1; expected true or false"},
        {"{\"flag\":[1]}", "/flag", "flag is an array of shape 1; expected true or false"},
        {"{\"count\":true}", "/count",
         "count is true; expected an integer from 1 to 9007199254740991"},
        {"{\"count\":[3]}", "/count",
         "count is an array of shape 1; expected an integer from 1 to 9007199254740991"},
        {"{\"ratio\":null}", "/ratio", "ratio is null; expected a number from -1 to 1"},
        {"{\"any\":false}", "/any", "any is false; expected a number"},
        {"{\"any\":[[1,2],[3,4],[5,6]]}", "/any",
         "any is an array of shape 3x2; expected a number"},
        {"{\"any\":[]}", "/any", "any is an empty array; expected a number"},
        {"{\"any\":[\"a\"]}", "/any",
         "any is an array of other things than numbers; expected a number"},
        {"{\"colour\":{}}", "/colour", "colour is an object; expected one of \"red\", \"blue\""},
        {"{\"colour\":7}", "/colour", "colour is 7; expected one of \"red\", \"blue\""},
        {"{\"shape\":\"2x2\"}", "/shape",
         "shape is a string; expected an array of 2 to 3 integers from 1 to 9"},
        {"{\"shape\":[[1,2]]}", "/shape",
         "shape is an array of shape 1x2; expected an array of 2 to 3 integers from 1 to 9"},
        {"{\"object\":3}", "/object", "object is 3; expected an object with depth"},
        {"{\"object\":[1]}", "/object",
         "object is an array of shape 1; expected an object with depth"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(rows[i][0], rows[i][1], rows[i][2]);
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char axes[] = "expected an integer, or an array of 2 to 3 integers, from 0 to 8";
    char detail[200];
    refuse("{\"count\":0}", "/count", "count is 0; expected an integer from 1 to 9007199254740991");
    refuse("{\"count\":1.5}", "/count",
           "count is 1.5; expected an integer from 1 to 9007199254740991");
    refuse("{\"count\":9007199254740992}", "/count",
           "count is 9007199254740992; expected an integer from 1 to 9007199254740991");
    refuse("{\"ratio\":1.25}", "/ratio", "ratio is 1.25; expected a number from -1 to 1");
    refuse("{\"object\":{\"depth\":6}}", "/object/depth",
           "depth is 6; expected an integer from -5 to 5");
    snprintf(detail, sizeof detail, "axes is -1; %s", axes);
    refuse("{\"axes\":-1}", "/axes", detail);
    snprintf(detail, sizeof detail, "axes is an array of shape 1; %s", axes);
    refuse("{\"axes\":[1]}", "/axes", detail);
    snprintf(detail, sizeof detail, "axes is an array of shape 4; %s", axes);
    refuse("{\"axes\":[1,1,1,1]}", "/axes", detail);
    refuse("{\"axes\":[1,9]}", "/axes/1", "axes[1] is 9; expected an integer from 0 to 8");
    refuse("{\"axes\":[1,2,0.5]}", "/axes/2", "axes[2] is 0.5; expected an integer from 0 to 8");
    refuse("{\"axes\":[1,1e30]}", "/axes/1", "axes[1] is 1e+30; expected an integer from 0 to 8");
    refuse("{\"shape\":[0,1]}", "/shape/0", "shape[0] is 0; expected an integer from 1 to 9");
    refuse("{\"shape\":[1]}", "/shape", "shape has rank 1; expected rank 2 to 3");
    refuse("{\"shape\":[]}", "/shape", "shape has rank 0; expected rank 2 to 3");
}

static void a_fraction_that_a_float_would_hide_is_refused(void **state)
{
    (void)state;
    refuse("{\"axes\":[1,2.00000000001]}", "/axes",
           "axes is an array of shape 2; expected an integer, or an array of 2 to 3 integers, from "
           "0 to 8");
}

static void unknown_words_are_refused(void **state)
{
    (void)state;
    refuse("{\"colour\":\"blu\"}", "/colour", "unknown colour \"blu\"; did you mean \"blue\"?");
    refuse("{\"colour\":\"green\"}", "/colour",
           "unknown colour \"green\"; expected one of \"red\", \"blue\"");
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct {
    api_integer count;
    api_integers axes;
    api_number ratio;
    api_choice colour;
    api_result tensor;
    inner object;
} reply;

static const api_field reply_fields[] = {
    {.name = "count", .kind = &api_integer_kind, .offset = offsetof(reply, count)},
    {.name = "axes", .kind = &api_list_kind, .offset = offsetof(reply, axes)},
    {.name = "ratio", .kind = &api_figure_kind, .offset = offsetof(reply, ratio)},
    {.name = "colour",
     .kind = &api_choice_kind,
     .offset = offsetof(reply, colour),
     .options = colours},
    {.name = "tensor", .kind = &api_result_kind, .offset = offsetof(reply, tensor)},
    {.name = "object",
     .kind = &api_object_kind,
     .offset = offsetof(reply, object),
     .fields = inner_fields},
    {0},
};

static void what_is_given_is_written(void **state)
{
    (void)state;
    float data[] = {1, 2.5f};
    const reply all = {
        .count = {true, 9007199254740991},
        .axes = {true, 3, {1, 2, 3}},
        .ratio = {true, 0.1},
        .colour = {true, 9},
        .tensor = {.given = true, .shape = {2, {1, 2}}, .count = 2, .data = data},
        .object = {true, {true, -2}},
    };
    encode_written(reply_fields, &(reply){0}, API_FORM_NESTED, false, "{}");
    encode_written(reply_fields, &all, API_FORM_NESTED, false,
                   "{\"count\":9007199254740991,\"axes\":[1,2,3],\"ratio\":0.1,\"colour\":\"blue\","
                   "\"tensor\":[[1,2.5]],\"object\":{\"depth\":-2}}");
    encode_written(reply_fields, &all, API_FORM_FLAT, true,
                   "{\"count\":9007199254740991,\"axes\":[1,2,3],\"ratio\":0.1,\"colour\":\"blue\","
                   "\"tensor_shape\":[1,2],\"object\":{\"depth\":-2}}");
    encode_written(reply_fields, &(reply){.tensor = all.tensor}, API_FORM_FLAT, false,
                   "{\"tensor\":{\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[1,2.5]}}");
    encode_written(reply_fields, &(reply){.tensor = all.tensor}, API_FORM_BINARY, false,
                   "{\"tensor\":{\"shape\":[1,2],\"datatype\":\"FP32\",\"parameters\":{"
                   "\"binary_data_size\":8}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_is_not_given),
        cmocka_unit_test(every_kind_is_decoded),
        cmocka_unit_test(one_integer_stands_for_all_axes),
        cmocka_unit_test(missing_and_unknown_fields_are_refused),
        cmocka_unit_test(names_too_long_to_point_at_are_left_out),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(a_fraction_that_a_float_would_hide_is_refused),
        cmocka_unit_test(unknown_words_are_refused),
        cmocka_unit_test(what_is_given_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
