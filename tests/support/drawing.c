/* Drawing initial weights, for tests: describe, bring the workspace, run, hold it all to success.
 * SPDX-License-Identifier: MIT */
#include "support/drawing.h"
#include "support/threads.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

/* Not an assertion of cmocka's: those belong to the main thread. */
static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "drawing: %s\n", what);
    abort();
}

layer_initialize drawing_describe(layer_shape shape, layer_initialize_options options)
{
    layer_initialize initialize;
    layer_error error;
    require(layer_initialize_describe(&initialize, &shape, &options, &error) == LAYER_OK,
            "describe failed");
    return initialize;
}

size_t drawing_count(const layer_initialize *initialize)
{
    size_t count = 0;
    layer_error error;
    require(layer_shape_count(&initialize->shape, "shape", &count, &error) == LAYER_OK,
            "count failed");
    return count;
}

layer_status drawing_run(const layer_initialize *initialize, float *weight, int threads,
                         const int *cancelled)
{
    const size_t size = layer_initialize_workspace_size(initialize);
    void *workspace = NULL;
    require(size == 0 || posix_memalign(&workspace, ALIGNMENT, size) == 0, "no memory");
    const layer_executor executor = threads_executor(threads);
    const layer_run run = {.workspace = workspace,
                           .executor = threads == 1 ? NULL : &executor,
                           .cancelled = cancelled};
    const layer_status status = layer_initialize_run(initialize, weight, &run);
    free(workspace);
    return status;
}

float *drawing_new(const layer_initialize *initialize, int threads)
{
    float *const weight = malloc(drawing_count(initialize) * sizeof *weight);
    require(weight != NULL, "no memory");
    require(drawing_run(initialize, weight, threads, NULL) == LAYER_OK, "run failed");
    return weight;
}
