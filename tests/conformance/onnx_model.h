/* A test case as ONNX's data sets hold it: a graph of operators, its inputs and its outputs.
 * SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ONNX_MODEL_H
#define CONFORMANCE_ONNX_MODEL_H

#include "support/tensor_forms.h"

typedef struct onnx_model onnx_model;

/* Reads DIRECTORY/model.onnx; NULL if there is none. */
onnx_model *onnx_open(const char *directory);
void onnx_close(onnx_model *model);

/* Reads the values that the model has and those of DIRECTORY/test_data_set_0. False if one is not
 * there, or none of 32-bit floats, 64-bit integers or bytes; all become floats. */
bool onnx_read_values(onnx_model *model);

/* An operator of the graph; one comes after those whose outputs it reads. */
typedef struct {
    onnx_model *model;
    size_t index; /* below onnx_node_count() */
} onnx_node;

size_t onnx_node_count(const onnx_model *model);

/* The operator's name, "Conv". */
const char *onnx_operator(const onnx_node *node);

/* Calls `visit` with each attribute's name and its value as JSON text. */
void onnx_attributes(const onnx_node *node,
                     void (*visit)(void *context, const char *name, const char *json),
                     void *context);

/* An input by position; NULL where an optional one is left out. */
const tensor *onnx_input(const onnx_node *node, size_t index);

/* Whether there is an output at this position, and its value, which the model takes. */
bool onnx_has_output(const onnx_node *node, size_t index);
void onnx_set_output(const onnx_node *node, size_t index, tensor values);

/* The greatest tensor_distance() of the graph's outputs from what is expected. */
double onnx_distance(const onnx_model *model);

#endif
