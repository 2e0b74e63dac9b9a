/* Load: clients that send one request again and again, each from a thread of its own on its kept
 * connection, and how long each reply took. Plain HTTP.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_LOAD_H
#define SUPPORT_LOAD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *url;
    size_t clients;
    const char *path, *headers; /* "Name: value\r\n" each; NULL: JSON */
    const void *body;
    size_t body_size;        /* 0: the body is a string */
    const char *expected;    /* what a reply with 200 must hold, or NULL */
    size_t requests;         /* of all clients together; 0: until load_stop() */
    double pause_if_refused; /* seconds that a client waits after 429 or 503 */
} load_options;

typedef struct load load;

load *load_start(const load_options *options);

/* Replies with 200 up to now. */
size_t load_answered(const load *running);

typedef struct {
    size_t answered; /* 200, as expected */
    size_t refused;  /* 429, 503 */
    size_t failed;   /* any other reply, or none */
    double seconds;
    double half, nearly_all, longest; /* seconds within which 50 %, 99 %, all were answered */
    double refusal;                   /* within which 99 % of the refused were told so */
} load_figures;

/* Lets each client finish what it has begun. */
load_figures load_stop(load *running);

/* Waits until all requests are done. */
load_figures load_finish(load *running);

/* A load for some seconds. */
load_figures load_run(const load_options *options, double seconds);

#endif
