/* QR decomposition in double, over LAPACK.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_CORE_QR_H
#define LAYER_CORE_QR_H

#include "layer/status.h"

#include <stddef.h>

/* Doubles of scratch that layer_qr() takes. */
size_t layer_qr_scratch_count(int columns);

/* A = QR, A in column-major order with rows >= columns: overwrites A with Q, whose columns are
 * orthonormal, and sets signs[j] to the sign of R[j][j], +1 for zero.
 * Returns LAYER_OK, or LAYER_FAILED if LAPACK refused. Thread-safe. */
layer_status layer_qr(int rows, int columns, double *matrix, double *signs, double *scratch);

#endif
