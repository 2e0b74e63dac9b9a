/* ONNX's own values as ours: tensors, and attributes as JSON text.
 * SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ONNX_VALUES_H
#define CONFORMANCE_ONNX_VALUES_H

#include "onnx_model.h"

#include "onnx.pb-c.h"

/* The whole file in memory that the caller frees; NULL if there is none, or nothing in it. */
uint8_t *onnx_read_file(const char *directory, const char *name, size_t *size);

/* Copies 32-bit floats, 64-bit integers and bytes, which all become floats. False for other types,
 * and where there are not as many numbers as the shape has. */
bool onnx_tensor_convert(const Onnx__TensorProto *proto, tensor *values);

/* The same from a file. */
bool onnx_tensor_read(const char *directory, const char *name, tensor *values);

/* "3", "[1,2]", "\"SAME_UPPER\"", or "null" for what is none of them; the caller frees it. */
char *onnx_attribute_text(const Onnx__AttributeProto *attribute);

/* An attribute of a node; NULL if it has none of this name. */
const Onnx__AttributeProto *onnx_attribute(const onnx_node *node, const char *name);

#endif
