/* A test case as ONNX's data sets hold it: a model of one operator, its inputs and its outputs.
 * SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ONNX_MODEL_H
#define CONFORMANCE_ONNX_MODEL_H

#include "support/tensor_forms.h"

enum { ONNX_MAX_TENSORS = 8 };

typedef struct onnx_model onnx_model;

/* Reads DIRECTORY/model.onnx and DIRECTORY/test_data_set_0. NULL if it cannot be read, or is not
 * one operator on tensors of 32-bit floats, 64-bit integers or bytes; all become floats. */
onnx_model *onnx_open(const char *directory);
void onnx_close(onnx_model *model);

/* The operator's name, "Conv". */
const char *onnx_operator(const onnx_model *model);

/* The operator's inputs and outputs by position; NULL where an optional one is left out. */
const tensor *onnx_input(const onnx_model *model, size_t index);
const tensor *onnx_output(const onnx_model *model, size_t index);

/* Calls `visit` with each attribute's name and its value as JSON text. */
void onnx_attributes(const onnx_model *model,
                     void (*visit)(void *context, const char *name, const char *json),
                     void *context);

#endif
