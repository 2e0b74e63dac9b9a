/* Signals under load, again and again: SIGTERM loses no request that was accepted, and after
 * SIGKILL the daemon starts again where it was. SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/free_port.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 16, ENOUGH = 200 };

static daemon_process *start_at(int port)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    return daemon_with("--listen", address, "--inline-multiplications", "0", "--log", "error");
}

static bool has_answered_enough(void *of)
{
    return load_answered(of) >= ENOUGH;
}

/* Kills it while clients ask, and starts another in its place at once: it must get the same port
 * and answer. */
static void kill_again_and_again(void **state)
{
    (void)state;
    const size_t rounds = soak_count(5, 100);
    daemon_process *daemon = start_at(free_port());
    double longest = 0;
    for (size_t round = 0; round < rounds; round++) {
        const load_options options = lecture_load(daemon, CLIENTS);
        load *const running = load_start(&options);
        const int port = daemon->port;
        assert_true(wait_until(has_answered_enough, running));
        const double begun = seconds_now();
        daemon_kill(daemon);
        daemon = start_at(port);
        expect_good(daemon->url);
        const double seconds = seconds_now() - begun;
        longest = seconds > longest ? seconds : longest;
        load_stop(running);
    }
    soak_figure("SIGKILL under load, and a new start on the same port", "answers again each time",
                "%zu times; at most %.0f ms from the signal to an answer", rounds, longest * 1e3);
    daemon_stop(daemon);
}

/* How many replies of 200 the daemon says to have sent: it logs each. */
static size_t count_answers(const daemon_process *daemon)
{
    size_t count = 0;
    char *const log = child_text(daemon->process.errors);
    for (const char *at = log; (at = strstr(at, "\"status\":200")) != NULL; at++)
        count++;
    free(log);
    return count;
}

static bool has_ended(void *daemon)
{
    return !child_runs(&((daemon_process *)daemon)->process);
}

static void terminate_again_and_again(void **state)
{
    (void)state;
    const size_t rounds = soak_count(5, 100);
    size_t answered = 0, lost = 0;
    for (size_t round = 0; round < rounds; round++) {
        daemon_process *const daemon =
            daemon_with("--inline-multiplications", "0", "--drain-delay", "0");
        const load_options options = lecture_load(daemon, CLIENTS);
        load *const running = load_start(&options);
        assert_true(wait_until(has_answered_enough, running));
        kill(daemon->process.pid, SIGTERM);
        assert_true(wait_until(has_ended, daemon));
        const load_figures figures = load_stop(running);
        const size_t sent = count_answers(daemon);
        answered += figures.answered;
        lost += sent > figures.answered ? sent - figures.answered : 0; /* its log may lose lines */
        assert_int_equal(daemon_finish(daemon), 0);
    }
    soak_figure("SIGTERM under load", "no accepted request lost; exit status 0",
                "%zu times, %zu requests answered, %zu that the daemon had answered not received",
                rounds, answered, lost);
    assert_int_equal(lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(kill_again_and_again),
        daemon_test(terminate_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
