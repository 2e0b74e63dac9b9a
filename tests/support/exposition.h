/* What GET /metrics tells, read and checked.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_EXPOSITION_H
#define SUPPORT_EXPOSITION_H

#include <stdbool.h>

/* The sum of the samples called `name` whose labels hold `labels` ("" for all); NaN if there are
 * none. A daemon that has no connection or no time left for the question is asked again. */
double metric(const char *url, const char *name, const char *labels);
double metric_in(const char *page, const char *name, const char *labels);

/* Waits until that sum is `value`; false when it is not for minutes. */
bool metric_becomes(const char *url, const char *name, const char *labels, double value);

/* The same for more and for less than `value`. */
bool metric_exceeds(const char *url, const char *name, const char *labels, double value);
bool metric_falls_below(const char *url, const char *name, const char *labels, double value);

/* Nothing is in flight: no memory held, nothing queued, no connection but the one that asks. */
bool daemon_is_at_rest(const char *url);

/* Fails the test unless `page` is Prometheus' text format: every sample well-formed and of a family
 * with HELP and TYPE, histograms cumulative and ended by +Inf, which is their count. */
void exposition_check(const char *page);

#endif
