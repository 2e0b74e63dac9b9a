/* Weights that nothing is drawn for: a constant, and the identity maps of convolutions and linear
 * layers.
 * Source: torch.nn.init.dirac_, for the groups and the middle of an even kernel.
 * SPDX-License-Identifier: MIT */
#include "core/refuse.h"
#include "core/tasks.h"
#include "initialize/method.h"

#include <math.h>

typedef struct {
    const layer_initialize *initialize;
    float *weight;
    size_t row_count; /* elements an output */
} filling;

/* ---- Constant -------------------------------------------------------------------------------- */

static layer_status describe_constant(layer_initialize *initialize,
                                      const layer_initialize_options *options, size_t count,
                                      layer_error *error)
{
    (void)error;
    initialize->mean = initialize->low = initialize->high = options->value;
    initialize->bound = fabs(options->value);
    initialize->multiplications = count;
    return LAYER_OK;
}

static void fill_row(void *argument, size_t k, int thread)
{
    (void)thread;
    const filling *const whole = argument;
    float *const row = whole->weight + k * whole->row_count;
    for (size_t i = 0; i < whole->row_count; i++)
        row[i] = (float)whole->initialize->mean;
}

/* ---- Identities ------------------------------------------------------------------------------ */

/* How many elements are 1: for each group one an output channel, while there are input channels. */
static size_t count_ones(const layer_initialize *initialize)
{
    const int outputs = initialize->shape.extent[0] / initialize->group;
    const int inputs = initialize->shape.extent[1];
    return (size_t)initialize->group * (size_t)(outputs < inputs ? outputs : inputs);
}

static layer_status describe_identity(layer_initialize *initialize, size_t count)
{
    const double share = (double)count_ones(initialize) / (double)count;
    initialize->mean = share;
    initialize->std = sqrt(share * (1 - share));
    initialize->bound = initialize->high = 1;
    initialize->multiplications = count;
    return LAYER_OK;
}

static layer_status describe_dirac(layer_initialize *initialize,
                                   const layer_initialize_options *options, size_t count,
                                   layer_error *error)
{
    (void)options;
    if (initialize->shape.rank < 3)
        return layer_refuse(
            error, LAYER_INVALID, "shape",
            "shape has rank %d, expected 3 to %d for dirac; eye is a linear layer's",
            initialize->shape.rank, LAYER_MAX_RANK);
    return describe_identity(initialize, count);
}

static layer_status describe_eye(layer_initialize *initialize,
                                 const layer_initialize_options *options, size_t count,
                                 layer_error *error)
{
    (void)options;
    if (initialize->shape.rank != 2)
        return layer_refuse(error, LAYER_INVALID, "shape",
                            "shape has rank %d, expected 2 for eye; dirac is a convolution's",
                            initialize->shape.rank);
    return describe_identity(initialize, count);
}

static size_t middle_cell(const layer_shape *shape)
{
    size_t cell = 0;
    for (int axis = 2; axis < shape->rank; axis++)
        cell = cell * (size_t)shape->extent[axis] + (size_t)shape->extent[axis] / 2;
    return cell;
}

static void fill_identity_row(void *argument, size_t k, int thread)
{
    (void)thread;
    const filling *const whole = argument;
    const layer_shape *const shape = &whole->initialize->shape;
    const size_t channel = k % (size_t)(shape->extent[0] / whole->initialize->group);
    const size_t inputs = (size_t)shape->extent[1], cells = whole->row_count / inputs;
    float *const row = whole->weight + k * whole->row_count;
    for (size_t i = 0; i < whole->row_count; i++)
        row[i] = 0;
    if (channel < inputs)
        row[channel * cells + middle_cell(shape)] = 1;
}

/* ---- Filling --------------------------------------------------------------------------------- */

static layer_status run_constant(const layer_initialize *initialize, float *weight, size_t count,
                                 const layer_run *run)
{
    const size_t rows = (size_t)initialize->shape.extent[0];
    filling whole = {initialize, weight, count / rows};
    return layer_run_tasks(run, rows, fill_row, &whole);
}

static layer_status run_identity(const layer_initialize *initialize, float *weight, size_t count,
                                 const layer_run *run)
{
    const size_t rows = (size_t)initialize->shape.extent[0];
    filling whole = {initialize, weight, count / rows};
    return layer_run_tasks(run, rows, fill_identity_row, &whole);
}

const layer_initialize_law layer_initialize_law_CONSTANT = {
    .describe = describe_constant, .run = run_constant, .widener = "value"};

const layer_initialize_law layer_initialize_law_DIRAC = {
    .describe = describe_dirac, .run = run_identity, .widener = "shape"};

const layer_initialize_law layer_initialize_law_EYE = {
    .describe = describe_eye, .run = run_identity, .widener = "shape"};
