/* A test case as ONNX's data sets hold it.
 * SPDX-License-Identifier: MIT */
#include "onnx_model.h"

#include "onnx.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct onnx_model {
    Onnx__ModelProto *proto;
    const Onnx__NodeProto *node;
    tensor inputs[ONNX_MAX_TENSORS]; /* data NULL: left out */
    tensor outputs[ONNX_MAX_TENSORS];
};

static uint8_t *read_whole(const char *directory, const char *name, size_t *size)
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

static bool convert(const Onnx__TensorProto *proto, tensor *values)
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

static bool read_tensor(const char *directory, const char *kind, size_t index, tensor *values)
{
    char name[64];
    size_t size = 0;
    snprintf(name, sizeof name, "test_data_set_0/%s_%zu.pb", kind, index);
    uint8_t *const bytes = read_whole(directory, name, &size);
    Onnx__TensorProto *const proto =
        bytes != NULL ? onnx__tensor_proto__unpack(NULL, size, bytes) : NULL;
    const bool read = proto != NULL && convert(proto, values);
    if (proto != NULL)
        onnx__tensor_proto__free_unpacked(proto, NULL);
    free(bytes);
    return read;
}

static const Onnx__TensorProto *initializer(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t index = 0; index < graph->n_initializer; index++)
        if (strcmp(graph->initializer[index]->name, name) == 0)
            return graph->initializer[index];
    return NULL;
}

/* The number of the file that holds input `name`: files are numbered by the graph's inputs, those
 * with a value in the model left out. -1 if there is none. */
static int file_number(const Onnx__GraphProto *graph, const char *name)
{
    int number = 0;
    for (size_t index = 0; index < graph->n_input; index++) {
        const char *const at = graph->input[index]->name;
        if (strcmp(at, name) == 0)
            return number;
        number += initializer(graph, at) == NULL;
    }
    return -1;
}

static bool read_input(const char *directory, const onnx_model *model, const char *name,
                       tensor *values)
{
    const Onnx__GraphProto *const graph = model->proto->graph;
    const Onnx__TensorProto *const known = initializer(graph, name);
    if (*name == '\0')
        return true;
    if (known != NULL)
        return convert(known, values);
    const int number = file_number(graph, name);
    return number >= 0 && read_tensor(directory, "input", (size_t)number, values);
}

static bool read_tensors(const char *directory, onnx_model *model)
{
    const Onnx__NodeProto *const node = model->node;
    if (node->n_input > ONNX_MAX_TENSORS || node->n_output > ONNX_MAX_TENSORS)
        return false;
    for (size_t index = 0; index < node->n_input; index++)
        if (!read_input(directory, model, node->input[index], &model->inputs[index]))
            return false;
    for (size_t index = 0; index < node->n_output; index++)
        if (!read_tensor(directory, "output", index, &model->outputs[index]))
            return false;
    return true;
}

onnx_model *onnx_open(const char *directory)
{
    size_t size = 0;
    uint8_t *const bytes = read_whole(directory, "model.onnx", &size);
    onnx_model *const model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->proto = bytes != NULL ? onnx__model_proto__unpack(NULL, size, bytes) : NULL;
    free(bytes);
    const Onnx__GraphProto *const graph = model->proto != NULL ? model->proto->graph : NULL;
    if (graph != NULL && graph->n_node == 1) {
        model->node = graph->node[0];
        if (read_tensors(directory, model))
            return model;
    }
    onnx_close(model);
    return NULL;
}

void onnx_close(onnx_model *model)
{
    for (size_t index = 0; index < ONNX_MAX_TENSORS; index++) {
        tensor_free(&model->inputs[index]);
        tensor_free(&model->outputs[index]);
    }
    if (model->proto != NULL)
        onnx__model_proto__free_unpacked(model->proto, NULL);
    free(model);
}

const char *onnx_operator(const onnx_model *model)
{
    return model->node->op_type;
}

static const tensor *present(const tensor *values)
{
    return values->data != NULL ? values : NULL;
}

const tensor *onnx_input(const onnx_model *model, size_t index)
{
    return index < ONNX_MAX_TENSORS ? present(&model->inputs[index]) : NULL;
}

const tensor *onnx_output(const onnx_model *model, size_t index)
{
    return index < ONNX_MAX_TENSORS ? present(&model->outputs[index]) : NULL;
}

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

static char *attribute_text(const Onnx__AttributeProto *attribute)
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

void onnx_attributes(const onnx_model *model,
                     void (*visit)(void *context, const char *name, const char *json),
                     void *context)
{
    for (size_t index = 0; index < model->node->n_attribute; index++) {
        const Onnx__AttributeProto *const attribute = model->node->attribute[index];
        char *const text = attribute_text(attribute);
        visit(context, attribute->name, text);
        free(text);
    }
}
