/* The grammar of JSON: what is valid, what is not, and where that is seen.
 * SPDX-License-Identifier: MIT */
#include "support/reading.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEBIBYTE = 1024 * 1024 };

static void test_valid(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const texts[] = {
        "0", "-0", "-0.0", "1e5", "1E+05", "1e-5", "1.5E-3", "[0e1]", "[0e+1]", "[1E22]", "[123]",
        "[-123]", "[123.456789]", "[123e35]", "[0.000000000000000000000000000000000000000000001]",
        "-1", "\"\"", "\" \"", "true", "false", "null", " [] ", "[[]   ]", "[\"\"]", "{}",
        "{\"\":0}", "{\"a\":[]}", "{\"a\":{\"a\":{}}}", "[null]", "[false,true]", "[ 4]", "[1\n]",
        " [1]", "\t\r\n[2] \t\r\n", "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]",
        "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]",
        "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]", "[\"\\\\a\"]", "[\"\\\\n\"]", "[\"\\u0012\"]",
        "[\"\\uFFFF\"]", "[\"\\uDBFF\\uDFFF\"]", "[\"\xF4\x8F\xBF\xBF\"]", "[\"\xEF\xBF\xBF\"]",
        "[\"\xEF\xBB\xBF\"]", "[\"\xE2\x80\xA8\xE2\x80\xA9\"]", "[\"\x7F\"]",
        "[\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\"]",
        "[\"\\u002c\"]", "[\"new\\u000Aline\"]", "[\"\\uA66D\"]", "[\"\\u005C\"]", "[\"\\u0022\"]",
        "{\"a\\u00e9\":1,\"a\\u00e8\":2}", "{\"min\":-1.0e+28,\"max\":1.0e+28}", "3.4028235e38",
        "[[[[[1]]]]]", "[[[[[[\"deep\"]]]]]]", "[[\"a\"],[\"b\",\"c\"]]", "[[[\"a\"]],[]]",
        "[{},[1],[[2]]]", "[[true]]", "1e-400", "[[],[]]", "[[[]],[[]]]", "[\"a\",[1,2]]"
    };
    /* clang-format on */
    for (size_t index = 0; index < sizeof texts / sizeof *texts; ++index) {
        reading made = reading_of(texts[index]);
        if (!made.read)
            fail_msg("%s: %s", texts[index], made.problem.detail);
        reading_release(&made);
    }
}

/* Texts that are not JSON, all of them 400. */
/* clang-format off */
static const char *const invalid[] = {
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1]]", "[1]1",
    "[\"\"],", "[1 true]", "[1 2]", "[1:2]", "[\"a\",]", "[\"a\",,]", "[\"a\"", "[\"a\"]\"", "[x",
    "[x]", "[\"a\" \"b\"]", "[[1]", "[[1],", "[[1],[2]", "[[1][2]]", "[[1],]", "[[1],,[2]]",
    "[[1]2]", "[[1},[2]]", "[}", "{]", "[1}", "[3[4]]", "[a\xC3\xA9]", "[*]", "[\"x\"", "[][]",
    "[\n4\n,1,", "[1,\n1\n,1", "[{}", "[-]", "[--1]", "[-2.]", "[.-1]", "[.2e-3]", "[0.1.2]",
    "[0.3e+]", "[0.3e]", "[0.e1]", "[0E]", "[0E+]", "[0e]", "[0e+]", "[1.0e+]", "[1.0e-]", "[1.0e]",
    "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]",
    "[\xEF\xBC\x91]", "[1+2]", "[0x1]", "[0x42]", "[Infinity]", "[0e+-1]", "[-123.123foo]",
    "[123\xE5]", "[1e1\xE5]", "[0\xE5]", "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]",
    "[-1x]", "[1ea]", "[1e\xE5]", "[1.]", "[.123]", "[1.2a-3]", "[1.8011670033376514H-308]",
    "[012]", "[-01]", "[+1]", "[++1234]", "[-NaN]", "-", "1.", "01", "+1", ".5", "1e", "0x1", "2 3",
    "[\"x\", truth]", "{[: \"x\"}", "{\"x\", null}", "{\"x\"::\"b\"}", "{\"a\":\"a\" 123}",
    "{key: 'value'}", "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}",
    "{9999E9999:1}", "{null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}",
    "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/", "{\"a\":\"b\",,\"c\":\"d\"}",
    "{a: \"b\"}", "{\"a\":\"a", "{ \"a\" : \"b\" c}", "{\"a\":\"b\"}#", "{\"a\":1 \"b\":2}",
    "{\"a\":[1,}", "{\"a\":1]", "{,}", "{\"a\":1,\"b\"}", "\"", "'a'", "[\"\\uD800\\\"]",
    "[\"\\uD800\\u\"]", "[\"\\uD800\\u1\"]", "[\"\\uD800\\u1x\"]", "[\"\\uD800\"]", "[\"\\uDC00\"]",
    "[\"\\uDC00\\uD800\"]", "[\"\\uD800\\uD800\"]", "[\"\\uD800\\u0041\"]", "[\"\\uD800x\"]",
    "[\"\\uD800\\n\"]", "[\xC3\xA9]", "[\"\\x00\"]", "[\"\\\\\\\"]", "[\"\\\t\"]", "[\"\\\xF0\"]",
    "[\"\\\"]", "[\"\\u00A\"]", "[\"\\uD834\\uDd\"]", "[\"\\a\"]", "[\"\\uqqqq\"]", "[\"\\\xE5\"]",
    "[\\u0020\"asd\"]", "[\\n]", "[\"new\nline\"]", "[\"\t\"]", "[\"\x1f\"]", "\"\\UA66D\"",
    "[\"\\u12\"]", "[\"\\012\"]", "[\"\\", "[\"\\u", "[\"a", "\"\\u00", "abc", "<.>", "[<null>]",
    "[True]", "aa", "[\xE2\x81\xA0]", "\xEF\xBB\xBF", "\xEF\xBB\xBF{}", "\xEF\xBB\xBF[1]", "*",
    "nul", "nulL", "truE", "tru", "fals", "n", "[nul]", "[nulll]", "[true", "[fals]", "[1\f]",
    "[\f]", "\v1", "[\xC2\xA0]", "1\xC2\xA0", "[\"a\xC0\x80\"]", "[\"\xC0\xAF\"]", "[\"\xC1\xBF\"]",
    "[\"\xE0\x80\xAF\"]", "[\"\xE0\x9F\xBF\"]", "[\"\xED\xA0\x80\"]", "[\"\xED\xBF\xBF\"]",
    "[\"\xF0\x80\x80\xAF\"]", "[\"\xF0\x8F\xBF\xBF\"]", "[\"\xF4\x90\x80\x80\"]",
    "[\"\xF5\x80\x80\x80\"]", "[\"\xF8\x88\x80\x80\x80\"]", "[\"\xFC\x84\x80\x80\x80\x80\"]",
    "[\"\xFE\"]", "[\"\xFF\"]", "[\"\x80\"]", "[\"\xBF\"]", "[\"\xC2\"]", "[\"\xE2\x82\"]",
    "[\"\xF0\x9F\x98\"]", "[\"\xC2", "[\"\xE2\x82", "[\"\xF0\x9F", "[\"\xC2\x41\"]",
    "[\"\xE2\x82\x41\"]", "[\"\xF0\x9F\x98\x41\"]", "{\"\xFF\":1}", "\xFF", "/* */ 1", "// 1\n1",
    "1 // 1", "[1, /* */ 2]"
};
/* clang-format on */

static void test_invalid(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof invalid / sizeof *invalid; ++index)
        reading_not_json(invalid[index], strlen(invalid[index]));
    static const char zeros[][4] = {"1\0", "\0", "[\0]", "\"\0\""};
    reading_not_json(zeros[0], 2);
    reading_not_json(zeros[1], 1);
    reading_not_json(zeros[2], 3);
    reading_not_json(zeros[3], 3);
}

/* Whatever else was wrong before. */
static void test_grammar_comes_first(void **state)
{
    (void)state;
    static const char *const before[] = {
        "{\"a\":1,\"a\":2}", "[1,\"x\"]",     "[[1,2],[3]]", "[1e39]", "1e99",
        "[[[[[[1]]]]]]",     "[\"\\u0000\"]", "[\"x\",1]"};
    for (size_t first = 0; first < sizeof before / sizeof *before; ++first)
        for (size_t index = 0; index < sizeof invalid / sizeof *invalid; ++index) {
            char text[128];
            const int size =
                snprintf(text, sizeof text, "{\"x\":%s,\"y\":%s", before[first], invalid[index]);
            reading_not_json(text, (size_t)size);
        }
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        const char *text, *detail;
    } rows[] = {
        {"", "line 1, column 1: found the end of the text, expected a value"},
        {"[1,\n 2,\n x]", "line 3, column 2: found 'x', expected a value"},
        {"[1.]", "line 1, column 4: found ']', expected a digit"},
        {"{\"\xC3\xA9\xC3\xA9\":?}", "line 1, column 7: found '?', expected a value"},
        {"[1 2]", "line 1, column 4: found '2', expected ',' or ']'"},
        {"{\"a\":1 2}", "line 1, column 8: found '2', expected ',' or '}'"},
        {"{\"a\" 1}", "line 1, column 6: found '1', expected ':'"},
        {"{a:1}", "line 1, column 2: found 'a', expected a field's name in quotes"},
        {"\xEF\xBB\xBF[]", "line 1, column 1: found a byte order mark, expected a value"},
        {"\"\xFF\"", "line 1, column 2: found byte 0xFF, expected well-formed UTF-8"},
        {"\"\t\"", "line 1, column 2: found byte 0x09, expected an escape: control characters "
                   "cannot stand in strings"},
        {"{} {}", "line 1, column 4: found '{', expected nothing behind the value"},
        {"tru", "line 1, column 4: found the end of the text, expected true"},
        {"\"\\ud800 \"", "line 1, column 8: found ' ', expected the second half of a surrogate "
                         "pair"},
        {"\"\\udc00\"", "line 1, column 2: found the second half of a surrogate pair, expected its "
                        "first before it"},
        {"\"\\x\"", "line 1, column 3: found 'x', expected one of \" \\ / b f n r t u behind a "
                    "backslash"},
        {"\"\\u12g4\"", "line 1, column 6: found 'g', expected a hexadecimal digit"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; ++index) {
        reading made = reading_of(rows[index].text);
        assert_int_equal(made.problem.status, 400);
        assert_string_equal(made.problem.detail, rows[index].detail);
        reading_release(&made);
    }
}

/* Every beginning of a document is invalid, and is told so whatever the memory. */
static void test_beginnings(void **state)
{
    (void)state;
    static const char text[] =
        "{\"input\":[[1.5e3,-2],[3,4]],\"s\":\"\\u00e9\\ud83d\\ude00\xC3\xA9\","
        "\"a\":[true,null,{\"b\":[]}]}";
    for (size_t size = 0; size < sizeof text - 1; ++size)
        for (size_t limit = 0; limit <= 4096; limit += 64) {
            reading made = reading_of_bytes(text, size, limit);
            assert_int_equal(made.problem.status, 400);
            reading_release(&made);
        }
}

static void check_file(const char *folder, const char *name)
{
    static char text[2 * MEBIBYTE];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    reading made = reading_of_bytes(text, size, 64 * (size_t)MEBIBYTE);
    if ((made.problem.status == 400) != (name[0] == 'n'))
        fail_msg("%s: %d %s", name, made.problem.status, made.problem.detail);
    reading_release(&made);
}

/* JSONTestSuite's files y_*.json and n_*.json, where there is a copy. */
static void test_suite(void **state)
{
    (void)state;
    const char *const folder = getenv("LAYERD_JSON_TEST_SUITE");
    if (folder == NULL)
        skip();
    DIR *const directory = opendir(folder);
    assert_non_null(directory);
    int read = 0, refused = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (strncmp(entry->d_name, "y_", 2) == 0 || strncmp(entry->d_name, "n_", 2) == 0) {
            check_file(folder, entry->d_name);
            ++*(entry->d_name[0] == 'y' ? &read : &refused);
        }
    closedir(directory);
    print_message("%d valid texts are read, %d invalid ones refused\n", read, refused);
    assert_true(read > 0 && refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_grammar_comes_first),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
