/* Nonlinearities between layers: their gains, values and derivatives.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_NONLINEARITY_H
#define LAYER_NONLINEARITY_H

#ifdef __cplusplus
extern "C" {
#endif

/* One row a nonlinearity: its name, and the factor of the weights' standard deviation that makes up
 * for what it does to the variance. `slope` is that of leaky_relu below zero.
 * Sources: Glorot & Bengio 2010; He et al. 2015; Klambauer et al. 2017; torch.nn.init. */
#define LAYER_NONLINEARITY_LIST(X)                                                                 \
    X(LINEAR, "linear", 1.0)                                                                       \
    X(CONV, "conv", 1.0)                                                                           \
    X(SIGMOID, "sigmoid", 1.0)                                                                     \
    X(TANH, "tanh", 5.0 / 3.0)                                                                     \
    X(RELU, "relu", sqrt(2.0))                                                                     \
    X(LEAKY_RELU, "leaky_relu", sqrt(2.0 / (1.0 + slope * slope)))                                 \
    X(SELU, "selu", 0.75)

typedef enum {
#define LAYER_NONLINEARITY_ENUM(id, name, gain) LAYER_NONLINEARITY_##id,
    LAYER_NONLINEARITY_LIST(LAYER_NONLINEARITY_ENUM)
#undef LAYER_NONLINEARITY_ENUM
        LAYER_NONLINEARITIES /* how many there are */
} layer_nonlinearity;

#define LAYER_DEFAULT_SLOPE 0.01

/* The gain of the list above. Thread-safe. */
double layer_nonlinearity_gain(layer_nonlinearity which, double slope);

/* f(z), and f'(z), which is that of the right side where the two differ. "conv" is linear.
 * Thread-safe. */
double layer_nonlinearity_value(layer_nonlinearity which, double slope, double z);
double layer_nonlinearity_derivative(layer_nonlinearity which, double slope, double z);

#ifdef __cplusplus
}
#endif
#endif
