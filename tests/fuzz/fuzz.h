/* What the fuzzers share. Each *_fuzz.c is a target: one function that takes any bytes, and ends
 * the program if something holds no longer. `make fuzz` links targets with libFuzzer, `make test`
 * with replay.c, which feeds them files. SPDX-License-Identifier: MIT */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <api/api.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_require(condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Bytes not yet taken from an input. */
typedef struct {
    const uint8_t *at, *end;
} fuzz_input;

enum { FUZZ_LINE_SIZE = 256 };

/* Takes a line, without its end; what is too long for `line` is cut. False if it is empty. */
bool fuzz_take_line(fuzz_input *input, char line[FUZZ_LINE_SIZE]);

/* Answers a request under small limits, and requires that
 *   - the status is one that this layer gives, and the reply's JSON is JSON;
 *   - what was admitted takes no more memory than was said, and is computed;
 *   - another order of tasks, on other threads, gives the same bytes. */
void fuzz_answer(const api_request *request);

#endif
