/* The daemon under test.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"

#include "support/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_SECONDS = 300, MOST_WORDS = 64 };

static daemon_process *running; /* all but the common one */
static daemon_process *common;
static const char *const *common_arguments;

const char *daemon_binary(void)
{
    static char path[1024];
    const char *const given = getenv("LAYERD_BINARY"), *const out = getenv("OUT");
    if (given != NULL)
        snprintf(path, sizeof path, "%s", given);
    else
        snprintf(path, sizeof path, "%s/layerd", out != NULL ? out : "build/release");
    if (access(path, X_OK) != 0) {
        print_message("skipped: %s is no program; set LAYERD_BINARY\n", path);
        skip();
    }
    return path;
}

static void collect(const char *list[], size_t *count, const char *const more[])
{
    for (; more != NULL && *more != NULL && *count + 1 < MOST_WORDS; more++)
        list[(*count)++] = *more;
    list[*count] = NULL;
}

static bool has_printed_url(void *context)
{
    daemon_process *const daemon = context;
    char *const text = child_text(daemon->process.output);
    const char *const address = strstr(text, " listening on ");
    const bool whole = address != NULL && strchr(text, '\n') != NULL &&
                       sscanf(address, " listening on %127s", daemon->url) == 1;
    if (whole && strncmp(daemon->url, "unix:", 5) != 0)
        daemon->port = atoi(strrchr(daemon->url, ':') + 1);
    free(text);
    return whole || !child_runs(&daemon->process);
}

/* There is time for everything, on a busy machine too, unless a test says otherwise. */
static daemon_process *start(const daemon_options *options)
{
    const char *arguments[MOST_WORDS] = {daemon_binary()};
    const char *environment[MOST_WORDS] = {"LAYERD_LISTEN=127.0.0.1:0",
                                           "LAYERD_DRAIN_DELAY=0",
                                           "LAYERD_DEADLINE=600",
                                           "LAYERD_HEAD_TIMEOUT=600",
                                           "LAYERD_BODY_TIMEOUT=600",
                                           "LAYERD_IDLE_TIMEOUT=600",
                                           "ASAN_OPTIONS=verify_asan_link_order=0"};
    size_t argument_count = 1, environment_count = 7;
    collect(environment, &environment_count, transport_environment());
    collect(arguments, &argument_count, options->arguments);
    collect(environment, &environment_count, options->environment);
    daemon_process *const daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        abort();
    daemon->process = child_start(arguments, environment, options->log > 0 ? options->log : -1);
    wait_until(has_printed_url, daemon);
    return daemon;
}

static void print_tail(const daemon_process *daemon)
{
    if (daemon->process.errors < 0)
        return;
    char *const text = child_text(daemon->process.errors);
    const size_t size = strlen(text), shown = size < 4000 ? size : 4000;
    fprintf(stderr, "the daemon's log ends:\n%s\n", text + size - shown);
    free(text);
}

static void forget(daemon_process *daemon)
{
    for (daemon_process **at = &running; *at != NULL; at = &(*at)->following)
        if (*at == daemon) {
            *at = daemon->following;
            break;
        }
    child_destroy(&daemon->process);
    free(daemon);
}

daemon_process *daemon_start(const daemon_options *options)
{
    daemon_process *const daemon = start(options);
    daemon->following = running;
    running = daemon;
    if (daemon->url[0] == '\0') {
        print_tail(daemon);
        fail_msg("the daemon did not start");
    }
    return daemon;
}

/* The first line that is no JSON object; NULL if there is none. */
static char *bad_line(const daemon_process *daemon)
{
    if (daemon->process.errors < 0)
        return NULL;
    char *const text = child_text(daemon->process.errors);
    char *rest = text, *bad = NULL;
    for (char *line = strsep(&rest, "\n"); line != NULL && bad == NULL;
         line = strsep(&rest, "\n")) {
        cJSON *const value = cJSON_ParseWithOpts(line, NULL, true);
        if (*line != '\0' && rest != NULL && !cJSON_IsObject(value))
            bad = strdup(line);
        cJSON_Delete(value);
    }
    free(text);
    return bad;
}

void daemon_check_log(const daemon_process *daemon)
{
    char *const bad = bad_line(daemon);
    if (bad == NULL)
        return;
    print_tail(daemon);
    print_error("no JSON object in the log: %s\n", bad);
    free(bad);
    fail();
}

int daemon_finish(daemon_process *daemon)
{
    const int status = child_wait(&daemon->process, STOP_SECONDS);
    char *const bad = bad_line(daemon);
    const bool clean = bad == NULL;
    if (!clean || status != 0)
        print_tail(daemon);
    free(bad);
    forget(daemon);
    if (!clean)
        fail_msg("the daemon's log has a line that is no JSON object");
    return status;
}

void daemon_stop(daemon_process *daemon)
{
    kill(daemon->process.pid, SIGTERM);
    const int status = daemon_finish(daemon);
    if (status != 0)
        fail_msg("the daemon ended with %d", status);
}

void daemon_kill(daemon_process *daemon)
{
    kill(daemon->process.pid, SIGKILL);
    child_wait(&daemon->process, STOP_SECONDS);
    forget(daemon);
}

int daemon_teardown(void **state)
{
    (void)state;
    int left = 0;
    while (running != NULL) {
        print_tail(running);
        forget(running);
        left++;
    }
    return -left;
}

bool service_is_foreign(void)
{
    return getenv("LAYERD_URL") != NULL;
}

void service_set_arguments(const char *const arguments[])
{
    common_arguments = arguments;
}

const char *service_url(void)
{
    if (service_is_foreign())
        return getenv("LAYERD_URL");
    if (common == NULL) {
        common = start(&(daemon_options){.arguments = common_arguments});
        if (common->url[0] == '\0') {
            print_tail(common);
            fail_msg("the daemon did not start");
        }
    }
    return common->url;
}

int service_stop(void)
{
    if (common == NULL)
        return 0;
    daemon_process *const daemon = common;
    common = NULL;
    kill(daemon->process.pid, SIGTERM);
    const int status = child_wait(&daemon->process, STOP_SECONDS);
    char *const bad = bad_line(daemon);
    const bool clean = status == 0 && bad == NULL;
    if (!clean) {
        print_tail(daemon);
        print_error("the common daemon ended with %d; %s\n", status, bad != NULL ? bad : "");
    }
    free(bad);
    forget(daemon);
    return clean ? 0 : 1;
}

struct line_search {
    const daemon_process *daemon;
    const char *key, *value;
    cJSON *found;
    int count;
};

static void search(struct line_search *search)
{
    char *const text = child_text(search->daemon->process.errors);
    char *rest = text;
    search->count = 0;
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        cJSON *object = cJSON_Parse(line);
        const char *const value =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, search->key));
        if (value != NULL && strcmp(value, search->value) == 0) {
            search->count++;
            if (search->found == NULL) {
                search->found = object;
                object = NULL;
            }
        }
        cJSON_Delete(object);
    }
    free(text);
}

static bool has_line(void *context)
{
    struct line_search *const wanted = context;
    search(wanted);
    return wanted->found != NULL;
}

cJSON *daemon_log_line(const daemon_process *daemon, const char *key, const char *value)
{
    struct line_search wanted = {.daemon = daemon, .key = key, .value = value};
    wait_until(has_line, &wanted);
    return wanted.found;
}

int daemon_log_count(const daemon_process *daemon, const char *key, const char *value)
{
    struct line_search wanted = {.daemon = daemon, .key = key, .value = value};
    search(&wanted);
    cJSON_Delete(wanted.found);
    return wanted.count;
}

daemon_result daemon_run(const char *const arguments[], const char *const environment[])
{
    const char *words[MOST_WORDS] = {daemon_binary()};
    size_t count = 1;
    collect(words, &count, arguments);
    child process = child_start(words, environment, -1);
    daemon_result result = {.status = child_wait(&process, STOP_SECONDS)};
    result.output = child_text(process.output);
    result.errors = child_text(process.errors);
    child_destroy(&process);
    return result;
}

void daemon_result_free(daemon_result *result)
{
    free(result->output);
    free(result->errors);
    *result = (daemon_result){0};
}

struct check_up {
    const char *url, *variable;
    int status;
};

static bool ends_as_expected(void *context)
{
    const struct check_up *const check = context;
    daemon_result result = daemon_run((const char *const[]){"healthcheck", check->url, NULL},
                                      (const char *const[]){check->variable, NULL});
    print_message("healthcheck: exit %d, %s%s", result.status, result.output, result.errors);
    const bool as_expected = result.status == check->status;
    daemon_result_free(&result);
    return as_expected;
}

bool health_check_ends(const char *url, const char *variable, int status)
{
    return wait_until(ends_as_expected, &(struct check_up){url, variable, status});
}
