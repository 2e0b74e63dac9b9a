/* What is wrong with a request: an HTTP status, the field, the reason.
 * SPDX-License-Identifier: MIT */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/api.h"

enum { API_DETAIL_SIZE = 256, API_POINTER_SIZE = 192 };

/* The first thing found wrong; status 0 while there is none. */
typedef struct {
    int status;
    api_limit limit;                /* of a 413 */
    char pointer[API_POINTER_SIZE]; /* RFC 6901; empty: the whole request */
    char detail[API_DETAIL_SIZE];
} api_problem;

/* Records a problem unless there is one already. `pointer` may be "". Returns false, so that a
 * check can end with `return api_refuse(...)`. */
bool api_refuse(api_problem *problem, int status, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with 413, for a limit that the caller has set. */
bool api_refuse_past(api_problem *problem, api_limit limit, const char *pointer, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* 422: two fields of which one is to be given; points at the first. Returns false. */
bool api_refuse_both(api_problem *problem, const char *field, const char *other);

#endif
