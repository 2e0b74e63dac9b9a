/* Every algorithm of a convolution against what is expected of it: the same for any number of
 * threads and with prepared weights, and cancelled when it is asked to be.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CONV_CHECKING_H
#define SUPPORT_CONV_CHECKING_H

#include "layer/conv.h"
#include "support/conv_running.h"
#include "support/conv_sampling.h"

#include <stdbool.h>

enum {
#define COUNT(id, name, bound, sentence) +1
    CONV_ALGORITHMS = LAYER_CONV_AUTO + 1 LAYER_CONV_ALGORITHM_LIST(COUNT),
#undef COUNT
};

/* With fewer outputs than this it may happen that the terms of them all nearly cancel; then the
 * difference is relative to the largest sum of |terms|. */
enum { CONV_MANY_OUTPUTS = 64 };

/* Returns false if that algorithm does not compute the geometry. */
bool conv_describe_with(const conv_geometry *drawn, layer_conv_algorithm algorithm,
                        layer_conv *conv);

/* What the algorithms ought to compute, and of what size the error is a fraction. */
typedef struct {
    double *output;
    double scale;
} conv_expectation;

/* By the definition. */
conv_expectation conv_expect(const layer_conv *conv, const conv_operands *given);

void conv_assert_close(const layer_conv *conv, const float *output,
                       const conv_expectation *expected);

/* With every instruction set that the processor has, and in every way with one of them. */
void conv_check_algorithm(sampling *from, const layer_conv *conv, const conv_operands *given,
                          const conv_expectation *expected);

/* Every algorithm that computes the geometry; counts each. */
void conv_check_algorithms(sampling *from, const conv_geometry *drawn, const layer_conv *conv,
                           int counts[CONV_ALGORITHMS]);

/* Each was checked over so many geometries. */
void conv_check_counts(const int counts[CONV_ALGORITHMS], int fewest);

#endif
