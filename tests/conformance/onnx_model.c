/* A test case as ONNX's data sets hold it.
 * SPDX-License-Identifier: MIT */
#include "onnx_model.h"
#include "onnx_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 32 };

/* What a name in the graph stands for. */
typedef struct {
    const char *name;
    tensor values;
} named_value;

struct onnx_model {
    char *directory;
    Onnx__ModelProto *proto;
    named_value known[MAX_VALUES], expected[MAX_VALUES];
    size_t known_count, expected_count;
};

static const Onnx__GraphProto *graph_of(const onnx_model *model)
{
    return model->proto->graph;
}

static const Onnx__NodeProto *proto_of(const onnx_node *node)
{
    return graph_of(node->model)->node[node->index];
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const tensor *find(const onnx_model *model, const char *name)
{
    for (size_t index = 0; index < model->known_count; index++)
        if (strcmp(model->known[index].name, name) == 0)
            return &model->known[index].values;
    return NULL;
}

/* In place of what the name stood for. */
static void know(onnx_model *model, const char *name, tensor values)
{
    size_t index = 0;
    while (index < model->known_count && strcmp(model->known[index].name, name) != 0)
        index++;
    if (index == MAX_VALUES)
        abort();
    if (index == model->known_count)
        model->known_count++;
    tensor_free(&model->known[index].values);
    model->known[index] = (named_value){name, values};
}

static bool read_initializers(onnx_model *model)
{
    const Onnx__GraphProto *const graph = graph_of(model);
    for (size_t index = 0; index < graph->n_initializer; index++) {
        tensor values;
        if (!onnx_tensor_convert(graph->initializer[index], &values))
            return false;
        know(model, graph->initializer[index]->name, values);
    }
    return true;
}

static bool read_numbered(const onnx_model *model, const char *kind, size_t number, tensor *values)
{
    char name[64];
    snprintf(name, sizeof name, "test_data_set_0/%s_%zu.pb", kind, number);
    return onnx_tensor_read(model->directory, name, values);
}

/* Files are numbered by the graph's inputs, those with a value in the model left out. */
static bool read_inputs(onnx_model *model)
{
    const Onnx__GraphProto *const graph = graph_of(model);
    size_t number = 0;
    for (size_t index = 0; index < graph->n_input; index++) {
        const char *const name = graph->input[index]->name;
        tensor values;
        if (find(model, name) != NULL)
            continue;
        if (!read_numbered(model, "input", number++, &values))
            return false;
        know(model, name, values);
    }
    return true;
}

static bool read_expected(onnx_model *model)
{
    const Onnx__GraphProto *const graph = graph_of(model);
    for (; model->expected_count < graph->n_output; model->expected_count++) {
        named_value *const output = &model->expected[model->expected_count];
        output->name = graph->output[model->expected_count]->name;
        if (!read_numbered(model, "output", model->expected_count, &output->values))
            return false;
    }
    return true;
}

bool onnx_read_values(onnx_model *model)
{
    return graph_of(model)->n_output <= MAX_VALUES && read_initializers(model) &&
           read_inputs(model) && read_expected(model);
}

double onnx_distance(const onnx_model *model)
{
    double greatest = 0;
    for (size_t index = 0; index < model->expected_count; index++) {
        const tensor *const actual = find(model, model->expected[index].name);
        greatest = fmax(greatest, actual == NULL
                                      ? INFINITY
                                      : tensor_distance(actual, &model->expected[index].values));
    }
    return greatest;
}

/* ---- The model ------------------------------------------------------------------------------- */

onnx_model *onnx_open(const char *directory)
{
    size_t size = 0;
    uint8_t *const bytes = onnx_read_file(directory, "model.onnx", &size);
    onnx_model *const model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->directory = strdup(directory);
    model->proto = bytes != NULL ? onnx__model_proto__unpack(NULL, size, bytes) : NULL;
    free(bytes);
    if (model->proto != NULL && graph_of(model) != NULL)
        return model;
    onnx_close(model);
    return NULL;
}

void onnx_close(onnx_model *model)
{
    for (size_t index = 0; index < MAX_VALUES; index++) {
        tensor_free(&model->known[index].values);
        tensor_free(&model->expected[index].values);
    }
    if (model->proto != NULL)
        onnx__model_proto__free_unpacked(model->proto, NULL);
    free(model->directory);
    free(model);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

void onnx_attributes(const onnx_node *node,
                     void (*visit)(void *context, const char *name, const char *json),
                     void *context)
{
    const Onnx__NodeProto *const proto = proto_of(node);
    for (size_t index = 0; index < proto->n_attribute; index++) {
        char *const text = onnx_attribute_text(proto->attribute[index]);
        visit(context, proto->attribute[index]->name, text);
        free(text);
    }
}

const Onnx__AttributeProto *onnx_attribute(const onnx_node *node, const char *name)
{
    const Onnx__NodeProto *const proto = proto_of(node);
    for (size_t index = 0; index < proto->n_attribute; index++)
        if (strcmp(proto->attribute[index]->name, name) == 0)
            return proto->attribute[index];
    return NULL;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

size_t onnx_node_count(const onnx_model *model)
{
    return graph_of(model)->n_node;
}

const char *onnx_operator(const onnx_node *node)
{
    return proto_of(node)->op_type;
}

const tensor *onnx_input(const onnx_node *node, size_t index)
{
    const Onnx__NodeProto *const proto = proto_of(node);
    return index < proto->n_input ? find(node->model, proto->input[index]) : NULL;
}

bool onnx_has_output(const onnx_node *node, size_t index)
{
    const Onnx__NodeProto *const proto = proto_of(node);
    return index < proto->n_output && *proto->output[index] != '\0';
}

void onnx_set_output(const onnx_node *node, size_t index, tensor values)
{
    know(node->model, proto_of(node)->output[index], values);
}
