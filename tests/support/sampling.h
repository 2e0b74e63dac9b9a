/* Random choices for property tests, all from one seed, which is printed so that a failure can be
 * repeated.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SAMPLING_H
#define SUPPORT_SAMPLING_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t seed, drawn;
} sampling;

/* The seed is LAYERD_TEST_SEED if that is set, otherwise the clock's. Prints it. */
sampling sampling_start(void);

/* A whole number from `least` to `most`. */
int sampling_between(sampling *from, int least, int most);

/* `count` floats in (-1, 1). */
void sampling_fill(sampling *from, float *elements, size_t count);

#endif
