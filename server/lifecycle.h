/* How far the daemon is on its way from serving to stopped.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_LIFECYCLE_H
#define SERVER_LIFECYCLE_H

#include "options.h"

typedef enum {
    SERVER_SERVING,
    SERVER_LEAVING,  /* not ready any more, but serving: balancers get time to notice */
    SERVER_DRAINING, /* accepting no connections, closing each after its reply */
    SERVER_STOPPING, /* cancelling what is left */
} server_stage;

server_stage server_stage_now(void);

/* What to do in between. */
typedef struct {
    void (*reload)(void);         /* at each SIGHUP */
    void (*stop_accepting)(void); /* once */
} server_lifecycle_steps;

/* Waits for SIGTERM or SIGINT, which must be blocked as must SIGHUP, and goes through the stages:
 * returns when nothing is in flight or the time for it is over. */
void server_lifecycle_run(const server_options *options, const server_lifecycle_steps *steps);

#endif
