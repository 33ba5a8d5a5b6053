/* The step of one value under each rule, and of four neighbours; a step's constants, computed once a block from what
 * lies in device memory. optimiser and optimiser_tables share them. */
#ifndef PEN_KERNELS_OPTIMISER_UPDATE_CUH
#define PEN_KERNELS_OPTIMISER_UPDATE_CUH

#include "kernels/cuda/exec.cuh"
#include "kernels/cuda/quad.cuh"
#include "kernels/optimiser/optimiser.h"

#include <math.h>

namespace pen_update
{

/* What the code differs in: adamw is adam with other constants, sgd without momentum has no state. */
enum rule { PLAIN, MOMENTUM, ADAM, ADAGRAD, FTRL };

template <int RULE> constexpr bool HAS_ONE = RULE != PLAIN;
template <int RULE> constexpr bool HAS_TWO = RULE == ADAM || RULE == FTRL;

/* Rounded to float once. */
struct constants {
    float learning_rate, momentum, beta1, beta2, epsilon, l1, l2, ftrl_beta, grad_scale;
    float rate, root;   /* adam: lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
    float rest1, rest2; /* 1 - beta, rounded after the subtraction: 1 - 0.999f is off by 1e-5 of itself */
    float shrink;       /* adamw: lr l2; else 0 */
    float threshold;    /* lr l1 */
    float inverse;      /* ftrl: 1 / lr */
};

/* sums may be NULL. Every thread of the block comes. */
static __device__ __forceinline__ constants constants_of(const pen_optimiser_rule &rule, const pen_training_step *step,
                                                         const pen_step_sums *sums)
{
    PEN_SHARED(constants, shared, [1]);
    if (threadIdx.x == 0) {
        double rate = step->learning_rate, number = (double)step->number;
        bool decoupled = rule.kind == PEN_OPTIMISER_ADAMW;
        constants c;
        c.learning_rate = (float)rate;
        c.momentum = (float)rule.momentum;
        c.beta1 = (float)rule.beta1;
        c.beta2 = (float)rule.beta2;
        c.rest1 = (float)(1.0 - rule.beta1);
        c.rest2 = (float)(1.0 - rule.beta2);
        c.epsilon = (float)rule.epsilon;
        c.l1 = (float)rule.l1;
        c.l2 = decoupled ? 0.0f : (float)rule.l2;
        c.ftrl_beta = (float)rule.ftrl_beta;
        c.grad_scale = sums != NULL ? (float)sums->grad_scale : 1.0f;
        c.rate = (float)(rate / (1.0 - pow(rule.beta1, number)));
        c.root = (float)(1.0 / sqrt(1.0 - pow(rule.beta2, number)));
        c.shrink = decoupled ? (float)(rate * rule.l2) : 0.0f;
        c.threshold = (float)(rate * rule.l1);
        c.inverse = 1.0f / (float)rate;
        shared[0] = c;
    }
    __syncthreads();
    return shared[0];
}

static __device__ __forceinline__ float soft_threshold(float p, float threshold)
{
    float size = fabsf(p) - threshold;
    return size > 0.0f ? copysignf(size, p) : 0.0f;
}

static __device__ __forceinline__ void step_ftrl(const constants &c, float grad, float &p, float &z, float &n)
{
    float g = grad * c.grad_scale, before = sqrtf(n);
    n = fmaf(g, g, n);
    float root = sqrtf(n);
    z += fmaf((before - root) * c.inverse, p, g);
    float value = (copysignf(c.l1, z) - z) / fmaf(c.ftrl_beta + root, c.inverse, c.l2);
    p = fabsf(z) <= c.l1 ? 0.0f : value;
}

/* State that the rule has not is left alone. Products are fused with sums by name, not as a compiler sees fit, so that
 * a value's bits are the same in every kernel that steps it. */
template <int RULE>
static __device__ __forceinline__ void step_value(const constants &c, float grad, float &p, float &s1, float &s2)
{
    if (RULE == FTRL) {
        step_ftrl(c, grad, p, s1, s2);
        return;
    }
    float g = fmaf(grad, c.grad_scale, c.l2 * p);
    if (RULE == PLAIN) {
        p = fmaf(-c.learning_rate, g, p);
    } else if (RULE == MOMENTUM) {
        s1 = fmaf(c.momentum, s1, g);
        p = fmaf(-c.learning_rate, s1, p);
    } else if (RULE == ADAM) {
        s1 = fmaf(c.beta1, s1, c.rest1 * g);
        s2 = fmaf(c.beta2, s2, c.rest2 * g * g);
        p = fmaf(-c.shrink, p, p) - c.rate * s1 / fmaf(sqrtf(s2), c.root, c.epsilon);
    } else {
        s1 = fmaf(g, g, s1);
        p -= c.learning_rate * g / (sqrtf(s1) + c.epsilon);
    }
    if (c.threshold > 0) {
        p = soft_threshold(p, c.threshold);
    }
}

/* The arrays that a step writes. */
struct arrays {
    float *param, *state1, *state2;
};

/* n of four neighbours from value `at`, their gradients at grad. */
template <int RULE>
static __device__ __forceinline__ void step_quad(const constants &c, const arrays &a, int64_t at, const float *grad,
                                                 int64_t n, bool aligned)
{
    float g[4], p[4], s1[4] = {0, 0, 0, 0}, s2[4] = {0, 0, 0, 0};
    pen_load_quad(g, grad, n, aligned);
    pen_load_quad(p, a.param + at, n, aligned);
    if (HAS_ONE<RULE>) {
        pen_load_quad(s1, a.state1 + at, n, aligned);
    }
    if (HAS_TWO<RULE>) {
        pen_load_quad(s2, a.state2 + at, n, aligned);
    }
    for (int j = 0; j < 4; j++) {
        step_value<RULE>(c, g[j], p[j], s1[j], s2[j]);
    }
    pen_store_quad(a.param + at, p, n, aligned);
    if (HAS_ONE<RULE>) {
        pen_store_quad(a.state1 + at, s1, n, aligned);
    }
    if (HAS_TWO<RULE>) {
        pen_store_quad(a.state2 + at, s2, n, aligned);
    }
}

static inline bool are_aligned(const arrays &a)
{
    return pen_cuda_aligned(a.param, 16) && pen_cuda_aligned(a.state1, 16) && pen_cuda_aligned(a.state2, 16);
}

/* launch.run<RULE>() for the rule that a kind of optimiser goes by. */
template <class Launch>
static pen_status dispatch(enum pen_optimiser_kind kind, const float *state1, const Launch &launch)
{
    switch (kind) {
    case PEN_OPTIMISER_SGD:
        return state1 != NULL ? launch.template run<MOMENTUM>() : launch.template run<PLAIN>();
    case PEN_OPTIMISER_ADAM:
    case PEN_OPTIMISER_ADAMW:
        return launch.template run<ADAM>();
    case PEN_OPTIMISER_ADAGRAD:
        return launch.template run<ADAGRAD>();
    case PEN_OPTIMISER_FTRL:
        return launch.template run<FTRL>();
    case PEN_OPTIMISER_COUNT:
        break;
    }
    return PEN_OK;
}

} // namespace pen_update

#endif
