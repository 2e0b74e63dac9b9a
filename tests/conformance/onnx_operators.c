/* How ONNX's operators are said to the service: one row each.
 * SPDX-License-Identifier: MIT */
#include "onnx_operators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Convolution: ONNX's attributes are ours ------------------------------------------------- */

static void add_as_it_is(void *request, const char *name, const char *json)
{
    tensor_request_add_json(request, name, json);
}

static const char *say_conv(tensor_request *request, const onnx_node *node)
{
    static const char *const names[] = {"input", "weight", "bias"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++)
        if (onnx_input(node, index) != NULL)
            tensor_request_add(request, names[index], onnx_input(node, index));
    onnx_attributes(node, add_as_it_is, request);
    return NULL;
}

/* ---- Gemm ------------------------------------------------------------------------------------ */

/* alpha A' B' + beta C, each of A and B transposed or not. */
typedef struct {
    double alpha, beta;
    bool a_is_transposed, b_is_transposed;
} gemm;

static void read_gemm_attribute(void *context, const char *name, const char *json)
{
    gemm *const attributes = context;
    const double value = strtod(json, NULL);
    if (strcmp(name, "alpha") == 0)
        attributes->alpha = value;
    else if (strcmp(name, "beta") == 0)
        attributes->beta = value;
    else if (strcmp(name, "transA") == 0)
        attributes->a_is_transposed = value != 0;
    else if (strcmp(name, "transB") == 0)
        attributes->b_is_transposed = value != 0;
}

/* Adds a matrix, transposed if that is asked for. */
static void add_matrix(tensor_request *request, const char *name, const tensor *matrix,
                       bool is_transposed)
{
    const size_t rows = matrix->extent[0], columns = matrix->extent[1];
    if (!is_transposed) {
        tensor_request_add(request, name, matrix);
        return;
    }
    tensor turned = tensor_create(2, (const size_t[]){columns, rows});
    for (size_t i = 0; i < matrix->count; i++)
        turned.data[i % columns * rows + i / columns] = matrix->data[i];
    tensor_request_add(request, name, &turned);
    tensor_free(&turned);
}

/* Adds one number for each output, repeated where C is a single one. */
static void add_bias(tensor_request *request, const tensor *c, size_t outputs)
{
    tensor bias = tensor_create(1, &outputs);
    for (size_t i = 0; i < outputs; i++)
        bias.data[i] = c->data[i % c->count];
    tensor_request_add(request, "bias", &bias);
    tensor_free(&bias);
}

/* Our weight is B transposed. A C times 0 is left out. */
static const char *say_gemm(tensor_request *request, const onnx_node *node)
{
    gemm attributes = {.alpha = 1, .beta = 1};
    onnx_attributes(node, read_gemm_attribute, &attributes);
    const tensor *const a = onnx_input(node, 0), *const b = onnx_input(node, 1);
    const tensor *const c = attributes.beta == 0 ? NULL : onnx_input(node, 2);
    const size_t outputs = b->extent[attributes.b_is_transposed ? 0 : 1];
    const bool is_row =
        c == NULL || c->count == 1 || (c->count == outputs && c->extent[c->rank - 1] == outputs);
    if (attributes.alpha != 1)
        return "it has no factor before the product";
    if (c != NULL && attributes.beta != 1)
        return "it has no factor before the bias";
    if (!is_row)
        return "its bias is one row, C has several";
    add_matrix(request, "input", a, attributes.a_is_transposed);
    add_matrix(request, "weight", b, !attributes.b_is_transposed);
    if (c != NULL)
        add_bias(request, c, outputs);
    return NULL;
}

/* ---- Pooling --------------------------------------------------------------------------------- */

typedef struct {
    tensor_request *request;
    bool has_strides;
} pooling;

/* ONNX's flags are 0 and 1. */
static void add_pool_attribute(void *context, const char *name, const char *json)
{
    pooling *const said = context;
    const bool is_flag = strcmp(name, "ceil_mode") == 0 || strcmp(name, "count_include_pad") == 0;
    said->has_strides = said->has_strides || strcmp(name, "strides") == 0;
    tensor_request_add_json(said->request, name,
                            !is_flag                 ? json
                            : strcmp(json, "0") == 0 ? "false"
                                                     : "true");
}

/* ONNX's default of strides is 1, ours the kernel. */
static void add_pool_attributes(tensor_request *request, const onnx_node *node, bool has_windows)
{
    pooling said = {.request = request};
    onnx_attributes(node, add_pool_attribute, &said);
    if (has_windows && !said.has_strides)
        tensor_request_add_json(request, "strides", "1");
}

static const char *say_pool(tensor_request *request, const onnx_node *node)
{
    const char *const name = onnx_operator(node);
    const bool is_global = strncmp(name, "Global", 6) == 0;
    const bool is_max = strstr(name, "Max") != NULL, is_average = strstr(name, "Average") != NULL;
    tensor_request_add(request, "input", onnx_input(node, 0));
    tensor_request_add_json(request, "kind",
                            is_max       ? "\"max\""
                            : is_average ? "\"average\""
                                         : "\"lp\"");
    tensor_request_add_json(request, "global", is_global ? "true" : "false");
    tensor_request_add_json(request, "return_indices", is_max ? "true" : "false");
    tensor_request_add_json(request, "index_base", "\"tensor\"");
    add_pool_attributes(request, node, !is_global);
    return NULL;
}

/* output_shape is a tensor to ONNX, an attribute to us. Its cases count indices in the shape that
 * the attributes imply. */
static const char *say_unpool(tensor_request *request, const onnx_node *node)
{
    const tensor *const shape = onnx_input(node, 2);
    tensor_request_add(request, "input", onnx_input(node, 0));
    tensor_request_add(request, "indices", onnx_input(node, 1));
    tensor_request_add_json(request, "index_base", "\"tensor\"");
    tensor_request_add_json(request, "index_shape", "\"inferred\"");
    if (shape != NULL) {
        char text[256] = "";
        size_t length = 0;
        for (size_t axis = 0; axis < shape->count; axis++)
            length += (size_t)snprintf(text + length, sizeof text - length, "%c%.0f",
                                       axis == 0 ? '[' : ',', (double)shape->data[axis]);
        snprintf(text + length, sizeof text - length, "]");
        tensor_request_add_json(request, "output_shape", text);
    }
    add_pool_attributes(request, node, true);
    return NULL;
}

/* ---- The table ------------------------------------------------------------------------------- */

const operator_row operators[] = {
    {"Conv", "/v1/conv", say_conv, {"output"}, 1e-4, 33},
    {"ConvTranspose", "/v1/conv-transpose", say_conv, {"output"}, 1e-4, 13},
    {"Gemm", "/v1/linear", say_gemm, {"output"}, 1e-4, 9},
    {"MaxPool", "/v1/pool", say_pool, {"output", "indices"}, 1e-6, 24},
    {"AveragePool", "/v1/pool", say_pool, {"output"}, 1e-6, 20},
    {"LpPool", "/v1/pool", say_pool, {"output"}, 1e-6, 0},
    {"GlobalMaxPool", "/v1/pool", say_pool, {"output"}, 1e-6, 2},
    {"GlobalAveragePool", "/v1/pool", say_pool, {"output"}, 1e-6, 2},
    {"MaxUnpool", "/v1/unpool", say_unpool, {"output"}, 0, 2},
    {0},
};

const operator_row *operator_find(const char *name)
{
    const operator_row *row = operators;
    while (row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    return row->name != NULL ? row : NULL;
}
