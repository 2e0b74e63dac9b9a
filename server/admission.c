/* Keeps the budget and the idle leases.
 * SPDX-License-Identifier: MIT */
#include "admission.h"

#include "clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* An idle lease keeps a body buffer up to this size. */
static const size_t warm_body_size = (size_t)2 << 20;

/* How long a lease may be idle. */
static const int64_t warm_time = 5 * SERVER_SECOND;

static struct {
    size_t limit;
    _Atomic size_t in_flight;
    pthread_mutex_t mutex;
    server_lease *idle; /* the latest first */
    size_t kept;        /* bytes that the idle ones keep */
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void server_admission_start(size_t memory_limit)
{
    state.limit = memory_limit;
}

static void destroy(server_lease *lease)
{
    api_arena_destroy(lease->arena);
    free(lease->body);
    free(lease);
}

static void destroy_all(server_lease *first)
{
    for (server_lease *next; first != NULL; first = next) {
        next = first->next;
        destroy(first);
    }
}

void server_admission_stop(void)
{
    destroy_all(state.idle);
    state.idle = NULL;
    state.kept = 0;
}

static server_lease *pop_idle(void)
{
    pthread_mutex_lock(&state.mutex);
    server_lease *const lease = state.idle;
    if (lease != NULL) {
        state.idle = lease->next;
        state.kept -= lease->kept;
    }
    pthread_mutex_unlock(&state.mutex);
    return lease;
}

server_lease *server_lease_take(void)
{
    server_lease *lease = pop_idle();
    if (lease != NULL)
        return lease;
    lease = calloc(1, sizeof *lease);
    if (lease == NULL)
        return NULL;
    lease->arena = api_arena_create(state.limit);
    if (lease->arena != NULL)
        return lease;
    destroy(lease);
    return NULL;
}

/* Whether it is kept, idle. */
static bool push_idle(server_lease *lease)
{
    pthread_mutex_lock(&state.mutex);
    const bool keep = lease->kept <= state.limit / 8 && state.kept <= state.limit / 8 - lease->kept;
    if (keep) {
        lease->next = state.idle;
        state.idle = lease;
        state.kept += lease->kept;
    }
    pthread_mutex_unlock(&state.mutex);
    return keep;
}

void server_lease_release(server_lease *lease)
{
    atomic_fetch_sub(&state.in_flight, lease->reserved);
    lease->reserved = 0;
    if (lease->body_capacity > warm_body_size) {
        free(lease->body);
        lease->body = NULL;
        lease->body_capacity = 0;
    }
    api_arena_reset(lease->arena, state.limit);
    lease->kept = api_arena_kept(lease->arena) + lease->body_capacity;
    lease->idle_since = server_now();
    if (!push_idle(lease))
        destroy(lease);
}

void server_admission_shrink(int64_t now)
{
    pthread_mutex_lock(&state.mutex);
    server_lease **at = &state.idle;
    while (*at != NULL && now - (*at)->idle_since < warm_time)
        at = &(*at)->next;
    server_lease *const old = *at;
    *at = NULL;
    for (const server_lease *lease = old; lease != NULL; lease = lease->next)
        state.kept -= lease->kept;
    pthread_mutex_unlock(&state.mutex);
    destroy_all(old);
}

server_admission server_admission_asks(size_t size)
{
    if (size > state.limit)
        return SERVER_NEVER;
    return atomic_load(&state.in_flight) > state.limit - size ? SERVER_NOT_NOW : SERVER_ADMITTED;
}

server_admission server_lease_charge(server_lease *lease, size_t size)
{
    if (size > state.limit)
        return SERVER_NEVER;
    if (size <= lease->reserved) {
        atomic_fetch_sub(&state.in_flight, lease->reserved - size);
        lease->reserved = size;
        return SERVER_ADMITTED;
    }
    const size_t more = size - lease->reserved;
    size_t held = atomic_load(&state.in_flight);
    do {
        if (held > state.limit - more)
            return SERVER_NOT_NOW;
    } while (!atomic_compare_exchange_weak(&state.in_flight, &held, held + more));
    lease->reserved = size;
    return SERVER_ADMITTED;
}

server_admission server_lease_body(server_lease *lease, size_t size)
{
    const server_admission admission =
        size > lease->reserved ? server_lease_charge(lease, size) : SERVER_ADMITTED;
    if (admission != SERVER_ADMITTED || size <= lease->body_capacity)
        return admission;
    char *const body = realloc(lease->body, size);
    if (body == NULL)
        return SERVER_NOT_NOW;
    lease->body = body;
    lease->body_capacity = size;
    return SERVER_ADMITTED;
}

size_t server_memory_in_flight(void)
{
    return atomic_load(&state.in_flight);
}

size_t server_memory_kept(void)
{
    pthread_mutex_lock(&state.mutex);
    const size_t kept = state.kept;
    pthread_mutex_unlock(&state.mutex);
    return kept;
}

size_t server_memory_limit(void)
{
    return state.limit;
}
