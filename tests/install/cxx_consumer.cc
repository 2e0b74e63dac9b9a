// The library's headers as C++ reads them, warnings being errors.
// SPDX-License-Identifier: MIT
#include <layer/layer.h>

#include <cstdio>

int main()
{
    layer_shape input = {4, {1, 1, 3, 3}}, weight = {4, {1, 1, 2, 2}};
    layer_conv_options options = {};
    options.geometry.auto_pad = LAYER_AUTO_PAD_SAME_UPPER;
    layer_error error;
    layer_conv conv;
    const bool described =
        layer_conv_describe(&conv, &input, &weight, &options, &error) == LAYER_OK;
    std::printf("%d x %d\n", conv.output.extent[2], conv.output.extent[3]);
    return described && conv.output.extent[2] == 3 && conv.output.extent[3] == 3 ? 0 : 1;
}
