/* Field kinds made of others: included tables, arrays of objects, texts, sets of words.
 * SPDX-License-Identifier: MIT */
#include "support/decoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

typedef struct {
    api_integer near, far;
} shared;

typedef struct {
    bool given;
    api_text name;
    api_integer size;
} item;

typedef struct {
    api_boolean first;
    shared shared;
    api_objects items;
    api_choices words;
    api_text label;
    api_sequence widths;
    api_texts lines;
    api_reals numbers;
} target;

static const api_option words[] = {{"red", 0, NULL}, {"blue", 5, NULL}, {0}};

static const api_field shared_fields[] = {
    {.name = "near",
     .kind = &api_integer_kind,
     .offset = offsetof(shared, near),
     .required = true,
     .maximum = 9},
    {.name = "far", .kind = &api_integer_kind, .offset = offsetof(shared, far), .maximum = 9},
    {0},
};

static const api_field item_fields[] = {
    {.name = "name",
     .kind = &api_text_kind,
     .offset = offsetof(item, name),
     .fewest = 1,
     .most = 3},
    {.name = "size",
     .kind = &api_integer_kind,
     .offset = offsetof(item, size),
     .required = true,
     .maximum = 9},
    {0},
};

static const api_field fields[] = {
    {.name = "first", .kind = &api_boolean_kind, .offset = offsetof(target, first)},
    {.name = "shared",
     .kind = &api_included_kind,
     .offset = offsetof(target, shared),
     .fields = shared_fields},
    {.name = "items",
     .kind = &api_objects_kind,
     .offset = offsetof(target, items),
     .fewest = 1,
     .most = 3,
     .fields = item_fields,
     .item_size = sizeof(item)},
    {.name = "words",
     .kind = &api_choices_kind,
     .offset = offsetof(target, words),
     .options = words},
    {.name = "label",
     .kind = &api_text_kind,
     .offset = offsetof(target, label),
     .fewest = 0,
     .most = 5},
    {.name = "lines",
     .kind = &api_texts_kind,
     .offset = offsetof(target, lines),
     .fewest = 1,
     .most = 2},
    {.name = "widths",
     .kind = &api_sequence_kind,
     .offset = offsetof(target, widths),
     .minimum = 1,
     .maximum = 20,
     .fewest = 2,
     .most = 9},
    {0},
};

static const api_field *const tables[] = {fields, NULL};

static void refuse(const char *text, const char *pointer, const char *detail)
{
    decode_refused(text, tables, sizeof(target), pointer, detail);
}

static void everything_is_decoded(void **state)
{
    (void)state;
    target decoded = {0}, *const got = &decoded;
    const decoding result = decode_text(
        "{\"far\":2,\"near\":1,\"words\":[\"blue\",\"red\",\"blue\"],"
        "\"items\":[{\"size\":3},{\"name\":\"abc\",\"size\":4}],"
        "\"label\":\"\",\"first\":true,\"widths\":[1,2,3,4,5,6,7,20],\"lines\":[\"one\",\"\"]}",
        tables, &decoded);
    assert_int_equal(result.problem.status, 0);
    assert_true(got->first.given && got->shared.near.value == 1 && got->shared.far.value == 2);
    assert_int_equal(got->words.value, 1u << 5 | 1u);
    assert_int_equal(got->items.count, 2);
    const item *const items = got->items.items;
    assert_true(items[0].given && !items[0].name.given && items[0].size.value == 3);
    assert_string_equal(items[1].name.value, "abc");
    assert_int_equal(items[1].size.value, 4);
    assert_string_equal(got->label.value, "");
    assert_int_equal(got->widths.count, 8);
    assert_true(got->widths.values[0] == 1 && got->widths.values[7] == 20);
    assert_int_equal(got->lines.count, 2);
    assert_string_equal(got->lines.values[0], "one");
    assert_string_equal(got->lines.values[1], "");
    api_arena_destroy(result.arena);
}

static void everything_is_refused_where_it_stands(void **state)
{
    (void)state;
    refuse("{}", "/near", "missing field \"near\"");
    refuse("{\"fra\":1}", "/fra", "unknown field \"fra\"; did you mean \"far\"?");
    refuse("{\"shared\":1}", "/shared", "unknown field \"shared\"");
    refuse("{\"near\":1,\"items\":[]}", "/items",
           "items is an empty array; expected an array of 1 to 3 objects");
    refuse("{\"near\":1,\"items\":[{\"size\":1},{\"size\":1},{\"size\":1},{\"size\":1}]}", "/items",
           "items is an array of other things than numbers; expected an array of 1 to 3 objects");
    refuse("{\"near\":1,\"items\":{\"size\":1}}", "/items",
           "items is an object; expected an array of 1 to 3 objects");
    refuse("{\"near\":1,\"items\":[{\"size\":1},{\"size\":\"1\"}]}", "/items/1/size",
           "size is a string; expected an integer from 0 to 9");
    refuse("{\"near\":1,\"items\":[{\"name\":\"\",\"size\":1}]}", "/items/0/name",
           "name is a string; expected a string of 1 to 3 bytes");
    refuse("{\"near\":1,\"words\":[\"re\"]}", "/words",
           "unknown words \"re\"; did you mean \"red\"?");
    refuse("{\"near\":1,\"words\":\"red\"}", "/words",
           "words is a string; expected an array of one of \"red\", \"blue\"");
    refuse("{\"near\":1,\"label\":\"longer\"}", "/label",
           "label is a string; expected a string of 0 to 5 bytes");
    refuse("{\"near\":1,\"lines\":\"one\"}", "/lines",
           "lines is a string; expected an array of 1 to 2 strings");
    refuse("{\"near\":1,\"lines\":[\"one\",{}]}", "/lines",
           "lines is an array of other things than numbers; expected an array of 1 to 2 strings");
    refuse("{\"near\":1,\"lines\":[\"a\",\"b\",\"c\"]}", "/lines",
           "lines is an array of other things than numbers; expected an array of 1 to 2 strings");
    refuse("{\"near\":1,\"widths\":3}", "/widths",
           "widths is 3; expected an array of 2 to 9 integers from 1 to 20");
    refuse("{\"near\":1,\"widths\":[3]}", "/widths",
           "widths is an array of shape 1; expected an array of 2 to 9 integers from 1 to 20");
    refuse("{\"near\":1,\"widths\":[[3,4]]}", "/widths",
           "widths is an array of shape 1x2; expected an array of 2 to 9 integers from 1 to 20");
    refuse("{\"near\":1,\"widths\":[3,21]}", "/widths/1",
           "widths[1] is 21; expected an integer from 1 to 20");
    refuse("{\"near\":1,\"widths\":[3,1.5]}", "/widths/1",
           "widths[1] is 1.5; expected an integer from 1 to 20");
}

static void everything_is_written(void **state)
{
    (void)state;
    item items[] = {{.size = {true, 1}}, {.name = {true, "b"}, .size = {true, 2}}};
    const target what = {.shared = {{true, 3}, {true, 4}}, .items = {true, 2, items}};
    static const char expected[] =
        "{\"near\":3,\"far\":4,\"items\":[{\"size\":1},{\"name\":\"b\",\"size\":2}]}";
    encode_written(fields, &what, API_FORM_NESTED, false, expected);
}

static void reals_are_written_exactly(void **state)
{
    (void)state;
    static const api_field table[] = {
        {.name = "numbers", .kind = &api_reals_kind, .offset = offsetof(target, numbers)}, {0}};
    const target what = {.numbers = {true, 3, {9007199254740991, -0.5, 212}}};
    encode_written(table, &what, API_FORM_NESTED, false,
                   "{\"numbers\":[9007199254740991,-0.5,212]}");
}

static void the_text_of_objects_is_bounded(void **state)
{
    (void)state;
    static const api_field row = {.fields = item_fields};
    item items[] = {{.name = {true, "\x01\x01\x01"}, .size = {true, INT64_MIN}}};
    const api_objects objects = {true, 1, items}, none = {0};
    const size_t longest =
        strlen("{\"name\":\"\\u0001\\u0001\\u0001\",\"size\":-9223372036854775808},");
    assert_true(api_objects_text_size(&row, &objects) >= longest);
    assert_int_equal(api_objects_text_size(&row, &none), 0);
}

static void included_tables_may_be_empty_or_last(void **state)
{
    (void)state;
    static const api_field nothing[] = {{0}};
    const api_field table[] = {
        {.name = "a", .kind = &api_included_kind, .fields = nothing},
        {.name = "b", .kind = &api_included_kind, .offset = 8, .fields = shared_fields},
        {0},
    };
    api_rows rows = api_rows_of(table);
    assert_true(api_next_row(&rows));
    assert_string_equal(rows.field->name, "near");
    assert_true(api_next_row(&rows));
    assert_string_equal(rows.field->name, "far");
    assert_int_equal(rows.offset, 8 + offsetof(shared, far));
    assert_false(api_next_row(&rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_decoded),
        cmocka_unit_test(everything_is_refused_where_it_stands),
        cmocka_unit_test(everything_is_written),
        cmocka_unit_test(reals_are_written_exactly),
        cmocka_unit_test(the_text_of_objects_is_bounded),
        cmocka_unit_test(included_tables_may_be_empty_or_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
