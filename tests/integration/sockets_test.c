/* Where the daemon listens: unix sockets, and sockets that systemd hands over; and what it tells
 * systemd.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/raw_connection.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* "unix:" and the path of a file of the scratch folder. */
static const char *unix_address(const char *name)
{
    static char address[160];
    snprintf(address, sizeof address, "unix:%s", scratch_path(name));
    return address;
}

static bool exists(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0;
}

static int bound_socket(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    unlink(path);
    const int descriptor = socket(AF_UNIX, type, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

/* ---- Unix sockets ---- */

static void a_unix_socket_serves(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--listen", unix_address("a.sock"));
    assert_string_equal(daemon->url, unix_address("a.sock"));
    expect_good(daemon->url);
    cJSON *const line = daemon_log_line(daemon, "operation", "conv");
    char user[64];
    snprintf(user, sizeof user, "unix:user %u", getuid());
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "client")->valuestring, user);
    cJSON_Delete(line);
    assert_int_equal(daemon_log_count(daemon, "level", "warning"), 0);
    daemon_stop(daemon);
    assert_false(exists(scratch_path("a.sock")));
}

static void check_mode(const char *mode, mode_t expected)
{
    struct stat facts;
    daemon_process *const daemon =
        daemon_with("--listen", unix_address("a.sock"), "--socket-mode", mode);
    assert_int_equal(lstat(scratch_path("a.sock"), &facts), 0);
    assert_int_equal(facts.st_mode & 07777, expected);
    daemon_stop(daemon);
}

static void its_permissions_are_an_option(void **state)
{
    (void)state;
    check_mode("0600", 0600);
    check_mode("660", 0660);
    check_mode("0777", 0777);
}

static void it_stands_beside_others(void **state)
{
    (void)state;
    char listen[256];
    snprintf(listen, sizeof listen, "127.0.0.1:0,%s", unix_address("b.sock"));
    daemon_process *const daemon = daemon_with("--listen", listen);
    assert_true(daemon->port > 0);
    expect_good(daemon->url);
    expect_good(unix_address("b.sock"));
    daemon_stop(daemon);
}

static void a_stale_socket_is_replaced(void **state)
{
    (void)state;
    const char *const path = scratch_path("stale.sock");
    close(bound_socket(path, SOCK_STREAM));
    assert_true(exists(path));
    daemon_process *const daemon = daemon_with("--listen", unix_address("stale.sock"));
    expect_good(daemon->url);
    kill(daemon->process.pid, SIGKILL);
    assert_int_equal(daemon_finish(daemon), 128 + SIGKILL);
    assert_true(exists(path));
    daemon_process *const next = daemon_with("--listen", unix_address("stale.sock"));
    expect_good(next->url);
    daemon_stop(next);
}

static void check_no_listening(const char *address, const char *reason)
{
    daemon_result result = daemon_run((const char *const[]){"--listen", address, NULL}, NULL);
    print_message("%s", result.errors);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.errors, address));
    assert_non_null(strstr(result.errors, reason));
    daemon_result_free(&result);
}

static void what_is_in_use_is_left_alone(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--listen", unix_address("used.sock"));
    check_no_listening(unix_address("used.sock"), "in use");
    expect_good(daemon->url);
    daemon_stop(daemon);
    scratch_write("file", "of somebody");
    check_no_listening(unix_address("file"), "in use");
    assert_true(exists(scratch_path("file")));
    check_no_listening(unix_address("absent/a.sock"), "No such file");
    check_no_listening("unix:", "expected");
    char path[200] = "unix:/";
    memset(path + 6, 'a', 110);
    check_no_listening(path, "too long");
}

/* Another daemon may have taken the place meanwhile. */
static void what_is_not_its_own_is_not_removed(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--listen", unix_address("taken.sock"));
    unlink(scratch_path("taken.sock"));
    scratch_write("taken.sock", "of somebody");
    daemon_stop(daemon);
    assert_true(exists(scratch_path("taken.sock")));
}

/* All who come through it would count as one address. */
static void its_clients_have_no_address_to_count(void **state)
{
    (void)state;
    enum { CLIENTS = 5 };
    daemon_process *const daemon =
        daemon_with("--listen", unix_address("a.sock"), "--max-connections-per-address", "2");
    raw_connection kept[CLIENTS];
    for (int index = 0; index < CLIENTS; index++) {
        kept[index] = raw_open(daemon->url);
        raw_write(&kept[index], "GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        http_reply reply = raw_receive(&kept[index]);
        expect_status(&reply, 200);
        http_free(&reply);
    }
    for (int index = 0; index < CLIENTS; index++)
        raw_close(&kept[index]);
    daemon_stop(daemon);
}

static void the_health_check_knows_it(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--listen", unix_address("a.sock"));
    char variable[200];
    snprintf(variable, sizeof variable, "LAYERD_LISTEN=%s", daemon->url);
    assert_true(health_check_ends(daemon->url, NULL, 0));
    assert_true(health_check_ends(NULL, variable, 0));
    daemon_stop(daemon);
    daemon_result gone = daemon_run((const char *const[]){"healthcheck", NULL},
                                    (const char *const[]){variable, NULL});
    assert_int_equal(gone.status, 1);
    assert_non_null(strstr(gone.errors, "No such file"));
    daemon_result_free(&gone);
}

/* ---- Sockets that are handed over ---- */

static const char *real_binary(void)
{
    static char path[4096];
    if (path[0] == '\0')
        assert_non_null(realpath(daemon_binary(), path));
    return path;
}

/* As systemd does it: the daemon finds `descriptor` as number 3. */
static void hand_over(int descriptor, const char *count)
{
    char script[4600];
    snprintf(script, sizeof script,
             "#!/bin/bash\nLISTEN_PID=$$ LISTEN_FDS=%s exec %s \"$@\" 3<&%d\n", count,
             real_binary(), descriptor);
    chmod(scratch_write("activated", script), 0755);
    fcntl(descriptor, F_SETFD, 0);
    setenv("LAYERD_BINARY", scratch_path("activated"), 1);
}

static int hand_back(void **state)
{
    setenv("LAYERD_BINARY", real_binary(), 1);
    return daemon_teardown(state);
}

static int tcp_socket(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(descriptor, 16), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return descriptor;
}

/* Who connects while no daemon is there is served by the next one. */
static void a_socket_that_is_handed_over_serves(void **state)
{
    (void)state;
    char url[64];
    const int descriptor = tcp_socket(url);
    hand_over(descriptor, "1");
    daemon_process *daemon = daemon_with("--listen", "192.0.2.1:80");
    assert_string_equal(daemon->url, url);
    expect_good(url);
    daemon_stop(daemon);
    raw_connection early = raw_open(url);
    raw_post(&early, "/v1/conv", LECTURE_REQUEST);
    daemon = daemon_start(&(daemon_options){0});
    http_reply reply = raw_receive(&early);
    expect_lecture(&reply);
    http_free(&reply);
    raw_close(&early);
    daemon_stop(daemon);
    close(descriptor);
}

static void a_unix_socket_that_is_handed_over_is_not_removed(void **state)
{
    (void)state;
    const char *const path = scratch_path("systemd.sock");
    const int descriptor = bound_socket(path, SOCK_STREAM);
    assert_int_equal(listen(descriptor, 16), 0);
    hand_over(descriptor, "1");
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    assert_string_equal(daemon->url, unix_address("systemd.sock"));
    expect_good(daemon->url);
    daemon_stop(daemon);
    assert_true(exists(path));
    close(descriptor);
}

static void what_is_no_socket_is_no_start(void **state)
{
    (void)state;
    const int descriptor = open("/dev/null", O_RDONLY);
    static const char *const counts[] = {"1", "17"};
    for (int index = 0; index < 2; index++) {
        hand_over(descriptor, counts[index]);
        daemon_result result = daemon_run(NULL, NULL);
        print_message("%s", result.errors);
        assert_int_equal(result.status, 1);
        assert_non_null(strstr(result.errors, "systemd"));
        daemon_result_free(&result);
    }
    close(descriptor);
}

static void what_is_anothers_is_not_taken(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){
        .environment = (const char *const[]){"LISTEN_PID=1", "LISTEN_FDS=1", NULL}});
    expect_good(daemon->url);
    daemon_stop(daemon);
}

/* ---- States ---- */

static void expect_state(int descriptor, const char *begin)
{
    char state[256] = "";
    const ssize_t size = TEMP_FAILURE_RETRY(recv(descriptor, state, sizeof state - 1, 0));
    assert_true(size > 0);
    if (strncmp(state, begin, strlen(begin)) != 0)
        fail_msg("the state is %s, not %s", state, begin);
}

static void check_states(int descriptor, const char *name)
{
    char variable[200];
    const struct timeval ceiling = {.tv_sec = 60};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &ceiling, sizeof ceiling);
    snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", name);
    daemon_process *const daemon =
        daemon_start(&(daemon_options){.environment = (const char *const[]){variable, NULL}});
    expect_state(descriptor, "READY=1");
    expect_good(daemon->url);
    kill(daemon->process.pid, SIGHUP);
    expect_state(descriptor, "RELOADING=1\nMONOTONIC_USEC=");
    expect_state(descriptor, "READY=1");
    kill(daemon->process.pid, SIGTERM);
    expect_state(descriptor, "STOPPING=1");
    assert_int_equal(daemon_finish(daemon), 0);
    close(descriptor);
}

static void systemd_is_told_of_states(void **state)
{
    (void)state;
    const char *const path = scratch_path("notify.sock");
    check_states(bound_socket(path, SOCK_DGRAM), path);
    char name[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "@layerd-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    check_states(descriptor, name);
}

static void without_systemd_there_is_nobody_to_tell(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){
        .environment = (const char *const[]){"NOTIFY_SOCKET=/nowhere/at/all", NULL}});
    expect_good(daemon->url);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_unix_socket_serves),
        daemon_test(its_permissions_are_an_option),
        daemon_test(it_stands_beside_others),
        daemon_test(a_stale_socket_is_replaced),
        daemon_test(what_is_in_use_is_left_alone),
        daemon_test(what_is_not_its_own_is_not_removed),
        daemon_test(its_clients_have_no_address_to_count),
        daemon_test(the_health_check_knows_it),
        cmocka_unit_test_teardown(a_socket_that_is_handed_over_serves, hand_back),
        cmocka_unit_test_teardown(a_unix_socket_that_is_handed_over_is_not_removed, hand_back),
        cmocka_unit_test_teardown(what_is_no_socket_is_no_start, hand_back),
        daemon_test(what_is_anothers_is_not_taken),
        daemon_test(systemd_is_told_of_states),
        daemon_test(without_systemd_there_is_nobody_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
