/* What GET /metrics tells, in Prometheus' text format.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_PHASES(X) X(PARSE, "parse") X(QUEUE, "queue") X(COMPUTE, "compute") X(WRITE, "write")

/* Why a connection or request was turned away although it may have been right. */
#define SERVER_REFUSALS(X)                                                                         \
    X(CONNECTIONS, "connections")                                                                  \
    X(ADDRESS, "address")                                                                          \
    X(QUEUE_FULL, "queue")                                                                         \
    X(MEMORY, "memory")                                                                            \
    X(STOPPING, "stopping")

/* The limits that a client went past, by the option that sets each. */
#define SERVER_LIMITS(X)                                                                           \
    X(FIXED, "none")                                                                               \
    X(BODY, "max_body")                                                                            \
    X(JSON, "max_json")                                                                            \
    X(ELEMENTS, "max_elements")                                                                    \
    X(AXIS, "max_axis")                                                                            \
    X(MULTIPLICATIONS, "max_multiplications")                                                      \
    X(MEMORY, "max_memory")                                                                        \
    X(HEADER, "max_header")                                                                        \
    X(DEADLINE, "deadline")                                                                        \
    X(HEAD_TIME, "head_timeout")                                                                   \
    X(BODY_TIME, "body_timeout")                                                                   \
    X(IDLE_TIME, "idle_timeout")

#define SERVER_PHASE_NAME(name, text) SERVER_PHASE_##name,
typedef enum { SERVER_PHASES(SERVER_PHASE_NAME) SERVER_PHASE_COUNT } server_phase;
#undef SERVER_PHASE_NAME

#define SERVER_REFUSAL_NAME(name, text) SERVER_REFUSED_##name,
typedef enum { SERVER_REFUSALS(SERVER_REFUSAL_NAME) SERVER_REFUSAL_COUNT } server_refusal;
#undef SERVER_REFUSAL_NAME

#define SERVER_LIMIT_NAME(name, text) SERVER_LIMIT_##name,
typedef enum { SERVER_LIMITS(SERVER_LIMIT_NAME) SERVER_LIMIT_COUNT } server_limit;
#undef SERVER_LIMIT_NAME

bool server_metrics_start(const server_options *options);
void server_metrics_stop(void);

/* The operation that "/v1/conv" names; all other paths share one number. */
size_t server_metrics_operation(const char *path);
const char *server_metrics_operation_name(size_t operation);

void server_metrics_count(size_t operation, int status);
void server_metrics_time(size_t operation, server_phase phase, int64_t nanoseconds);
void server_metrics_refuse(server_refusal reason);
void server_metrics_exceed(server_limit limit);

/* The page, to be freed; NULL without memory. */
char *server_metrics_page(size_t *size);

#endif
