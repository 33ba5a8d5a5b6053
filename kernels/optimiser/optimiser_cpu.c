/* Optimisers on the CPU: one vectorised loop a kind, over fixed pieces of the array or over the listed rows. */
#include "kernels/optimiser/optimiser.h"

#include "kernels/simd.h"

#include <math.h>

enum { OPTIMISER_PIECE = 8192 };

/* Constants of one step, rounded to float once. */
struct step {
    float learning_rate, momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta, grad_scale;
    float rate, root;   /* adam: lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
    float rest1, rest2; /* 1 - beta, rounded after the subtraction: 1 - 0.999f is off by 1e-5 of itself */
    float shrink;       /* adamw: lr l2; else 0 */
    float threshold;    /* lr l1 */
};

PEN_SIMD static void soft_threshold(float *p, float threshold, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float size = fabsf(p[i]) - threshold;
        p[i] = size > 0.0f ? copysignf(size, p[i]) : 0.0f;
    }
}

PEN_SIMD static void step_sgd(const struct step *s, float *restrict p, const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate;
    for (int64_t i = 0; i < n; i++) {
        p[i] -= rate * (grad[i] * scale + l2 * p[i]);
    }
}

PEN_SIMD static void step_momentum(const struct step *s, float *restrict p, float *restrict v,
                                   const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate, momentum = s->momentum;
    for (int64_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (grad[i] * scale + l2 * p[i]);
        p[i] -= rate * v[i];
    }
}

/* l2 is 0 for adamw, shrink is 0 for adam. */
PEN_SIMD static void step_adam(const struct step *s, float *restrict p, float *restrict m, float *restrict v,
                               const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, shrink = s->shrink, b1 = s->beta1, b2 = s->beta2;
    float rate = s->rate, root = s->root, epsilon = s->epsilon, c1 = s->rest1, c2 = s->rest2;
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * scale + l2 * p[i];
        float mi = b1 * m[i] + c1 * g, vi = b2 * v[i] + c2 * g * g;
        m[i] = mi;
        v[i] = vi;
        p[i] = (p[i] - shrink * p[i]) - rate * mi / (sqrtf(vi) * root + epsilon);
    }
}

PEN_SIMD static void step_adagrad(const struct step *s, float *restrict p, float *restrict a,
                                  const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate, epsilon = s->epsilon;
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * scale + l2 * p[i];
        float ai = a[i] + g * g;
        a[i] = ai;
        p[i] -= rate * g / (sqrtf(ai) + epsilon);
    }
}

PEN_SIMD static void step_ftrl(const struct step *s, float *restrict p, float *restrict z, float *restrict a,
                               const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l1 = s->l1, l2 = s->l2, inverse = 1.0f / s->learning_rate, beta = s->ftrl_beta;
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * scale;
        float old = sqrtf(a[i]), ai = a[i] + g * g, root = sqrtf(ai);
        float zi = z[i] + (g - (root - old) * inverse * p[i]);
        float divisor = (beta + root) * inverse + l2;
        float value = (copysignf(l1, zi) - zi) / divisor;
        a[i] = ai;
        z[i] = zi;
        p[i] = fabsf(zi) <= l1 ? 0.0f : value;
    }
}

static void run_piece(const struct pen_optimiser *o, const struct step *s, int64_t param, int64_t grad, int64_t n)
{
    float *p = o->param + param;
    const float *g = o->grad + grad;
    switch (o->kind) {
    case PEN_OPTIMISER_SGD:
        if (o->state1 != NULL) {
            step_momentum(s, p, o->state1 + param, g, n);
        } else {
            step_sgd(s, p, g, n);
        }
        break;
    case PEN_OPTIMISER_ADAM:
    case PEN_OPTIMISER_ADAMW:
        step_adam(s, p, o->state1 + param, o->state2 + param, g, n);
        break;
    case PEN_OPTIMISER_ADAGRAD:
        step_adagrad(s, p, o->state1 + param, g, n);
        break;
    case PEN_OPTIMISER_FTRL:
        step_ftrl(s, p, o->state1 + param, o->state2 + param, g, n);
        return;
    case PEN_OPTIMISER_COUNT:
        return;
    }
    if (s->threshold > 0) {
        soft_threshold(p, s->threshold, n);
    }
}

static struct step constants(const struct pen_optimiser *o)
{
    struct step s = {
        .learning_rate = (float)o->learning_rate,
        .momentum = (float)o->momentum,
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .rest1 = (float)(1.0 - o->beta1),
        .rest2 = (float)(1.0 - o->beta2),
        .epsilon = (float)o->epsilon,
        .l1 = (float)o->l1,
        .l2 = o->kind == PEN_OPTIMISER_ADAMW ? 0.0f : (float)o->l2,
        .ftrl_beta = (float)o->ftrl_beta,
        .grad_scale = (float)o->grad_scale,
        .shrink = o->kind == PEN_OPTIMISER_ADAMW ? (float)(o->learning_rate * o->l2) : 0.0f,
        .threshold = (float)(o->learning_rate * o->l1),
    };
    s.rate = (float)(o->learning_rate / (1.0 - pow(o->beta1, (double)o->step)));
    s.root = (float)(1.0 / sqrt(1.0 - pow(o->beta2, (double)o->step)));
    return s;
}

pen_status pen_optimiser_cpu(struct pen_exec *exec, const struct pen_optimiser *o, struct pen_error *err)
{
    if (o->n_rows < 0 || o->dim < 0 || o->step < 1) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "optimiser: expected sizes >= 0 and step >= 1, found [%lld, %lld], step %lld",
                 (long long)o->n_rows, (long long)o->dim, (long long)o->step);
    }
    struct step s = constants(o);
    int64_t n = o->n_rows * o->dim;
    if (o->rows == NULL) {
        int64_t n_pieces = (n + OPTIMISER_PIECE - 1) / OPTIMISER_PIECE;
#pragma omp parallel for schedule(static) if (n_pieces > 2)
        for (int64_t b = 0; b < n_pieces; b++) {
            int64_t first = b * OPTIMISER_PIECE;
            run_piece(o, &s, first, first, n - first < OPTIMISER_PIECE ? n - first : OPTIMISER_PIECE);
        }
        return PEN_OK;
    }
#pragma omp parallel for schedule(static) if (n > 2 * OPTIMISER_PIECE)
    for (int64_t r = 0; r < o->n_rows; r++) {
        run_piece(o, &s, o->rows[r] * o->dim, r * o->dim, o->dim);
    }
    return PEN_OK;
}

PEN_SIMD static void average_piece(float *restrict mean, const float *restrict param, float rate, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        mean[i] += rate * (param[i] - mean[i]);
    }
}

pen_status pen_average_cpu(struct pen_exec *exec, const struct pen_average *a, struct pen_error *err)
{
    if (a->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "average: expected n >= 0, found %lld", (long long)a->n);
    }
    int64_t n_pieces = (a->n + OPTIMISER_PIECE - 1) / OPTIMISER_PIECE;
#pragma omp parallel for schedule(static) if (n_pieces > 2)
    for (int64_t b = 0; b < n_pieces; b++) {
        int64_t first = b * OPTIMISER_PIECE;
        average_piece(a->mean + first, a->param + first, (float)a->rate,
                      a->n - first < OPTIMISER_PIECE ? a->n - first : OPTIMISER_PIECE);
    }
    return PEN_OK;
}

PEN_SIMD static double norm_piece(const float *x, int64_t n)
{
    double lanes[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int l = 0; l < 8; l++) {
            lanes[l] += (double)x[i + l] * (double)x[i + l];
        }
    }
    double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

pen_status pen_squared_norm_cpu(struct pen_exec *exec, struct pen_squared_norm *a, struct pen_error *err)
{
    if (a->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "squared_norm: expected n >= 0, found %lld", (long long)a->n);
    }
    a->result = 0;
    for (int64_t first = 0; first < a->n; first += 4096) {
        a->result += norm_piece(a->x + first, a->n - first < 4096 ? a->n - first : 4096);
    }
    return PEN_OK;
}
