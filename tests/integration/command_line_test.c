/* The daemon's command line: help, version, options by flag and by environment, exit codes.
 * SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "support/daemon_process.h"
#include "support/expect.h"
#include "support/free_port.h"
#include "support/raw_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const options[] = {"listen",
                                      "socket-mode",
                                      "isa",
                                      "io-threads",
                                      "workers",
                                      "max-body",
                                      "max-json",
                                      "max-elements",
                                      "max-axis",
                                      "max-multiplications",
                                      "max-memory",
                                      "queue",
                                      "deadline",
                                      "max-connections",
                                      "max-connections-per-address",
                                      "head-timeout",
                                      "body-timeout",
                                      "min-rate",
                                      "idle-timeout",
                                      "drain-delay",
                                      "drain-deadline",
                                      "token-file",
                                      "tls-certificate",
                                      "tls-key",
                                      "cors-origins",
                                      "log"};

static void help_names_every_option(void **state)
{
    (void)state;
    daemon_result result = daemon_run(WORDS("--help"), NULL);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.errors, "");
    for (size_t index = 0; index < sizeof options / sizeof *options; index++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--%s ", options[index]);
        if (strstr(result.output, flag) == NULL)
            fail_msg("--help does not tell of %s", flag);
    }
    daemon_result_free(&result);
}

static void version_is_printed(void **state)
{
    (void)state;
    daemon_result result = daemon_run(WORDS("--version"), NULL);
    assert_int_equal(result.status, 0);
    char expected[128];
    snprintf(expected, sizeof expected, "layerd " LAYERD_VERSION " (%s)\n", api_isa_name(0));
    assert_string_equal(result.output, expected);
    assert_string_equal(result.errors, "");
    daemon_result_free(&result);
}

/* A flag, the variable of the same name and a flag with '=' give the same configuration. */
static void check_option(const char *name, const char *value)
{
    char flag[64], assigned[128], variable[128] = "LAYERD_";
    snprintf(flag, sizeof flag, "--%s", name);
    snprintf(assigned, sizeof assigned, "--%s=%s", name, value);
    size_t length = strlen(variable);
    for (const char *at = name; *at != '\0'; at++)
        variable[length++] = (char)(*at == '-' ? '_' : *at - 'a' + 'A');
    snprintf(variable + length, sizeof variable - length, "=%s", value);
    daemon_result preset = daemon_run(WORDS("--print-config"), NULL),
                  by_flag = daemon_run(WORDS(flag, value, "--print-config"), NULL),
                  by_equals = daemon_run(WORDS("--print-config", assigned), NULL),
                  by_variable = daemon_run(WORDS("--print-config"), WORDS(variable));
    print_message("%s\n", assigned);
    assert_int_equal(by_flag.status, 0);
    assert_string_equal(by_flag.output, by_equals.output);
    assert_string_equal(by_flag.output, by_variable.output);
    assert_string_not_equal(by_flag.output, preset.output);
    daemon_result_free(&preset);
    daemon_result_free(&by_flag);
    daemon_result_free(&by_equals);
    daemon_result_free(&by_variable);
}

static void variables_equal_flags(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"listen", "127.0.0.1:1234"},
        {"listen", "unix:/run/layerd.sock"},
        {"socket-mode", "0600"},
        {"isa", "baseline"},
        {"io-threads", "3"},
        {"workers", "5"},
        {"max-body", "3MiB"},
        {"max-json", "2000000"},
        {"max-elements", "1000"},
        {"max-axis", "100000"},
        {"max-memory", "100MiB"},
        {"max-multiplications", "1000000"},
        {"queue", "7"},
        {"deadline", "2.5"},
        {"max-connections", "99"},
        {"max-connections-per-address", "9"},
        {"head-timeout", "1.5"},
        {"body-timeout", "2"},
        {"min-rate", "1KiB"},
        {"idle-timeout", "3"},
        {"drain-delay", "1"},
        {"drain-deadline", "2"},
        {"token-file", "/etc/layerd/tokens"},
        {"cors-origins", "https://a.example"},
        {"log", "error"},
    };
    for (size_t index = 0; index < sizeof rows / sizeof *rows; index++)
        check_option(rows[index].name, rows[index].value);
}

static void a_flag_goes_before_a_variable(void **state)
{
    (void)state;
    daemon_result by_flag = daemon_run(WORDS("--queue", "7", "--print-config"), NULL),
                  by_both =
                      daemon_run(WORDS("--queue", "7", "--print-config"), WORDS("LAYERD_QUEUE=9"));
    assert_string_equal(by_flag.output, by_both.output);
    daemon_result_free(&by_flag);
    daemon_result_free(&by_both);
}

/* Exit 2, nothing on stdout, and one line that names the option or the word. */
static void check_usage_error(const char *const arguments[], const char *const environment[],
                              const char *blamed)
{
    daemon_result result = daemon_run(arguments, environment);
    print_message("%s", result.errors);
    assert_int_equal(result.status, 2);
    assert_string_equal(result.output, "");
    assert_non_null(strstr(result.errors, blamed));
    assert_ptr_equal(strchr(result.errors, '\n'), result.errors + strlen(result.errors) - 1);
    daemon_result_free(&result);
}

static void bad_options_are_exit_2_with_a_sentence(void **state)
{
    (void)state;
    check_usage_error(WORDS("--nothing"), NULL, "--nothing");
    check_usage_error(WORDS("serve"), NULL, "serve");
    check_usage_error(WORDS("--isa", "sse9"), NULL, "--isa");
    int isa;
    if (!api_isa_find("avx512", &isa))
        check_usage_error(WORDS("--isa", "avx512"), NULL, "this processor has");
    check_usage_error(WORDS("--queue"), NULL, "--queue");
    check_usage_error(WORDS("--queue", "many"), NULL, "many");
    check_usage_error(WORDS("--queue", "-1"), NULL, "-1");
    check_usage_error(WORDS("--queue", "99999999999999999999"), NULL, "--queue");
    check_usage_error(WORDS("--queue=1x"), NULL, "1x");
    check_usage_error(WORDS("--max-body", "1parsec"), NULL, "parsec");
    check_usage_error(WORDS("--deadline", "nan"), NULL, "nan");
    check_usage_error(WORDS("--deadline", "1e999"), NULL, "--deadline");
    check_usage_error(WORDS("--workers", "0"), NULL, "--workers");
    check_usage_error(WORDS("--workers", "1000"), NULL, "--workers");
    check_usage_error(WORDS("--log", "loud"), NULL, "loud");
    check_usage_error(WORDS("--socket-mode", "rw"), NULL, "rw");
    check_usage_error(WORDS("--socket-mode", "0880"), NULL, "0880");
    check_usage_error(WORDS("--socket-mode", "1777"), NULL, "expected octal permissions");
    check_usage_error(NULL, WORDS("LAYERD_QUEUE=many"), "LAYERD_QUEUE");
}

static void check_no_listening(const char *address)
{
    daemon_result result = daemon_run(WORDS("--listen", address), NULL);
    print_message("%s: exit %d, %s", address, result.status, result.errors);
    assert_true(result.status == 1 || result.status == 2);
    assert_non_null(strstr(result.errors, address));
    daemon_result_free(&result);
}

static void addresses_that_cannot_be_listened_on_are_told(void **state)
{
    (void)state;
    check_no_listening("127.0.0.1");
    check_no_listening("127.0.0.1:99999");
    check_no_listening("127.0.0.1:x");
    check_no_listening("999.0.0.1:0");
    check_no_listening("192.0.2.1:0");
}

static void a_port_in_use_is_exit_1_with_a_sentence(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", daemon->port);
    daemon_result result = daemon_run(WORDS("--listen", address), NULL);
    print_message("%s", result.errors);
    assert_int_equal(result.status, 1);
    assert_string_equal(result.output, "");
    assert_non_null(strstr(result.errors, address));
    daemon_result_free(&result);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

static void the_first_line_tells_version_and_address(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_start(&(daemon_options){0});
    char expected[256];
    snprintf(expected, sizeof expected, "layerd " LAYERD_VERSION " listening on %s\n", daemon->url);
    char *const output = child_text(daemon->process.output);
    assert_int_equal(strncmp(output, expected, strlen(expected)), 0);
    assert_true(daemon->port > 0);
    assert_int_equal(strncmp(daemon->url, "http://127.0.0.1:", 17), 0);
    free(output);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

static bool is_not_ready(void *url)
{
    http_reply reply = http_get(url, "/v2/health/ready");
    const bool found = reply.status == 503;
    http_free(&reply);
    return found;
}

static void check_health(const char *url, int status)
{
    assert_true(health_check_ends(url, NULL, status));
}

static void healthcheck_tells_by_its_exit_code(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--drain-delay", "600");
    char address[64];
    check_health(daemon->url, 0);
    snprintf(address, sizeof address, "LAYERD_LISTEN=127.0.0.1:%d", daemon->port);
    assert_true(health_check_ends(NULL, address, 0));
    kill(daemon->process.pid, SIGTERM);
    assert_true(wait_until(is_not_ready, daemon->url));
    check_health(daemon->url, 1);
    kill(daemon->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(daemon), 0);
    snprintf(address, sizeof address, "http://127.0.0.1:%d", free_port());
    check_health(address, 1);
}

static void log_off_is_silent(void **state)
{
    (void)state;
    daemon_process *const daemon = daemon_with("--log", "off");
    expect_good(daemon->url);
    char *const log = child_text(daemon->process.errors);
    assert_string_equal(log, "");
    free(log);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(version_is_printed),
        cmocka_unit_test(variables_equal_flags),
        cmocka_unit_test(a_flag_goes_before_a_variable),
        cmocka_unit_test(bad_options_are_exit_2_with_a_sentence),
        cmocka_unit_test(addresses_that_cannot_be_listened_on_are_told),
        daemon_test(a_port_in_use_is_exit_1_with_a_sentence),
        daemon_test(the_first_line_tells_version_and_address),
        daemon_test(healthcheck_tells_by_its_exit_code),
        daemon_test(log_off_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
