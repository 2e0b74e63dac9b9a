/* What holds for every layer that is linear in each of its operands, biases added: tests of it over
 * one drawn geometry at a time.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_MULTILINEAR_H
#define SUPPORT_MULTILINEAR_H

#include "layer/executor.h"
#include "layer/status.h"
#include "support/sampling.h"

#include <stdbool.h>

enum { MULTILINEAR_OPERANDS = 5 };

/* A described layer. The functions get `described`; operands and gradients stand in one order. An
 * operand that is a bias may be NULL, and so may a gradient that is not wanted. */
typedef struct {
    const void *described;
    const char *sentence; /* what a failure says of the geometry */
    int operands;
    struct {
        const char *name;
        size_t count;
        bool is_bias;
    } operand[MULTILINEAR_OPERANDS];
    size_t outputs; /* elements */

    void (*define)(const void *described, float *const operands[], double *output);
    void (*define_gradients)(const void *described, float *const operands[],
                             const float *grad_output, double *const gradients[]);
    size_t (*workspace_size)(const void *described, int threads);
    layer_status (*forward)(const void *described, float *const operands[], float *output,
                            const layer_run *run);
    size_t (*backward_workspace_size)(const void *described, int threads);
    layer_status (*backward)(const void *described, float *const operands[],
                             const float *grad_output, float *const gradients[],
                             const layer_run *run);
} multilinear;

/* Draws operands and holds the layer to its definition, going forward and backward: within
 * rounding, with the same bits for any number of threads, each gradient by itself as among the
 * others, and nothing but LAYER_CANCELLED once cancelled. */
void multilinear_check_definition(sampling *from, const multilinear *layer);

/* Holds what going forward makes of the operands to `expected`, within rounding. */
void multilinear_check_output(const multilinear *layer, float *const operands[],
                              const double *expected);

/* Holds an element of each gradient to the definition's finite difference. */
void multilinear_check_differences(sampling *from, const multilinear *layer);

/* <f, g> = <x, gradient of x> for every operand x but the biases, which are left out. */
void multilinear_check_adjoint(sampling *from, const multilinear *layer);

#endif
