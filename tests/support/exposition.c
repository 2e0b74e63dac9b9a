/* What GET /metrics tells, read and checked.
 * SPDX-License-Identifier: MIT */
#include "support/exposition.h"

#include "support/child.h"
#include "support/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, LABELS_SIZE = 512 };

typedef struct {
    char name[NAME_SIZE];
    char labels[LABELS_SIZE]; /* between the braces */
    double value;
} sample;

/* Reads `name{labels} value` or `name value`; false if the line is something else. */
static bool read_sample(const char *line, sample *found)
{
    const size_t name = strcspn(line, "{ ");
    const char *at = line + name;
    if (name == 0 || name >= NAME_SIZE)
        return false;
    snprintf(found->name, NAME_SIZE, "%.*s", (int)name, line);
    found->labels[0] = '\0';
    if (*at == '{') {
        const char *const end = strstr(at, "} ");
        if (end == NULL || (size_t)(end - at) > LABELS_SIZE)
            return false;
        snprintf(found->labels, LABELS_SIZE, "%.*s", (int)(end - at - 1), at + 1);
        at = end + 1;
    }
    char *end = NULL;
    found->value = strtod(at, &end);
    return *at == ' ' && end != at + 1 && *end == '\0';
}

double metric_in(const char *page, const char *name, const char *labels)
{
    double sum = NAN;
    char *const copy = strdup(page), *rest = copy;
    for (const char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        sample found;
        if (*line != '#' && read_sample(line, &found) && strcmp(found.name, name) == 0 &&
            strstr(found.labels, labels) != NULL)
            sum = isnan(sum) ? found.value : sum + found.value;
    }
    free(copy);
    return sum;
}

struct metric_wish {
    const char *url, *name, *labels;
    double value;
};

static bool value_is_told(void *context)
{
    struct metric_wish *const wish = context;
    http_reply reply = http_get(wish->url, "/metrics");
    const bool told = reply.result == CURLE_OK && reply.status == 200;
    if (told)
        wish->value = metric_in(reply.body, wish->name, wish->labels);
    http_free(&reply);
    return told;
}

double metric(const char *url, const char *name, const char *labels)
{
    struct metric_wish wish = {url, name, labels, NAN};
    assert_true(wait_until(value_is_told, &wish));
    return wish.value;
}

static bool wish_is_fulfilled(void *context)
{
    const struct metric_wish *const wish = context;
    return metric(wish->url, wish->name, wish->labels) == wish->value;
}

bool metric_becomes(const char *url, const char *name, const char *labels, double value)
{
    return wait_until(wish_is_fulfilled, &(struct metric_wish){url, name, labels, value});
}

static bool wish_is_exceeded(void *context)
{
    const struct metric_wish *const wish = context;
    return metric(wish->url, wish->name, wish->labels) > wish->value;
}

static bool wish_is_undercut(void *argument)
{
    const struct metric_wish *const wish = argument;
    return metric(wish->url, wish->name, wish->labels) < wish->value;
}

bool metric_falls_below(const char *url, const char *name, const char *labels, double value)
{
    return wait_until(wish_is_undercut, &(struct metric_wish){url, name, labels, value});
}

bool metric_exceeds(const char *url, const char *name, const char *labels, double value)
{
    return wait_until(wish_is_exceeded, &(struct metric_wish){url, name, labels, value});
}

bool daemon_is_at_rest(const char *url)
{
    return metric_becomes(url, "layerd_memory_in_flight_bytes", "", 0) &&
           metric_becomes(url, "layerd_queue_length", "", 0) &&
           metric_becomes(url, "layerd_connections", "", 1);
}

/* ---- The format ---- */

static bool matches(const char *line, const char *pattern)
{
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    const bool matched = regexec(&compiled, line, 0, NULL, 0) == 0;
    regfree(&compiled);
    return matched;
}

/* The family of a sample: a histogram's samples have three endings. */
static void family_of(const char *name, const char *page, char family[NAME_SIZE])
{
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    snprintf(family, NAME_SIZE, "%s", name);
    for (size_t index = 0; index < sizeof endings / sizeof *endings; index++) {
        const size_t length = strlen(name), ending = strlen(endings[index]);
        char line[NAME_SIZE * 2];
        if (length <= ending || strcmp(name + length - ending, endings[index]) != 0)
            continue;
        snprintf(line, sizeof line, "# TYPE %.*s histogram\n", (int)(length - ending), name);
        if (strstr(page, line) != NULL)
            family[length - ending] = '\0';
    }
}

static void check_family(const char *name, const char *page)
{
    char family[NAME_SIZE], line[NAME_SIZE * 2];
    family_of(name, page, family);
    snprintf(line, sizeof line, "# HELP %s ", family);
    if (strstr(page, line) == NULL)
        fail_msg("no HELP of %s", family);
    snprintf(line, sizeof line, "# TYPE %s ", family);
    if (strstr(page, line) == NULL)
        fail_msg("no TYPE of %s", family);
}

/* Buckets follow each other with the same labels but "le"; the last is the count. */
static void check_bucket(const char *page, const sample *found, sample *before)
{
    if (strstr(found->name, "_bucket") == NULL)
        return;
    const size_t labels = (size_t)(strstr(found->labels, "le=\"") - found->labels);
    const bool first = strcmp(before->name, found->name) != 0 ||
                       strncmp(before->labels, found->labels, labels) != 0 ||
                       strstr(before->labels, "+Inf") != NULL;
    if (!first && found->value < before->value)
        fail_msg("%s{%s} is less than the bucket before", found->name, found->labels);
    if (strstr(found->labels, "le=\"+Inf\"") != NULL) {
        char name[NAME_SIZE], others[LABELS_SIZE];
        snprintf(name, NAME_SIZE, "%.*s_count", (int)strlen(found->name) - 7, found->name);
        snprintf(others, LABELS_SIZE, "%.*s", (int)(labels > 0 ? labels - 1 : 0), found->labels);
        assert_true(metric_in(page, name, others) == found->value);
    }
    *before = *found;
}

static void check_line(const char *line, const char *page, sample *before)
{
    static const char form[] = "^[a-zA-Z_:][a-zA-Z0-9_:]*"
                               "(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\]|\\\\.)*\""
                               "(,[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\]|\\\\.)*\")*\\})? "
                               "([+-]?[0-9.]+(e[+-]?[0-9]+)?|NaN|[+-]Inf)$";
    static const char comment[] =
        "^# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* "
        "(counter|gauge|histogram|summary|untyped))$";
    sample found;
    if (!matches(line, *line == '#' ? comment : form))
        fail_msg("not Prometheus' text format: %s", line);
    if (*line == '#')
        return;
    assert_true(read_sample(line, &found));
    check_family(found.name, page);
    check_bucket(page, &found, before);
}

void exposition_check(const char *page)
{
    sample before = {0};
    char *const copy = strdup(page), *rest = copy;
    for (const char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n"))
        check_line(line, page, &before);
    assert_int_equal(page[strlen(page) - 1], '\n');
    free(copy);
}
