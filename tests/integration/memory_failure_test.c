/* Memory that runs out under the daemon: each of its allocations fails once, and each with all that
 * follow it. No crash, no leak, and the next request is served.
 * SPDX-License-Identifier: MIT */
#include "preload/memory_fails.h"
#include "support/cases.h"
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/raw_connection.h"
#include "support/scratch.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static memory_fails *control;
static char preload[4200], file[256];

/* Maps what the daemon's memory obeys; `environment` makes the daemon do so. */
static const char *const *map_control(void)
{
    static const char *environment[] = {preload, file, NULL};
    char path[2048], real[4096];
    const char *const out = getenv("OUT");
    snprintf(path, sizeof path, "%s/tests/preload/memory_fails.so",
             out != NULL ? out : "build/release");
    if (sanitized() || realpath(path, real) == NULL) { /* whose malloc cannot be replaced */
        print_message("skipped: no library to preload, or none that a sanitizer would bear\n");
        skip();
    }
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", real);
    snprintf(file, sizeof file, "MEMORY_FAILS=%s", scratch_path("memory_fails"));
    const int descriptor = open(scratch_path("memory_fails"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(descriptor, sizeof *control), 0);
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    assert_ptr_not_equal(control, MAP_FAILED);
    close(descriptor);
    *control = (memory_fails){.left = -1};
    return environment;
}

/* ---- Requests ---- */

static void arm(long left, bool lasting)
{
    atomic_store(&control->failed, 0);
    atomic_store(&control->lasting, lasting);
    atomic_store(&control->left, left);
}

/* How many allocations have failed. */
static long disarm(void)
{
    atomic_store(&control->left, -1);
    return atomic_load(&control->failed);
}

typedef struct {
    const char *text;     /* of the whole request, */
    const test_case *one; /* or of a case */
} question;

/* On a connection of its own, as memory for that is scarce too. */
static http_reply ask(const char *url, const question *what)
{
    raw_connection connection = raw_open(url);
    if (what->one != NULL)
        raw_post(&connection, what->one->path, what->one->request);
    else
        raw_write(&connection, what->text);
    const http_reply reply = raw_receive(&connection);
    raw_close(&connection);
    return reply;
}

static bool is_right(const question *what, const http_reply *reply)
{
    char message[CASE_MESSAGE_SIZE];
    if (what->one == NULL)
        return reply->status == 200;
    return case_accepts(what->one, (int)reply->status, reply->body, reply->body_size, message);
}

static void expect_answer(const char *url, const question *what)
{
    http_reply reply = ask(url, what);
    if (!is_right(what, &reply))
        fail_msg("%s: %ld", what->one != NULL ? what->one->name : what->text, reply.status);
    http_free(&reply);
}

/* Lets each allocation of a request fail in turn; how many there are. The reply is the right one, a
 * problem, a refusal of the HTTP library's, or none. */
static long starve(const char *url, const question *what, bool lasting)
{
    long failed = 1, count = 0;
    for (; failed > 0; count++) {
        arm(count, lasting);
        http_reply reply = ask(url, what);
        failed = disarm();
        const long status = reply.status;
        if (status != 0 && status != 431 && status < 500 && !is_right(what, &reply))
            fail_msg("%s: %ld", what->one != NULL ? what->one->name : what->text, status);
        http_free(&reply);
        expect_answer(url, what);
    }
    return count - 1;
}

/* One case that is answered with 200, and one that is refused, of each operation; or all. */
static bool is_chosen(const test_cases *cases, size_t index)
{
    const test_case *const one = &cases->cases[index];
    for (size_t before = index; before-- > 0;)
        if (strcmp(cases->cases[before].path, one->path) == 0 &&
            (cases->cases[before].status == 200) == (one->status == 200))
            return soaking();
    return true;
}

/* Pages, a body in chunks, tensors in regions of their own. */
static const question others[] = {
    {.text = "GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {.text = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"},
    {.text = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"},
    {.text = "POST /v1/initialize HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
             "20\r\n{\"method\":\"orthogonal\",\"shape\":[\r\n22\r\n"
             "400,200],\"output_format\":\"binary\"}\r\n0\r\n\r\n"},
};

enum { OTHER_COUNT = sizeof others / sizeof *others };

static long starve_all(const char *url, const test_cases *cases, bool lasting)
{
    long failures = 0;
    for (size_t i = 0; i < OTHER_COUNT; i++)
        failures += starve(url, &others[i], lasting);
    for (size_t i = 0; i < cases->count; i++)
        if (is_chosen(cases, i))
            failures += starve(url, &(question){.one = &cases->cases[i]}, lasting);
    return failures;
}

static void answer_all(const char *url, const test_cases *cases)
{
    for (size_t i = 0; i < OTHER_COUNT; i++)
        expect_answer(url, &others[i]);
    for (size_t i = 0; i < cases->count; i++)
        expect_answer(url, &(question){.one = &cases->cases[i]});
    assert_true(daemon_is_at_rest(url));
}

/* What the last reply took is given back in a moment. */
static bool heap_is_below(void *most)
{
    return atomic_load(&control->live) < *(const long *)most;
}

/* What is kept for later requests may grow in the first round; in the second the heap grows by less
 * than a byte for each failure. */
static void each_allocation_fails(bool lasting)
{
    daemon_process *const daemon = daemon_start(
        &(daemon_options){.arguments = HTTP_HEADERS("--workers", "1", "--io-threads", "1",
                                                    "--inline-multiplications", "16"),
                          .environment = map_control()});
    test_cases cases = cases_load();
    starve_all(daemon->url, &cases, lasting);
    answer_all(daemon->url, &cases);
    const long before = atomic_load(&control->live);
    const long failures = starve_all(daemon->url, &cases, lasting);
    answer_all(daemon->url, &cases);
    long most = before + failures;
    assert_true(failures > 0 && wait_until(heap_is_below, &most));
    soak_figure(lasting ? "each allocation fails, with all that follow"
                        : "each allocation fails once",
                "no crash, no leak, the next request is served",
                "%ld failures in all; the heap has %ld bytes, %+ld after as many more", failures,
                atomic_load(&control->live), atomic_load(&control->live) - before);
    cases_free(&cases);
    daemon_stop(daemon);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    each_allocation_fails(false);
}

static void each_allocation_fails_with_all_that_follow(void **state)
{
    (void)state;
    each_allocation_fails(true);
}

/* ---- The start ---- */

static bool has_started_or_ended(void *process)
{
    char *const text = child_text(((child *)process)->output);
    const bool started = strchr(text, '\n') != NULL;
    free(text);
    return started || !child_runs(process);
}

/* A daemon that starts while memory is scarce, and what becomes of it. */
static void start_starving(const char *const environment[], long left, bool lasting)
{
    arm(left, lasting);
    child process =
        child_start(HTTP_HEADERS(daemon_binary(), "--listen", "127.0.0.1:0", "--drain-delay", "0"),
                    environment, -1);
    wait_until(has_started_or_ended, &process);
    disarm();
    if (child_runs(&process))
        kill(process.pid, SIGTERM);
    const int status = child_wait(&process, 300);
    if (status < 0 || status > 127)
        fail_msg("allocation %ld failed at the start: exit status %d", left, status);
    child_destroy(&process);
}

/* It serves or says that it cannot: never a crash. */
static void each_allocation_of_the_start_fails(void **state)
{
    (void)state;
    const char *const *const environment = map_control();
    long starts = 0;
    for (int lasting = 0; lasting < 2; lasting++) {
        long failed = 1;
        for (long left = 0; failed > 0; left++, starts++) {
            start_starving(environment, left, lasting);
            failed = atomic_load(&control->failed);
        }
    }
    soak_figure("each allocation of the start fails, once or with all that follow", "no crash",
                "%ld starts", starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(each_allocation_fails_once),
        daemon_test(each_allocation_fails_with_all_that_follow),
        cmocka_unit_test(each_allocation_of_the_start_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
