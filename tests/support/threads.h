/* An executor for tests: threads started anew for every parallel_for, tasks taken in any order.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_THREADS_H
#define SUPPORT_THREADS_H

#include "layer/executor.h"

/* threads_executor(3) works on the caller and two threads more. */
layer_executor threads_executor(int threads);

#endif
