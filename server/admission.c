/* Keeps the budget and the idle leases.
 * SPDX-License-Identifier: MIT */
#include "admission.h"

#include "clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* An idle lease keeps a body buffer up to this size. */
static const size_t warm_body_size = (size_t)2 << 20;

/* How long an idle lease keeps its memory. */
static const int64_t warm_time = 5 * SERVER_SECOND;

static struct {
    size_t limit;
    _Atomic size_t in_flight;
    pthread_mutex_t mutex;
    server_lease *idle;
    size_t idle_count, idle_limit;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void server_admission_start(size_t memory_limit, size_t idle)
{
    state.limit = memory_limit;
    state.idle_limit = idle;
}

static void free_body(server_lease *lease)
{
    free(lease->body);
    lease->body = NULL;
    lease->body_capacity = 0;
}

static void destroy(server_lease *lease)
{
    if (lease->arena != NULL)
        api_arena_destroy(lease->arena);
    free_body(lease);
    free(lease);
}

void server_admission_stop(void)
{
    for (server_lease *next; state.idle != NULL; state.idle = next) {
        next = state.idle->next;
        destroy(state.idle);
    }
}

static server_lease *pop_idle(void)
{
    pthread_mutex_lock(&state.mutex);
    server_lease *const lease = state.idle;
    if (lease != NULL) {
        state.idle = lease->next;
        state.idle_count--;
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

void server_lease_release(server_lease *lease)
{
    atomic_fetch_sub(&state.in_flight, lease->reserved);
    lease->reserved = 0;
    if (lease->body_capacity > warm_body_size)
        free_body(lease);
    api_arena_reset(lease->arena, state.limit);
    lease->idle_since = server_now();
    pthread_mutex_lock(&state.mutex);
    const bool keep = state.idle_count < state.idle_limit;
    if (keep) {
        lease->next = state.idle;
        state.idle = lease;
        state.idle_count++;
    }
    pthread_mutex_unlock(&state.mutex);
    if (!keep)
        destroy(lease);
}

void server_admission_shrink(int64_t now)
{
    pthread_mutex_lock(&state.mutex);
    for (server_lease *lease = state.idle; lease != NULL; lease = lease->next)
        if (now - lease->idle_since >= warm_time) {
            api_arena_shrink(lease->arena);
            free_body(lease);
        }
    pthread_mutex_unlock(&state.mutex);
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

size_t server_memory_limit(void)
{
    return state.limit;
}
