/* Decoding and writing by field tables, for tests.
 * SPDX-License-Identifier: MIT */
#include "support/decoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_SIZE = 1 << 20, TEXT_SIZE = 4096, MOST_ELEMENTS = 1000 };

decoding decode_text(const char *text, const api_field *const tables[], void *target)
{
    static const api_limits limits = {.tensor_elements = MOST_ELEMENTS,
                                      .tensor_axis = MOST_ELEMENTS};
    decoding result = {.arena = api_arena_create(ARENA_SIZE)};
    api_document document;
    assert_true(
        api_read(text, strlen(text), MOST_ELEMENTS, result.arena, &document, &result.problem));
    api_decoder decoder = {.document = &document,
                           .limits = &limits,
                           .arena = result.arena,
                           .problem = &result.problem};
    const bool decoded = api_decode_object(&decoder, document.root, tables, target);
    assert_int_equal(decoded, result.problem.status == 0);
    if (decoded)
        assert_string_equal(decoder.pointer, "");
    return result;
}

void decode_refused(const char *text, const api_field *const tables[], size_t target_size,
                    const char *pointer, const char *detail)
{
    void *const target = calloc(1, target_size);
    const decoding result = decode_text(text, tables, target);
    assert_int_equal(result.problem.status, 422);
    assert_string_equal(result.problem.pointer, pointer);
    assert_string_equal(result.problem.detail, detail);
    api_arena_destroy(result.arena);
    free(target);
}

void encode_written(const api_field *table, const void *target, api_form form, bool dry_run,
                    const char *expected)
{
    api_arena *const arena = api_arena_create(ARENA_SIZE);
    api_writer writer;
    api_encoder encoder = {.writer = &writer, .form = form, .dry_run = dry_run};
    api_writer_open(&writer, arena, TEXT_SIZE, API_NONFINITE_ERROR);
    api_write_begin(&writer, '{');
    api_encode_fields(&encoder, table, target);
    api_write_end(&writer, '}');
    const size_t size = api_writer_close(&writer);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(writer.begin, expected, size);
    api_arena_destroy(arena);
}
