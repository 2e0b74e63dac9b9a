/* JSON text to a tree: what is read, and what is valid JSON and refused all the same.
 * SPDX-License-Identifier: MIT */
#include "support/reading.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const api_array *find_array(const reading *made, const char *key)
{
    return api_document_array(&made->document,
                              cJSON_GetObjectItemCaseSensitive(made->document.root, key));
}

static void test_tree(void **state)
{
    (void)state;
    reading made = reading_of(" {\"a\" : true,\"b\":[ \"x\" , null ],\t\"c\":{},\r\n\"d\":-1.5e1,"
                              "\"A\":false,\"e\\n\\u00e9\\ud83d\\ude00\":\"\\\"\\\\\\/\\b\\f\"} ");
    const cJSON *const root = made.document.root;
    assert_true(cJSON_IsObject(root));
    assert_int_equal(cJSON_GetArraySize(root), 6);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "a")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(root, "A")));
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(root, "b");
    assert_string_equal(cJSON_GetArrayItem(list, 0)->valuestring, "x");
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(list, 1)));
    assert_true(cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "c")));
    assert_true(cJSON_GetObjectItemCaseSensitive(root, "d")->valuedouble == -15);
    assert_null(find_array(&made, "d"));
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(root, "e\n\xC3\xA9\xF0\x9F\x98\x80")->valuestring,
        "\"\\/\b\f");
    reading_release(&made);
}

static void test_arrays(void **state)
{
    (void)state;
    reading made = reading_of("{\"flat\":[1,-0,2.5],\"nested\":[[[1,2,3]],[[4, 5 ,6e0]]],"
                              "\"empty\":[],\"hollow\":[[],[]],\"odd\":[16777217],"
                              "\"deep\":[[[[[7]]]]],\"list\":[{\"a\":[8]},[9,10]]}");
    const api_array *const flat = find_array(&made, "flat"), *nested = find_array(&made, "nested");
    assert_int_equal(flat->rank, 1);
    assert_int_equal(flat->count, 3);
    assert_true(flat->data[0] == 1 && flat->data[1] == 0 && flat->data[2] == 2.5f);
    assert_true(signbit(flat->data[1]));
    assert_false(flat->integers);
    assert_int_equal((uintptr_t)flat->data % 64, 0);
    assert_int_equal(nested->rank, 3);
    assert_memory_equal(nested->extent, ((size_t[]){2, 1, 3}), 3 * sizeof(size_t));
    assert_memory_equal(nested->data, ((float[]){1, 2, 3, 4, 5, 6}), 6 * sizeof(float));
    assert_true(nested->integers);
    assert_int_equal(find_array(&made, "empty")->count, 0);
    assert_int_equal(find_array(&made, "empty")->rank, 1);
    assert_memory_equal(find_array(&made, "hollow")->extent, ((size_t[]){2, 0}),
                        2 * sizeof(size_t));
    assert_false(find_array(&made, "odd")->integers);
    assert_int_equal(find_array(&made, "deep")->rank, 5);
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(made.document.root, "list");
    assert_null(api_document_array(&made.document, list));
    assert_true(api_document_array(&made.document, cJSON_GetArrayItem(list, 1))->data[1] == 10);
    assert_null(find_array(&made, "none"));
    reading_release(&made);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pointer, *detail;
    } rows[] = {
        {"{\"a\":1,\"b\":2,\"a\":3}", "/a", "the field stands twice in its object"},
        {"{\"x\":[{\"a\":1,\"\\u0061\":3}]}", "/x/0/a", "the field stands twice in its object"},
        {"{\"\\n\":1,\"\\u000a\":3}", "/\n", "the field stands twice in its object"},
        {"{\"/\":1,\"\\/\":3}", "/~1", "the field stands twice in its object"},
        {"{\"input\":[[1,2],[3,4,5]]}", "/input/1", "row has 3 elements, the rows before it 2"},
        {"{\"input\":[[1,2],[3]]}", "/input/1", "row has 1 element, the rows before it 2"},
        {"[[[1],[2]],[[3],[4],[5]]]", "/1", "row has 3 elements, the rows before it 2"},
        {"[[[1],[2]],[[3],[4,5]]]", "/1/1", "row has 2 elements, the rows before it 1"},
        {"[[1],[]]", "/1", "row has 0 elements, the rows before it 1"},
        {"[[],[1]]", "/1", "row has 1 element, the rows before it 0"},
        {"[1,2,\"3\"]", "/2", "found a string, expected a number"},
        {"[1,null]", "/1", "found null, expected a number"},
        {"[1,true]", "/1", "found a boolean, expected a number"},
        {"[1,{\"a\":[1,2]}]", "/1", "found an object, expected a number"},
        {"[1,[2]]", "/1", "found an array, expected a number"},
        {"[[1],2]", "/1", "found a number, expected an array, as before it"},
        {"[[[1]],[2]]", "/1/0", "found a number, expected an array, as before it"},
        {"[[1],[[2]]]", "/1/0", "found an array, expected a number"},
        {"[[],[\"a\"]]", "/1/0", "found a string, expected a number"},
        {"[\"a\",1]", "/1", "found a number among other values"},
        {"[null,1,2]", "/1", "found a number among other values"},
        {"[{},[],1]", "/2", "found a number among other values"},
        {"1e39", "", "1e39 is beyond binary32, at most 3.4028235e38"},
        {"{\"gain\":-1e39}", "/gain", "-1e39 is beyond binary32, at most 3.4028235e38"},
        {"[0,3.4028235677973367e38]", "/1",
         "3.4028235677973367e38 is beyond binary32, at most 3.4028235e38"},
        {"{\"x\":1e100}", "/x", "1e100 is beyond binary32, at most 3.4028235e38"},
        {"{\"x\":[1],\"y\":1e100}", "/y", "1e100 is beyond binary32, at most 3.4028235e38"},
        {"[[1],[99999999999999999999999999999999999999999999]]", "/1/0",
         "9999999999999999999999999999999999999999... is beyond binary32, at most 3.4028235e38"},
        {"{\"a\":[[[[[[1]]]]]]}", "/a", "numbers in arrays 6 deep, at most 5"},
        {"{\"a~/\":{\"\":[1,[]]}}", "/a~0~1//1", "found an array, expected a number"},
        {"{\"a\\\"\\\\\\u0001\":[1,[]]}", "/a\"\\\x01/1", "found an array, expected a number"},
        {"{\"a\":\"b\\u0000\"}", "/a", "a string holds U+0000, which is not supported"},
        {"{\"a\":{\"b\\u0000\":1}}", "/a", "a string holds U+0000, which is not supported"},
        {"[[1,\"a\",2],[3,null]]", "/0/1", "found a string, expected a number"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; ++index)
        reading_refused(rows[index].text, 422, rows[index].pointer, rows[index].detail);
}

/* Keys too long for a pointer: it ends at what contains them. */
static void test_long_pointers(void **state)
{
    (void)state;
    char text[2 * API_POINTER_SIZE];
    for (int length = 1; length < API_POINTER_SIZE + 20; ++length) {
        snprintf(text, sizeof text, "{\"a\":{\"%0*d\":[1,null]}}", length, 0);
        reading made = reading_of(text);
        assert_int_equal(made.problem.status, 422);
        assert_true(strlen(made.problem.pointer) < API_POINTER_SIZE);
        assert_memory_equal(made.problem.pointer, "/a", 2);
        const size_t whole = 2 + 1 + (size_t)length + 2, size = strlen(made.problem.pointer);
        assert_true(size == whole || (size == whole - 2 && whole > API_POINTER_SIZE - 8) ||
                    (size == 2 && whole > API_POINTER_SIZE - 8));
        reading_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
