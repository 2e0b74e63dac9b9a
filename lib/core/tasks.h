/* Running a computation's tasks on the caller's executor.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_TASKS_H
#define LAYER_CORE_TASKS_H

#include "layer/executor.h"
#include "layer/status.h"

#include <stdbool.h>

/* Whether run->cancelled was set. Tasks of more than some 100 microseconds look at it themselves,
 * between tiles. */
bool layer_run_cancelled(const layer_run *run);

/* How many threads work on `run`, which is also how many shares its workspace has. */
int layer_run_threads(const layer_run *run);

/* Calls function(argument, task, thread) once for every task from 0 to tasks - 1, on the run's
 * executor or else here one after the other; after a cancellation the rest are left out.
 * Returns LAYER_OK or LAYER_CANCELLED. */
layer_status layer_run_tasks(const layer_run *run, size_t tasks, layer_task *function,
                             void *argument);

#endif
