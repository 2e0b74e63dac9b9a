/* Three daemons behind HAProxy under load: one is killed, the others are restarted one by one, and
 * no request fails.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/free_port.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPLICAS = 3, LONG_BODY_SIZE = 200 << 10 };

typedef struct {
    daemon_process *replicas[REPLICAS];
    child proxy;
    char url[64];
} cluster;

static cluster together;

/* ---- Its parts ---- */

/* Requests wait for a worker, so that there is always something to lose. */
static daemon_process *start_replica(int port)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    return daemon_with("--listen", address, "--drain-delay", "1", "--workers", "1",
                       "--inline-multiplications", "0");
}

static bool is_ready(void *unused)
{
    (void)unused;
    http_reply reply = http_get(together.url, "/v2/health/ready");
    const bool ready = reply.status == 200;
    http_free(&reply);
    return ready || !child_runs(&together.proxy);
}

static const char *find_proxy(void)
{
    static const char *const places[] = {"/usr/sbin/haproxy", "/usr/local/sbin/haproxy",
                                         "/usr/local/bin/haproxy"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    print_message("skipped: there is no haproxy\n");
    skip();
    return NULL;
}

static void start_cluster(void)
{
    char variables[REPLICAS + 1][64];
    const char *environment[REPLICAS + 2] = {0};
    const char *const program = find_proxy();
    for (int i = 0; i < REPLICAS; i++) {
        together.replicas[i] = start_replica(free_port());
        snprintf(variables[i], sizeof variables[i], "REPLICA_%d=127.0.0.1:%d", i + 1,
                 together.replicas[i]->port);
        environment[i] = variables[i];
    }
    const int port = free_port();
    snprintf(variables[REPLICAS], sizeof *variables, "LISTEN=127.0.0.1:%d", port);
    environment[REPLICAS] = variables[REPLICAS];
    snprintf(together.url, sizeof together.url, "http://127.0.0.1:%d", port);
    together.proxy =
        child_start(HTTP_HEADERS(program, "-db", "-f", "docker/haproxy.cfg"), environment, -1);
    assert_true(wait_until(is_ready, NULL));
}

static void stop_cluster(void)
{
    for (int i = 0; i < REPLICAS; i++)
        daemon_stop(together.replicas[i]);
    child_destroy(&together.proxy);
}

static int teardown(void **state)
{
    if (together.proxy.pid > 0)
        child_destroy(&together.proxy);
    together = (cluster){0};
    return daemon_teardown(state);
}

/* ---- What happens to them ---- */

static void restart(int which, void (*end)(daemon_process *daemon))
{
    const int port = together.replicas[which]->port;
    end(together.replicas[which]);
    together.replicas[which] = start_replica(port);
}

struct progress {
    const load *loads[2];
    size_t enough[2];
};

static bool has_gone_on(void *context)
{
    const struct progress *const to = context;
    return load_answered(to->loads[0]) >= to->enough[0] &&
           load_answered(to->loads[1]) >= to->enough[1];
}

/* Until both loads have had so many replies more. */
static void go_on(const load *one, const load *other, size_t replies)
{
    struct progress to = {{one, other},
                          {load_answered(one) + 10 * replies, load_answered(other) + replies}};
    assert_true(wait_until(has_gone_on, &to));
}

static char *long_body(void)
{
    char *const body = malloc(LONG_BODY_SIZE + 1);
    assert_non_null(body);
    memset(body, ' ', LONG_BODY_SIZE);
    memcpy(body, LECTURE_REQUEST, strlen(LECTURE_REQUEST));
    body[LONG_BODY_SIZE] = '\0';
    return body;
}

static void expect_no_failure(const char *what, int rounds, const load_figures *figures)
{
    char fault[160];
    snprintf(fault, sizeof fault,
             "three replicas behind HAProxy, one killed, two restarted, again and again; %s", what);
    soak_figure(
        fault, "no request fails",
        "%d SIGKILLs, %d SIGTERMs: %zu answered in %.0f s, 99 %% within %.1f ms, all within "
        "%.0f ms; %zu refused, %zu failed",
        rounds, 2 * rounds, figures->answered, figures->seconds, figures->nearly_all * 1e3,
        figures->longest * 1e3, figures->refused, figures->failed);
    assert_int_equal(figures->refused + figures->failed, 0);
    assert_true(figures->answered > 0);
}

/* Kills one, then restarts the others one by one; `rounds` times. */
static void no_request_fails(int rounds)
{
    start_cluster();
    char *const body = long_body();
    load_options options = {.url = together.url,
                            .clients = 16,
                            .path = "/v1/conv",
                            .body = LECTURE_REQUEST,
                            .expected = "[[37,47],[67,77]]"};
    load *const brief = load_start(&options);
    options.clients = 4;
    options.body = body;
    load *const lengthy = load_start(&options);
    for (int round = 0; round < rounds; round++) {
        go_on(brief, lengthy, 50);
        restart(round % REPLICAS, daemon_kill);
        for (int other = 1; other < REPLICAS; other++) {
            go_on(brief, lengthy, 50);
            restart((round + other) % REPLICAS, daemon_stop);
        }
    }
    go_on(brief, lengthy, 50);
    const load_figures figures[] = {load_stop(brief), load_stop(lengthy)};
    free(body);
    expect_no_failure("short requests", rounds, &figures[0]);
    expect_no_failure("requests of 200 KiB", rounds, &figures[1]);
    stop_cluster();
}

static void kills_and_restarts_fail_no_request(void **state)
{
    (void)state;
    no_request_fails((int)soak_count(2, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kills_and_restarts_fail_no_request, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
