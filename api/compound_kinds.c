/* The kinds of fields that are made of others, and texts: how each is read, expected, written and
 * documented.
 * SPDX-License-Identifier: MIT */
#include "fields.h"
#include "openapi.h"

#include <stdio.h>
#include <string.h>

/* Of a member that is neither text nor tensor, and of a byte of text as \u0000. */
enum { PLAIN_TEXT_SIZE = 192, LONGEST_ESCAPE = 6 };

static void write_member(api_writer *writer, const char *key, const char *value)
{
    api_write_key(writer, key);
    api_write_string(writer, value);
}

static void write_limits(api_writer *writer, const char *fewest, const char *most,
                         const api_field *field)
{
    api_write_key(writer, fewest);
    api_write_integer(writer, field->fewest);
    api_write_key(writer, most);
    api_write_integer(writer, field->most);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static bool decode_object(api_decoder *decoder, const api_field *field, const cJSON *item,
                          void *value)
{
    if (!cJSON_IsObject(item))
        return api_refuse_value(decoder, field, item);
    const api_field *const tables[] = {field->fields, NULL};
    return api_decode_object(decoder, item, tables, value);
}

static void expect_object(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an object with %s", field->fields[0].name);
}

static void write_object(api_encoder *encoder, const api_field *field, const void *value)
{
    api_write_begin(encoder->writer, '{');
    api_encode_fields(encoder, field->fields, value);
    api_write_end(encoder->writer, '}');
}

static void write_object_schema(api_writer *writer, const api_field *field)
{
    api_write_object_schema(writer, (const api_field *const[]){field->fields, NULL});
}

const api_kind api_object_kind = {decode_object, expect_object, write_object, write_object_schema};

/* ---- Arrays of objects ----------------------------------------------------------------------- */

static bool decode_item(api_decoder *decoder, const api_field *field, const cJSON *item,
                        size_t index, void *value)
{
    char place[24];
    snprintf(place, sizeof place, "%zu", index);
    const size_t length = api_pointer_push(decoder->pointer, place);
    if (!decode_object(decoder, field, item, value))
        return false;
    *(bool *)value = true;
    api_pointer_pop(decoder->pointer, length);
    return true;
}

static bool decode_objects(api_decoder *decoder, const api_field *field, const cJSON *item,
                           void *value)
{
    api_objects *const objects = value;
    const int count = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 0;
    if (count == 0 || count < field->fewest || count > field->most)
        return api_refuse_value(decoder, field, item);
    objects->count = (size_t)count;
    objects->items = api_arena_allocate(decoder->arena, objects->count * field->item_size);
    if (objects->items == NULL)
        return api_refuse_past(decoder->problem, API_LIMIT_MEMORY, decoder->pointer,
                               "no memory for %d objects", count);
    memset(objects->items, 0, objects->count * field->item_size);
    size_t index = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        void *const into = (char *)objects->items + index * field->item_size;
        if (!decode_item(decoder, field, child, index++, into))
            return false;
    }
    return true;
}

static void expect_objects(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an array of %d to %d objects", field->fewest, field->most);
}

static void write_objects(api_encoder *encoder, const api_field *field, const void *value)
{
    const api_objects *const objects = value;
    api_write_begin(encoder->writer, '[');
    for (size_t i = 0; i < objects->count; i++)
        write_object(encoder, field, (const char *)objects->items + i * field->item_size);
    api_write_end(encoder->writer, ']');
}

size_t api_objects_text_size(const api_field *field, const api_objects *objects)
{
    size_t size = 2;
    api_rows rows = api_rows_of(field->fields);
    while (api_next_row(&rows))
        size += strlen(rows.field->name) +
                (rows.field->kind == &api_text_kind
                     ? LONGEST_ESCAPE * (size_t)rows.field->most + PLAIN_TEXT_SIZE
                     : PLAIN_TEXT_SIZE);
    return objects->given ? size * objects->count : 0;
}

static void write_objects_schema(api_writer *writer, const api_field *field)
{
    write_member(writer, "type", "array");
    if (field->most != 0)
        write_limits(writer, "minItems", "maxItems", field);
    api_write_key(writer, "items");
    api_write_begin(writer, '{');
    write_object_schema(writer, field);
    api_write_end(writer, '}');
}

const api_kind api_objects_kind = {decode_objects, expect_objects, write_objects,
                                   write_objects_schema};

/* ---- Texts ----------------------------------------------------------------------------------- */

static bool decode_text(api_decoder *decoder, const api_field *field, const cJSON *item,
                        void *value)
{
    const size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : 0;
    if (!cJSON_IsString(item) || length < (size_t)field->fewest || length > (size_t)field->most)
        return api_refuse_value(decoder, field, item);
    ((api_text *)value)->value = item->valuestring;
    return true;
}

static void expect_text(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "a string of %d to %d bytes", field->fewest, field->most);
}

static void write_text(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    api_write_string(encoder->writer, ((const api_text *)value)->value);
}

static void write_text_schema(api_writer *writer, const api_field *field)
{
    write_member(writer, "type", "string");
    if (field->most != 0)
        write_limits(writer, "minLength", "maxLength", field);
}

const api_kind api_text_kind = {decode_text, expect_text, write_text, write_text_schema};

/* ---- Arrays of texts ------------------------------------------------------------------------- */

static bool decode_texts(api_decoder *decoder, const api_field *field, const cJSON *item,
                         void *value)
{
    api_texts *const texts = value;
    const int count = cJSON_IsArray(item) ? cJSON_GetArraySize(item) : 0;
    if (count == 0 || count < field->fewest || count > field->most)
        return api_refuse_value(decoder, field, item);
    texts->values = api_arena_allocate(decoder->arena, (size_t)count * sizeof *texts->values);
    if (texts->values == NULL)
        return api_refuse_past(decoder->problem, API_LIMIT_MEMORY, decoder->pointer,
                               "no memory for %d strings", count);
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        if (!cJSON_IsString(child))
            return api_refuse_value(decoder, field, item);
        texts->values[texts->count++] = child->valuestring;
    }
    return true;
}

static void expect_texts(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an array of %d to %d strings", field->fewest, field->most);
}

static void write_texts_schema(api_writer *writer, const api_field *field)
{
    write_member(writer, "type", "array");
    write_limits(writer, "minItems", "maxItems", field);
    api_write_key(writer, "items");
    api_write_begin(writer, '{');
    write_member(writer, "type", "string");
    api_write_end(writer, '}');
}

const api_kind api_texts_kind = {decode_texts, expect_texts, NULL, write_texts_schema};

/* ---- Arrays of numbers in replies ------------------------------------------------------------ */

static void write_reals(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    const api_reals *const reals = value;
    api_write_begin(encoder->writer, '[');
    for (int i = 0; i < reals->count; i++)
        api_write_number(encoder->writer, reals->value[i]);
    api_write_end(encoder->writer, ']');
}

static void write_reals_schema(api_writer *writer, const api_field *field)
{
    (void)field;
    write_member(writer, "type", "array");
    api_write_key(writer, "items");
    api_write_begin(writer, '{');
    write_member(writer, "type", "number");
    api_write_end(writer, '}');
}

const api_kind api_reals_kind = {NULL, NULL, write_reals, write_reals_schema};

/* ---- Sets of words --------------------------------------------------------------------------- */

static bool decode_choices(api_decoder *decoder, const api_field *field, const cJSON *item,
                           void *value)
{
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) == 0)
        return api_refuse_value(decoder, field, item);
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        api_choice chosen = {0};
        if (!api_choice_kind.decode(decoder, field, child, &chosen))
            return false;
        ((api_choices *)value)->value |= api_choice_bit((unsigned)chosen.value);
    }
    return true;
}

static void expect_choices(const api_field *field, char *text, size_t size)
{
    const int length = snprintf(text, size, "an array of ");
    api_choice_kind.expect(field, text + length, size - (size_t)length);
}

static void write_choices_schema(api_writer *writer, const api_field *field)
{
    write_member(writer, "type", "array");
    api_write_key(writer, "minItems");
    api_write_integer(writer, 1);
    api_write_key(writer, "items");
    api_write_begin(writer, '{');
    api_choice_kind.schema(writer, field);
    api_write_end(writer, '}');
}

const api_kind api_choices_kind = {decode_choices, expect_choices, NULL, write_choices_schema};
