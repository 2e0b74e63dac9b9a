/* Dashboard, alerts and autoscaler ask for metrics that there are, and no metric is forgotten.
 * SPDX-License-Identifier: MIT */
#include "support/daemon_process.h"
#include "support/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char dashboard[] = "docker/monitoring/dashboard.json";

static char *read_file(const char *path)
{
    char *text = NULL, block[4096];
    size_t size = 0, count;
    FILE *const file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        text_append(&text, &size, block, count);
    fclose(file);
    return text;
}

/* With TLS, for a metric that there is only then. */
static char *metrics_page(void)
{
    setenv("TRANSPORT", "tls", 1);
    http_reply reply = http_get(service_url(), "/metrics");
    expect_status(&reply, 200);
    char *const page = strdup(reply.body);
    http_free(&reply);
    return page;
}

/* Calls `check` with what the pattern's first group matches, again and again; how often. */
static int each_match(const char *text, const char *pattern,
                      void (*check)(const char *word, const char *subject), const char *subject)
{
    regex_t compiled;
    regmatch_t found[2];
    int count = 0;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED), 0);
    for (; regexec(&compiled, text, 2, found, 0) == 0; text += found[0].rm_eo, count++) {
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)(found[1].rm_eo - found[1].rm_so),
                 text + found[1].rm_so);
        check(word, subject);
    }
    regfree(&compiled);
    return count;
}

static void expect_sample(const char *name, const char *page)
{
    char labelled[160], plain[160];
    snprintf(labelled, sizeof labelled, "\n%s{", name);
    snprintf(plain, sizeof plain, "\n%s ", name);
    if (strstr(page, labelled) == NULL && strstr(page, plain) == NULL)
        fail_msg("/metrics has no %s", name);
}

static void expect_label(const char *name, const char *page)
{
    char label[160];
    snprintf(label, sizeof label, "%s=\"", name);
    if (strcmp(name, "instance") != 0 && strstr(page, label) == NULL) /* Prometheus' own */
        fail_msg("/metrics has no label %s", name);
}

static void what_is_asked_for_is_there(void **state)
{
    (void)state;
    static const char *const files[] = {dashboard, "docker/monitoring/rules.yaml",
                                        "docker/kubernetes/autoscaler.yaml"};
    char *const page = metrics_page();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *const text = read_file(files[i]);
        const int names =
            each_match(text, "[^a-z_:]((layerd|process)_[a-z_]+)[^a-z_:]", expect_sample, page);
        each_match(text, "\\{\\{ *([a-z_]+) *\\}\\}", expect_label, page);
        print_message("%s: %d metrics\n", files[i], names);
        assert_true(names > 0);
        free(text);
    }
    free(page);
}

static void expect_shown(const char *name, const char *board)
{
    if (strstr(board, name) == NULL)
        fail_msg("the dashboard does not show %s", name);
}

static void what_is_there_is_shown(void **state)
{
    (void)state;
    char *const page = metrics_page(), *const board = read_file(dashboard);
    assert_true(each_match(page, "# TYPE ([a-z_]+) ", expect_shown, board) > 10);
    cJSON *const json = cJSON_Parse(board);
    assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "panels")));
    cJSON_Delete(json);
    free(board);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_there),
        cmocka_unit_test(what_is_there_is_shown),
    };
    return service_run_tests(tests);
}
