/* Optimiser steps, over a whole parameter array or over the touched rows of an embedding table.
 *
 * optimiser
 * formula      g = grad * grad_scale, p = param, t = step (from 1), s1, s2 = states (zero at the start)
 *   sgd        g += l2 p; s1 = momentum s1 + g; p -= lr s1                     (s1 NULL when momentum = 0)
 *   adam       g += l2 p; s1 = beta1 s1 + (1 - beta1) g; s2 = beta2 s2 + (1 - beta2) g^2;
 *              p -= lr (s1 / (1 - beta1^t)) / (sqrt(s2 / (1 - beta2^t)) + epsilon)     (Kingma, Ba 2015)
 *   adamw      p -= lr l2 p; then adam with l2 = 0                              (Loshchilov, Hutter 2019)
 *   adagrad    g += l2 p; s1 += g^2; p -= lr g / (sqrt(s1) + epsilon)           (Duchi, Hazan, Singer 2011)
 *   ftrl       n = s2 + g^2; s1 += g - (sqrt(n) - sqrt(s2)) / lr p; s2 = n;
 *              p = |s1| <= l1 ? 0 : (sign(s1) l1 - s1) / ((ftrl_beta + sqrt(n)) / lr + l2)   (McMahan et al. 2013)
 *   all but ftrl end with p = sign(p) max(|p| - lr l1, 0) when l1 > 0
 * shapes       param, s1, s2: [*, dim]; grad: [n_rows, dim]; rows: [n_rows] distinct row numbers, NULL: 0..n_rows-1
 * dtypes       f32; constants in f64, rounded once
 * aliasing     grad overlaps no state
 * special      rows that are not listed keep parameter and state, decay included: with rows, momentum, moments and
 *              L1/L2 act when a row is met (as in TensorFlow's LazyAdam); t counts all steps
 * workspace    0 bytes
 * determinism  bit-identical, whatever the thread count: elementwise
 * error bound  |p - ref| <= 16 eps (|p| + lr |update|)
 * cost         4 n_rows dim (2 + 2 states) bytes
 * errors       PEN_ERR_SHAPE
 *
 * average
 * formula      mean[i] += rate (param[i] - mean[i]);  shapes [n];  error bound 3 eps (|mean| + |param|)
 *
 * squared_norm
 * formula      result = sum_i x[i]^2 in f64, by blocks of 4096 in order, 8 lanes each;  error bound n 2^-53 sum x^2 */
#ifndef PEN_KERNELS_OPTIMISER_OPTIMISER_H
#define PEN_KERNELS_OPTIMISER_OPTIMISER_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_optimiser_kind {
    PEN_OPTIMISER_SGD,
    PEN_OPTIMISER_ADAM,
    PEN_OPTIMISER_ADAMW,
    PEN_OPTIMISER_ADAGRAD,
    PEN_OPTIMISER_FTRL,
    PEN_OPTIMISER_COUNT
};

struct pen_optimiser {
    enum pen_optimiser_kind kind;
    double learning_rate, momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta;
    int64_t step;
    double grad_scale;
    int64_t n_rows, dim;
    const int32_t *rows;
    const float *grad;
    float *param;
    float *state1; /* NULL where the kind has none */
    float *state2;
};

typedef pen_status pen_optimiser_fn(struct pen_exec *exec, const struct pen_optimiser *optimiser,
                                    struct pen_error *err);
pen_optimiser_fn pen_optimiser_cpu;

struct pen_average {
    int64_t n;
    double rate;
    const float *param;
    float *mean;
};

typedef pen_status pen_average_fn(struct pen_exec *exec, const struct pen_average *average, struct pen_error *err);
pen_average_fn pen_average_cpu;

struct pen_squared_norm {
    int64_t n;
    const float *x;
    double result;
};

typedef pen_status pen_squared_norm_fn(struct pen_exec *exec, struct pen_squared_norm *norm, struct pen_error *err);
pen_squared_norm_fn pen_squared_norm_cpu;

#ifdef __cplusplus
}
#endif

#endif
