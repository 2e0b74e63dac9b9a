/* The daemon under test: a common one for a test program, or one of its own with its own options.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DAEMON_PROCESS_H
#define SUPPORT_DAEMON_PROCESS_H

#include "support/child.h"

#include <cjson/cJSON.h>

typedef struct {
    const char *const *arguments;   /* options, NULL at the end; or NULL */
    const char *const *environment; /* "NAME=value" each, NULL at the end; or NULL */
    int log;                        /* 0: kept and checked; else becomes the daemon's stderr */
} daemon_options;

typedef struct daemon_process {
    child process;
    int port; /* 0: it listens on a unix socket */
    char url[128];
    struct daemon_process *following;
} daemon_process;

/* The daemon's program: $LAYERD_BINARY, or layerd in $OUT or build/release. Skips the test if there
 * is none. */
const char *daemon_binary(void);

/* Starts a daemon on a free port, without a drain delay unless told otherwise, and waits until it
 * serves. */
daemon_process *daemon_start(const daemon_options *options);
#define daemon_with(...)                                                                           \
    daemon_start(&(daemon_options){.arguments = (const char *const[]){__VA_ARGS__, NULL}})

/* Ends a daemon by SIGTERM and fails the test unless it exits with 0 and its log is clean. */
void daemon_stop(daemon_process *daemon);

/* Waits for a daemon that was told to end; its exit status. The log is checked, all is freed. */
int daemon_finish(daemon_process *daemon);

/* Ends a daemon by SIGKILL. */
void daemon_kill(daemon_process *daemon);

/* Fails the test unless every line of the log is a JSON object: a sanitizer's report is not. */
void daemon_check_log(const daemon_process *daemon);

/* The first line of the log in which `key` is the string `value`, waited for; NULL if it never
 * comes. The caller deletes it. */
cJSON *daemon_log_line(const daemon_process *daemon, const char *key, const char *value);

/* How many such lines there are now. */
int daemon_log_count(const daemon_process *daemon, const char *key, const char *value);

/* Ends what a test has left running. The teardown of every test that starts daemons. */
int daemon_teardown(void **state);

/* $LAYERD_URL; without it a daemon with the default options, started once for the program. */
const char *service_url(void);

/* The options of that daemon, NULL at the end, in place of the default ones; before it starts. */
void service_set_arguments(const char *const arguments[]);

/* True if service_url() is not ours. */
bool service_is_foreign(void);

/* Ends that daemon, if it was started; 1, and says why, unless it exits with 0 and its log is
 * clean. */
int service_stop(void);

/* Runs a group of tests, then service_stop(): what main() returns. cmocka's own group teardown
 * cannot fail a program. */
#define service_run_tests(tests) (cmocka_run_group_tests(tests, NULL, NULL) + service_stop())

#define daemon_test(function) cmocka_unit_test_teardown(function, daemon_teardown)

/* Runs the daemon's program to its end. */
typedef struct {
    int status; /* exit status */
    char *output;
    char *errors;
} daemon_result;

daemon_result daemon_run(const char *const arguments[], const char *const environment[]);
void daemon_result_free(daemon_result *result);

/* Waits until `layerd healthcheck` of the URL, or with the environment's variable, ends with the
 * status: it gives up after a few seconds, on a busy machine too. */
bool health_check_ends(const char *url, const char *variable, int status);

#endif
