/* The kinds of fields that are single values or arrays of integers: how each is read, expected,
 * written and documented.
 * SPDX-License-Identifier: MIT */
#include "fields.h"
#include "hints.h"
#include "numbers.h"
#include "openapi.h"
#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_plain_number(const api_decoder *decoder, const cJSON *item)
{
    return cJSON_IsNumber(item) && api_document_array(decoder->document, item) == NULL;
}

static bool is_bounded(const api_field *field)
{
    return field->minimum != 0 || field->maximum != 0;
}

static bool is_within(const api_field *field, double value)
{
    return !is_bounded(field) || (value >= field->minimum && value <= field->maximum);
}

static void write_type(api_writer *writer, const char *type)
{
    api_write_key(writer, "type");
    api_write_string(writer, type);
}

static void write_bounds(api_writer *writer, const api_field *field)
{
    if (is_bounded(field)) {
        api_write_key(writer, "minimum");
        api_write_number(writer, field->minimum);
        api_write_key(writer, "maximum");
        api_write_number(writer, field->maximum);
    }
}

static void write_integer_schema(api_writer *writer, const api_field *field)
{
    write_type(writer, "integer");
    write_bounds(writer, field);
}

static void write_array_schema(api_writer *writer, const api_field *field)
{
    write_type(writer, "array");
    api_write_key(writer, "items");
    api_write_begin(writer, '{');
    write_integer_schema(writer, field);
    api_write_end(writer, '}');
    if (field->most != 0) {
        api_write_key(writer, "minItems");
        api_write_integer(writer, field->fewest);
        api_write_key(writer, "maxItems");
        api_write_integer(writer, field->most);
    }
}

/* ---- Booleans -------------------------------------------------------------------------------- */

static bool decode_boolean(api_decoder *decoder, const api_field *field, const cJSON *item,
                           void *value)
{
    ((api_boolean *)value)->value = cJSON_IsTrue(item);
    return cJSON_IsBool(item) || api_refuse_value(decoder, field, item);
}

static void expect_boolean(const api_field *field, char *text, size_t size)
{
    (void)field;
    snprintf(text, size, "true or false");
}

static void write_boolean(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    api_write_boolean(encoder->writer, ((const api_boolean *)value)->value);
}

static void write_boolean_schema(api_writer *writer, const api_field *field)
{
    (void)field;
    write_type(writer, "boolean");
}

const api_kind api_boolean_kind = {decode_boolean, expect_boolean, write_boolean,
                                   write_boolean_schema};

/* ---- Integers -------------------------------------------------------------------------------- */

static bool decode_integer(api_decoder *decoder, const api_field *field, const cJSON *item,
                           void *value)
{
    if (!is_plain_number(decoder, item) || item->valuedouble != floor(item->valuedouble) ||
        !is_within(field, item->valuedouble))
        return api_refuse_value(decoder, field, item);
    ((api_integer *)value)->value = (int64_t)item->valuedouble;
    return true;
}

static void expect_integer(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an integer from %.0f to %.0f", field->minimum, field->maximum);
}

static void write_integer(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    api_write_integer(encoder->writer, ((const api_integer *)value)->value);
}

const api_kind api_integer_kind = {decode_integer, expect_integer, write_integer,
                                   write_integer_schema};

/* ---- Arrays of integers ---------------------------------------------------------------------- */

static bool refuse_element(api_decoder *decoder, const api_field *field, size_t index, float found)
{
    char place[24], number[API_FLOAT_ROOM];
    snprintf(place, sizeof place, "%zu", index);
    api_pointer_push(decoder->pointer, place);
    return api_refuse(decoder->problem, 422, decoder->pointer,
                      "%s[%s] is %.*s; expected an integer from %.0f to %.0f", field->name, place,
                      (int)(api_write_float(number, found) - number), number, field->minimum,
                      field->maximum);
}

/* Copies the array's numbers to `to`, or refuses the first that is not an integer in range. */
static bool copy_integers(api_decoder *decoder, const api_field *field, const cJSON *item,
                          const api_array *array, int *to)
{
    for (size_t i = 0; i < array->count; i++) {
        const float number = array->data[i];
        if (number != floorf(number) || !is_within(field, (double)number))
            return refuse_element(decoder, field, i, number);
        to[i] = (int)number;
    }
    return array->integers || api_refuse_value(decoder, field, item);
}

static bool has_length(const api_field *field, const api_array *array)
{
    return array->rank == 1 && array->count >= (size_t)field->fewest &&
           array->count <= (size_t)field->most;
}

static bool decode_integers(api_decoder *decoder, const api_field *field, const cJSON *item,
                            void *value)
{
    api_integers *integers = value;
    const api_array *array = api_document_array(decoder->document, item);
    if (array == NULL) {
        api_integer one = {0};
        integers->count = 0;
        const bool decoded = decode_integer(decoder, field, item, &one);
        integers->value[0] = (int)one.value;
        return decoded;
    }
    if (!has_length(field, array))
        return api_refuse_value(decoder, field, item);
    integers->count = (int)array->count;
    return copy_integers(decoder, field, item, array, integers->value);
}

static void expect_integers(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an integer, or an array of %d to %d integers, from %.0f to %.0f",
             field->fewest, field->most, field->minimum, field->maximum);
}

static void write_integers(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    const api_integers *integers = value;
    api_write_begin(encoder->writer, '[');
    for (int i = 0; i < integers->count; i++)
        api_write_integer(encoder->writer, integers->value[i]);
    api_write_end(encoder->writer, ']');
}

static void write_integers_schema(api_writer *writer, const api_field *field)
{
    api_write_key(writer, "oneOf");
    api_write_begin(writer, '[');
    api_write_begin(writer, '{');
    write_integer_schema(writer, field);
    api_write_end(writer, '}');
    api_write_begin(writer, '{');
    write_array_schema(writer, field);
    api_write_end(writer, '}');
    api_write_end(writer, ']');
}

const api_kind api_integers_kind = {decode_integers, expect_integers, NULL, write_integers_schema};
const api_kind api_list_kind = {NULL, NULL, write_integers, write_array_schema};

/* ---- Sequences ------------------------------------------------------------------------------- */

static bool decode_sequence(api_decoder *decoder, const api_field *field, const cJSON *item,
                            void *value)
{
    api_sequence *const sequence = value;
    const api_array *const array = api_document_array(decoder->document, item);
    if (array == NULL || !has_length(field, array))
        return api_refuse_value(decoder, field, item);
    sequence->count = array->count;
    sequence->values = api_arena_allocate(decoder->arena, array->count * sizeof(int));
    if (sequence->values == NULL)
        return api_refuse_past(decoder->problem, API_LIMIT_MEMORY, decoder->pointer,
                               "no memory for %zu integers", array->count);
    return copy_integers(decoder, field, item, array, sequence->values);
}

static void expect_sequence(const api_field *field, char *text, size_t size)
{
    snprintf(text, size, "an array of %d to %d integers from %.0f to %.0f", field->fewest,
             field->most, field->minimum, field->maximum);
}

const api_kind api_sequence_kind = {decode_sequence, expect_sequence, NULL, write_array_schema};

/* ---- Shapes ---------------------------------------------------------------------------------- */

static bool decode_shape(api_decoder *decoder, const api_field *field, const cJSON *item,
                         void *value)
{
    layer_shape *shape = &((api_shape *)value)->value;
    const api_array *array = api_document_array(decoder->document, item);
    if (array == NULL || array->rank != 1)
        return api_refuse_value(decoder, field, item);
    if (!has_length(field, array))
        return api_refuse(decoder->problem, 422, decoder->pointer,
                          "%s has rank %zu; expected rank %d to %d", field->name, array->count,
                          field->fewest, field->most);
    shape->rank = (int)array->count;
    return copy_integers(decoder, field, item, array, shape->extent);
}

const api_kind api_shape_kind = {decode_shape, expect_sequence, NULL, write_array_schema};

/* ---- Numbers --------------------------------------------------------------------------------- */

static bool decode_number(api_decoder *decoder, const api_field *field, const cJSON *item,
                          void *value)
{
    if (!is_plain_number(decoder, item) || !is_within(field, item->valuedouble))
        return api_refuse_value(decoder, field, item);
    ((api_number *)value)->value = item->valuedouble;
    return true;
}

static void expect_number(const api_field *field, char *text, size_t size)
{
    if (is_bounded(field))
        snprintf(text, size, "a number from %g to %g", field->minimum, field->maximum);
    else
        snprintf(text, size, "a number");
}

static void write_number(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    api_write_single(encoder->writer, (float)((const api_number *)value)->value);
}

static void write_number_schema(api_writer *writer, const api_field *field)
{
    write_type(writer, "number");
    write_bounds(writer, field);
}

static void write_figure_schema(api_writer *writer, const api_field *field)
{
    (void)field;
    api_write_key(writer, "$ref");
    api_write_string(writer, "#/components/schemas/Number");
}

const api_kind api_number_kind = {decode_number, expect_number, NULL, write_number_schema};
const api_kind api_figure_kind = {NULL, NULL, write_number, write_figure_schema};

/* ---- Choices --------------------------------------------------------------------------------- */

static bool refuse_option(api_decoder *decoder, const api_field *field, const char *word)
{
    api_hint hint = api_hint_for(word);
    for (const api_option *option = field->options; option->name != NULL; option++)
        api_hint_offer(&hint, option->name);
    char expected[API_DETAIL_SIZE];
    field->kind->expect(field, expected, sizeof expected);
    if (hint.nearest == NULL) {
        return api_refuse(decoder->problem, 422, decoder->pointer,
                          "unknown %s \"%.64s\"; expected %s", field->name, word, expected);
    }
    return api_refuse(decoder->problem, 422, decoder->pointer,
                      "unknown %s \"%.64s\"; did you mean \"%s\"?", field->name, word,
                      hint.nearest);
}

static bool decode_choice(api_decoder *decoder, const api_field *field, const cJSON *item,
                          void *value)
{
    if (!cJSON_IsString(item))
        return api_refuse_value(decoder, field, item);
    for (const api_option *option = field->options; option->name != NULL; option++) {
        if (strcmp(option->name, item->valuestring) == 0) {
            ((api_choice *)value)->value = option->value;
            return true;
        }
    }
    return refuse_option(decoder, field, item->valuestring);
}

static void expect_choice(const api_field *field, char *text, size_t size)
{
    size_t length = 0;
    for (const api_option *option = field->options; option->name != NULL && length < size;
         option++) {
        length += (size_t)snprintf(text + length, size - length, "%s\"%s\"",
                                   option == field->options ? "one of " : ", ", option->name);
    }
}

static void write_choice(api_encoder *encoder, const api_field *field, const void *value)
{
    const api_option *option = field->options;
    while (option->value != ((const api_choice *)value)->value)
        option++;
    api_write_string(encoder->writer, option->name);
}

static void write_choice_schema(api_writer *writer, const api_field *field)
{
    write_type(writer, "string");
    api_write_key(writer, "enum");
    api_write_begin(writer, '[');
    for (const api_option *option = field->options; option->name != NULL; option++)
        api_write_string(writer, option->name);
    api_write_end(writer, ']');
}

const api_kind api_choice_kind = {decode_choice, expect_choice, write_choice, write_choice_schema};
