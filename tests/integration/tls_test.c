/* TLS: what the daemon shows of itself, and how certificates come and go.
 * SPDX-License-Identifier: MIT */
#include "support/certificates.h"
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/exposition.h"
#include "support/raw_connection.h"
#include "support/scratch.h"
#include "support/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The certificate that clients trust is the one that the daemon of this serial number shows. */
static daemon_process *start(unsigned char serial)
{
    certificate_write("transport", serial);
    return daemon_with("--tls-certificate", scratch_path("transport.pem"), "--tls-key",
                       scratch_path("transport-key.pem"));
}

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* Of the certificate that a new connection is shown; 0 if there is none. */
static long serial_number(const char *url)
{
    CURL *const handle = curl_easy_init();
    struct curl_certinfo *chain = NULL;
    long serial = 0;
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    if (curl_easy_perform(handle) == CURLE_OK &&
        curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) == CURLE_OK && chain->num_of_certs > 0)
        for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next)
            if (strncmp(line->data, "Serial Number:", 14) == 0)
                serial = strtol(line->data + 14, NULL, 16);
    curl_easy_cleanup(handle);
    return serial;
}

/* The outcome of a connection of the given versions of TLS. */
static CURLcode try_version(const char *url, long versions)
{
    CURL *const handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_CAINFO, transport_authority());
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, versions);
    curl_easy_setopt(handle, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0");
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    const CURLcode result = curl_easy_perform(handle);
    curl_easy_cleanup(handle);
    return result;
}

static void clients_are_shown_the_certificate(void **state)
{
    (void)state;
    daemon_process *const daemon = start(7);
    assert_int_equal(strncmp(daemon->url, "https://127.0.0.1:", 18), 0);
    expect_good(daemon->url);
    assert_int_equal(serial_number(daemon->url), 7);
    const double left =
        metric(daemon->url, "layerd_tls_certificate_expiry_time_seconds", "") - (double)time(NULL);
    assert_true(fabs(left - 24 * 3600) < 3600);
    daemon_stop(daemon);
}

static void versions_that_are_broken_are_not_spoken(void **state)
{
    (void)state;
    daemon_process *const daemon = start(1);
    assert_int_equal(try_version(daemon->url, CURL_SSLVERSION_TLSv1_3), CURLE_OK);
    assert_int_equal(
        try_version(daemon->url, CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2), CURLE_OK);
    assert_int_equal(
        try_version(daemon->url, CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1),
        CURLE_SSL_CONNECT_ERROR);
    daemon_stop(daemon);
}

/* Nothing of it is taken for a request, and it holds nobody up. */
static void http_without_tls_is_not_answered(void **state)
{
    (void)state;
    daemon_process *const daemon = start(1);
    char plain[160];
    snprintf(plain, sizeof plain, "http%s", daemon->url + strlen("https"));
    http_reply reply = http_post(plain, "/v1/conv", LECTURE_REQUEST);
    assert_int_equal(reply.status, 0);
    http_free(&reply);
    expect_good(daemon->url);
    assert_true(metric_becomes(daemon->url, "layerd_requests_total", "operation=\"conv\"", 1));
    daemon_stop(daemon);
}

/* A reply in the middle of a body goes past the HTTP library, and through TLS all the same. */
static void a_body_without_end_is_told_why(void **state)
{
    (void)state;
    certificate_write("transport", 1);
    daemon_process *const daemon =
        daemon_with("--tls-certificate", scratch_path("transport.pem"), "--tls-key",
                    scratch_path("transport-key.pem"), "--max-body", "100000");
    char *const body = malloc(8 << 20);
    assert_non_null(body);
    memset(body, ' ', 8 << 20);
    http_reply reply = http_send(
        daemon->url,
        &(http_request){.path = "/v1/conv", .body = body, .body_size = 8 << 20, .chunked = true});
    free(body);
    expect_problem(&reply, 413, NULL, "100000");
    http_free(&reply);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

/* ---- Reading the files again ---- */

static void reload(const daemon_process *daemon, const char *message)
{
    kill(daemon->process.pid, SIGHUP);
    cJSON *const line = daemon_log_line(daemon, "message", message);
    if (line == NULL)
        fail_msg("the log does not say: %s", message);
    cJSON_Delete(line);
}

static void sighup_shows_the_new_certificate(void **state)
{
    (void)state;
    daemon_process *const daemon = start(1);
    http_client *const kept = http_open(daemon->url);
    const http_request request = {.path = "/v1/conv", .body = LECTURE_REQUEST};
    http_reply reply = http_exchange(kept, &request);
    expect_lecture(&reply);
    http_free(&reply);
    certificate_write("transport", 2);
    assert_int_equal(serial_number(daemon->url), 1);
    reload(daemon, "the certificate is read again");
    assert_int_equal(serial_number(daemon->url), 2);
    expect_good(daemon->url);
    reply = http_exchange(kept, &request);
    expect_lecture(&reply);
    assert_int_equal(reply.connects, 0);
    http_free(&reply);
    http_close(kept);
    daemon_stop(daemon);
}

static void check_kept(const daemon_process *daemon, const char *file, const char *reason)
{
    char message[300];
    snprintf(message, sizeof message, "the certificate stays as it was: %s: %s", scratch_path(file),
             reason);
    reload(daemon, message);
    assert_int_equal(serial_number(daemon->url), 1);
}

static void bad_files_keep_the_certificate(void **state)
{
    (void)state;
    daemon_process *const daemon = start(1);
    scratch_write("transport.pem",
                  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    check_kept(daemon, "transport.pem", "ASN1 parser: Error in TAG.");
    unlink(scratch_path("transport.pem"));
    check_kept(daemon, "transport.pem", "Error while reading file.");
    certificate_write("transport", 3);
    scratch_write("transport-key.pem", "");
    check_kept(daemon, "transport-key.pem", "there is no key in it");
    daemon_stop(daemon);
}

struct siege {
    const daemon_process *daemon;
    int answered;
};

/* Each on a connection of its own: there is always a handshake under way. */
static bool next_of_siege(void *context, size_t client, http_request *request)
{
    (void)client;
    struct siege *const siege = context;
    static const char *const headers[] = {"Connection: close", NULL};
    *request = (http_request){.path = "/v1/conv", .headers = headers, .body = LECTURE_REQUEST};
    return siege->answered < 400;
}

static void seen_in_siege(void *context, size_t client, const http_reply *reply)
{
    (void)client;
    struct siege *const siege = context;
    expect_lecture(reply);
    siege->answered++;
    kill(siege->daemon->process.pid, SIGHUP);
}

static void reloads_under_load_fail_no_handshake(void **state)
{
    (void)state;
    struct siege siege = {.daemon = start(1)};
    http_crowd_run(&(http_crowd){.url = siege.daemon->url,
                                 .clients = 16,
                                 .next = next_of_siege,
                                 .seen = seen_in_siege,
                                 .context = &siege});
    assert_true(siege.answered >= 400);
    daemon_stop((daemon_process *)(uintptr_t)siege.daemon);
}

/* They are freed at a reload, when no handshake can be using them any more. */
static void old_certificates_are_dropped(void **state)
{
    (void)state;
    static const char message[] = "the certificate is read again";
    certificate_write("transport", 1);
    daemon_process *const daemon =
        daemon_with("--tls-certificate", scratch_path("transport.pem"), "--tls-key",
                    scratch_path("transport-key.pem"), "--head-timeout", "0.01");
    for (int round = 1; round <= 20; round++) {
        kill(daemon->process.pid, SIGHUP);
        while (daemon_log_count(daemon, "message", message) < round)
            continue;
    }
    daemon_stop(daemon);
}

/* ---- Start ---- */

static void check_no_start(const char *certificate, const char *key, int status, const char *reason)
{
    daemon_result result =
        daemon_run((const char *const[]){"--listen", "127.0.0.1:0", "--tls-certificate",
                                         certificate, "--tls-key", key, NULL},
                   NULL);
    print_message("%s", result.errors);
    assert_int_equal(result.status, status);
    assert_string_equal(result.output, "");
    assert_non_null(strstr(result.errors, reason));
    daemon_result_free(&result);
}

static void bad_files_are_no_start(void **state)
{
    (void)state;
    certificate_write("one", 1);
    certificate_write("two", 2);
    const char *const one = scratch_path("one.pem"), *const key = scratch_path("one-key.pem");
    check_no_start(scratch_path("absent.pem"), key, 1, "absent.pem");
    check_no_start(one, scratch_path("absent.pem"), 1, "absent.pem");
    check_no_start(scratch_write("noise.pem", "noise"), key, 1, "noise.pem");
    check_no_start(one, scratch_path("noise.pem"), 1, "noise.pem': there is no key in it");
    check_no_start(one, scratch_path("two-key.pem"), 1, "two-key.pem': The certificate and the");
    check_no_start(one, "", 2, "--tls-certificate and --tls-key");
    check_no_start("", key, 2, "--tls-certificate and --tls-key");
}

/* ---- The health check ---- */

static int health(const char *argument, const char *variable)
{
    daemon_result result = daemon_run(
        (const char *const[]){"healthcheck", argument, NULL},
        (const char *const[]){variable, "LAYERD_TLS_CERTIFICATE=a", "LAYERD_TLS_KEY=b", NULL});
    print_message("%s%s", result.output, result.errors);
    const int status = result.status;
    daemon_result_free(&result);
    return status;
}

static void the_health_check_speaks_tls(void **state)
{
    (void)state;
    daemon_process *const daemon = start(1);
    char plain[160], variable[160];
    snprintf(plain, sizeof plain, "http%s", daemon->url + strlen("https"));
    snprintf(variable, sizeof variable, "LAYERD_LISTEN=%s", daemon->url + strlen("https://"));
    assert_int_equal(health(daemon->url, "LAYERD_LISTEN=127.0.0.1:1"), 0);
    assert_int_equal(health(NULL, variable), 0);
    assert_int_equal(health(plain, variable), 1);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(clients_are_shown_the_certificate),
        daemon_test(versions_that_are_broken_are_not_spoken),
        daemon_test(http_without_tls_is_not_answered),
        daemon_test(a_body_without_end_is_told_why),
        daemon_test(sighup_shows_the_new_certificate),
        daemon_test(bad_files_keep_the_certificate),
        daemon_test(reloads_under_load_fail_no_handshake),
        daemon_test(old_certificates_are_dropped),
        daemon_test(bad_files_are_no_start),
        daemon_test(the_health_check_speaks_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
