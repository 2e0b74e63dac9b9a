/* Running a convolution in the ways there are.
 * SPDX-License-Identifier: MIT */
#include "support/conv_running.h"
#include "support/floats.h"
#include "support/threads.h"

#include <stdlib.h>
#include <string.h>

conv_operands conv_operands_draw(sampling *from, const layer_conv *conv, bool biased)
{
    return (conv_operands){
        .input = floats_drawn(from, floats_count(&conv->input)),
        .weight = floats_drawn(from, floats_count(&conv->weight)),
        .bias = biased ? floats_drawn(from, (size_t)conv->weight.extent[0]) : NULL,
    };
}

void conv_operands_release(conv_operands *drawn)
{
    free(drawn->input);
    free(drawn->weight);
    free(drawn->bias);
}

static void spoil(const layer_conv *conv, float *output)
{
    memset(output, 0xFF, floats_count(&conv->output) * sizeof *output);
}

layer_status conv_run(const layer_conv *conv, const conv_operands *given, float *output,
                      conv_way way)
{
    void *const workspace = floats_workspace(layer_conv_workspace_size(conv, way.threads));
    spoil(conv, output);
    const layer_executor executor = threads_executor(way.threads);
    const layer_run run = {.workspace = workspace,
                           .executor = way.threads == 1 ? NULL : &executor,
                           .cancelled = way.cancelled,
                           .isa = way.isa};
    const layer_status status =
        layer_conv_forward(conv, given->input, given->weight, given->bias, output, &run);
    free(workspace);
    return status;
}

layer_status conv_run_prepared(const layer_conv *conv, const conv_operands *given, float *output,
                               conv_way way)
{
    void *const prepared = floats_workspace(layer_conv_prepared_size(conv));
    void *const workspace = floats_workspace(layer_conv_prepared_workspace_size(conv, way.threads));
    spoil(conv, output);
    const layer_executor executor = threads_executor(way.threads);
    layer_run run = {.executor = way.threads == 1 ? NULL : &executor,
                     .cancelled = way.cancelled,
                     .isa = way.isa};
    layer_status status = layer_conv_prepare(conv, given->weight, prepared, &run);
    run.workspace = workspace;
    if (status == LAYER_OK)
        status = layer_conv_forward_prepared(conv, given->input,
                                             prepared == NULL ? given->weight : prepared,
                                             given->bias, output, &run);
    free(workspace);
    free(prepared);
    return status;
}
