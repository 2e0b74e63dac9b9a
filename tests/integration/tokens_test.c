/* Bearer tokens: who shows none or a wrong one is told so by the head alone; SIGHUP reads the file
 * again, and a bad file never opens or closes the door.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/raw_connection.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST  "Zm9yIHRoZSB0ZXN0cw=="
#define SECOND "a-second.token_of/the+tests~"
#define THIRD  "0123456789abcdef"
#define BEARER "Authorization: Bearer "

static const char file_text[] = "# who may ask\n\n" FIRST "\n  " SECOND "\t # of somebody\r\n";

static daemon_process *start(void)
{
    return daemon_with("--token-file", scratch_write("tokens", file_text));
}

static http_reply ask(const char *url, const char *path, const char *header)
{
    const bool posts = strcmp(path, "/v1/conv") == 0;
    const http_request request = {.path = path,
                                  .headers = header != NULL ? HTTP_HEADERS(header) : NULL,
                                  .body = posts ? LECTURE_REQUEST : NULL};
    return http_send(url, &request);
}

static void expect_served(const daemon_process *daemon, const char *header)
{
    http_reply reply = ask(daemon->url, "/v1/conv", header);
    expect_lecture(&reply);
    http_free(&reply);
}

static void expect_challenge(http_reply *reply, const char *challenge, const char *detail)
{
    expect_problem(reply, 401, "", detail);
    assert_string_equal(http_header(reply, "WWW-Authenticate"), challenge);
    http_free(reply);
}

static void expect_refused(const daemon_process *daemon, const char *header)
{
    http_reply reply = ask(daemon->url, "/v1/conv", header);
    expect_challenge(&reply, "Bearer error=\"invalid_token\"", "not known");
}

static void a_token_of_the_file_opens(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    expect_served(daemon, BEARER FIRST);
    expect_served(daemon, BEARER SECOND);
    expect_served(daemon, "authorization: bearer   " FIRST);
    daemon_stop(daemon);
}

static void a_missing_token_is_asked_for(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    static const char *const headers[] = {NULL, "Authorization;", "Authorization: Bearer",
                                          "Authorization: Basic " FIRST, "Authorization: " FIRST};
    for (size_t index = 0; index < sizeof headers / sizeof *headers; index++) {
        http_reply reply = ask(daemon->url, "/v1/conv", headers[index]);
        expect_challenge(&reply, "Bearer", "Authorization: Bearer");
    }
    daemon_stop(daemon);
}

static void a_wrong_token_is_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    char longest[400] = BEARER;
    memset(longest + strlen(longest), 'a', 300);
    const char *const headers[] = {
        BEARER THIRD,           BEARER "Zm9yIHRoZSB0ZXN0cw=", BEARER FIRST "=",
        BEARER FIRST "x",       BEARER FIRST " " SECOND,      BEARER "zm9yIHRoZSB0ZXN0cw==",
        BEARER "# who may ask", BEARER "\"" FIRST "\"",       longest,
    };
    for (size_t index = 0; index < sizeof headers / sizeof *headers; index++)
        expect_refused(daemon, headers[index]);
    daemon_stop(daemon);
}

/* A request is counted after its reply was sent. */
static bool five_refusals_are_counted(void *url)
{
    http_reply reply = ask(url, "/metrics", BEARER FIRST);
    expect_status(&reply, 200);
    const double count = metric_in(reply.body, "layerd_requests_total", "status=\"401\"");
    http_free(&reply);
    return count == 5;
}

/* Probes have no token, and the description is nobody's secret; what tells of the load is. */
static void health_and_description_are_open(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    static const char *const open[] = {"/v2/health/live", "/v2/health/ready", "/openapi.json"};
    static const char *const closed[] = {"/v1", "/v2", "/metrics", "/nothing", "/v1/nothing"};
    for (size_t index = 0; index < sizeof open / sizeof *open; index++) {
        http_reply reply = ask(daemon->url, open[index], NULL);
        expect_status(&reply, 200);
        http_free(&reply);
    }
    for (size_t index = 0; index < sizeof closed / sizeof *closed; index++) {
        http_reply reply = ask(daemon->url, closed[index], NULL);
        expect_challenge(&reply, "Bearer", NULL);
    }
    assert_true(wait_until(five_refusals_are_counted, daemon->url));
    daemon_stop(daemon);
}

/* Nothing of the body is sent, and it is not waited for. */
static void the_head_is_enough_to_be_refused(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    raw_connection connection = raw_open(daemon->url);
    raw_write(&connection, "POST /v1/conv HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           "Expect: 100-continue\r\nContent-Length: 60000000\r\n\r\n");
    http_reply reply = raw_receive(&connection);
    assert_int_equal(reply.continues, 0);
    expect_challenge(&reply, "Bearer", NULL);
    assert_true(raw_ended(&connection));
    raw_close(&connection);
    daemon_stop(daemon);
}

static bool has_logged_a_refusal(void *context)
{
    const daemon_process *const daemon = context;
    char *const log = child_text(daemon->process.errors);
    const bool logged = strstr(log, "\"status\":401") != NULL;
    free(log);
    return logged;
}

static void no_token_is_logged(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    expect_served(daemon, BEARER FIRST);
    expect_refused(daemon, BEARER THIRD);
    assert_true(wait_until(has_logged_a_refusal, daemon));
    char *const log = child_text(daemon->process.errors);
    assert_null(strstr(log, FIRST));
    assert_null(strstr(log, THIRD));
    free(log);
    daemon_stop(daemon);
}

/* ---- Reading the file again ---- */

static void reload(const daemon_process *daemon, const char *message)
{
    kill(daemon->process.pid, SIGHUP);
    cJSON *const line = daemon_log_line(daemon, "message", message);
    if (line == NULL)
        fail_msg("the log does not say: %s", message);
    cJSON_Delete(line);
}

static void sighup_reads_the_file_again(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    expect_refused(daemon, BEARER THIRD);
    scratch_write("tokens", FIRST "\n" THIRD);
    reload(daemon, "tokens are read again: there are 2");
    expect_served(daemon, BEARER FIRST);
    expect_served(daemon, BEARER THIRD);
    expect_refused(daemon, BEARER SECOND);
    daemon_stop(daemon);
}

static void check_kept(const daemon_process *daemon, const char *text, const char *reason)
{
    char message[300];
    const char *const path = scratch_path("tokens");
    unlink(path);
    if (text != NULL)
        scratch_write("tokens", text);
    snprintf(message, sizeof message, "the tokens stay as they were: %s: %s", path, reason);
    reload(daemon, message);
    expect_served(daemon, BEARER FIRST);
    expect_refused(daemon, BEARER THIRD);
}

static void a_bad_file_keeps_the_tokens(void **state)
{
    (void)state;
    daemon_process *const daemon = start();
    check_kept(daemon, NULL, "No such file or directory");
    check_kept(daemon, "", "there is no token in it");
    check_kept(daemon, "# nothing\n", "there is no token in it");
    check_kept(daemon, THIRD "\nshort\n", "line 2: expected a token of 16 to 255 characters");
    check_kept(daemon, THIRD " " SECOND "\n",
               "line 1: expected one token of letters, digits and -._~+/");
    daemon_stop(daemon);
}

static void a_reload_without_files_is_no_end(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    reload(daemon, "reloading");
    expect_good(daemon->url);
    daemon_stop(daemon);
}

struct siege {
    const daemon_process *daemon;
    int answered;
};

static bool next_of_siege(void *context, size_t client, http_request *request)
{
    static const char *const lists[][2] = {{BEARER FIRST, NULL}, {BEARER THIRD, NULL}};
    struct siege *const siege = context;
    *request =
        (http_request){.path = "/v1/conv", .headers = lists[client % 2], .body = LECTURE_REQUEST};
    return siege->answered < 4000;
}

static void seen_in_siege(void *context, size_t client, const http_reply *reply)
{
    struct siege *const siege = context;
    if (client % 2 == 0)
        expect_lecture(reply);
    else
        expect_problem(reply, 401, NULL, NULL);
    if (++siege->answered % 20 == 0)
        kill(siege->daemon->process.pid, SIGHUP);
}

static void reloads_under_load_change_no_verdict(void **state)
{
    (void)state;
    struct siege siege = {.daemon = start()};
    daemon_process *const daemon = (daemon_process *)(uintptr_t)siege.daemon;
    http_crowd_run(&(http_crowd){.url = daemon->url,
                                 .clients = 16,
                                 .next = next_of_siege,
                                 .seen = seen_in_siege,
                                 .context = &siege});
    assert_true(siege.answered >= 4000);
    daemon_stop(daemon);
}

/* ---- Start ---- */

static void check_no_start(const char *path, const char *reason)
{
    daemon_result result = daemon_run(
        (const char *const[]){"--listen", "127.0.0.1:0", "--token-file", path, NULL}, NULL);
    print_message("%s", result.errors);
    assert_int_equal(result.status, 1);
    assert_string_equal(result.output, "");
    assert_non_null(strstr(result.errors, path));
    assert_non_null(strstr(result.errors, reason));
    daemon_result_free(&result);
}

static void a_bad_file_is_no_start(void **state)
{
    (void)state;
    check_no_start(scratch_path("absent"), "No such file");
    check_no_start("/", "directory");
    check_no_start(scratch_write("empty", ""), "there is no token in it");
    check_no_start(scratch_write("short", "abc\n"), "line 1: expected a token of 16 to 255");
    check_no_start(scratch_write("odd", "pass word pass word\n"), "line 1: expected one token");
}

static bool has_warning(const daemon_process *daemon)
{
    expect_good(daemon->url);
    cJSON *const line = daemon_log_line(daemon, "operation", "conv");
    assert_non_null(line);
    cJSON_Delete(line);
    return daemon_log_count(daemon, "level", "warning") > 0;
}

static void an_open_door_is_warned_of(void **state)
{
    (void)state;
    daemon_process *daemon = daemon_with("--listen", "0.0.0.0:0");
    assert_true(has_warning(daemon));
    daemon_stop(daemon);
    daemon = daemon_start(&(daemon_options){0});
    assert_false(has_warning(daemon));
    daemon_stop(daemon);
    daemon =
        daemon_with("--listen", "0.0.0.0:0", "--token-file", scratch_write("tokens", file_text));
    expect_served(daemon, BEARER FIRST);
    assert_int_equal(daemon_log_count(daemon, "level", "warning"), 0);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_token_of_the_file_opens),
        daemon_test(a_missing_token_is_asked_for),
        daemon_test(a_wrong_token_is_refused),
        daemon_test(health_and_description_are_open),
        daemon_test(the_head_is_enough_to_be_refused),
        daemon_test(no_token_is_logged),
        daemon_test(sighup_reads_the_file_again),
        daemon_test(a_bad_file_keeps_the_tokens),
        daemon_test(a_reload_without_files_is_no_end),
        daemon_test(reloads_under_load_change_no_verdict),
        daemon_test(a_bad_file_is_no_start),
        daemon_test(an_open_door_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
