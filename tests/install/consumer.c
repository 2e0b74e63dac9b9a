/* A program that links the library: the lecture's example, a mistake, and what takes LAPACK.
 * SPDX-License-Identifier: MIT */
#include <layer/layer.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *workspace_of(size_t size)
{
    enum { ALIGNMENT = 64 };
    return aligned_alloc(ALIGNMENT, (size / ALIGNMENT + 1) * ALIGNMENT);
}

static int convolve(void)
{
    const layer_shape input_shape = {4, {1, 1, 3, 3}}, weight_shape = {4, {1, 1, 2, 2}};
    const float input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, weight[] = {1, 2, 3, 4};
    const float expected[] = {37, 47, 67, 77};
    float output[4] = {0};
    layer_error error;
    layer_conv conv;
    if (layer_conv_describe(&conv, &input_shape, &weight_shape, NULL, &error) != LAYER_OK)
        return 0;
    void *const workspace = workspace_of(layer_conv_workspace_size(&conv, 1));
    const layer_status status = layer_conv_forward(&conv, input, weight, NULL, output,
                                                   &(layer_run){.workspace = workspace});
    free(workspace);
    printf("%s: %g %g %g %g\n", layer_status_name(status), output[0], output[1], output[2],
           output[3]);
    return status == LAYER_OK && memcmp(output, expected, sizeof output) == 0;
}

static int is_refused(void)
{
    const layer_shape input_shape = {4, {1, 1, 3, 3}}, weight_shape = {4, {1, 1, 4, 4}};
    layer_error error = {0};
    layer_conv conv;
    const layer_status status =
        layer_conv_describe(&conv, &input_shape, &weight_shape, NULL, &error);
    printf("%s: %s: %s\n", layer_status_name(status), error.argument, error.reason);
    return status == LAYER_INVALID && strcmp(error.argument, "weight") == 0;
}

/* Takes LAPACK: a square matrix times its transpose is the identity. */
static int is_orthogonal(void)
{
    enum { SIZE = 4 };
    const layer_shape shape = {2, {SIZE, SIZE}};
    float weight[SIZE][SIZE];
    layer_error error;
    layer_initialize initialize;
    if (layer_initialize_describe(
            &initialize, &shape,
            &(layer_initialize_options){.method = LAYER_INITIALIZE_ORTHOGONAL, .seed = 1},
            &error) != LAYER_OK)
        return 0;
    void *const workspace = workspace_of(layer_initialize_workspace_size(&initialize));
    const layer_status status =
        layer_initialize_run(&initialize, &weight[0][0], &(layer_run){.workspace = workspace});
    free(workspace);
    double worst = 0;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double product = i == j ? -1 : 0;
            for (int k = 0; k < SIZE; k++)
                product += (double)weight[i][k] * weight[j][k];
            worst = fmax(worst, fabs(product));
        }
    printf("%s: orthogonal but for %.0e\n", layer_status_name(status), worst);
    return status == LAYER_OK && worst < 1e-5;
}

int main(void)
{
    return convolve() && is_refused() && is_orthogonal() ? EXIT_SUCCESS : EXIT_FAILURE;
}
