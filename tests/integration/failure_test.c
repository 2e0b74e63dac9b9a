/* When something under the daemon fails: a library, the log's sink, memory.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/tensor_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static daemon_process *start_with_preload(const char *library)
{
    static char variable[4200];
    const char *const out = getenv("OUT");
    char path[2048], real[4096];
    snprintf(path, sizeof path, "%s/tests/preload/%s", out != NULL ? out : "build/release",
             library);
    if (realpath(path, real) == NULL) {
        print_message("skipped: there is no %s\n", path);
        skip();
    }
    snprintf(variable, sizeof variable, "LD_PRELOAD=%s", real);
    return daemon_start(&(daemon_options){.environment = (const char *const[]){variable, NULL}});
}

static void a_failure_of_ours_is_500_and_logged(void **state)
{
    (void)state;
    daemon_process *const daemon = start_with_preload("cjson_fails.so");
    http_reply reply = http_post(daemon->url, "/v1/conv",
                                 "{\"input\":[1],\"weight\":[1],\"mode\":\"FAIL_IN_CJSON\"}");
    expect_problem(&reply, 500, NULL, NULL);
    const char *const id = http_header(&reply, "X-Request-Id");
    assert_non_null(id);
    cJSON *const line = daemon_log_line(daemon, "request_id", id);
    assert_non_null(line);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(line, "status")->valueint, 500);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "level")->valuestring, "error");
    cJSON_Delete(line);
    http_free(&reply);
    expect_good(daemon->url);
    assert_true(daemon_is_at_rest(daemon->url));
    daemon_stop(daemon);
}

/* A pipe that is full and that nobody reads. */
static int stuck_pipe(int *reader)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    char block[4096] = {0};
    while (write(ends[1], block, sizeof block) > 0 || write(ends[1], block, 1) > 0)
        continue;
    fcntl(ends[1], F_SETFL, 0);
    *reader = ends[0];
    return ends[1];
}

static void a_stuck_log_does_not_stop_the_service(void **state)
{
    (void)state;
    int reader = -1;
    const int sink = stuck_pipe(&reader);
    daemon_process *const daemon = daemon_start(&(daemon_options){.log = sink});
    http_client *const client = http_open(daemon->url);
    while (metric(daemon->url, "layerd_log_lines_dropped_total", "") == 0)
        for (int exchange = 0; exchange < 100; exchange++) {
            http_reply reply =
                http_exchange(client, &(http_request){.path = "/v1/conv", .body = LECTURE_REQUEST});
            expect_lecture(&reply);
            http_free(&reply);
        }
    http_close(client);
    expect_good(daemon->url);
    kill(daemon->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(daemon), 0);
    close(reader);
    close(sink);
}

static void a_broken_log_does_not_stop_the_service(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    daemon_process *const daemon = daemon_start(&(daemon_options){.log = ends[1]});
    for (int exchange = 0; exchange < 20; exchange++)
        expect_good(daemon->url);
    kill(daemon->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(daemon), 0);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    daemon_process *const second = daemon_start(&(daemon_options){.log = full});
    for (int exchange = 0; exchange < 20; exchange++)
        expect_good(second->url);
    kill(second->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(second), 0);
    close(full);
    close(ends[1]);
}

/* ---- Memory ---- */

enum { ZERO_COUNT = 128 * 65536 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* The greatest resident memory that a process has had, in bytes. */
static double peak_memory(pid_t pid)
{
    char path[64], line[256];
    double peak = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lf kB", &peak) == 1)
            break;
    fclose(file);
    return peak * 1024;
}

/* A plane of zeros, "0,0,0...", whose convolution is small. */
static char *body_of_zeros(size_t *size)
{
    static const char before[] =
        "{\"weight\":[[1]],\"strides\":1000,\"input\":{\"shape\":[128,65536],\"data\":[";
    const size_t begin = sizeof before - 1, zeros = 2 * (size_t)ZERO_COUNT - 1;
    char *const body = malloc(begin + zeros + 4);
    assert_non_null(body);
    memcpy(body, before, begin);
    for (size_t index = 0; index < zeros; index++)
        body[begin + index] = index % 2 == 0 ? '0' : ',';
    strcpy(body + begin + zeros, "]}}");
    *size = begin + zeros + 3;
    return body;
}

/* 16 MiB of text: twice the tensor of 32 MiB beside the body, not forty bytes for each byte. */
static void a_body_of_zeros_costs_little_memory(void **state)
{
    (void)state;
#ifdef SANITIZED
    print_message("skipped: a sanitizer's shadow memory is not the daemon's\n");
    skip();
#endif
    size_t size;
    char *const body = body_of_zeros(&size);
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    expect_good(daemon->url);
    const double base = peak_memory(daemon->process.pid);
    http_reply reply = http_send(
        daemon->url, &(http_request){.path = "/v1/conv", .body = body, .body_size = size});
    expect_status(&reply, 200);
    http_free(&reply);
    const double peak = peak_memory(daemon->process.pid), tensor_size = 4.0 * ZERO_COUNT;
    print_message("%.1f MiB at rest, %.1f MiB at most\n", base / 1048576, peak / 1048576);
    assert_true(peak <= base + (double)size + 2 * tensor_size);
    free(body);
    expect_good(daemon->url);
    assert_true(daemon_is_at_rest(daemon->url));
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_failure_of_ours_is_500_and_logged),
        daemon_test(a_stuck_log_does_not_stop_the_service),
        daemon_test(a_broken_log_does_not_stop_the_service),
        daemon_test(a_body_of_zeros_costs_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
