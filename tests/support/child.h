/* A program that a test starts: its output is kept in memory, it never outlives the test.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

enum { CHILD_NO_EXIT = -1 };

typedef struct {
    pid_t pid;
    int output; /* memory file: what it wrote to stdout */
    int errors; /* memory file: what it wrote to stderr; -1 if that went elsewhere */
} child;

/* Starts arguments[0] with the caller's environment less every LAYERD_ variable, plus
 * `environment` ("NAME=value" each, NULL at the end; or NULL). `errors` becomes its stderr unless
 * it is -1. */
child child_start(const char *const arguments[], const char *const environment[], int errors);

/* Waits for its end, at most `seconds`; then its exit status, 128 + signal, or CHILD_NO_EXIT. */
int child_wait(child *process, int seconds);

/* True until it has ended; it is not reaped by this. */
bool child_runs(const child *process);

/* Ends it without mercy, if it runs, and frees what it had. */
void child_destroy(child *process);

/* What a memory file holds so far, with a NUL; the caller frees it. */
char *child_text(int file);

/* Waits until `condition` holds; false when it still does not after minutes. */
bool wait_until(bool (*condition)(void *context), void *context);

#endif
