/* Parses, admits, computes and writes a request, where it is or on a worker.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_COMPUTE_H
#define SERVER_COMPUTE_H

#include "request.h"

/* Before the others. */
void server_compute_start(const server_options *options);

/* Handles a request on this thread if it is cheap. True: its response is ready. */
bool server_compute_here(server_request *request);

/* The rest of the work, as the worker pool runs it: ends by resuming the connection, after which
 * the request is not touched. A cancelled one is answered without being computed. */
void server_compute_work(server_work *work);

#endif
