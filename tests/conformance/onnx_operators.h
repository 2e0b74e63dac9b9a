/* How ONNX's operators are said to the service: one row each.
 * SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_ONNX_OPERATORS_H
#define CONFORMANCE_ONNX_OPERATORS_H

#include "onnx_model.h"

enum { OPERATOR_MAX_OUTPUTS = 2 };

typedef struct {
    const char *name; /* in ONNX */
    const char *path; /* ours */
    /* Puts the node into our words. Returns NULL, or why they cannot say it. */
    const char *(*say)(tensor_request *request, const onnx_node *node);
    const char *outputs[OPERATOR_MAX_OUTPUTS]; /* our names, in ONNX's order */
    double tolerance;                          /* of the greatest magnitude */
    int cases;                                 /* how many can be said, at least */
} operator_row;

/* The table; its last row has no name. */
extern const operator_row operators[];

/* The row of an operator, NULL if there is none. */
const operator_row *operator_find(const char *name);

#endif
