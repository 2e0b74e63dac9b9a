/* The arithmetic of sliding windows against counting the windows one by one.
 * SPDX-License-Identifier: MIT */
#include "layer/window.h"
#include "oracle/window_oracle.h"
#include "support/sampling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WINDOWS = 20000 };

static void windows_are_as_counted(void **state)
{
    sampling *const from = *state;
    for (int i = 0; i < WINDOWS; i++) {
        layer_window window = {
            .input = sampling_between(from, 1, 24),
            .kernel = sampling_between(from, 1, 6),
            .stride = sampling_between(from, 1, 5),
            .dilation = sampling_between(from, 1, 4),
        };
        const layer_auto_pad auto_pad =
            (layer_auto_pad)sampling_between(from, 0, LAYER_AUTO_PAD_FULL);
        const bool ceil_mode = sampling_between(from, 0, 1) == 1;
        if (auto_pad == LAYER_AUTO_PAD_NOTSET) {
            /* With ceil_mode no window lies on padding alone. */
            const int most = ceil_mode ? window.dilation * (window.kernel - 1) : 9;
            window.pad_begin = sampling_between(from, 0, most);
            window.pad_end = sampling_between(from, 0, most);
        }
        layer_window counted = window;
        const layer_window given = window;
        layer_error error;
        const bool exists = window_oracle(&counted, auto_pad, ceil_mode);
        const layer_status status = layer_window_describe(&window, auto_pad, ceil_mode, 0, &error);
        if ((status == LAYER_OK) != exists ||
            (exists && (window.output != counted.output || window.pad_begin != counted.pad_begin ||
                        window.pad_end != counted.pad_end)))
            fail_msg("input %d kernel %d stride %d dilation %d pads %d %d auto_pad %d ceil %d: "
                     "output %d pads %d %d, counted %d pads %d %d",
                     given.input, given.kernel, given.stride, given.dilation, given.pad_begin,
                     given.pad_end, (int)auto_pad, (int)ceil_mode, window.output, window.pad_begin,
                     window.pad_end, counted.output, counted.pad_begin, counted.pad_end);
    }
}

int main(void)
{
    sampling from = sampling_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(windows_are_as_counted, &from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
