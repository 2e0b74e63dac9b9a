/* Tensors in their three forms, and the framing that lets bytes follow the JSON.
 * Source: Open Inference Protocol, binary tensor data extension.
 * SPDX-License-Identifier: MIT */
#include "tensors.h"

#include "shapes.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are sent as they lie in memory");

/* ---- The object form and the binary form ----------------------------------------------------- */

typedef struct {
    bool given;
    api_integer binary_data_size;
} tensor_parameters;

typedef struct {
    api_shape shape;
    api_choice datatype;
    api_numbers data;
    tensor_parameters parameters;
} tensor_object;

static bool decode_numbers(api_decoder *decoder, const api_field *field, const cJSON *item,
                           void *value)
{
    const api_array *array = api_document_array(decoder->document, item);
    ((api_numbers *)value)->array = array;
    return array != NULL || api_refuse_value(decoder, field, item);
}

static void expect_numbers(const api_field *field, char *text, size_t size)
{
    (void)field;
    strncpy(text, "numbers in an array, flat or nested", size);
}

static const api_kind numbers_kind = {decode_numbers, expect_numbers, NULL, NULL};

static const api_option datatypes[] = {{.name = "FP32"}, {0}};

static const api_field parameter_fields[] = {
    {.name = "binary_data_size",
     .kind = &api_integer_kind,
     .offset = offsetof(tensor_parameters, binary_data_size),
     .required = true,
     .minimum = 0,
     .maximum = API_MAX_SEED},
    {0},
};

static const api_field object_fields[] = {
    {.name = "shape",
     .kind = &api_shape_kind,
     .offset = offsetof(tensor_object, shape),
     .required = true,
     .minimum = 1,
     .maximum = API_MAX_AXIS,
     .fewest = 1,
     .most = LAYER_MAX_RANK},
    {.name = "datatype",
     .kind = &api_choice_kind,
     .offset = offsetof(tensor_object, datatype),
     .options = datatypes},
    {.name = "data", .kind = &numbers_kind, .offset = offsetof(tensor_object, data)},
    {.name = "parameters",
     .kind = &api_object_kind,
     .offset = offsetof(tensor_object, parameters),
     .fields = parameter_fields},
    {0},
};

static bool refuse_framing(api_decoder *decoder, const char *why, size_t asked, size_t is)
{
    return api_refuse(decoder->problem, 400, decoder->pointer,
                      "bad binary framing: %s %zu bytes, there are %zu", why, asked, is);
}

/* Takes the tensor's bytes off those that follow the JSON; where they lie if they are aligned. */
static bool take_bytes(api_decoder *decoder, const tensor_object *object, api_tensor *tensor)
{
    const size_t size = (size_t)object->parameters.binary_data_size.value;
    char text[API_SHAPE_TEXT_SIZE];
    if (!decoder->framed) {
        return api_refuse(decoder->problem, 400, decoder->pointer,
                          "bad binary framing: bytes are announced, but the header "
                          "Inference-Header-Content-Length is missing");
    }
    if (size != tensor->count * sizeof(float)) {
        api_pointer_push(decoder->pointer, "parameters");
        return api_refuse_member(
            decoder, "binary_data_size", "binary_data_size is %zu; the shape %s takes %zu bytes",
            size, api_shape_text(&tensor->shape, text), tensor->count * sizeof(float));
    }
    if (size > decoder->binary_size)
        return refuse_framing(decoder, "the tensor takes", size, decoder->binary_size);
    const void *bytes = decoder->binary;
    if ((uintptr_t)bytes % _Alignof(float) != 0) {
        void *copy = api_arena_allocate(decoder->arena, size);
        if (copy == NULL) {
            return api_refuse_past(decoder->problem, API_LIMIT_MEMORY, decoder->pointer,
                                   "no memory for the tensor's %zu bytes", size);
        }
        bytes = memcpy(copy, bytes, size);
    }
    tensor->data = bytes;
    decoder->binary += size;
    decoder->binary_size -= size;
    return true;
}

static bool take_data(api_decoder *decoder, const api_array *array, api_tensor *tensor)
{
    if (array->count != tensor->count) {
        char text[API_SHAPE_TEXT_SIZE];
        return api_refuse_member(decoder, "data", "data has %zu numbers; the shape %s takes %zu",
                                 array->count, api_shape_text(&tensor->shape, text), tensor->count);
    }
    tensor->data = array->data;
    return true;
}

static bool decode_object(api_decoder *decoder, const api_field *field, const cJSON *item,
                          api_tensor *tensor, api_form *form)
{
    tensor_object object = {0};
    const api_field *const tables[] = {object_fields, NULL};
    if (!api_decode_object(decoder, item, tables, &object))
        return false;
    tensor->shape = object.shape.value;
    if (!api_shape_admit(&tensor->shape, field->name, decoder->pointer,
                         decoder->limits->tensor_axis, decoder->limits->tensor_elements,
                         &tensor->count, decoder->problem))
        return false;
    const bool binary = object.parameters.given;
    if (binary && object.data.given)
        return api_refuse_member(decoder, "data",
                                 "data conflicts with binary_data_size; give one of them");
    if (!binary && !object.data.given)
        return api_refuse_member(decoder, "data", "missing field \"data\"");
    *form = binary ? API_FORM_BINARY : API_FORM_FLAT;
    return binary ? take_bytes(decoder, &object, tensor)
                  : take_data(decoder, object.data.array, tensor);
}

/* ---- The nested form ------------------------------------------------------------------------- */

static bool take_array(api_decoder *decoder, const api_field *field, const api_array *array,
                       api_tensor *tensor)
{
    tensor->shape.rank = array->rank;
    for (int axis = 0; axis < array->rank; axis++)
        tensor->shape.extent[axis] = (int)array->extent[axis];
    tensor->data = array->data;
    return api_shape_admit(&tensor->shape, field->name, decoder->pointer,
                           decoder->limits->tensor_axis, decoder->limits->tensor_elements,
                           &tensor->count, decoder->problem);
}

static bool decode_tensor(api_decoder *decoder, const api_field *field, const cJSON *item,
                          void *value)
{
    const api_array *array = api_document_array(decoder->document, item);
    api_form form = API_FORM_NESTED;
    bool decoded;
    if (array != NULL && array->count > 0)
        decoded = take_array(decoder, field, array, value);
    else if (cJSON_IsObject(item))
        decoded = decode_object(decoder, field, item, value, &form);
    else
        decoded = api_refuse_value(decoder, field, item);
    if (!decoder->tensor_met) {
        decoder->tensor_met = true;
        decoder->form = form;
    }
    return decoded;
}

static void expect_tensor(const api_field *field, char *text, size_t size)
{
    (void)field;
    strncpy(text, "nested arrays of numbers, or an object with shape and data", size);
}

static void write_tensor_schema(api_writer *writer, const api_field *field)
{
    (void)field;
    api_write_key(writer, "$ref");
    api_write_string(writer, "#/components/schemas/Tensor");
}

const api_kind api_tensor_kind = {decode_tensor, expect_tensor, NULL, write_tensor_schema};

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_binary_parameters(api_encoder *encoder, const api_result *result)
{
    api_writer *writer = encoder->writer;
    api_write_key(writer, "parameters");
    api_write_begin(writer, '{');
    api_write_key(writer, "binary_data_size");
    api_write_unsigned(writer, result->count * sizeof(float));
    api_write_end(writer, '}');
    encoder->binary[encoder->binary_count++] = result;
}

static void write_result(api_encoder *encoder, const api_field *field, const void *value)
{
    (void)field;
    api_writer *writer = encoder->writer;
    const api_result *result = value;
    if (encoder->form == API_FORM_NESTED) {
        api_write_floats(writer, result->data, result->shape.rank, result->shape.extent);
        return;
    }
    api_write_begin(writer, '{');
    api_write_key(writer, "shape");
    api_write_shape(writer, &result->shape);
    api_write_key(writer, "datatype");
    api_write_string(writer, "FP32");
    if (encoder->form == API_FORM_BINARY) {
        write_binary_parameters(encoder, result);
    } else {
        api_write_key(writer, "data");
        api_write_floats(writer, result->data, 1, (const int[]){(int)result->count});
    }
    api_write_end(writer, '}');
}

static void write_result_schema(api_writer *writer, const api_field *field)
{
    (void)field;
    api_write_key(writer, "$ref");
    api_write_string(writer, "#/components/schemas/Result");
}

const api_kind api_result_kind = {NULL, NULL, write_result, write_result_schema};

size_t api_result_text_size(const api_result *result, api_form form)
{
    return form == API_FORM_BINARY ? 0
                                   : api_floats_text_size(result->shape.rank, result->shape.extent);
}

api_bytes *api_binary_tensors(const api_encoder *encoder, api_arena *arena)
{
    api_bytes *const tensors =
        api_arena_allocate(arena, (size_t)encoder->binary_count * sizeof *tensors);
    for (int i = 0; tensors != NULL && i < encoder->binary_count; i++)
        tensors[i] =
            (api_bytes){encoder->binary[i]->data, encoder->binary[i]->count * sizeof(float)};
    return tensors;
}

/* ---- Framing --------------------------------------------------------------------------------- */

bool api_read_json_length(const char *header, size_t *length)
{
    enum { MOST_DIGITS = 18 };
    if (header == NULL) {
        *length = SIZE_MAX;
        return true;
    }
    const size_t digits = strspn(header, "0123456789");
    *length = (size_t)strtoull(header, NULL, 10);
    return digits > 0 && digits <= MOST_DIGITS && header[digits] == '\0';
}

bool api_split_body(const api_request *request, api_decoder *decoder, size_t *json_size)
{
    size_t length;
    decoder->framed = request->json_length != NULL;
    api_read_json_length(request->json_length, &length);
    if (!decoder->framed)
        length = request->body_size;
    if (length > request->body_size)
        return refuse_framing(decoder, "the JSON takes", length, request->body_size);
    decoder->binary_size = request->body_size - length;
    if (decoder->binary_size > 0)
        decoder->binary = (const char *)request->body + length;
    *json_size = length;
    return true;
}

bool api_check_all_taken(api_decoder *decoder)
{
    return decoder->binary_size == 0 ||
           api_refuse(decoder->problem, 400, "",
                      "bad binary framing: %zu bytes follow the JSON that no tensor takes",
                      decoder->binary_size);
}
