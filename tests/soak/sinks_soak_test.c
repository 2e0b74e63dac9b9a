/* A log that cannot be written, because the disk is full or its reader is stuck: requests are
 * answered as before, and the lines that are lost are counted.
 * SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/exposition.h"
#include "support/scratch.h"
#include "support/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLIENTS = 4 };

static double lost_lines(const daemon_process *daemon)
{
    return metric(daemon->url, "layerd_log_lines_dropped_total", "");
}

/* Of a hundred requests one after the other, which a log that works has room for. */
static bool loses_lines(void *daemon)
{
    const double before = lost_lines(daemon);
    for (int request = 0; request < 100; request++)
        expect_good(((const daemon_process *)daemon)->url);
    return lost_lines(daemon) > before;
}

static bool loses_none(void *daemon)
{
    return !loses_lines(daemon);
}

static load_figures measure(int sink, bool works, double *dropped)
{
    daemon_process *const daemon = daemon_start(&(daemon_options){.log = sink});
    const load_options options = lecture_load(daemon, CLIENTS);
    const load_figures figures = load_run(&options, soaking() ? 5 : 1);
    assert_int_equal(figures.failed + figures.refused, 0);
    assert_true(wait_until(works ? loses_none : loses_lines, daemon));
    *dropped = lost_lines(daemon);
    kill(daemon->process.pid, SIGTERM);
    assert_int_equal(daemon_finish(daemon), 0);
    return figures;
}

static void compare(const char *fault, int sink)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    double dropped = 0;
    const load_figures well = measure(nowhere, true, &dropped);
    const load_figures ill = measure(sink, false, &dropped);
    soak_figure(fault, "no effect on latency; lost lines are counted",
                "%.0f requests/s beside %.0f/s with a log that works; median %.2f ms, %.2f ms; p99 "
                "%.1f ms, %.1f ms; %.0f lines counted as lost",
                (double)ill.answered / ill.seconds, (double)well.answered / well.seconds,
                ill.half * 1e3, well.half * 1e3, ill.nearly_all * 1e3, well.nearly_all * 1e3,
                dropped);
    close(nowhere);
}

static void a_full_disk(void **state)
{
    (void)state;
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    compare("the log's disk is full (/dev/full)", full);
    close(full);
}

/* Its reader opens it, and never reads. */
static void a_stuck_fifo(void **state)
{
    (void)state;
    const char *const path = scratch_path("log.fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    const int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(reader >= 0 && writer >= 0);
    compare("the log's reader is stuck (a fifo)", writer);
    close(reader);
    close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {daemon_test(a_full_disk), daemon_test(a_stuck_fifo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
