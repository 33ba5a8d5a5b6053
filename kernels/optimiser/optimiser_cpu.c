/* Optimisers on the CPU: one vectorised loop a kind, over fixed pieces of an array or over a table's touched rows. */
#include "kernels/optimiser/optimiser.h"

#include "kernels/simd.h"

#include <math.h>

enum { OPTIMISER_PIECE = 8192, ROWS_PIECE = 512, ROWS_AHEAD = 12 };

/* Constants of one step, rounded to float once. */
struct step {
    float learning_rate, momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta, grad_scale;
    float rate, root;   /* adam: lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
    float rest1, rest2; /* 1 - beta, rounded after the subtraction: 1 - 0.999f is off by 1e-5 of itself */
    float shrink;       /* adamw: lr l2; else 0 */
    float threshold;    /* lr l1 */
};

PEN_INLINE void soft_threshold(float *p, float threshold, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float size = fabsf(p[i]) - threshold;
        p[i] = size > 0.0f ? copysignf(size, p[i]) : 0.0f;
    }
}

PEN_INLINE void step_sgd(const struct step *s, float *restrict p, const float *restrict grad, int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate;
    for (int64_t i = 0; i < n; i++) {
        p[i] -= rate * (grad[i] * scale + l2 * p[i]);
    }
}

PEN_INLINE void step_momentum(const struct step *s, float *restrict p, float *restrict v, const float *restrict grad,
                              int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate, momentum = s->momentum;
    for (int64_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (grad[i] * scale + l2 * p[i]);
        p[i] -= rate * v[i];
    }
}

/* l2 is 0 for adamw, shrink is 0 for adam. */
PEN_INLINE void step_adam(const struct step *s, float *restrict p, float *restrict m, float *restrict v,
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

PEN_INLINE void step_adagrad(const struct step *s, float *restrict p, float *restrict a, const float *restrict grad,
                             int64_t n)
{
    float scale = s->grad_scale, l2 = s->l2, rate = s->learning_rate, epsilon = s->epsilon;
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * scale + l2 * p[i];
        float ai = a[i] + g * g;
        a[i] = ai;
        p[i] -= rate * g / (sqrtf(ai) + epsilon);
    }
}

PEN_INLINE void step_ftrl(const struct step *s, float *restrict p, float *restrict z, float *restrict a,
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

/* n values at `param` of the parameter and state arrays, with the gradient at grad. */
struct arrays {
    float *param, *state1, *state2;
};

PEN_INLINE void run_values(enum pen_optimiser_kind kind, const struct step *s, const struct arrays *a, int64_t at,
                           const float *grad, int64_t n)
{
    float *p = a->param + at;
    switch (kind) {
    case PEN_OPTIMISER_SGD:
        if (a->state1 != NULL) {
            step_momentum(s, p, a->state1 + at, grad, n);
        } else {
            step_sgd(s, p, grad, n);
        }
        break;
    case PEN_OPTIMISER_ADAM:
    case PEN_OPTIMISER_ADAMW:
        step_adam(s, p, a->state1 + at, a->state2 + at, grad, n);
        break;
    case PEN_OPTIMISER_ADAGRAD:
        step_adagrad(s, p, a->state1 + at, grad, n);
        break;
    case PEN_OPTIMISER_FTRL:
        step_ftrl(s, p, a->state1 + at, a->state2 + at, grad, n);
        return;
    case PEN_OPTIMISER_COUNT:
        return;
    }
    if (s->threshold > 0) {
        soft_threshold(p, s->threshold, n);
    }
}

PEN_SIMD static void run_piece(enum pen_optimiser_kind kind, const struct step *s, const struct arrays *a, int64_t at,
                               const float *grad, int64_t n)
{
    run_values(kind, s, a, at, grad, n);
}

/* Touched rows [first, end) of a table. They lie anywhere in memory: fetched a few rows ahead. */
PEN_SIMD static void run_rows(enum pen_optimiser_kind kind, const struct step *s, const struct arrays *a,
                              const struct pen_embedding_feature *f, int64_t first, int64_t end)
{
    int64_t dim = f->dim;
    bool one = kind != PEN_OPTIMISER_SGD || a->state1 != NULL;
    bool two = kind != PEN_OPTIMISER_SGD && kind != PEN_OPTIMISER_ADAGRAD;
    for (int64_t r = first; r < end; r++) {
        if (r + ROWS_AHEAD < end) {
            int64_t ahead = f->offset + f->touched[r + ROWS_AHEAD] * dim;
            __builtin_prefetch(a->param + ahead, 1);
            __builtin_prefetch(one ? a->state1 + ahead : a->param, 1);
            __builtin_prefetch(two ? a->state2 + ahead : a->param, 1);
        }
        int64_t at = f->offset + f->touched[r] * dim;
        if (dim == 16) { /* the usual width: no loop around one vector */
            run_values(kind, s, a, at, f->grad + r * 16, 16);
        } else {
            run_values(kind, s, a, at, f->grad + r * dim, dim);
        }
    }
}

static struct step constants(const struct pen_optimiser_rule *o, const struct pen_training_step *step,
                             const struct pen_step_sums *sums)
{
    double rate = step->learning_rate;
    struct step s = {
        .learning_rate = (float)rate,
        .momentum = (float)o->momentum,
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .rest1 = (float)(1.0 - o->beta1),
        .rest2 = (float)(1.0 - o->beta2),
        .epsilon = (float)o->epsilon,
        .l1 = (float)o->l1,
        .l2 = o->kind == PEN_OPTIMISER_ADAMW ? 0.0f : (float)o->l2,
        .ftrl_beta = (float)o->ftrl_beta,
        .grad_scale = sums != NULL ? (float)sums->grad_scale : 1.0f,
        .shrink = o->kind == PEN_OPTIMISER_ADAMW ? (float)(rate * o->l2) : 0.0f,
        .threshold = (float)(rate * o->l1),
    };
    s.rate = (float)(rate / (1.0 - pow(o->beta1, (double)step->number)));
    s.root = (float)(1.0 / sqrt(1.0 - pow(o->beta2, (double)step->number)));
    return s;
}

pen_status pen_optimiser_cpu(struct pen_exec *exec, const struct pen_optimiser *o, struct pen_error *err)
{
    if (o->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "optimiser: expected n >= 0, found %lld", (long long)o->n);
    }
    struct step s = constants(&o->rule, o->step, o->sums);
    struct arrays a = {o->param, o->state1, o->state2};
    int64_t n_pieces = (o->n + OPTIMISER_PIECE - 1) / OPTIMISER_PIECE;
#pragma omp parallel for schedule(static) if (n_pieces > 2)
    for (int64_t b = 0; b < n_pieces; b++) {
        int64_t first = b * OPTIMISER_PIECE, left = o->n - first;
        run_piece(o->rule.kind, &s, &a, first, o->grad + first, left < OPTIMISER_PIECE ? left : OPTIMISER_PIECE);
    }
    return PEN_OK;
}

pen_status pen_optimiser_tables_cpu(struct pen_exec *exec, const struct pen_optimiser_tables *o, struct pen_error *err)
{
    if (o->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "optimiser_tables: expected features >= 0, found %lld", (long long)o->n_features);
    }
    struct step s = constants(&o->rule, o->step, o->sums);
    struct arrays a = {o->values, o->state1, o->state2};
    int64_t n_pieces = 0, n_values = 0;
    for (int64_t f = 0; f < o->n_features; f++) {
        int64_t pieces = (o->features[f].n_touched + ROWS_PIECE - 1) / ROWS_PIECE;
        n_pieces = pieces > n_pieces ? pieces : n_pieces;
        n_values += o->features[f].n_touched * o->features[f].dim;
    }
#pragma omp parallel for collapse(2) schedule(dynamic) if (n_values > 2 * OPTIMISER_PIECE)
    for (int64_t b = 0; b < n_pieces; b++) {
        for (int64_t f = 0; f < o->n_features; f++) {
            int64_t first = b * ROWS_PIECE, end = first + ROWS_PIECE, n = o->features[f].n_touched;
            run_rows(o->rule.kind, &s, &a, &o->features[f], first, end < n ? end : n);
        }
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

/* By blocks of 4096, so that each rounds on its own. */
static double norm_of(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t first = 0; first < n; first += 4096) {
        sum += norm_piece(x + first, n - first < 4096 ? n - first : 4096);
    }
    return sum;
}

pen_status pen_squared_norm_cpu(struct pen_exec *exec, const struct pen_squared_norm *a, struct pen_error *err)
{
    if (a->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "squared_norm: expected n >= 0, found %lld", (long long)a->n);
    }
    *a->sum += norm_of(a->x, a->n);
    return PEN_OK;
}

pen_status pen_tables_norm_cpu(struct pen_exec *exec, const struct pen_tables_norm *a, struct pen_error *err)
{
    if (a->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "tables_norm: expected features >= 0, found %lld", (long long)a->n_features);
    }
    for (int64_t f = 0; f < a->n_features; f++) {
        *a->sum += norm_of(a->features[f].grad, a->features[f].n_touched * a->features[f].dim);
    }
    return PEN_OK;
}
