/* Losses and links on the CPU: one pass over the rows, in order; the work is a few values a row, so one thread. */
#include "kernels/loss/loss.h"

#include "kernels/activation/exp.h"

#include <math.h>

/* exp with its true zero and infinity: a probability of 1e-38 is not 0, and NaN stays. */
static float sigmoid(float z)
{
    return z >= 0.0f ? 1.0f / (1.0f + pen_exp_f32(-z)) : pen_exp_f32(z) / (1.0f + pen_exp_f32(z));
}

static double sigmoid_row(float z, float y, float factor, float *gradient)
{
    float size = fabsf(z);
    double loss = (double)(z > 0.0f ? z : 0.0f) - (double)z * (double)y + (double)log1pf(pen_exp_f32(-size));
    if (gradient != NULL) {
        *gradient = factor * (sigmoid(z) - y);
    }
    return loss;
}

static double softmax_row(const float *z, int64_t n, int64_t y, float factor, float *gradient)
{
    float top = z[0];
    for (int64_t c = 1; c < n; c++) {
        top = z[c] > top ? z[c] : top;
    }
    float sum = 0;
    float target = z[y];
    for (int64_t c = 0; c < n; c++) {
        float e = pen_exp_f32(z[c] - top);
        sum += e;
        if (gradient != NULL) {
            gradient[c] = e;
        }
    }
    for (int64_t c = 0; gradient != NULL && c < n; c++) {
        gradient[c] = factor * (gradient[c] / sum - (c == y ? 1.0f : 0.0f));
    }
    return (double)logf(sum) + (double)top - (double)target;
}

static double squared_row(float z, float t, float factor, float *gradient)
{
    float difference = z - t;
    if (gradient != NULL) {
        *gradient = factor * difference;
    }
    return 0.5 * (double)difference * (double)difference;
}

pen_status pen_loss_cpu(struct pen_exec *exec, const struct pen_loss *l, struct pen_error *err)
{
    PEN_TRY(pen_loss_check("loss", l->kind, l->n_rows, l->n_outputs, err));
    double loss_sum = 0, weight_sum = 0;
    for (int64_t row = 0; row < l->n_rows; row++) {
        const float *z = l->logits + row * l->n_outputs;
        float *gradient = l->gradient != NULL ? l->gradient + row * l->n_outputs : NULL;
        float y = l->label[row], u = l->weight != NULL ? l->weight[row] : 1.0f;
        bool counts = !isnan(y) && u > 0.0f;
        if (l->kind == PEN_LOSS_SOFTMAX) {
            counts = counts && y >= 0.0f && y < (float)l->n_outputs;
        }
        if (!counts) {
            for (int64_t c = 0; gradient != NULL && c < l->n_outputs; c++) {
                gradient[c] = 0;
            }
            continue;
        }
        double loss;
        if (l->kind == PEN_LOSS_SIGMOID) {
            loss = sigmoid_row(z[0], y, l->scale * u, gradient);
        } else if (l->kind == PEN_LOSS_SOFTMAX) {
            loss = softmax_row(z, l->n_outputs, (int64_t)y, l->scale * u, gradient);
        } else {
            loss = squared_row(z[0], (float)(((double)y - l->label_shift) / l->label_scale), l->scale * u, gradient);
        }
        loss_sum += (double)u * loss;
        weight_sum += (double)u;
    }
    l->sums->loss += loss_sum;
    l->sums->weight += weight_sum;
    if (l->step != NULL && !isfinite(loss_sum) && l->sums->n_diverged++ == 0) {
        l->sums->first_diverged = l->step->number;
    }
    return PEN_OK;
}

static void softmax_link(float *out, const float *z, int64_t n)
{
    float top = z[0], sum = 0;
    for (int64_t c = 1; c < n; c++) {
        top = z[c] > top ? z[c] : top;
    }
    for (int64_t c = 0; c < n; c++) {
        out[c] = pen_exp_f32(z[c] - top);
        sum += out[c];
    }
    for (int64_t c = 0; c < n; c++) {
        out[c] /= sum;
    }
}

pen_status pen_link_cpu(struct pen_exec *exec, const struct pen_link *l, struct pen_error *err)
{
    PEN_TRY(pen_loss_check("link", l->kind, l->n_rows, l->n_outputs, err));
    for (int64_t row = 0; row < l->n_rows; row++) {
        const float *z = l->logits + row * l->n_outputs;
        float *out = l->out + row * l->n_outputs;
        if (l->kind == PEN_LOSS_SIGMOID) {
            out[0] = sigmoid(z[0]);
        } else if (l->kind == PEN_LOSS_SOFTMAX) {
            softmax_link(out, z, l->n_outputs);
        } else {
            out[0] = (float)((double)z[0] * l->label_scale + l->label_shift);
        }
    }
    return PEN_OK;
}
