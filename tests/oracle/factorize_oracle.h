/* Singular values by their definition, in double.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_FACTORIZE_ORACLE_H
#define ORACLE_FACTORIZE_ORACLE_H

#include "layer/factorize.h"

/* Turns pairs of the kernel's rows until all are at right angles: their lengths are then the
 * singular values (Jacobi). kernel [R][S], values [min(R, S)], descending. */
void factorize_oracle(const float *kernel, int height, int width, double *values);

#endif
