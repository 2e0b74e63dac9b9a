/* Spatially separable convolution and its gradients by their definition, in double.
 * SPDX-License-Identifier: MIT */
#include "oracle/separable_spatial_oracle.h"
#include "oracle/conv_products.h"
#include "support/floats.h"

#include <stdlib.h>

/* ---- The kernels as lists of products: kernel[k][c][r][s] sums column times row -------------- */

typedef struct {
    size_t kernel, column, row;
} factor_product;

typedef struct {
    const float *column, *row;
    double *kernel; /* or its gradient */
    double *grad_column, *grad_row;
} factors;

/* Where the product m of kernel (k, c) has its column and its row. */
static void locate(const layer_separable_spatial *separable, int k, int c, int m, size_t *column,
                   size_t *row)
{
    const int *const columns = separable->column.extent, *const rows = separable->row.extent;
    if (separable->column.rank == 4) {
        *column = *row = (size_t)((k * columns[1] + c) * columns[2] + m);
        return;
    }
    const int group = k / (rows[0] / separable->group);
    *column = (size_t)((group * rows[1] + m) * columns[1] + c);
    *row = (size_t)(k * rows[1] + m);
}

static void list_products(const layer_separable_spatial *separable,
                          void (*visit)(const factors *of, const factor_product *one),
                          const factors *of)
{
    const int rank = separable->column.rank, channels = separable->column.extent[1];
    const int products = rank == 4 ? separable->column.extent[2] : separable->row.extent[1];
    const int height = separable->column.extent[rank - 1], width = separable->row.extent[rank - 1];
    for (int k = 0; k < separable->row.extent[0]; k++)
        for (int c = 0; c < channels; c++)
            for (int m = 0; m < products; m++) {
                size_t column, row;
                locate(separable, k, c, m, &column, &row);
                for (int cell = 0; cell < height * width; cell++) {
                    const factor_product one = {
                        (size_t)((k * channels + c) * height * width + cell),
                        column * (size_t)height + (size_t)(cell / width),
                        row * (size_t)width + (size_t)(cell % width),
                    };
                    visit(of, &one);
                }
            }
}

static void clear(double *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = 0;
}

static void add_product(const factors *of, const factor_product *one)
{
    of->kernel[one->kernel] += (double)of->column[one->column] * (double)of->row[one->row];
}

static void pass_on(const factors *of, const factor_product *one)
{
    const double gradient = of->kernel[one->kernel];
    of->grad_column[one->column] += (double)of->row[one->row] * gradient;
    of->grad_row[one->row] += (double)of->column[one->column] * gradient;
}

void separable_spatial_kernel(const layer_separable_spatial *separable, const float *column,
                              const float *row, double *kernel)
{
    const int rank = separable->column.rank;
    clear(kernel, (size_t)separable->row.extent[0] * (size_t)separable->column.extent[1] *
                      (size_t)separable->column.extent[rank - 1] *
                      (size_t)separable->row.extent[rank - 1]);
    const factors of = {.column = column, .row = row, .kernel = kernel};
    list_products(separable, add_product, &of);
}

/* ---- The convolution with them --------------------------------------------------------------- */

typedef struct {
    const float *input, *grad_output;
    const double *kernel;
    double *output, *grad_input, *grad_kernel;
} convolving;

static double *kernel_of(const separable_spatial *of,
                         const layer_separable_spatial_operands *operands)
{
    double *const kernel = doubles_new(floats_count(&of->whole->weight));
    separable_spatial_kernel(of->separable, operands->column, operands->row, kernel);
    return kernel;
}

static void convolve(void *context, const conv_product *one)
{
    const convolving *const with = context;
    with->output[one->output] += (double)with->input[one->input] * with->kernel[one->weight];
}

void separable_spatial_oracle(const separable_spatial *of,
                              const layer_separable_spatial_operands *operands, double *output)
{
    const size_t count = floats_count(&of->whole->output);
    const size_t channels = (size_t)of->whole->output.extent[1];
    const size_t plane = count / channels / (size_t)of->whole->output.extent[0];
    double *const kernel = kernel_of(of, operands);
    for (size_t i = 0; i < count; i++)
        output[i] = operands->bias == NULL ? 0 : (double)operands->bias[i / plane % channels];
    convolving with = {.input = operands->input, .kernel = kernel, .output = output};
    conv_products(of->whole, convolve, &with);
    free(kernel);
}

static void differentiate(void *context, const conv_product *one)
{
    const convolving *const with = context;
    const double gradient = (double)with->grad_output[one->output];
    with->grad_input[one->input] += with->kernel[one->weight] * gradient;
    with->grad_kernel[one->weight] += (double)with->input[one->input] * gradient;
}

void separable_spatial_backward_oracle(const separable_spatial *of,
                                       const layer_separable_spatial_operands *operands,
                                       const float *grad_output,
                                       const separable_spatial_gradients *gradients)
{
    const size_t count = floats_count(&of->whole->output);
    const size_t channels = (size_t)of->whole->output.extent[1];
    const size_t plane = count / channels / (size_t)of->whole->output.extent[0];
    const size_t cells = floats_count(&of->whole->weight);
    double *const kernel = kernel_of(of, operands), *const grad_kernel = doubles_new(cells);
    clear(grad_kernel, cells);
    clear(gradients->input, floats_count(&of->whole->input));
    clear(gradients->column, floats_count(&of->separable->column));
    clear(gradients->row, floats_count(&of->separable->row));
    clear(gradients->bias, channels);
    for (size_t i = 0; i < count; i++)
        gradients->bias[i / plane % channels] += (double)grad_output[i];
    convolving with = {.input = operands->input,
                       .grad_output = grad_output,
                       .kernel = kernel,
                       .grad_input = gradients->input,
                       .grad_kernel = grad_kernel};
    conv_products(of->whole, differentiate, &with);
    const factors down = {.column = operands->column,
                          .row = operands->row,
                          .kernel = grad_kernel,
                          .grad_column = gradients->column,
                          .grad_row = gradients->row};
    list_products(of->separable, pass_on, &down);
    free(grad_kernel);
    free(kernel);
}
