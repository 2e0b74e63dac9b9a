/* JSON text as it is written: commas, escapes, numbers, the end of the room.
 * SPDX-License-Identifier: MIT */
#include "writer.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 4096 };

typedef struct {
    api_arena *arena;
    api_writer writer;
} fixture;

static fixture open_writer(api_nonfinite nonfinite)
{
    fixture made = {.arena = api_arena_create(ROOM)};
    api_writer_open(&made.writer, made.arena, ROOM, nonfinite);
    return made;
}

static void check_text(fixture *made, const char *expected)
{
    const size_t size = api_writer_close(&made->writer);
    assert_false(made->writer.full);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(made->writer.begin, expected, size);
    api_arena_destroy(made->arena);
}

/* A bit of everything; what the sweep below cuts at every place. */
static void write_much(api_writer *writer)
{
    static const float data[] = {1, 2.5f, -0.0f, 1e-38f};
    api_write_begin(writer, '{');
    api_write_key(writer, "name");
    api_write_string(writer, "conv");
    api_write_key(writer, "list");
    api_write_begin(writer, '[');
    api_write_integer(writer, INT64_MIN);
    api_write_unsigned(writer, UINT64_MAX);
    api_write_number(writer, 0.1);
    api_write_boolean(writer, true);
    api_write_boolean(writer, false);
    api_write_null(writer);
    api_write_raw(writer, "{\"raw\":1}");
    api_write_begin(writer, '[');
    api_write_end(writer, ']');
    api_write_begin(writer, '{');
    api_write_end(writer, '}');
    api_write_end(writer, ']');
    api_write_key(writer, "floats");
    api_write_floats(writer, data, 2, (const int[]){2, 2});
    api_write_end(writer, '}');
}

static const char much[] =
    "{\"name\":\"conv\",\"list\":[-9223372036854775808,18446744073709551615,0.1,true,false,null,"
    "{\"raw\":1},[],{}],\"floats\":[[1,2.5],[-0,1e-38]]}";

static void test_structure(void **state)
{
    (void)state;
    fixture made = open_writer(API_NONFINITE_ERROR);
    write_much(&made.writer);
    check_text(&made, much);
}

/* With room for any number of bytes: whole, or full. */
static void test_every_room(void **state)
{
    (void)state;
    for (size_t room = 0; room < sizeof much + 40; ++room) {
        api_arena *const arena = api_arena_create(room);
        api_writer writer;
        api_writer_open(&writer, arena, ROOM, API_NONFINITE_ERROR);
        write_much(&writer);
        const size_t size = api_writer_close(&writer);
        assert_int_equal(writer.full, room < sizeof much - 1);
        assert_int_equal(size, writer.full ? 0 : sizeof much - 1);
        assert_in_range(api_arena_used(arena), size, room);
        api_arena_destroy(arena);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    api_arena *const arena = api_arena_create(SIZE_MAX);
    api_writer writer;
    api_writer_open(&writer, arena, SIZE_MAX, API_NONFINITE_ERROR);
    write_much(&writer);
    assert_int_equal(api_writer_close(&writer), 0);
    assert_true(writer.full);
    assert_non_null(api_arena_allocate(arena, 1));
    api_arena_destroy(arena);
}

static void check_string(const char *text, const char *expected)
{
    fixture made = open_writer(API_NONFINITE_ERROR);
    api_write_string(&made.writer, text);
    check_text(&made, expected);
}

static void test_strings(void **state)
{
    (void)state;
    check_string("", "\"\"");
    check_string("\"\\/", "\"\\\"\\\\/\"");
    check_string("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    check_string("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
    check_string("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
                 "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    check_string("a\xFFz", "\"a\xEF\xBF\xBDz\"");
    check_string("cut \xE2\x82", "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\"");
    check_string("\xC0\x80\xED\xA0\x80",
                 "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void check_nonfinite(api_nonfinite mode, const char *expected, bool met)
{
    static const float data[] = {NAN, INFINITY, -INFINITY, 1};
    fixture made = open_writer(mode);
    api_write_begin(&made.writer, '[');
    api_write_floats(&made.writer, data, 1, (const int[]){4});
    for (int index = 0; index < 4; ++index)
        api_write_number(&made.writer, (double)data[index]);
    api_write_end(&made.writer, ']');
    assert_int_equal(made.writer.nonfinite_met, met);
    check_text(&made, expected);
}

static void test_nonfinite(void **state)
{
    (void)state;
    check_nonfinite(API_NONFINITE_NULL, "[[null,null,null,1],null,null,null,1]", false);
    check_nonfinite(API_NONFINITE_STRING,
                    "[[\"NaN\",\"Infinity\",\"-Infinity\",1],\"NaN\",\"Infinity\",\"-Infinity\",1]",
                    false);
    check_nonfinite(API_NONFINITE_ERROR, "[[null,null,null,1],null,null,null,1]", true);
}

static void test_shapes(void **state)
{
    (void)state;
    static const float data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    fixture made = open_writer(API_NONFINITE_ERROR);
    api_write_begin(&made.writer, '[');
    api_write_floats(&made.writer, data, 1, (const int[]){3});
    api_write_floats(&made.writer, data, 3, (const int[]){2, 1, 2});
    api_write_floats(&made.writer, data, 5, (const int[]){1, 1, 2, 1, 1});
    api_write_floats(&made.writer, data, 1, (const int[]){0});
    api_write_end(&made.writer, ']');
    check_text(&made, "[[1,2,3],[[[1,2]],[[3,4]]],[[[[[1]],[[2]]]]],[]]");
}

/* The longest numbers there are, each in brackets of its own or all in one. */
static void test_text_size(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static const int shapes[][5] = {
        {1, 1, 1, 1, 1}, {COUNT, 1, 1, 1, 1}, {1, 1, 1, 1, COUNT}, {10, 10, 1, 5, 2}};
    static float data[COUNT];
    for (size_t index = 0; index < COUNT; ++index)
        data[index] = index % 2 ? -1.17549435e-38f : -INFINITY;
    api_arena *const arena = api_arena_create(SIZE_MAX);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
        for (int rank = 1; rank <= 5; ++rank) {
            const int *const shape = shapes[i] + 5 - rank;
            api_writer writer;
            api_writer_open(&writer, arena, api_floats_text_size(rank, shape),
                            API_NONFINITE_STRING);
            api_write_floats(&writer, data, rank, shape);
            api_writer_close(&writer);
            assert_false(writer.full);
        }
    }
    api_arena_destroy(arena);
}

/* Runs the tasks backwards, and counts them. */
static void run_backwards(void *context, size_t tasks, api_task *function, void *argument)
{
    *(size_t *)context += tasks;
    while (tasks-- > 0)
        function(argument, tasks, (int)(tasks % 2));
}

static size_t write_with(api_arena *arena, const api_run *run, const float *data, int rank,
                         const int extent[], size_t spare, api_writer *writer)
{
    api_writer_open(writer, arena, api_floats_text_size(rank, extent) + spare,
                    API_NONFINITE_STRING);
    writer->run = run;
    api_write_floats(writer, data, rank, extent);
    const size_t size = api_writer_close(writer);
    assert_false(writer->full);
    return size;
}

/* Long arrays come out the same whoever helps, with room to spare or without. */
static void test_parallel(void **state)
{
    (void)state;
    enum { COUNT = 240000 };
    static const int shapes[][5] = {{COUNT, 1, 1, 1, 1}, {1, 1, 1, 1, COUNT}, {2, 3, 40, 10, 100},
                                    {1, 40, 6, 100, 10}, {7, 11, 1, 13, 17},  {3, 5, 7, 1999, 1}};
    static float data[COUNT];
    for (size_t index = 0; index < COUNT; ++index)
        data[index] = index % 1000 == 7 ? NAN : (float)index / 7 - 1000;
    size_t tasks = 0, helped = 0;
    const api_run run = {.parallel_for = run_backwards, .context = &tasks, .threads = 2};
    api_arena *const arena = api_arena_create(SIZE_MAX);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i)
        for (int rank = 1; rank <= 5; ++rank)
            for (size_t spare = 0; spare <= 4096; spare += 4096) {
                api_writer alone, together;
                const int *const shape = shapes[i] + 5 - rank;
                const size_t size = write_with(arena, NULL, data, rank, shape, spare, &alone);
                tasks = 0;
                assert_int_equal(write_with(arena, &run, data, rank, shape, spare, &together),
                                 size);
                assert_memory_equal(alone.begin, together.begin, size);
                helped += tasks > 1;
                api_arena_reset(arena, SIZE_MAX);
            }
    assert_true(helped > 10);
    api_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_every_room),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nonfinite), cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_text_size), cmocka_unit_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
