/* Initial weights: describe the law, size its workspace, draw.
 * SPDX-License-Identifier: MIT */
#ifndef LAYER_INITIALIZE_H
#define LAYER_INITIALIZE_H

#include "layer/executor.h"
#include "layer/tensor.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row an option that some methods take, others not: its member of layer_initialize_options. */
#define LAYER_INITIALIZE_PARAMETER_LIST(X)                                                         \
    X(GAIN, gain)                                                                                  \
    X(MODE, mode)                                                                                  \
    X(SCALE, scale)                                                                                \
    X(DISTRIBUTION, distribution)                                                                  \
    X(MEAN, mean)                                                                                  \
    X(STD, std)                                                                                    \
    X(LOWER, lower)                                                                                \
    X(UPPER, upper)                                                                                \
    X(LOW, low)                                                                                    \
    X(HIGH, high)                                                                                  \
    X(VALUE, value)

enum {
#define LAYER_PARAMETER_PLACE(id, member) LAYER_PARAMETER_PLACE_##id,
    LAYER_INITIALIZE_PARAMETER_LIST(LAYER_PARAMETER_PLACE)
#undef LAYER_PARAMETER_PLACE
};

/* LAYER_TAKES_GAIN, LAYER_TAKES_MODE ...: to be or-ed. */
typedef enum {
    LAYER_TAKES_NOTHING = 0,
#define LAYER_PARAMETER_BIT(id, member) LAYER_TAKES_##id = 1 << LAYER_PARAMETER_PLACE_##id,
    LAYER_INITIALIZE_PARAMETER_LIST(LAYER_PARAMETER_BIT)
#undef LAYER_PARAMETER_BIT
} layer_initialize_parameters;

/* One row a method: its name, the options it takes and its law. */
#define LAYER_INITIALIZE_METHOD_LIST(X)                                                            \
    X(XAVIER_NORMAL, "xavier_normal", LAYER_TAKES_GAIN,                                            \
      "N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out))")                                    \
    X(XAVIER_UNIFORM, "xavier_uniform", LAYER_TAKES_GAIN,                                          \
      "U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out))")                                         \
    X(ORTHOGONAL, "orthogonal", LAYER_TAKES_GAIN,                                                  \
      "gain * Q of a QR decomposition, uniform over orthogonal matrices")                          \
    X(KAIMING_NORMAL, "kaiming_normal", LAYER_TAKES_GAIN | LAYER_TAKES_MODE,                       \
      "N(0, std^2), std = gain / sqrt(fan)")                                                       \
    X(KAIMING_UNIFORM, "kaiming_uniform", LAYER_TAKES_GAIN | LAYER_TAKES_MODE,                     \
      "U(-b, b), b = gain * sqrt(3 / fan)")                                                        \
    X(LECUN_NORMAL, "lecun_normal", LAYER_TAKES_NOTHING, "N(0, std^2), std = 1 / sqrt(fan_in)")    \
    X(LECUN_UNIFORM, "lecun_uniform", LAYER_TAKES_NOTHING, "U(-b, b), b = sqrt(3 / fan_in)")       \
    X(VARIANCE_SCALING, "variance_scaling",                                                        \
      LAYER_TAKES_SCALE | LAYER_TAKES_MODE | LAYER_TAKES_DISTRIBUTION,                             \
      "mean 0, std = sqrt(scale / fan), of the distribution chosen")                               \
    X(TRUNCATED_NORMAL, "truncated_normal",                                                        \
      LAYER_TAKES_MEAN | LAYER_TAKES_STD | LAYER_TAKES_LOWER | LAYER_TAKES_UPPER,                  \
      "N(mean, std^2) between mean + lower * std and mean + upper * std")                          \
    X(NORMAL, "normal", LAYER_TAKES_MEAN | LAYER_TAKES_STD, "N(mean, std^2)")                      \
    X(UNIFORM, "uniform", LAYER_TAKES_LOW | LAYER_TAKES_HIGH, "U(low, high)")                      \
    X(DIRAC, "dirac", LAYER_TAKES_NOTHING,                                                         \
      "1 in the middle of the kernel from each input channel to its output channel, else 0")       \
    X(EYE, "eye", LAYER_TAKES_NOTHING, "1 on the diagonal of a linear layer's weight, else 0")     \
    X(CONSTANT, "constant", LAYER_TAKES_VALUE, "value everywhere")

typedef enum {
#define LAYER_INITIALIZE_ENUM(id, name, takes, law) LAYER_INITIALIZE_##id,
    LAYER_INITIALIZE_METHOD_LIST(LAYER_INITIALIZE_ENUM)
#undef LAYER_INITIALIZE_ENUM
} layer_initialize_method;

/* One row a fan: its name and what it counts. The third is variance_scaling's alone. */
#define LAYER_FAN_LIST(X)                                                                          \
    X(FAN_IN, "fan_in", "inputs of an output: keeps the variance forward")                         \
    X(FAN_OUT, "fan_out", "outputs of an input: keeps the variance backward")                      \
    X(FAN_AVG, "fan_avg", "the mean of both, for variance_scaling")

typedef enum {
#define LAYER_FAN_ENUM(id, name, sentence) LAYER_##id,
    LAYER_FAN_LIST(LAYER_FAN_ENUM)
#undef LAYER_FAN_ENUM
} layer_fan;

/* One row a distribution that variance_scaling draws from. */
#define LAYER_DISTRIBUTION_LIST(X)                                                                 \
    X(TRUNCATED_NORMAL, "truncated_normal",                                                        \
      "a normal distribution cut at two of its standard deviations, widened so that std is kept")  \
    X(NORMAL, "normal", "N(0, std^2)")                                                             \
    X(UNIFORM, "uniform", "U(-b, b), b = sqrt(3) * std")

typedef enum {
#define LAYER_DISTRIBUTION_ENUM(id, name, sentence) LAYER_DISTRIBUTION_##id,
    LAYER_DISTRIBUTION_LIST(LAYER_DISTRIBUTION_ENUM)
#undef LAYER_DISTRIBUTION_ENUM
} layer_distribution;

/* All zero means: xavier_normal, gain 1, seed 0, one group. What a method does not take is not
 * looked at. */
typedef struct {
    layer_initialize_method method;
    double gain; /* 0 means 1, for kaiming sqrt(2): a ReLU's */
    uint64_t seed;
    int group; /* 0 means 1 */
    layer_fan mode;
    layer_distribution distribution;
    double scale;        /* of the variance; 0 means 1 */
    double mean, std;    /* of the normal distribution, before it is cut; std 0 means 1 */
    double lower, upper; /* where it is cut, in units of std; both 0 mean -2 and 2 */
    double low, high;    /* both 0 mean 0 and 1 */
    double value;
} layer_initialize_options;

/* A law whose shape fits. Filled by layer_initialize_describe(), read-only afterwards. */
typedef struct {
    layer_shape shape; /* [K, C/group, kernel ...]; a linear layer's is [out, in] */
    layer_initialize_method method;
    layer_initialize_parameters takes; /* of the list's row */
    uint64_t seed;
    int group;
    layer_fan mode;
    layer_distribution distribution; /* of elements drawn one by one */
    double gain, scale;
    double fan_in;         /* C/group times the kernel's cells */
    double fan_out;        /* K/group times the kernel's cells */
    double mean, std;      /* of one element */
    double bound;          /* of a bounded law: every |element| is at most this; otherwise 0 */
    double low, high;      /* of a bounded law: every element lies between */
    double centre, spread; /* of the normal before it is cut: its mean and its std;
                              of the uniform: its middle and half its width */
    double lower, upper;   /* of the truncated normal, in units of spread; otherwise 0 */
    uint64_t multiplications;
} layer_initialize;

/* Checks the shape (rank 2 to 5; dirac's has a kernel, eye's has none) and the options (NULL: the
 * defaults) and derives the fans and what the elements have.
 * Returns LAYER_OK and fills *initialize; or LAYER_INVALID or LAYER_TOO_LARGE, leaves *initialize
 * alone and names in *error "shape", "group", "method" or a parameter of the list. Thread-safe.
 * Sources: Glorot & Bengio 2010, eqs. 12 and 16; He et al. 2015, eqs. 10 and 14; LeCun et al.,
 * "Efficient BackProp", 1998, eq. 16; Saxe, McClelland & Ganguli 2014; Mezzadri, math-ph/0609050
 * (why the signs of R's diagonal matter); torch.nn.init (dirac). */
layer_status layer_initialize_describe(layer_initialize *initialize, const layer_shape *shape,
                                       const layer_initialize_options *options, layer_error *error);

/* Bytes of workspace that running takes; 0 for all methods but orthogonal. */
size_t layer_initialize_workspace_size(const layer_initialize *initialize);

/* Draws the weight, `shape` elements. Element i depends on the seed and on i alone, but for an
 * orthogonal weight, which depends on the seed as a whole. Seen as rows = shape[0] by columns = the
 * rest, an orthogonal weight W has W'W = gain^2 I where rows >= columns, WW' = gain^2 I otherwise.
 * How bits become elements: lib/initialize/README.md.
 * Returns LAYER_OK, LAYER_CANCELLED, or LAYER_FAILED; weight is undefined after the last two.
 * Thread-safe: concurrent runs need a workspace each. */
layer_status layer_initialize_run(const layer_initialize *initialize, float *weight,
                                  const layer_run *run);

/* "orthogonal" for LAYER_INITIALIZE_ORTHOGONAL. */
const char *layer_initialize_method_name(layer_initialize_method method);

/* The options that a method takes. */
layer_initialize_parameters layer_initialize_takes(layer_initialize_method method);

/* Mean and (population) variance of `count` elements, summed in double. Thread-safe. */
void layer_moments(const float *elements, size_t count, double *mean, double *variance);

#ifdef __cplusplus
}
#endif
#endif
