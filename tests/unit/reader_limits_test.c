/* What reading may take: strings, members, elements, depth, stack, memory; and threads at once.
 * SPDX-License-Identifier: MIT */
#include "support/reading.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEBIBYTE = 1024 * 1024 };

/* `count` times `piece`, between `begin` and `end`. */
static char *repeat(const char *begin, const char *piece, size_t count, const char *end)
{
    const size_t size = strlen(piece);
    char *const text = malloc(strlen(begin) + count * size + strlen(end) + 1);
    char *at = stpcpy(text, begin);
    for (size_t index = 0; index < count; ++index)
        at = stpcpy(at, piece);
    strcpy(at, end);
    return text;
}

static void check_repeated(const char *begin, const char *piece, size_t count, const char *end,
                           int status)
{
    char *const text = repeat(begin, piece, count, end);
    reading made = reading_of_bytes(text, strlen(text), 64 * (size_t)MEBIBYTE);
    if (made.problem.status != status)
        fail_msg("%s%s...: %d %s", begin, piece, made.problem.status, made.problem.detail);
    reading_release(&made);
    free(text);
}

static char *members(int count)
{
    char *const text = malloc((size_t)count * 16 + 3);
    char *at = text;
    *at++ = '{';
    for (int index = 0; index < count; ++index)
        at += sprintf(at, "%s\"k%d\":%d", index > 0 ? "," : "", index, index);
    strcpy(at, "}");
    return text;
}

static void test_limits(void **state)
{
    (void)state;
    check_repeated("\"", "x", 4096, "\"", 0);
    check_repeated("\"", "x", 4097, "\"", 413);
    check_repeated("\"", "\\u0041", 4096, "\"", 0);
    check_repeated("\"", "\\u20ac", 1366, "\"", 413);
    check_repeated("{\"", "x", 4096, "\":1}", 0);
    check_repeated("{\"", "x", 4097, "\":1}", 413);
    check_repeated("[", "1,", READING_ELEMENTS - 1, "1]", 0);
    check_repeated("[", "1,", READING_ELEMENTS, "1]", 413);
    check_repeated("[", "[1],", READING_ELEMENTS, "[1]]", 413);
    check_repeated("[", "{},", 16382, "{}]", 0);
    check_repeated("[", "{},", 16383, "{}]", 413);
    check_repeated("[{},", "[1],", 16381, "[1]]", 0);
    check_repeated("[{},", "[1],", 16382, "[1]]", 413);
    check_repeated("[", "{},", 90000, "{}", 400);
    check_repeated("[{}", ",[]", 16000, "]", 0);
    check_repeated("[{}", ",[[1]]", 16000, "]", 0);
    char *at_most = members(API_MAX_MEMBERS), *too_many = members(API_MAX_MEMBERS + 1);
    reading made = reading_of(at_most);
    assert_true(made.read);
    reading_release(&made);
    reading_refused(too_many, 413, "", "more than 64 members in one object");
    free(at_most);
    free(too_many);
}

/* `count` levels of the two brackets around `middle`. */
static void check_nested(const char *open, const char *close, int count, const char *middle,
                         int status)
{
    char *const opened = repeat("", open, (size_t)count, middle);
    check_repeated(opened, close, (size_t)count, "", status);
    free(opened);
}

static void test_depth(void **state)
{
    (void)state;
    check_nested("[", "]", 32, "\"x\"", 0);
    check_nested("[", "]", 33, "\"x\"", 400);
    check_nested("[", "]", 5, "1", 0);
    check_nested("[", "]", 6, "1", 422);
    check_nested("[", "]", 32, "1", 422);
    check_nested("[", "]", 33, "1", 400);
    check_nested("{\"a\":", "}", 32, "1", 0);
    check_nested("{\"a\":", "}", 33, "1", 400);
    check_nested("[{\"a\":", "}]", 16, "1", 0);
    check_nested("[{\"a\":", "}]", 15, "[[1]]", 0);
    check_nested("[{\"a\":", "}]", 16, "[1]", 400);
    check_nested("[{\"a\":", "}]", 16, "{}", 400);
    check_nested("[{\"a\":", "}]", 100000, "1", 400);
    check_nested("[", "]", 100000, "", 400);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STACK_SIZE = 512 * 1024 };
#elif defined(__OPTIMIZE__)
enum { STACK_SIZE = 64 * 1024 };
#else
enum { STACK_SIZE = 128 * 1024 };
#endif

static void *read_deep(void *argument)
{
    api_arena *const arena = api_arena_create(MEBIBYTE);
    api_document document;
    api_problem problem = {0};
    bool *const read = argument;
    static const char deep[] = "[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":["
                               "{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":1"
                               "}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]";
    *read = api_read(deep, sizeof deep - 1, READING_ELEMENTS, arena, &document, &problem);
    api_arena_destroy(arena);
    return NULL;
}

static void test_small_stack(void **state)
{
    (void)state;
    bool read = false;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attributes, read_deep, &read), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_true(read);
}

static void *read_often(void *argument)
{
    (void)argument;
    bool read;
    for (int round = 0; round < 500; ++round) {
        read_deep(&read);
        reading made = reading_of(round % 2 ? "{\"a\":[1,2]}" : "[1,");
        reading_release(&made);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t index = 0; index < 4; ++index)
        assert_int_equal(pthread_create(&threads[index], NULL, read_often, NULL), 0);
    for (size_t index = 0; index < 4; ++index)
        pthread_join(threads[index], NULL);
}

/* Under every ceiling: read, or refused for memory. */
static void test_ceilings(void **state)
{
    (void)state;
    static const char text[] =
        "{\"input\":[[1,2],[3,4]],\"weight\":{\"shape\":[1,1],\"data\":[[1]]},\"a\":[\"b\",{}],"
        "\"c\":[1],\"d\":[2],\"e\":[3],\"f\":[4],\"g\":[5],\"h\":[[6]],\"strides\":[1,1]}";
    size_t limit = 0;
    bool read = false;
    for (; !read; ++limit) {
        reading made = reading_of_bytes(text, sizeof text - 1, limit);
        read = made.read;
        if (!read)
            assert_int_equal(made.problem.status, 413);
        if (limit == 0)
            assert_string_equal(made.problem.pointer, "");
        assert_true(api_arena_used(made.arena) <= limit);
        reading_release(&made);
    }
    assert_in_range(limit, sizeof text, 20000);
}

/* 64 bytes a number is what a tree of nodes would take; here it is the four of the float. */
static void test_memory_of_numbers(void **state)
{
    (void)state;
    enum { COUNT = 1000000 };
    char *const text = repeat("[", "0,", COUNT - 1, "0]");
    api_arena *const arena = api_arena_create(64 * (size_t)MEBIBYTE);
    api_document document;
    api_problem problem = {0};
    assert_true(api_read(text, strlen(text), COUNT, arena, &document, &problem));
    assert_int_equal(api_document_array(&document, document.root)->count, COUNT);
    assert_in_range(api_arena_used(arena), 4 * COUNT, 4 * COUNT + 4096);
    api_arena_destroy(arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_small_stack), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_ceilings),    cmocka_unit_test(test_memory_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
