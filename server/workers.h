/* The worker pool: a bounded queue of work, and an executor with which one piece of work takes the
 * idle workers along.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include "api/api.h"

/* One piece of work: embedded in what it works on. */
typedef struct server_work {
    struct server_work *next;
    void (*run)(struct server_work *work);
} server_work;

enum { SERVER_MOST_WORKERS = 63 };

bool server_workers_start(size_t workers, size_t queue_limit);

/* Finishes what is queued, then ends the threads. */
void server_workers_stop(void);

/* Takes a place in the queue, so that server_workers_push() cannot fail. False: it is full. */
bool server_workers_reserve(void);
void server_workers_push(server_work *work);

/* Takes `work` out of the queue. False: a worker has it already. */
bool server_workers_remove(server_work *work);

bool server_workers_full(void);
size_t server_workers_queue_length(void);

/* Seconds after which a refused client may find a place, at least 1. */
unsigned server_workers_retry_after(void);

/* The executor; may be used by work that runs on a worker. */
api_run server_workers_executor(const int *cancelled);

#endif
