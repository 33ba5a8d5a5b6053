/* Activations over a block of rows, one vectorised loop each. */
#include "kernels/activation/activation.h"

#include "kernels/activation/exp.h"
#include "kernels/simd.h"

#include <stddef.h>

PEN_SIMD static void add_bias(float *y, const float *bias, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] += bias[i];
    }
}

PEN_SIMD static void apply_relu(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = y[i] < 0.0f ? 0.0f : y[i];
    }
}

PEN_SIMD static void apply_leaky_relu(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = y[i] < 0.0f ? 0.01f * y[i] : y[i];
    }
}

PEN_SIMD static void apply_elu(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float e = pen_exp_f32(y[i]) - 1.0f;
        y[i] = y[i] < 0.0f ? e : y[i];
    }
}

PEN_SIMD static void apply_sigmoid(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = pen_sigmoid_f32(y[i]);
    }
}

PEN_SIMD static void apply_tanh(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = pen_tanh_f32(y[i]);
    }
}

static void apply_row(enum pen_activation activation, float *y, int64_t n)
{
    switch (activation) {
    case PEN_ACTIVATION_RELU:
        apply_relu(y, n);
        break;
    case PEN_ACTIVATION_LEAKY_RELU:
        apply_leaky_relu(y, n);
        break;
    case PEN_ACTIVATION_ELU:
        apply_elu(y, n);
        break;
    case PEN_ACTIVATION_SIGMOID:
        apply_sigmoid(y, n);
        break;
    case PEN_ACTIVATION_TANH:
        apply_tanh(y, n);
        break;
    case PEN_ACTIVATION_NONE:
    case PEN_ACTIVATION_COUNT:
        break;
    }
}

void pen_activation_apply_cpu(enum pen_activation activation, float *y, int64_t ld, const float *bias, int64_t n_rows,
                              int64_t n)
{
    for (int64_t row = 0; row < n_rows; row++) {
        if (bias != NULL) {
            add_bias(y + row * ld, bias, n);
        }
        apply_row(activation, y + row * ld, n);
    }
}

PEN_SIMD static void backward_relu(float *dy, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
    }
}

PEN_SIMD static void backward_leaky_relu(float *dy, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dy[i] = y[i] > 0.0f ? dy[i] : 0.01f * dy[i];
    }
}

PEN_SIMD static void backward_elu(float *dy, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dy[i] = y[i] > 0.0f ? dy[i] : (y[i] + 1.0f) * dy[i];
    }
}

PEN_SIMD static void backward_sigmoid(float *dy, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dy[i] *= y[i] * (1.0f - y[i]);
    }
}

PEN_SIMD static void backward_tanh(float *dy, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        dy[i] *= 1.0f - y[i] * y[i];
    }
}

PEN_SIMD static void add_row(float *sums, const float *row, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        sums[i] += row[i];
    }
}

void pen_activation_backward_cpu(enum pen_activation activation, float *dy, int64_t ld_dy, float *sums, const float *y,
                                 int64_t ld_y, int64_t n_rows, int64_t n)
{
    if (sums != NULL) {
        memset(sums, 0, (size_t)n * sizeof *sums);
    }
    for (int64_t row = 0; row < n_rows; row++) {
        float *d = dy + row * ld_dy;
        const float *v = y + row * ld_y;
        switch (activation) {
        case PEN_ACTIVATION_RELU:
            backward_relu(d, v, n);
            break;
        case PEN_ACTIVATION_LEAKY_RELU:
            backward_leaky_relu(d, v, n);
            break;
        case PEN_ACTIVATION_ELU:
            backward_elu(d, v, n);
            break;
        case PEN_ACTIVATION_SIGMOID:
            backward_sigmoid(d, v, n);
            break;
        case PEN_ACTIVATION_TANH:
            backward_tanh(d, v, n);
            break;
        case PEN_ACTIVATION_NONE:
        case PEN_ACTIVATION_COUNT:
            break;
        }
        if (sums != NULL) {
            add_row(sums, d, n);
        }
    }
}
