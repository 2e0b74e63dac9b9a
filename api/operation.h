/* An operation: what it takes, what it answers, and how it is described, sized and computed.
 * SPDX-License-Identifier: MIT */
#ifndef API_OPERATION_H
#define API_OPERATION_H

#include "fields.h"

#include <layer/executor.h>

/* What every operation's call begins with: the fields that all have, and the cost. */
typedef struct {
    api_boolean dry_run;
    api_choice output_format;
    api_choice nonfinite;
    api_arena *arena;         /* for what describe derives and the reply tells */
    api_form form;            /* of the reply's tensors */
    uint64_t multiplications; /* set by describe */
    uint64_t work;            /* what computing costs if that is far more; or 0 */
} api_call;

/* The fields of every operation; offsets into api_call. */
extern const api_field api_common_fields[];

/* An operation is a constant in a file of its own; operations.h lists it. Its call is a struct that
 * begins with an api_call and holds the request, what was derived from it, and the reply. */
typedef struct {
    const char *name;    /* "conv": the path is /v1/conv */
    const char *summary; /* one line */
    const char *description;
    const char *example;      /* a request that is answered with 200 */
    const api_field *request; /* offsets into the call */
    const api_field *reply;
    size_t call_size;

    /* Checks the decoded request and derives what is known before computing: the multiplications,
     * the shapes of the reply's tensors (given, without data), what defaults decided.
     * False with a problem. */
    bool (*describe)(api_call *call, api_problem *problem);

    /* Sets what only a dry run tells; NULL: nothing. */
    void (*explain)(api_call *call);

    /* Bytes of workspace that computing takes with up to `threads` threads; NULL: none. */
    size_t (*workspace_size)(const api_call *call, int threads);

    /* Computes into the reply's tensors, whose data has room now, and sets what else is known only
     * afterwards. */
    layer_status (*compute)(api_call *call, const layer_run *run);
} api_operation;

/* Turns what the library refused into a problem that points at the argument. Returns false. */
bool api_refuse_layer(api_problem *problem, const layer_error *error);

/* Repeats what is wrong with one of the request's "layers", pointing at it from the whole request.
 * Returns false. */
bool api_refuse_within_layer(size_t place, const api_problem *found, api_problem *problem);

/* The same of what the library refused about one of them. Returns false. */
bool api_refuse_layer_at(api_problem *problem, size_t place, const layer_error *error);

/* The operation of a name such as "conv", by its place in the list. */
const api_operation *api_operation_at(size_t index);

#endif
