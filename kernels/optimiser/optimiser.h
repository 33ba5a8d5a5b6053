/* Optimiser steps, over a whole parameter array or over the touched rows of embedding tables.
 *
 * optimiser
 * formula      g = grad * sums->grad_scale, p = param, t = step->number (from 1), lr = step->learning_rate,
 *              s1, s2 = states (zero at the start)
 *   sgd        g += l2 p; s1 = momentum s1 + g; p -= lr s1                     (s1 NULL when momentum = 0)
 *   adam       g += l2 p; s1 = beta1 s1 + (1 - beta1) g; s2 = beta2 s2 + (1 - beta2) g^2;
 *              p -= lr (s1 / (1 - beta1^t)) / (sqrt(s2 / (1 - beta2^t)) + epsilon)     (Kingma, Ba 2015)
 *   adamw      p -= lr l2 p; then adam with l2 = 0                              (Loshchilov, Hutter 2019)
 *   adagrad    g += l2 p; s1 += g^2; p -= lr g / (sqrt(s1) + epsilon)           (Duchi, Hazan, Singer 2011)
 *   ftrl       n = s2 + g^2; s1 += g - (sqrt(n) - sqrt(s2)) / lr p; s2 = n;
 *              p = |s1| <= l1 ? 0 : (sign(s1) l1 - s1) / ((ftrl_beta + sqrt(n)) / lr + l2)   (McMahan et al. 2013)
 *   all but ftrl end with p = sign(p) max(|p| - lr l1, 0) when l1 > 0
 * shapes       grad, param, s1, s2: [n]; one step, one sums (NULL: grad_scale 1)
 * dtypes       f32; constants in f64, rounded once
 * aliasing     grad overlaps no state
 * special      none
 * workspace    0 bytes
 * determinism  bit-identical, whatever the thread count: elementwise
 * error bound  |p - ref| <= 16 eps (|p| + lr |update|)
 * cost         4 n (3 + 2 states) bytes
 * errors       PEN_ERR_SHAPE
 *
 * optimiser_tables
 * formula      optimiser, with row touched_f[s] of param_f = values + offset_f (and of the states, laid out alike) and
 *              row s of grad_f, for every feature f and s < n_touched_f (embedding.h)
 * special      rows that are not listed keep parameter and state, decay included: momentum, moments and L1/L2 act when
 *              a row is met (as in TensorFlow's LazyAdam); t counts all steps
 *
 * average
 * formula      mean[i] += rate (param[i] - mean[i]);  shapes [n];  error bound 3 eps (|mean| + |param|)
 *
 * squared_norm
 * formula      *sum += sum_i x[i]^2 in f64;  error bound n 2^-53 sum x^2
 * determinism  bit-identical, whatever the thread count: on the CPU by blocks of 4096 in order, 8 lanes each, on a GPU
 *              by a grid that always has as many threads, added up in a fixed tree; the two differ in the last bits
 *
 * tables_norm
 * formula      *sum += sum over the features in order of the squared_norm of grad_f[s, d], s < n_touched_f */
#ifndef PEN_KERNELS_OPTIMISER_OPTIMISER_H
#define PEN_KERNELS_OPTIMISER_OPTIMISER_H

#include "core/status.h"
#include "kernels/embedding/embedding.h"
#include "kernels/exec.h"
#include "kernels/step/step.h"

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

struct pen_optimiser_rule {
    enum pen_optimiser_kind kind;
    double momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta;
};

struct pen_optimiser {
    struct pen_optimiser_rule rule;
    const struct pen_training_step *step;
    const struct pen_step_sums *sums;
    int64_t n;
    const float *grad;
    float *param;
    float *state1; /* NULL where the kind has none */
    float *state2;
};

typedef pen_status pen_optimiser_fn(struct pen_exec *exec, const struct pen_optimiser *optimiser,
                                    struct pen_error *err);
pen_optimiser_fn pen_optimiser_cpu, pen_optimiser_cuda;

struct pen_optimiser_tables {
    struct pen_optimiser_rule rule;
    const struct pen_training_step *step;
    const struct pen_step_sums *sums;
    int64_t n_features;
    const struct pen_embedding_feature *features;
    float *values;
    float *state1;
    float *state2;
};

typedef pen_status pen_optimiser_tables_fn(struct pen_exec *exec, const struct pen_optimiser_tables *tables,
                                           struct pen_error *err);
pen_optimiser_tables_fn pen_optimiser_tables_cpu, pen_optimiser_tables_cuda;

struct pen_average {
    int64_t n;
    double rate;
    const float *param;
    float *mean;
};

typedef pen_status pen_average_fn(struct pen_exec *exec, const struct pen_average *average, struct pen_error *err);
pen_average_fn pen_average_cpu, pen_average_cuda;

struct pen_squared_norm {
    int64_t n;
    const float *x;
    double *sum;
};

typedef pen_status pen_squared_norm_fn(struct pen_exec *exec, const struct pen_squared_norm *norm,
                                       struct pen_error *err);
pen_squared_norm_fn pen_squared_norm_cpu, pen_squared_norm_cuda;

struct pen_tables_norm {
    int64_t n_features;
    const struct pen_embedding_feature *features;
    double *sum;
};

typedef pen_status pen_tables_norm_fn(struct pen_exec *exec, const struct pen_tables_norm *norm, struct pen_error *err);
pen_tables_norm_fn pen_tables_norm_cpu, pen_tables_norm_cuda;

#ifdef __cplusplus
}
#endif

#endif
