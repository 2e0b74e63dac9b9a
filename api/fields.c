/* Walks a JSON object and its field table together: decoding, refusing, writing.
 * SPDX-License-Identifier: MIT */
#include "fields.h"

#include "hints.h"
#include "numbers.h"
#include "shapes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Rows ------------------------------------------------------------------------------------ */

const api_kind api_included_kind = {NULL, NULL, NULL, NULL};

api_rows api_rows_of(const api_field *table)
{
    return (api_rows){.outer = table};
}

bool api_next_row(api_rows *rows)
{
    for (;;) {
        const bool included = rows->inner != NULL;
        const api_field *const row = included ? rows->inner++ : rows->outer;
        if (row->name == NULL && !included)
            return false;
        if (row->name == NULL) {
            rows->inner = NULL;
            rows->outer++;
        } else if (row->kind == &api_included_kind) {
            rows->inner = row->fields;
        } else {
            rows->field = row;
            rows->offset = row->offset + (included ? rows->outer->offset : 0);
            rows->outer += !included;
            return true;
        }
    }
}

/* ---- Pointers -------------------------------------------------------------------------------- */

size_t api_pointer_push(char pointer[API_POINTER_SIZE], const char *name)
{
    const size_t length = strlen(pointer);
    char *at = pointer + length;
    const char *const end = pointer + API_POINTER_SIZE;
    if (end - at < 3)
        return length;
    *at++ = '/';
    for (; *name != '\0' && end - at > 2; name++) {
        if (*name == '~' || *name == '/') {
            *at++ = '~';
            *at++ = *name == '~' ? '0' : '1';
        } else {
            *at++ = *name;
        }
    }
    *at = '\0';
    if (*name != '\0') /* half a name would point at another field */
        pointer[length] = '\0';
    return length;
}

void api_pointer_pop(char pointer[API_POINTER_SIZE], size_t length)
{
    pointer[length] = '\0';
}

/* ---- Refusing -------------------------------------------------------------------------------- */

/* "an array of shape 2x3" */
static void describe_array(const api_array *array, char *text, size_t size)
{
    if (array->count == 0) {
        snprintf(text, size, "an empty array");
        return;
    }
    layer_shape shape = {.rank = array->rank};
    for (int axis = 0; axis < array->rank; axis++)
        shape.extent[axis] = (int)array->extent[axis];
    char extents[API_SHAPE_TEXT_SIZE];
    snprintf(text, size, "an array of shape %s", api_shape_text(&shape, extents));
}

/* "a string", "2.5", "an array of shape 2x3" */
static void describe_found(const api_decoder *decoder, const cJSON *item, char *text, size_t size)
{
    const api_array *array = api_document_array(decoder->document, item);
    if (array != NULL) {
        describe_array(array, text, size);
    } else if (cJSON_IsNumber(item)) {
        char number[API_DOUBLE_TEXT_SIZE];
        snprintf(text, size, "%.*s", (int)(api_write_double(number, item->valuedouble) - number),
                 number);
    } else if (cJSON_IsBool(item)) {
        snprintf(text, size, cJSON_IsTrue(item) ? "true" : "false");
    } else {
        snprintf(text, size, "%s",
                 cJSON_IsNull(item)     ? "null"
                 : cJSON_IsString(item) ? "a string"
                 : cJSON_IsArray(item)  ? "an array of other things than numbers"
                                        : "an object");
    }
}

bool api_refuse_value(api_decoder *decoder, const api_field *field, const cJSON *item)
{
    char found[96];
    char expected[API_DETAIL_SIZE];
    describe_found(decoder, item, found, sizeof found);
    field->kind->expect(field, expected, sizeof expected);
    return api_refuse(decoder->problem, 422, decoder->pointer, "%s is %s; expected %s", field->name,
                      found, expected);
}

bool api_refuse_member(api_decoder *decoder, const char *name, const char *format, ...)
{
    char detail[API_DETAIL_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    api_pointer_push(decoder->pointer, name);
    return api_refuse(decoder->problem, 422, decoder->pointer, "%s", detail);
}

static bool refuse_unknown(api_decoder *decoder, const char *name, const api_field *const tables[])
{
    api_hint hint = api_hint_for(name);
    for (; *tables != NULL; tables++)
        for (api_rows rows = api_rows_of(*tables); api_next_row(&rows);)
            api_hint_offer(&hint, rows.field->name);
    if (hint.nearest == NULL)
        return api_refuse(decoder->problem, 422, decoder->pointer, "unknown field \"%.64s\"", name);
    return api_refuse(decoder->problem, 422, decoder->pointer,
                      "unknown field \"%.64s\"; did you mean \"%s\"?", name, hint.nearest);
}

/* ---- Decoding -------------------------------------------------------------------------------- */

/* The row of that name, in the walk over its table; false if there is none. */
static bool find(const api_field *const tables[], const char *name, api_rows *row)
{
    for (; *tables != NULL; tables++) {
        *row = api_rows_of(*tables);
        while (api_next_row(row))
            if (strcmp(row->field->name, name) == 0)
                return true;
    }
    return false;
}

static bool check_required(api_decoder *decoder, const api_field *table, const void *target)
{
    for (api_rows rows = api_rows_of(table); api_next_row(&rows);) {
        const bool *const given = (const void *)((const char *)target + rows.offset);
        if (rows.field->required && !*given)
            return api_refuse_member(decoder, rows.field->name, "missing field \"%s\"",
                                     rows.field->name);
    }
    return true;
}

bool api_decode_object(api_decoder *decoder, const cJSON *object, const api_field *const tables[],
                       void *target)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        const size_t length = api_pointer_push(decoder->pointer, item->string);
        api_rows row;
        if (!find(tables, item->string, &row))
            return refuse_unknown(decoder, item->string, tables);
        void *value = (char *)target + row.offset;
        if (!row.field->kind->decode(decoder, row.field, item, value))
            return false;
        *(bool *)value = true;
        api_pointer_pop(decoder->pointer, length);
    }
    for (; *tables != NULL; tables++)
        if (!check_required(decoder, *tables, target))
            return false;
    return true;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_shape_member(api_writer *writer, const char *name, const layer_shape *shape)
{
    char key[64];
    snprintf(key, sizeof key, "%s_shape", name);
    api_write_key(writer, key);
    api_write_shape(writer, shape);
}

void api_encode_fields(api_encoder *encoder, const api_field *table, const void *target)
{
    for (api_rows rows = api_rows_of(table); api_next_row(&rows);) {
        const api_field *const field = rows.field;
        const void *value = (const char *)target + rows.offset;
        if (!*(const bool *)value)
            continue;
        if (encoder->dry_run && field->kind == &api_result_kind) {
            write_shape_member(encoder->writer, field->name, &((const api_result *)value)->shape);
        } else {
            api_write_key(encoder->writer, field->name);
            field->kind->write(encoder, field, value);
        }
    }
}
