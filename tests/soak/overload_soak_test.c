/* Ten times as many requests as the daemon can answer: what it accepts is in time, what it refuses
 * it refuses at once, and it does not do less for it.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { QUEUE = 16, ENOUGH = QUEUE / 2, TOO_MANY = 10 * QUEUE };

/* Some milliseconds of work in a short text. Whoever is refused waits for a moment before it asks
 * again. */
static load_figures ask(const daemon_process *daemon, size_t clients)
{
    return load_run(&(load_options){.url = daemon->url,
                                    .clients = clients,
                                    .path = "/v1/variance",
                                    .body = "{\"method\":\"xavier_normal\",\"seed\":1,"
                                            "\"widths\":[100,100,100],\"samples\":256}",
                                    .expected = "\"norm_ratio\"",
                                    .pause_if_refused = 0.1},
                    soaking() ? 10 : 1);
}

static void ten_times_too_much(void **state)
{
    (void)state;
    const double deadline = soaking() ? 5 : 600;
    char queue[16], seconds[16];
    snprintf(queue, sizeof queue, "%d", QUEUE);
    snprintf(seconds, sizeof seconds, "%g", deadline);
    daemon_process *const daemon = daemon_with("--queue", queue, "--deadline", seconds, "--log",
                                               "off", "--inline-multiplications", "0");
    const load_figures peak = ask(daemon, ENOUGH), over = ask(daemon, TOO_MANY);
    soak_figure("overload: ten times as many clients as there are places in the queue",
                "accepted: p99 within the deadline; refusals within 10 ms; at least 80 % of the "
                "peak answered",
                "%.0f answers/s, %.0f %% of the peak of %.0f; accepted: p99 %.0f ms of %.0f ms; "
                "%zu refusals, 99 %% of them within %.1f ms; %zu failed",
                (double)over.answered / over.seconds,
                100 * ((double)over.answered / over.seconds) /
                    ((double)peak.answered / peak.seconds),
                (double)peak.answered / peak.seconds, over.nearly_all * 1e3, deadline * 1e3,
                over.refused, over.refusal * 1e3, over.failed);
    assert_true(peak.answered > 0 && over.answered > 0 && over.refused > 0);
    assert_int_equal(peak.failed + peak.refused, 0);
    assert_int_equal(over.failed, 0);
    expect_good(daemon->url);
    daemon_stop(daemon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {daemon_test(ten_times_too_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
