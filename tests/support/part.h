/* How thorough tests are that draw.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_PART_H
#define SUPPORT_PART_H

/* Sanitizers and counters of lines look at what a few draws do as well as at what many do, and take
 * ten times as long: one in PART is enough. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
enum { PART = 10 };
#else
enum { PART = 1 };
#endif

#endif
