/* A sliding window's positions counted one by one.
 * SPDX-License-Identifier: MIT */
#ifndef ORACLE_WINDOW_ORACLE_H
#define ORACLE_WINDOW_ORACLE_H

#include "layer/window.h"

/* What layer_window_describe() ought to derive from small fields: the output, and the pads unless
 * auto_pad is NOTSET. Returns whether there is any such window. */
bool window_oracle(layer_window *window, layer_auto_pad auto_pad, bool ceil_mode);

#endif
