/* THE LIST: one row an operation, for the constant api_operation_<row> in operations/.
 * SPDX-License-Identifier: MIT */
#ifndef API_OPERATIONS_H
#define API_OPERATIONS_H

#include "operation.h"

#define API_OPERATION_LIST(X)                                                                      \
    X(conv)                                                                                        \
    X(conv_backward)                                                                               \
    X(conv_matrix)                                                                                 \
    X(conv_transpose)                                                                              \
    X(initialize)                                                                                  \
    X(linear)                                                                                      \
    X(linear_backward)                                                                             \
    X(pool)                                                                                        \
    X(pool_backward)                                                                               \
    X(receptive_field)                                                                             \
    X(separable_depthwise)                                                                         \
    X(separable_depthwise_backward)                                                                \
    X(separable_factorize)                                                                         \
    X(separable_spatial)                                                                           \
    X(separable_spatial_backward)                                                                  \
    X(unpool)                                                                                      \
    X(variance)

#define API_OPERATION_DECLARATION(id) extern const api_operation api_operation_##id;
API_OPERATION_LIST(API_OPERATION_DECLARATION)
#undef API_OPERATION_DECLARATION

#endif
