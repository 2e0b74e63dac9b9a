/* Random choices for property tests, all from one seed, which is printed so that a failure can be
 * repeated.
 * SPDX-License-Identifier: MIT */
#include "support/sampling.h"
#include "layer/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

sampling sampling_start(void)
{
    const char *const text = getenv("LAYERD_TEST_SEED");
    const uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    printf("LAYERD_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return (sampling){seed, 0};
}

int sampling_between(sampling *from, int least, int most)
{
    const double uniform = layer_random_uniform(from->seed, from->drawn++);
    return least + (int)(uniform * (most - least + 1));
}

void sampling_fill(sampling *from, float *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = (float)(2 * layer_random_uniform(from->seed, from->drawn++) - 1);
}
