/* ONNX's operators that compute nothing: Constant, Unsqueeze, Squeeze.
 * SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ONNX_MOVES_H
#define CONFORMANCE_ONNX_MOVES_H

#include "onnx_model.h"

bool onnx_only_moves(const onnx_node *node);

/* Does what such an operator does. False if it lacks what that takes. */
bool onnx_move(const onnx_node *node);

#endif
