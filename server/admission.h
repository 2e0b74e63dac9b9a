/* The memory of requests: a budget that is charged before anything is allocated, and leases, which
 * are what one request holds: its body, its arena, its share of the budget.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_ADMISSION_H
#define SERVER_ADMISSION_H

#include "api/api.h"

typedef struct server_lease {
    struct server_lease *next; /* among the idle ones */
    api_arena *arena;
    char *body;
    size_t body_capacity;
    size_t reserved;    /* bytes of the budget */
    int64_t idle_since; /* among the idle ones */
    size_t kept;        /* among the idle ones: bytes that it keeps */
} server_lease;

typedef enum {
    SERVER_ADMITTED,
    SERVER_NOT_NOW, /* others hold the memory: 503 */
    SERVER_NEVER,   /* more than the whole budget: 413 */
} server_admission;

/* Idle leases keep up to an eighth of the limit besides, for the next requests. */
void server_admission_start(size_t memory_limit);
void server_admission_stop(void);

/* A lease with an empty arena and no body; NULL if the system has no memory. */
server_lease *server_lease_take(void);
void server_lease_release(server_lease *lease);

/* Ends leases that have been idle for some seconds; called now and then. */
void server_admission_shrink(int64_t now);

/* Whether so much could be charged now; charges nothing. */
server_admission server_admission_asks(size_t size);

/* Makes room for a body of `size` bytes; what is in it stays. */
server_admission server_lease_body(server_lease *lease, size_t size);

/* Charges the budget with `size` bytes altogether, more or less than before. */
server_admission server_lease_charge(server_lease *lease, size_t size);

size_t server_memory_in_flight(void);
size_t server_memory_kept(void);
size_t server_memory_limit(void);

#endif
