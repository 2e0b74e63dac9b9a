/* What tests expect of replies; each fails the test, and says why, unless it holds.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include "support/http_client.h"

#include <cjson/cJSON.h>

/* A convolution that every daemon can do at any time, and its answer [[37,47],[67,77]]. */
extern const char LECTURE_REQUEST[];

/* The reply came whole and has this status. */
void expect_status(const http_reply *reply, long status);

/* 200 and a JSON body; the caller deletes what is returned. */
cJSON *expect_json(const http_reply *reply);

/* A whole problem of RFC 9457 with the Open Inference Protocol's string beside it. `pointer`: NULL
 * when it does not matter, "" when there must be none. `detail`: what its sentence must hold, parts
 * separated by '|'. */
void expect_problem(const http_reply *reply, int status, const char *pointer, const char *detail);

/* The same with Retry-After, a whole number of seconds of at least 1. */
void expect_unavailable(const http_reply *reply, const char *detail);

/* The reply to LECTURE_REQUEST. */
void expect_lecture(const http_reply *reply);

/* The daemon answers LECTURE_REQUEST on a new connection. */
void expect_good(const char *url);

/* The same sooner or later: where limits of time are short, a request may be late by no fault of
 * the daemon's. */
void expect_good_soon(const char *url);

#endif
