/* Running a computation's tasks on the caller's executor.
 * SPDX-License-Identifier: MIT */
#include "core/tasks.h"

#include <assert.h>

typedef struct {
    const layer_run *run;
    layer_task *function;
    void *argument;
} cancellable;

bool layer_run_cancelled(const layer_run *run)
{
    return run->cancelled != NULL && __atomic_load_n(run->cancelled, __ATOMIC_RELAXED) != 0;
}

int layer_run_threads(const layer_run *run)
{
    if (run->executor == NULL)
        return 1;
    assert(run->executor->threads >= 1);
    return run->executor->threads;
}

static void run_unless_cancelled(void *argument, size_t task, int thread)
{
    const cancellable *const wrapped = argument;
    if (!layer_run_cancelled(wrapped->run))
        wrapped->function(wrapped->argument, task, thread);
}

layer_status layer_run_tasks(const layer_run *run, size_t tasks, layer_task *function,
                             void *argument)
{
    cancellable wrapped = {run, function, argument};
    /* Waking another thread for a single task would only add its latency. */
    if (tasks > 1 && layer_run_threads(run) > 1)
        run->executor->parallel_for(run->executor->context, tasks, run_unless_cancelled, &wrapped);
    else
        for (size_t task = 0; task < tasks; task++)
            run_unless_cancelled(&wrapped, task, 0);
    return layer_run_cancelled(run) ? LAYER_CANCELLED : LAYER_OK;
}
