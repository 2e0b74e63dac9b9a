/* SIGTERM and SIGINT: nothing accepted is left without its reply, and the daemon ends with 0.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/heavy_request.h"
#include "support/raw_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* ---- Under load ---- */

enum { CLIENTS = 32, ROUNDS = 100000, ENOUGH = 500, ID_SIZE = 32 };

struct farewell {
    const daemon_process *daemon;
    int sent[CLIENTS];
    bool refused[CLIENTS]; /* could not connect any more: the client goes home */
    char headers[CLIENTS][ID_SIZE + 16];
    const char *lists[CLIENTS][2];
    char received[CLIENTS][ROUNDS]; /* 1: a whole reply came */
    int replies, lost;
};

static bool next_of_farewell(void *context, size_t client, http_request *request)
{
    struct farewell *const farewell = context;
    snprintf(farewell->headers[client], sizeof farewell->headers[client],
             "X-Request-Id: load-%zu-%d", client, farewell->sent[client]);
    farewell->lists[client][0] = farewell->headers[client];
    *request = (http_request){
        .path = "/v1/conv", .headers = farewell->lists[client], .body = LECTURE_REQUEST};
    return !farewell->refused[client] && farewell->sent[client]++ < ROUNDS - 1;
}

static void seen_in_farewell(void *context, size_t client, const http_reply *reply)
{
    struct farewell *const farewell = context;
    if (reply->result != CURLE_OK) {
        farewell->refused[client] = reply->result == CURLE_COULDNT_CONNECT;
        farewell->lost += reply->result != CURLE_COULDNT_CONNECT;
        return;
    }
    if (reply->status == 503)
        expect_unavailable(reply, NULL);
    else
        expect_lecture(reply);
    farewell->received[client][farewell->sent[client] - 1] = 1;
    if (++farewell->replies == ENOUGH)
        kill(farewell->daemon->process.pid, SIGTERM);
}

/* Every request that the daemon has logged as answered was seen to be answered. */
static int count_unreceived(const struct farewell *farewell)
{
    int unreceived = 0;
    char *const log = child_text(farewell->daemon->process.errors), *rest = log;
    for (const char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        const char *const id = strstr(line, "\"load-");
        size_t client = 0;
        int number = 0;
        if (id != NULL && sscanf(id, "\"load-%zu-%d\"", &client, &number) == 2 &&
            client < CLIENTS && number < ROUNDS && !farewell->received[client][number]) {
            print_error("no reply was seen to: %s\n", line);
            unreceived++;
        }
    }
    free(log);
    return unreceived;
}

static bool has_ended(void *daemon)
{
    return !child_runs(&((daemon_process *)daemon)->process);
}

static void check_farewell(const char *drain_delay)
{
    static struct farewell farewell;
    farewell = (struct farewell){
        .daemon = daemon_with("--drain-delay", drain_delay, "--inline-multiplications", "0")};
    http_crowd_run(&(http_crowd){.url = farewell.daemon->url,
                                 .clients = CLIENTS,
                                 .next = next_of_farewell,
                                 .seen = seen_in_farewell,
                                 .context = &farewell});
    daemon_process *const daemon = (daemon_process *)(uintptr_t)farewell.daemon;
    assert_true(wait_until(has_ended, daemon));
    print_message("%d replies, %d connections refused in the listening socket\n", farewell.replies,
                  farewell.lost);
    assert_true(farewell.replies >= ENOUGH);
    assert_int_equal(count_unreceived(&farewell), 0);
    assert_int_equal(daemon_finish(daemon), 0);
}

static void sigterm_under_load_loses_no_accepted_request(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++)
        check_farewell("0");
}

static void a_drain_delay_under_load_loses_none_either(void **state)
{
    (void)state;
    check_farewell("0.3");
}

/* ---- One step after the other ---- */

static bool is_not_ready(void *context)
{
    http_reply reply = http_get(context, "/v2/health/ready");
    const bool found = reply.status == 503;
    if (found)
        expect_unavailable(&reply, NULL);
    http_free(&reply);
    return found;
}

/* As a container does that is paused. */
static void stop_and_go_on(const daemon_process *daemon)
{
    siginfo_t facts;
    kill(daemon->process.pid, SIGSTOP);
    assert_int_equal(waitid(P_PID, (id_t)daemon->process.pid, &facts, WSTOPPED), 0);
    kill(daemon->process.pid, SIGCONT);
}

static void in_the_drain_delay_it_serves_but_is_not_ready(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--drain-delay", "600");
    http_reply reply = http_get(daemon->url, "/v2/health/ready");
    expect_status(&reply, 200);
    http_free(&reply);
    kill(daemon->process.pid, SIGTERM);
    assert_true(wait_until(is_not_ready, daemon->url));
    for (int round = 0; round < 20; round++) {
        stop_and_go_on(daemon);
        expect_good(daemon->url);
    }
    reply = http_get(daemon->url, "/v2/health/live");
    expect_status(&reply, 200);
    http_free(&reply);
    kill(daemon->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(daemon), 0);
}

/* One is computed by the only worker, or was, the other waits, or is. */
static void what_is_computed_is_finished(void **state)
{
    (void)state;
    static const char body[] =
        "{\"method\":\"orthogonal\",\"shape\":[1500,1500],\"output_format\":\"binary\"}";
    daemon_process *const daemon =
        daemon_with("--deadline", "600", "--drain-deadline", "600", "--workers", "1");
    raw_connection working = heavy_occupy(daemon->url, HEAVY_MOST), first = raw_open(daemon->url),
                   second = raw_open(daemon->url);
    raw_post(&first, "/v1/initialize", body);
    raw_post(&second, "/v1/initialize", body);
    assert_true(metric_becomes(daemon->url, "layerd_queue_length", "", 2));
    raw_close(&working);
    assert_true(metric_falls_below(daemon->url, "layerd_queue_length", "", 2));
    kill(daemon->process.pid, SIGTERM);
    http_reply reply = raw_receive(&first);
    expect_status(&reply, 200);
    http_free(&reply);
    reply = raw_receive(&second);
    expect_status(&reply, 200);
    tensor output;
    assert_true(tensor_read_reply(&reply, "weight", &output));
    tensor_free(&output);
    http_free(&reply);
    assert_int_equal(daemon_finish(daemon), 0);
    raw_close(&first);
    raw_close(&second);
}

/* Two that would take long, one of them in the queue: both are told. */
static void check_cut_short(const daemon_options *options, bool second_signal)
{
    daemon_process *const daemon = daemon_start(options);
    heavy_request *const heavy = heavy_create(HEAVY_MUCH, 1, NULL);
    raw_connection working = heavy_occupy(daemon->url, HEAVY_MOST),
                   waiting = heavy_queue(heavy, daemon->url);
    kill(daemon->process.pid, SIGTERM);
    if (second_signal)
        kill(daemon->process.pid, SIGINT);
    http_reply reply = raw_receive(&working);
    expect_unavailable(&reply, NULL);
    http_free(&reply);
    reply = raw_receive(&waiting);
    expect_unavailable(&reply, NULL);
    http_free(&reply);
    assert_int_equal(daemon_finish(daemon), 0);
    heavy_destroy(heavy);
    raw_close(&working);
    raw_close(&waiting);
}

static void a_second_signal_stops_now(void **state)
{
    (void)state;
    check_cut_short(
        &(daemon_options){.arguments = HTTP_HEADERS("--workers", "1", "--deadline", "3600",
                                                    "--drain-deadline", "3600")},
        true);
}

static void the_drain_deadline_ends_what_takes_longer(void **state)
{
    (void)state;
    check_cut_short(&(daemon_options){.arguments = HTTP_HEADERS("--workers", "1", "--deadline",
                                                                "3600", "--drain-deadline", "0.3")},
                    false);
}

/* Kept connections, silent ones and halves of requests do not hold the daemon up. */
static void idle_and_slow_clients_do_not_hold_it_up(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--drain-deadline", "2");
    raw_connection kept = raw_open(daemon->url), silent = raw_open(daemon->url),
                   half = raw_open(daemon->url);
    raw_write(&kept, "GET /v1 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_reply reply = raw_receive(&kept);
    expect_status(&reply, 200);
    http_free(&reply);
    raw_write(&half, "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    kill(daemon->process.pid, SIGINT);
    assert_int_equal(daemon_finish(daemon), 0);
    raw_close(&kept);
    raw_close(&silent);
    raw_close(&half);
}

static void it_ends_at_once_where_nothing_is_to_do(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT};
    for (int round = 0; round < 20; round++) {
        daemon_process *const daemon = daemon_start(&(daemon_options){0});
        kill(daemon->process.pid, signals[round % 2]);
        assert_int_equal(daemon_finish(daemon), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(sigterm_under_load_loses_no_accepted_request),
        daemon_test(a_drain_delay_under_load_loses_none_either),
        daemon_test(in_the_drain_delay_it_serves_but_is_not_ready),
        daemon_test(what_is_computed_is_finished),
        daemon_test(a_second_signal_stops_now),
        daemon_test(the_drain_deadline_ends_what_takes_longer),
        daemon_test(idle_and_slow_clients_do_not_hold_it_up),
        daemon_test(it_ends_at_once_where_nothing_is_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
