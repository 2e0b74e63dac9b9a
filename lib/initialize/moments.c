/* Mean and variance of a sample.
 * SPDX-License-Identifier: MIT */
#include "layer/initialize.h"

#include <assert.h>

void layer_moments(const float *elements, size_t count, double *mean, double *variance)
{
    assert(count > 0);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)elements[i];
    *mean = sum / (double)count;
    /* A second pass: the difference of two large sums would lose what the first has. */
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double deviation = (double)elements[i] - *mean;
        squares += deviation * deviation;
    }
    *variance = squares / (double)count;
}
