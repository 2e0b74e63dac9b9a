/* How tasks are run: each once, by the executor or without one, and no longer once cancelled.
 * SPDX-License-Identifier: MIT */
#include "core/tasks.h"
#include "support/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TASKS = 500, MOST_THREADS = 4, CANCELLED_AFTER = 10 };

typedef struct {
    int calls[TASKS];
    int busy[MOST_THREADS]; /* a thread's number is never in use twice at a time */
    int overlaps, threads, done;
    int cancelled;
} record;

static void note(void *argument, size_t task, int thread)
{
    record *const notes = argument;
    if (thread < 0 || thread >= notes->threads ||
        __atomic_exchange_n(&notes->busy[thread], 1, __ATOMIC_ACQUIRE) != 0)
        __atomic_fetch_add(&notes->overlaps, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&notes->calls[task], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&notes->busy[thread], 0, __ATOMIC_RELEASE);
}

static void every_task_runs_once(void **state)
{
    (void)state;
    for (int threads = 0; threads <= MOST_THREADS; threads++) {
        const layer_executor executor = threads_executor(threads == 0 ? 1 : threads);
        const layer_run run = {.executor = threads == 0 ? NULL : &executor};
        record notes = {.threads = threads == 0 ? 1 : threads};
        assert_int_equal(layer_run_threads(&run), notes.threads);
        assert_int_equal(layer_run_tasks(&run, TASKS, note, &notes), LAYER_OK);
        assert_int_equal(notes.overlaps, 0);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(notes.calls[i], 1);
    }
}

static void cancel_on_the_way(void *argument, size_t task, int thread)
{
    (void)task;
    (void)thread;
    record *const notes = argument;
    if (__atomic_add_fetch(&notes->done, 1, __ATOMIC_RELAXED) == CANCELLED_AFTER)
        __atomic_store_n(&notes->cancelled, 1, __ATOMIC_RELAXED);
}

static void cancellation_leaves_the_rest_out(void **state)
{
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        record notes = {0};
        const layer_executor executor = threads_executor(threads);
        const layer_run run = {.executor = &executor, .cancelled = &notes.cancelled};
        assert_int_equal(layer_run_tasks(&run, TASKS, cancel_on_the_way, &notes), LAYER_CANCELLED);
        assert_in_range(notes.done, CANCELLED_AFTER, CANCELLED_AFTER + threads - 1);
    }
}

static void nothing_to_do_is_done(void **state)
{
    (void)state;
    const layer_run run = {0};
    assert_int_equal(layer_run_tasks(&run, 0, note, NULL), LAYER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(cancellation_leaves_the_rest_out),
        cmocka_unit_test(nothing_to_do_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
