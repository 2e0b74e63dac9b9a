/* An executor for tests: threads started anew for every parallel_for, tasks taken in any order.
 * SPDX-License-Identifier: MIT */
#include "support/threads.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_THREADS = 64 };

typedef struct {
    size_t tasks, taken;
    layer_task *function;
    void *argument;
} shared_work;

typedef struct {
    shared_work *work;
    int thread;
} worker;

/* The last task first: nothing may depend on the order. */
static void *work_off(void *argument)
{
    const worker *const self = argument;
    shared_work *const work = self->work;
    for (;;) {
        const size_t taken = __atomic_fetch_add(&work->taken, 1, __ATOMIC_RELAXED);
        if (taken >= work->tasks)
            return NULL;
        work->function(work->argument, work->tasks - 1 - taken, self->thread);
    }
}

static void parallel_for(void *context, size_t tasks, layer_task *function, void *argument)
{
    const int threads = (int)(intptr_t)context;
    shared_work work = {tasks, 0, function, argument};
    worker workers[MOST_THREADS];
    pthread_t handles[MOST_THREADS];
    for (int i = 0; i < threads; i++)
        workers[i] = (worker){&work, i};
    for (int i = 1; i < threads; i++)
        if (pthread_create(&handles[i], NULL, work_off, &workers[i]) != 0)
            abort();
    work_off(&workers[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(handles[i], NULL);
}

layer_executor threads_executor(int threads)
{
    assert(threads >= 1 && threads <= MOST_THREADS);
    return (layer_executor){parallel_for, (void *)(intptr_t)threads, threads};
}
