/* The gradients of a spatially separable convolution: those of columns and rows are sums over the
 * samples, that of the input is one over the output channels.
 * SPDX-License-Identifier: MIT */
#include "core/blocks.h"
#include "core/tasks.h"
#include "layer/conv_backward.h"
#include "layer/separable_spatial.h"
#include "separable/pieces.h"

#include <assert.h>

/* A pass over the pieces. Each task has a sum of its own, adds its pieces in order, and has room
 * for one more term. */
typedef struct {
    const layer_separable_spatial_operands *operands;
    const float *grad_output;
    const layer_separable_spatial_gradients *gradients;
    const layer_run *run;
    layer_chain chain;
    layer_pieces pieces;
    size_t groups, tasks, term_size, share_size;
} pass;

static void add(float *sum, const float *term, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += term[i];
}

/* ---- The two kinds of passes ----------------------------------------------------------------- */

static pass pass_over(const layer_separable_spatial *separable)
{
    const layer_pieces pieces = layer_pieces_of(separable);
    return (pass){
        .chain = layer_chain_of(separable),
        .pieces = pieces,
        .groups = pieces.outputs / pieces.group_outputs,
    };
}

static void plan(pass *call, size_t tasks, size_t term_size, int threads)
{
    const int of_task = layer_threads_of_task(tasks, threads);
    call->tasks = tasks;
    call->term_size = term_size;
    call->share_size = term_size + layer_chain_backward_workspace_size(&call->chain, of_task);
}

/* A task for each output channel, over the samples. */
static void plan_factors(pass *call, int threads)
{
    const layer_pieces *const pieces = &call->pieces;
    plan(call, pieces->outputs,
         layer_aligned(pieces->column * sizeof(float)) + layer_aligned(pieces->row * sizeof(float)),
         threads);
}

/* A task for each sample and group, over the group's output channels. */
static void plan_input(pass *call, int threads)
{
    const layer_pieces *const pieces = &call->pieces;
    plan(call, pieces->samples * call->groups, layer_aligned(pieces->part * sizeof(float)),
         threads);
}

static size_t pass_size(const pass *call, int threads)
{
    return call->share_size * (call->tasks == 1 ? 1 : (size_t)threads);
}

size_t layer_separable_spatial_backward_workspace_size(const layer_separable_spatial *separable,
                                                       int threads)
{
    pass call = pass_over(separable);
    plan_factors(&call, threads);
    const size_t factors_size = pass_size(&call, threads);
    plan_input(&call, threads);
    return layer_larger(factors_size, pass_size(&call, threads));
}

/* ---- Columns and rows ------------------------------------------------------------------------ */

static float *at(float *gradient, size_t distance)
{
    return gradient == NULL ? NULL : gradient + distance;
}

/* The gradients of one piece: of the sum itself where it is the first, else of a term to add. */
static layer_chain_gradients of_factors(const pass *call, size_t k, float *term)
{
    if (term == NULL)
        return (layer_chain_gradients){
            .first_weight = at(call->gradients->column, k * call->pieces.column),
            .second_weight = at(call->gradients->row, k * call->pieces.row)};
    float *const row_term =
        term + layer_aligned(call->pieces.column * sizeof(float)) / sizeof *term;
    return (layer_chain_gradients){.first_weight = call->gradients->column == NULL ? NULL : term,
                                   .second_weight = call->gradients->row == NULL ? NULL : row_term};
}

static void add_factors(const pass *call, const layer_chain_gradients *sums,
                        const layer_chain_gradients *terms)
{
    if (sums->first_weight != NULL)
        add(sums->first_weight, terms->first_weight, call->pieces.column);
    if (sums->second_weight != NULL)
        add(sums->second_weight, terms->second_weight, call->pieces.row);
}

static void sum_factors(void *argument, size_t k, int thread)
{
    const pass *const call = argument;
    const layer_pieces *const pieces = &call->pieces;
    layer_run run = layer_run_of_task(call->run, call->tasks, thread, call->share_size);
    float *const term = run.workspace;
    run.workspace = (char *)run.workspace + call->term_size;
    const layer_chain_gradients sums = of_factors(call, k, NULL), terms = of_factors(call, k, term);
    for (size_t n = 0; n < pieces->samples && !layer_run_cancelled(&run); n++) {
        const layer_chain_operands operands = layer_piece_operands(pieces, call->operands, n, k);
        const float *const grad_output =
            call->grad_output + (n * pieces->outputs + k) * pieces->plane;
        layer_chain_backward(&call->chain, &operands, grad_output, n == 0 ? &sums : &terms, &run);
        if (n > 0)
            add_factors(call, &sums, &terms);
    }
}

/* ---- The input ------------------------------------------------------------------------------- */

static void sum_input(void *argument, size_t task, int thread)
{
    const pass *const call = argument;
    const layer_pieces *const pieces = &call->pieces;
    const size_t n = task / call->groups, group = task % call->groups;
    layer_run run = layer_run_of_task(call->run, call->tasks, thread, call->share_size);
    float *const term = run.workspace;
    float *const sum = call->gradients->input + n * pieces->sample + group * pieces->part;
    run.workspace = (char *)run.workspace + call->term_size;
    for (size_t i = 0; i < pieces->group_outputs && !layer_run_cancelled(&run); i++) {
        const size_t k = group * pieces->group_outputs + i;
        const layer_chain_operands operands = layer_piece_operands(pieces, call->operands, n, k);
        const float *const grad_output =
            call->grad_output + (n * pieces->outputs + k) * pieces->plane;
        const layer_chain_gradients wanted = {.input = i == 0 ? sum : term};
        layer_chain_backward(&call->chain, &operands, grad_output, &wanted, &run);
        if (i > 0)
            add(sum, term, pieces->part);
    }
}

/* ---- All of them ----------------------------------------------------------------------------- */

static layer_status grad_bias(const layer_separable_spatial *separable, const float *grad_output,
                              float *bias, const layer_run *run)
{
    layer_conv conv = separable->horizontal;
    conv.output = separable->output; /* of all, and so are the sums */
    return layer_conv_grad_bias(&conv, grad_output, bias, run);
}

static layer_status backward_each(pass *call)
{
    const int threads = layer_run_threads(call->run);
    layer_status status = LAYER_OK;
    if (call->gradients->column != NULL || call->gradients->row != NULL) {
        plan_factors(call, threads);
        status = layer_run_tasks(call->run, call->tasks, sum_factors, call);
    }
    if (status == LAYER_OK && call->gradients->input != NULL) {
        plan_input(call, threads);
        status = layer_run_tasks(call->run, call->tasks, sum_input, call);
    }
    return status;
}

static layer_status backward_shared(const pass *call)
{
    const layer_separable_spatial_gradients *const gradients = call->gradients;
    const layer_chain_operands operands = layer_piece_operands(&call->pieces, call->operands, 0, 0);
    const layer_chain_gradients wanted = {.input = gradients->input,
                                          .first_weight = gradients->column,
                                          .second_weight = gradients->row};
    return layer_chain_backward(&call->chain, &operands, call->grad_output, &wanted, call->run);
}

layer_status layer_separable_spatial_backward(const layer_separable_spatial *separable,
                                              const layer_separable_spatial_operands *operands,
                                              const float *grad_output,
                                              const layer_separable_spatial_gradients *gradients,
                                              const layer_run *run)
{
    assert(operands->input != NULL && operands->column != NULL && operands->row != NULL);
    const layer_status status = gradients->bias == NULL
                                    ? LAYER_OK
                                    : grad_bias(separable, grad_output, gradients->bias, run);
    if (status != LAYER_OK)
        return status;
    pass call = pass_over(separable);
    call.operands = operands;
    call.grad_output = grad_output;
    call.gradients = gradients;
    call.run = run;
    return separable->is_shared ? backward_shared(&call) : backward_each(&call);
}
