/* What a test and memory_fails.so share: a file that both map, named by the variable MEMORY_FAILS.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_MEMORY_FAILS_H
#define PRELOAD_MEMORY_FAILS_H

#include <stdatomic.h>

typedef struct {
    _Atomic long left;    /* allocations that succeed until one fails; below 0: all succeed */
    _Atomic long lasting; /* 0: that one fails, 1: all from then on */
    _Atomic long failed;  /* how many did */
    _Atomic long live;    /* bytes of the heap in use */
} memory_fails;

#endif
