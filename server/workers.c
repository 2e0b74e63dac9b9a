/* Workers take work from the queue first, and help others' parallel loops while there is none.
 * SPDX-License-Identifier: MIT */
#include "workers.h"

#include "clock.h"
#include "log.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

/* How long a thread looks out for what usually comes soon, before it sleeps: another loop after the
 * one that it has helped with, or the end of a loop that others are in. To wake up takes as long.
 */
static const int64_t linger_time = 100 * (SERVER_SECOND / 1000000);

enum { CACHE_LINE = 64 };

/* A thread's share of a loop's tasks. Where one comes again and again, its data stay in the cache
 * of the same core. */
typedef struct {
    alignas(CACHE_LINE) _Atomic size_t next; /* may pass `end` */
    size_t end;
} share;

/* A parallel loop that is under way. Lives on its caller's stack; the caller leaves when nobody
 * else is in it. */
typedef struct loop {
    struct loop *next;
    api_task *function;
    void *argument;
    size_t share_count;
    int threads;         /* that have ever joined: the next one's number */
    _Atomic int helpers; /* that are in it now, besides the caller */
    pthread_cond_t left;
    share shares[SERVER_MOST_WORKERS];
} loop;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t *threads;
    size_t count, idle;
    bool stopping;
    _Atomic unsigned news; /* how often there was something to wake up for */
    server_work *first, *last;
    size_t limit, reserved; /* places in the queue; those taken, pushed or not */
    _Atomic size_t length;  /* a copy of `reserved`, to be read without the lock */
    int64_t mean_time;      /* of recent work */
    loop *loops;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void cut(loop *work, size_t tasks)
{
    work->share_count = tasks < pool.count ? tasks : pool.count;
    for (size_t i = 0; i < work->share_count; i++) {
        atomic_init(&work->shares[i].next, tasks * i / work->share_count);
        work->shares[i].end = tasks * (i + 1) / work->share_count;
    }
}

/* First those of the thread's own share, then what is left of the others'. */
static void take_tasks(loop *work, int thread)
{
    for (size_t i = 0; i < work->share_count; i++) {
        share *const from = &work->shares[((size_t)thread + i) % work->share_count];
        for (size_t task; (task = atomic_fetch_add(&from->next, 1)) < from->end;)
            work->function(work->argument, task, thread);
    }
}

static bool has_tasks(const loop *work)
{
    for (size_t i = 0; i < work->share_count; i++)
        if (atomic_load(&work->shares[i].next) < work->shares[i].end)
            return true;
    return false;
}

/* A loop that still has tasks to hand out. Called under the lock. */
static loop *find_loop(void)
{
    loop *found = pool.loops;
    while (found != NULL && !has_tasks(found))
        found = found->next;
    return found;
}

static void rest(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool is_news(const void *seen)
{
    return atomic_load(&pool.news) != *(const unsigned *)seen;
}

static bool is_left(const void *work)
{
    return atomic_load(&((const loop *)work)->helpers) == 0;
}

static void look_out(bool (*has_come)(const void *), const void *what)
{
    enum { LOOKS = 32 }; /* at the clock in so many */
    const int64_t end = server_now() + linger_time;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (has_come(what))
                return;
            rest();
        }
    } while (server_now() < end);
}

/* Called under the lock, which it lets go of meanwhile. */
static void help(loop *work)
{
    const int thread = work->threads++;
    atomic_fetch_add(&work->helpers, 1);
    pthread_mutex_unlock(&pool.mutex);
    take_tasks(work, thread);
    pthread_mutex_lock(&pool.mutex);
    if (atomic_fetch_sub(&work->helpers, 1) == 1)
        pthread_cond_signal(&work->left);
    if (pool.first != NULL || find_loop() != NULL)
        return;
    const unsigned seen = atomic_load(&pool.news);
    pthread_mutex_unlock(&pool.mutex);
    look_out(is_news, &seen);
    pthread_mutex_lock(&pool.mutex);
}

/* Called under the lock. */
static void wake(size_t threads)
{
    atomic_fetch_add(&pool.news, 1);
    for (size_t i = 0; i < threads && i < pool.idle; i++)
        pthread_cond_signal(&pool.wake);
}

/* Called under the lock, which it lets go of meanwhile: nobody joins any more. */
static void wait_for_helpers(loop *work)
{
    if (is_left(work))
        return;
    pthread_mutex_unlock(&pool.mutex);
    look_out(is_left, work);
    pthread_mutex_lock(&pool.mutex);
    while (!is_left(work))
        pthread_cond_wait(&work->left, &pool.mutex);
}

static void unlink_loop(loop *work)
{
    loop **link = &pool.loops;
    while (*link != work)
        link = &(*link)->next;
    *link = work->next;
}

static void parallel_for(void *context, size_t tasks, api_task *function, void *argument)
{
    (void)context;
    loop work;
    if (tasks < 2 || pool.count < 2) {
        for (size_t task = 0; task < tasks; task++)
            function(argument, task, 0);
        return;
    }
    work.function = function;
    work.argument = argument;
    work.threads = 1;
    atomic_init(&work.helpers, 0);
    cut(&work, tasks);
    pthread_cond_init(&work.left, NULL);
    pthread_mutex_lock(&pool.mutex);
    work.next = pool.loops;
    pool.loops = &work;
    wake(tasks - 1);
    pthread_mutex_unlock(&pool.mutex);
    take_tasks(&work, 0);
    pthread_mutex_lock(&pool.mutex);
    unlink_loop(&work);
    wait_for_helpers(&work);
    pthread_mutex_unlock(&pool.mutex);
    pthread_cond_destroy(&work.left);
}

static void free_place(void)
{
    pool.reserved--;
    atomic_store(&pool.length, pool.reserved);
}

/* Called under the lock. */
static server_work *pop(void)
{
    server_work *const work = pool.first;
    pool.first = work->next;
    if (pool.first == NULL)
        pool.last = NULL;
    free_place();
    return work;
}

/* Called under the lock, which it lets go of meanwhile. */
static void run(server_work *work)
{
    pthread_mutex_unlock(&pool.mutex);
    const int64_t begin = server_now();
    work->run(work);
    const int64_t time = server_now() - begin;
    pthread_mutex_lock(&pool.mutex);
    pool.mean_time += (time - pool.mean_time) / 16;
}

static void *run_worker(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&pool.mutex);
    for (;;) {
        loop *helped = NULL;
        if (pool.first != NULL) {
            run(pop());
        } else if ((helped = find_loop()) != NULL) {
            help(helped);
        } else if (pool.stopping && pool.reserved == 0) {
            break;
        } else {
            pool.idle++;
            pthread_cond_wait(&pool.wake, &pool.mutex);
            pool.idle--;
        }
    }
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

bool server_workers_start(size_t workers, size_t queue_limit)
{
    assert(workers <= SERVER_MOST_WORKERS);
    pool.limit = queue_limit;
    pool.mean_time = SERVER_SECOND / 100;
    pool.threads = calloc(workers, sizeof *pool.threads);
    if (pool.threads == NULL)
        return false;
    for (; pool.count < workers; pool.count++)
        if (pthread_create(&pool.threads[pool.count], NULL, run_worker, NULL) != 0)
            return false;
    return true;
}

void server_workers_stop(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.mutex);
    for (size_t i = 0; i < pool.count; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
}

bool server_workers_reserve(void)
{
    pthread_mutex_lock(&pool.mutex);
    const bool free_place_left = pool.reserved < pool.limit && !pool.stopping;
    if (free_place_left)
        atomic_store(&pool.length, ++pool.reserved);
    pthread_mutex_unlock(&pool.mutex);
    return free_place_left;
}

void server_workers_push(server_work *work)
{
    work->next = NULL;
    pthread_mutex_lock(&pool.mutex);
    if (pool.last != NULL)
        pool.last->next = work;
    else
        pool.first = work;
    pool.last = work;
    wake(1);
    pthread_mutex_unlock(&pool.mutex);
}

bool server_workers_remove(server_work *work)
{
    pthread_mutex_lock(&pool.mutex);
    server_work *before = NULL, *at = pool.first;
    while (at != NULL && at != work) {
        before = at;
        at = at->next;
    }
    if (at != NULL) {
        *(before != NULL ? &before->next : &pool.first) = at->next;
        if (pool.last == at)
            pool.last = before;
        free_place();
        if (pool.stopping)
            pthread_cond_broadcast(&pool.wake);
    }
    pthread_mutex_unlock(&pool.mutex);
    return at != NULL;
}

bool server_workers_full(void)
{
    return atomic_load(&pool.length) >= pool.limit;
}

size_t server_workers_queue_length(void)
{
    return atomic_load(&pool.length);
}

unsigned server_workers_retry_after(void)
{
    pthread_mutex_lock(&pool.mutex);
    const double seconds =
        (double)pool.reserved * (double)pool.mean_time / 1e9 / (double)pool.count;
    pthread_mutex_unlock(&pool.mutex);
    return seconds < 1 ? 1 : seconds > 3600 ? 3600 : (unsigned)(seconds + 1);
}

api_run server_workers_executor(const int *cancelled)
{
    return (api_run){
        .parallel_for = parallel_for, .threads = (int)pool.count, .cancelled = cancelled};
}
