/* The daemon's worker pool: a loop's tasks each run once, whoever helps, however many loops there
 * are at a time.
 * SPDX-License-Identifier: MIT */
#include "workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <semaphore.h>
#include <string.h>

enum { WORKERS = 4, CALLERS = 3, MOST_TASKS = 300, ROUNDS = 200 };

/* A piece of work that runs one loop after the other. */
typedef struct {
    server_work work;
    sem_t *done;
    size_t seed;
    int calls[MOST_TASKS];
    int busy[WORKERS]; /* a thread's number is never in use twice at a time */
    int overlaps, wrong;
} caller;

static void note(void *argument, size_t task, int thread)
{
    caller *const self = argument;
    if (thread < 0 || thread >= WORKERS ||
        __atomic_exchange_n(&self->busy[thread], 1, __ATOMIC_ACQUIRE) != 0)
        __atomic_fetch_add(&self->overlaps, 1, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&self->busy[thread], 0, __ATOMIC_RELEASE);
    __atomic_fetch_add(&self->calls[task], 1, __ATOMIC_RELAXED);
}

static void run_loops(server_work *work)
{
    caller *const self = (caller *)work;
    const api_run executor = server_workers_executor(NULL);
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t tasks = round < 10 ? round : (round * 37 + self->seed) % MOST_TASKS;
        memset(self->calls, 0, sizeof self->calls);
        executor.parallel_for(executor.context, tasks, note, self);
        for (size_t i = 0; i < MOST_TASKS; i++)
            self->wrong += self->calls[i] != (i < tasks);
    }
    sem_post(self->done);
}

static void run_callers(size_t count)
{
    static caller callers[CALLERS];
    sem_t done;
    assert_int_equal(sem_init(&done, 0, 0), 0);
    for (size_t i = 0; i < count; i++) {
        callers[i] = (caller){.work.run = run_loops, .done = &done, .seed = i};
        assert_true(server_workers_reserve());
        server_workers_push(&callers[i].work);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sem_wait(&done), 0);
    sem_destroy(&done);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(callers[i].wrong, 0);
        assert_int_equal(callers[i].overlaps, 0);
    }
}

static void a_loop_alone_runs_every_task_once(void **state)
{
    (void)state;
    run_callers(1);
}

static void loops_at_a_time_run_every_task_once(void **state)
{
    (void)state;
    run_callers(CALLERS);
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < CALLERS; i++)
        assert_true(server_workers_reserve());
    assert_true(server_workers_full());
    assert_false(server_workers_reserve());
    assert_int_equal(server_workers_queue_length(), CALLERS);
}

static int start(void **state)
{
    (void)state;
    return server_workers_start(WORKERS, CALLERS) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_alone_runs_every_task_once),
        cmocka_unit_test(loops_at_a_time_run_every_task_once),
        cmocka_unit_test(the_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
