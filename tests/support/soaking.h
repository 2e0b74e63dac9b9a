/* What the long tests share: their two sizes, what they look at, and how they tell figures.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SOAKING_H
#define SUPPORT_SOAKING_H

#include "support/daemon_process.h"
#include "support/load.h"

/* True in `make soak`, false in `make test`. */
bool soaking(void);

/* `full` in `make soak`, `quick` in `make test`. */
size_t soak_count(size_t quick, size_t full);

/* True where memory is a sanitizer's too, or a line counter's. */
bool sanitized(void);

/* A line of the table that `make soak` makes: what was done to the daemon, what is to be reached,
 * what was. */
void soak_figure(const char *fault, const char *wanted, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a daemon holds. */
typedef struct {
    double memory; /* resident, bytes */
    double descriptors, connections, queue, in_flight;
} holdings;

holdings daemon_holdings(const daemon_process *daemon);

/* Waits until it holds no more descriptors, connections, places in the queue and memory of requests
 * than then; the seconds that it took. Fails the test after minutes. */
double wait_for_holdings(const daemon_process *daemon, const holdings *then);

/* Clients that ask for the convolution of LECTURE_REQUEST. */
load_options lecture_load(const daemon_process *daemon, size_t clients);

double seconds_now(void);
void sleep_seconds(double seconds);

#endif
