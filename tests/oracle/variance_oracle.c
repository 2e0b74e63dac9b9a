/* A stack of layers by its definition, in double: every connection by itself.
 * SPDX-License-Identifier: MIT */
#include "oracle/variance_oracle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = LAYER_MAX_SPATIAL };

/* A layer's connections, which all carry something along: forward, or backward. */
typedef struct {
    const float *weight;
    const double *from;
    double *to;
    bool backward; /* from the outputs to the inputs */
} connections;

static void connect(const connections *along, size_t input, size_t output, size_t weight)
{
    if (along->backward)
        along->to[input] += (double)along->weight[weight] * along->from[output];
    else
        along->to[output] += (double)along->weight[weight] * along->from[input];
}

static size_t cells_of(const int lattice[AXES])
{
    return (size_t)lattice[0] * (size_t)lattice[1] * (size_t)lattice[2];
}

/* One output channel, input channel and kernel cell, at all cells of the lattice. */
static void connect_cells(const layer_variance *variance, const connections *along, size_t input,
                          size_t output, const int tap[AXES], size_t weight)
{
    const int *const lattice = variance->lattice;
    int p[AXES];
    for (p[0] = 0; p[0] < lattice[0]; p[0]++)
        for (p[1] = 0; p[1] < lattice[1]; p[1]++)
            for (p[2] = 0; p[2] < lattice[2]; p[2]++) {
                int at = 0, seen = 0;
                for (int axis = 0; axis < AXES; axis++) {
                    at = at * lattice[axis] + p[axis];
                    seen = seen * lattice[axis] + (p[axis] + tap[axis]) % lattice[axis];
                }
                const size_t cells = cells_of(lattice);
                connect(along, input * cells + (size_t)seen, output * cells + (size_t)at, weight);
            }
}

static void connect_layer(const layer_variance *variance, size_t l, const connections *along)
{
    const layer_initialize *const law = &variance->layers[l].law;
    const int outputs = law->shape.extent[0], inputs = law->shape.extent[1];
    int kernel[AXES] = {1, 1, 1}, tap[AXES];
    for (int axis = 2; axis < law->shape.rank; axis++)
        kernel[AXES - law->shape.rank + axis] = law->shape.extent[axis];
    size_t weight = 0;
    for (int k = 0; k < outputs; k++)
        for (int c = 0; c < inputs; c++)
            for (tap[0] = 0; tap[0] < kernel[0]; tap[0]++)
                for (tap[1] = 0; tap[1] < kernel[1]; tap[1]++)
                    for (tap[2] = 0; tap[2] < kernel[2]; tap[2]++) {
                        const int group = k / (outputs / law->group);
                        connect_cells(variance, along, (size_t)(group * inputs + c), (size_t)k, tap,
                                      weight++);
                    }
}

/* ---- One sample ------------------------------------------------------------------------------ */

typedef struct {
    double sum, squares, count;
} moments;

typedef struct {
    moments forward, backward;
    double ratios, least, most;
} findings;

static void add(moments *to, const double *elements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to->sum += elements[i];
        to->squares += elements[i] * elements[i];
    }
    to->count += (double)count;
}

static double norm(const double *elements, size_t count)
{
    moments all = {0};
    add(&all, elements, count);
    return sqrt(all.squares);
}

static size_t outputs_of(const layer_variance *variance, size_t l)
{
    return (size_t)variance->layers[l].law.shape.extent[0] * cells_of(variance->lattice);
}

static size_t inputs_of(const layer_variance *variance, size_t l)
{
    const layer_initialize *const law = &variance->layers[l].law;
    return (size_t)(law->shape.extent[1] * law->group) * cells_of(variance->lattice);
}

static double *new_doubles(size_t count)
{
    double *const doubles = calloc(count, sizeof *doubles);
    if (doubles == NULL)
        abort();
    return doubles;
}

static double *widen(const float *elements, size_t count)
{
    double *const doubles = new_doubles(count);
    for (size_t i = 0; i < count; i++)
        doubles[i] = (double)elements[i];
    return doubles;
}

static void go_forward(const layer_variance *variance, const float *const weights[],
                       const float *input, double *z[], findings found[])
{
    double *x = widen(input, inputs_of(variance, 0));
    for (size_t l = 0; l < variance->count; l++) {
        const size_t count = outputs_of(variance, l);
        z[l] = new_doubles(count);
        connect_layer(variance, l, &(connections){weights[l], x, z[l], false});
        const double before = norm(x, inputs_of(variance, l));
        const double ratio = before > 0 ? norm(z[l], count) / before : 0;
        found[l].least = found[l].forward.count == 0 ? ratio : fmin(found[l].least, ratio);
        add(&found[l].forward, z[l], count);
        found[l].most = fmax(found[l].most, ratio);
        found[l].ratios += ratio;
        free(x);
        x = new_doubles(count);
        for (size_t i = 0; i < count; i++)
            x[i] = layer_nonlinearity_value(variance->nonlinearity, variance->slope, z[l][i]);
    }
    free(x);
}

static void go_backward(const layer_variance *variance, const float *const weights[],
                        const float *gradient, double *z[], findings found[])
{
    double *dz = widen(gradient, outputs_of(variance, variance->count - 1));
    for (size_t l = variance->count; l-- > 0;) {
        const size_t count = inputs_of(variance, l);
        double *const dx = new_doubles(count);
        connect_layer(variance, l, &(connections){weights[l], dz, dx, true});
        add(&found[l].backward, dx, count);
        for (size_t i = 0; l > 0 && i < count; i++)
            dx[i] *=
                layer_nonlinearity_derivative(variance->nonlinearity, variance->slope, z[l - 1][i]);
        free(dz);
        dz = dx;
    }
    free(dz);
}

/* ---- All samples ----------------------------------------------------------------------------- */

static double variance_of(const moments *of)
{
    const double mean = of->sum / of->count;
    return of->squares / of->count - mean * mean;
}

void variance_oracle(const layer_variance *variance, const float *const weights[],
                     const float *inputs, const float *gradients, layer_variance_measured *measured)
{
    findings found[LAYER_VARIANCE_MAX_LAYERS];
    double *z[LAYER_VARIANCE_MAX_LAYERS];
    memset(found, 0, sizeof found);
    const size_t first = inputs_of(variance, 0), last = outputs_of(variance, variance->count - 1);
    for (size_t n = 0; n < variance->samples; n++) {
        go_forward(variance, weights, inputs + n * first, z, found);
        go_backward(variance, weights, gradients + n * last, z, found);
        for (size_t l = 0; l < variance->count; l++)
            free(z[l]);
    }
    for (size_t l = 0; l < variance->count; l++)
        measured[l] = (layer_variance_measured){
            variance_of(&found[l].forward), variance_of(&found[l].backward),
            found[l].ratios / (double)variance->samples, found[l].least, found[l].most};
}

/* ---- Expectations ---------------------------------------------------------------------------- */

double second_moment_oracle(double (*function)(layer_nonlinearity, double, double),
                            layer_nonlinearity which, double slope, double variance)
{
    enum { STEPS = 200000 };
    const double step = 12.0 / STEPS;
    double sum = 0;
    for (int side = -1; side <= 1; side += 2)
        for (int i = 0; i <= STEPS; i++) {
            /* At zero the value of this side, not of the other. */
            const double at = i == 0 ? 1e-12 : i * step;
            const double value = function(which, slope, side * sqrt(variance) * at);
            const double coefficient = i == 0 || i == STEPS ? 1 : i % 2 == 1 ? 4 : 2;
            sum += coefficient * value * value * exp(-at * at / 2);
        }
    return sum * step / 3 / sqrt(2 * acos(-1));
}
