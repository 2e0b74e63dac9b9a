/* A JSON text read for a test.
 * SPDX-License-Identifier: MIT */
#include "support/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { AMPLE = 64 * 1024 * 1024 };

reading reading_of_bytes(const char *text, size_t size, size_t limit)
{
    reading made = {.arena = api_arena_create(limit), .text = malloc(size + (size == 0))};
    memcpy(made.text, text, size);
    made.read =
        api_read(made.text, size, READING_ELEMENTS, made.arena, &made.document, &made.problem);
    assert_int_equal(made.read, made.problem.status == 0);
    assert_int_equal(made.read, made.document.root != NULL);
    return made;
}

reading reading_of(const char *text)
{
    return reading_of_bytes(text, strlen(text), AMPLE);
}

void reading_release(reading *made)
{
    api_arena_destroy(made->arena);
    free(made->text);
}

void reading_refused(const char *text, int status, const char *pointer, const char *detail)
{
    reading made = reading_of(text);
    if (made.problem.status != status)
        fail_msg("%.100s: %d %s", text, made.problem.status, made.problem.detail);
    assert_string_equal(made.problem.pointer, pointer);
    if (detail != NULL)
        assert_string_equal(made.problem.detail, detail);
    reading_release(&made);
}

void reading_not_json(const char *text, size_t size)
{
    reading made = reading_of_bytes(text, size, AMPLE);
    if (made.problem.status != 400)
        fail_msg("%.*s: %d %s", (int)size, text, made.problem.status, made.problem.detail);
    assert_string_equal(made.problem.pointer, "");
    assert_memory_equal(made.problem.detail, "line ", 5);
    reading_release(&made);
}
