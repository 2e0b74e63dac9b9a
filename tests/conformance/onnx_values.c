/* ONNX's own values as ours: tensors, and attributes as JSON text.
 * SPDX-License-Identifier: MIT */
#include "onnx_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *onnx_read_file(const char *directory, const char *name, size_t *size)
{
    char path[4096], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *const file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char block[65536];
    *size = 0;
    for (size_t count; (count = fread(block, 1, sizeof block, file)) > 0;)
        text_append(&text, size, block, count);
    fclose(file);
    return (uint8_t *)text;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Reads the extents; false unless their product is `count`: a file may hold something else. */
static bool read_extents(const Onnx__TensorProto *proto, size_t count, size_t extent[])
{
    size_t product = 1;
    if (proto->n_dims > TENSOR_MAX_RANK)
        return false;
    for (size_t axis = 0; axis < proto->n_dims; axis++) {
        extent[axis] = (size_t)proto->dims[axis];
        if (__builtin_mul_overflow(product, extent[axis], &product))
            return false;
    }
    return product == count;
}

/* Where a tensor's numbers are: ONNX has two ways to write those of each type. */
typedef struct {
    const void *data;
    size_t count;
    size_t size; /* of one number, as it is written */
    bool floats; /* otherwise integers, with a sign unless they are bytes */
} numbers;

static numbers raw_numbers(const Onnx__TensorProto *proto, size_t size, bool floats)
{
    return (numbers){proto->raw_data.data, proto->raw_data.len / size, size, floats};
}

/* Those of floats, 64-bit integers (indices, shapes) and bytes (images); none of other types. */
static numbers numbers_of(const Onnx__TensorProto *proto)
{
    const bool raw = proto->has_raw_data;
    switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return raw ? raw_numbers(proto, sizeof(float), true)
                   : (numbers){proto->float_data, proto->n_float_data, sizeof(float), true};
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return raw ? raw_numbers(proto, sizeof(int64_t), false)
                   : (numbers){proto->int64_data, proto->n_int64_data, sizeof(int64_t), false};
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
        return raw ? raw_numbers(proto, sizeof(uint8_t), false)
                   : (numbers){proto->int32_data, proto->n_int32_data, sizeof(int32_t), false};
    default:
        return (numbers){NULL, 0, 0, false};
    }
}

static float number_at(const numbers *all, size_t index)
{
    const void *const at = (const char *)all->data + index * all->size;
    float real = 0;
    int64_t wide = 0;
    int32_t narrow = 0;
    if (all->floats)
        memcpy(&real, at, sizeof real);
    else if (all->size == sizeof wide)
        memcpy(&wide, at, sizeof wide);
    else if (all->size == sizeof narrow)
        memcpy(&narrow, at, sizeof narrow);
    else
        narrow = *(const uint8_t *)at;
    return all->floats ? real : all->size == sizeof wide ? (float)wide : (float)narrow;
}

bool onnx_tensor_convert(const Onnx__TensorProto *proto, tensor *values)
{
    size_t extent[TENSOR_MAX_RANK];
    const numbers all = numbers_of(proto);
    if (all.size == 0 || !read_extents(proto, all.count, extent))
        return false;
    *values = tensor_create(proto->n_dims, extent);
    for (size_t index = 0; index < all.count; index++)
        values->data[index] = number_at(&all, index);
    return true;
}

bool onnx_tensor_read(const char *directory, const char *name, tensor *values)
{
    size_t size = 0;
    uint8_t *const bytes = onnx_read_file(directory, name, &size);
    Onnx__TensorProto *const proto =
        bytes != NULL ? onnx__tensor_proto__unpack(NULL, size, bytes) : NULL;
    const bool read = proto != NULL && onnx_tensor_convert(proto, values);
    if (proto != NULL)
        onnx__tensor_proto__free_unpacked(proto, NULL);
    free(bytes);
    return read;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

/* "[1,2]" for numbers, one alone without brackets if it is no list. */
static char *integers_text(const int64_t values[], size_t count, bool list)
{
    char *text = NULL, number[32];
    size_t size = 0;
    text_append(&text, &size, "[", list);
    for (size_t index = 0; index < count; index++) {
        const int length =
            snprintf(number, sizeof number, "%s%" PRId64, index > 0 ? "," : "", values[index]);
        text_append(&text, &size, number, (size_t)length);
    }
    text_append(&text, &size, "]", list);
    return text;
}

char *onnx_attribute_text(const Onnx__AttributeProto *attribute)
{
    char number[32], *text = NULL;
    size_t size = 0;
    switch (attribute->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        return integers_text(&attribute->i, 1, false);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        return integers_text(attribute->ints, attribute->n_ints, true);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        snprintf(number, sizeof number, "%.9g", (double)attribute->f);
        return strdup(number);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        text_append(&text, &size, "\"", 1);
        text_append(&text, &size, attribute->s.data, attribute->s.len);
        text_append(&text, &size, "\"", 1);
        return text;
    default:
        return strdup("null");
    }
}
