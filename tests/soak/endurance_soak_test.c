/* Ten million requests, and memory that is short: nothing grows, nothing dies.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/exposition.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- Many requests ---- */

enum { CLIENTS = 8, SAMPLES = 10 };

/* Computed at once, by a worker, larger than a socket's buffer, refused. */
static void ask_all_kinds(const daemon_process *daemon, size_t requests)
{
    static const struct {
        const char *path, *body;
        size_t share; /* one in so many */
    } kinds[] = {
        {"/v1/conv", LECTURE_REQUEST, 1},
        {"/v1/variance",
         "{\"method\":\"xavier_normal\",\"widths\":[30,30],\"samples\":64,\"seed\":1}", 20},
        {"/v1/initialize", "{\"method\":\"orthogonal\",\"shape\":[60,60],\"seed\":1}", 100},
    };
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        load_options options = lecture_load(daemon, CLIENTS);
        options.path = kinds[kind].path;
        options.body = kinds[kind].body;
        options.expected = NULL;
        options.requests = requests / kinds[kind].share;
        const load_figures figures = load_finish(load_start(&options));
        assert_int_equal(figures.answered, options.requests);
    }
}

/* The slope of the least squares' line through the samples, per million requests. */
static double slope(const double samples[SAMPLES], double requests_between)
{
    const double middle = (SAMPLES - 1) / 2.0;
    double above = 0, below = 0;
    for (int i = 0; i < SAMPLES; i++) {
        above += (i - middle) * samples[i];
        below += (i - middle) * (i - middle);
    }
    return above / below / requests_between * 1e6;
}

static void ten_million_requests(void **state)
{
    (void)state;
    const size_t requests = soak_count(20000, 10000000);
    daemon_process *const daemon =
        daemon_with("--inline-multiplications", "1000", "--log", "error");
    double memory[SAMPLES];
    ask_all_kinds(daemon, requests / SAMPLES);
    const holdings before = daemon_holdings(daemon);
    const double begun = seconds_now();
    for (int sample = 0; sample < SAMPLES; sample++) {
        ask_all_kinds(daemon, requests / SAMPLES);
        memory[sample] = daemon_holdings(daemon).memory;
    }
    const double seconds = seconds_now() - begun;
    wait_for_holdings(daemon, &before);
    const holdings after = daemon_holdings(daemon);
    soak_figure(
        "ten million requests", "memory grows by less than 1 MB per million; descriptors flat",
        "%zu requests in %.0f s, all answered: resident memory %.1f MB before, %.1f MB "
        "after, slope %+.2f MB per million; %.0f descriptors before, %.0f after",
        requests, seconds, before.memory / 1e6, after.memory / 1e6,
        slope(memory, (double)requests / SAMPLES) / 1e6, before.descriptors, after.descriptors);
    if (soaking() && !sanitized())
        assert_true(slope(memory, (double)requests / SAMPLES) < 1e6);
    daemon_stop(daemon);
}

/* ---- Little memory ---- */

/* So many bytes of address space more than it has now. */
static void grant_little(const daemon_process *daemon, size_t more)
{
    char path[64];
    size_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)daemon->process.pid);
    FILE *const file = fopen(path, "r");
    assert_true(file != NULL && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    const rlim_t limit = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
    assert_int_equal(prlimit(daemon->process.pid, RLIMIT_AS,
                             &(struct rlimit){.rlim_cur = limit, .rlim_max = limit}, NULL),
                     0);
}

static bool has_answered(void *of)
{
    return load_answered(of) > 0;
}

/* More memory by its limits than the system grants it: what cannot be had is refused for now. */
static void memory_that_the_system_refuses(void **state)
{
    (void)state;
    if (sanitized()) {
        print_message("skipped: a sanitizer takes more address space than is granted here\n");
        skip();
    }
    /* One heap: those of threads reserve more address space than they use. */
    daemon_process *const daemon = daemon_start(&(daemon_options){
        .arguments = HTTP_HEADERS("--max-memory", "8GiB", "--workers", "4", "--log", "off"),
        .environment = HTTP_HEADERS("MALLOC_ARENA_MAX=1")});
    grant_little(daemon, (size_t)100 << 20);
    load_options options = lecture_load(daemon, 32), small = lecture_load(daemon, 2);
    small.pause_if_refused = 0.02;
    options.path = "/v1/initialize";
    options.body =
        "{\"method\":\"xavier_uniform\",\"shape\":[2500,2000],\"output_format\":\"binary\"}";
    options.expected = NULL;
    options.requests = soak_count(48, 1024);
    options.pause_if_refused = 0.02;
    load *const hard = load_start(&options), *const easy = load_start(&small);
    const load_figures figures = load_finish(hard);
    assert_true(wait_until(has_answered, easy));
    const load_figures others = load_stop(easy);
    soak_figure("memory that the system refuses (100 MB by RLIMIT_AS, 8 GiB by --max-memory)",
                "refused for now, never killed",
                "%zu requests for 20 MB from 32 clients: %zu answered, %zu times 503, %zu "
                "otherwise; small ones meanwhile: %zu answered, %zu times 503, %zu otherwise",
                options.requests, figures.answered, figures.refused, figures.failed,
                others.answered, others.refused, others.failed);
    expect_good(daemon->url);
    assert_int_equal(figures.failed + others.failed, 0);
    assert_true(figures.answered > 0 && others.answered > 0);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(ten_million_requests),
        daemon_test(memory_that_the_system_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
