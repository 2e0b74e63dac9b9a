/* Time: nanoseconds that only go forward.
 * SPDX-License-Identifier: MIT */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

#define SERVER_SECOND INT64_C(1000000000)

static inline int64_t server_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SERVER_SECOND + now.tv_nsec;
}

static inline int64_t server_nanoseconds(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

static inline struct timespec server_timespec(int64_t nanoseconds)
{
    return (struct timespec){nanoseconds / SERVER_SECOND, nanoseconds % SERVER_SECOND};
}

#endif
