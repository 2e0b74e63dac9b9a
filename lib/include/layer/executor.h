/* How a computation runs: where its scratch memory is, who helps, whether it should stop.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_EXECUTOR_H
#define LAYER_EXECUTOR_H

#include "layer/isa.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One piece of a computation: `task` counts from 0, `thread` says which share of the workspace
 * is this caller's, from 0 to threads - 1. */
typedef void layer_task(void *argument, size_t task, int thread);

/* A thread pool as the library sees it. `parallel_for` calls function(argument, task, thread) once
 * for every task from 0 to tasks - 1, on any threads, in any order, never two at a time with the
 * same `thread`, and returns when all of them are done. */
typedef struct {
    void (*parallel_for)(void *context, size_t tasks, layer_task *function, void *argument);
    void *context;
    int threads;
} layer_executor;

/* All zero means: no workspace, the calling thread alone, never cancelled, the best instructions.
 */
typedef struct {
    void *workspace;                /* at least what ..._workspace_size() said, 64-byte aligned */
    const layer_executor *executor; /* NULL: the calling thread alone */
    const int *cancelled; /* NULL, or turned nonzero by an atomic store in another thread: the
                             computation looks at it between tiles and stops early */
    layer_isa isa;        /* which instructions to use; none that the processor lacks */
} layer_run;

#ifdef __cplusplus
}
#endif
#endif
