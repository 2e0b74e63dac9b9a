/* Test cases in files: an operation, a request, and what the reply must hold.
 *
 *     {"name": "a stride of two", "source": "by hand", "operation": "conv",
 *      "request": {"input": [[1,2],[3,4]], "weight": [[1]], "strides": 2},
 *      "status": 200, "reply": {"output": [[1]]}, "tolerance": 1e-6}
 *
 * A file holds one case or an array of them. The reply is expected in part: each member here must
 * be there. Numbers may differ by the tolerance (default 1e-6) times the largest magnitude of the
 * outermost array they stand in; extents, words and all else must be equal.
 *
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CASES_H
#define SUPPORT_CASES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { CASE_NAME_SIZE = 256, CASE_MESSAGE_SIZE = 512 };

typedef struct {
    char name[CASE_NAME_SIZE]; /* "conv/strides.json: a stride of two" */
    char path[64];             /* "/v1/conv" */
    char *request;             /* JSON text */
    int status;
    double tolerance;
    cJSON *reply;
} test_case;

typedef struct {
    size_t count;
    test_case *cases;
} test_cases;

/* All cases below $LAYERD_CASES, or tests/cases: <folder>/<operation>/<file>.json, sorted by name.
 * Ends the program, and says why, if a file is no test case. */
test_cases cases_load(void);

void cases_free(test_cases *cases);

/* Whether a reply is the expected one; if not, `message` says where it is not. */
bool case_accepts(const test_case *expected, int status, const char *body, size_t body_size,
                  char message[CASE_MESSAGE_SIZE]);

#endif
