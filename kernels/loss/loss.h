/* Losses with their gradient in one pass, and the links that turn logits into predictions.
 *
 * loss
 * formula      z = logits[n, :], y = label[n], u = weight[n] (1 without weights)
 *                sigmoid   l = max(z, 0) - z y + log(1 + e^-|z|),     dl/dz = 1 / (1 + e^-z) - y
 *                softmax   l = log(sum_c e^z[c]) - z[y],              dl/dz[c] = e^z[c] / sum_c e^z[c] - (c = y)
 *                squared   l = (z - t)^2 / 2, t = (y - label_shift) / label_scale,   dl/dz = z - t
 *              sums->loss += sum_n u l, sums->weight += sum_n u, gradient[n, :] = scale u dl/dz
 *              with step: where the batch's loss is not finite, sums->n_diverged++ and, when that is the first time,
 *              sums->first_diverged = step->number
 * shapes       logits, gradient: [N, C], C = 1 for sigmoid and squared, C >= 2 for softmax; gradient may be NULL
 * dtypes       f32; sums in f64
 * aliasing     gradient may be exactly logits
 * special      a label or weight that is NaN, a weight <= 0, a class outside [0, C): the row weighs 0, gradient 0
 * workspace    0 bytes
 * determinism  bit-identical on one kind of device, whatever the thread count: rows in an order that their number
 *              fixes; the batch's sums are added as one
 * error bound  gradient: 8 eps (sigmoid, softmax), 4 eps |z| + 4 eps |t| (squared), times scale u;
 *              sums->loss: N eps sum u (|z| + log C + 1)
 * cost         8 N C bytes
 * errors       PEN_ERR_SHAPE (pen_loss_check)
 *
 * link
 * formula      sigmoid: 1 / (1 + e^-z); softmax: e^z[c] / sum e^z; squared: z label_scale + label_shift
 * shapes       out: [N, C]; may be exactly logits
 * special      NaN in a row: NaN out
 * error bound  8 eps relative (sigmoid, softmax), 2 eps (|z label_scale| + |label_shift|) (squared) */
#ifndef PEN_KERNELS_LOSS_LOSS_H
#define PEN_KERNELS_LOSS_LOSS_H

#include "core/status.h"
#include "kernels/exec.h"
#include "kernels/step/step.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_loss_kind { PEN_LOSS_SIGMOID, PEN_LOSS_SOFTMAX, PEN_LOSS_SQUARED };

struct pen_loss {
    enum pen_loss_kind kind;
    int64_t n_rows, n_outputs;
    const float *logits;
    const float *label;
    const float *weight; /* NULL: 1 */
    double label_shift, label_scale;
    float scale;
    float *gradient;                      /* NULL: not wanted */
    const struct pen_training_step *step; /* NULL: not a step of training */
    struct pen_step_sums *sums;
};

typedef pen_status pen_loss_fn(struct pen_exec *exec, const struct pen_loss *loss, struct pen_error *err);
pen_loss_fn pen_loss_cpu, pen_loss_cuda;

struct pen_link {
    enum pen_loss_kind kind;
    int64_t n_rows, n_outputs;
    const float *logits;
    double label_shift, label_scale;
    float *out;
};

typedef pen_status pen_link_fn(struct pen_exec *exec, const struct pen_link *link, struct pen_error *err);
pen_link_fn pen_link_cpu, pen_link_cuda;

/* What every implementation of either op refuses. */
static inline pen_status pen_loss_check(const char *op, enum pen_loss_kind kind, int64_t n_rows, int64_t n_outputs,
                                        struct pen_error *err)
{
    bool fits = kind == PEN_LOSS_SOFTMAX ? n_outputs >= 2 : n_outputs == 1;
    if (n_rows < 0 || !fits) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected %s and rows >= 0, found %lld outputs, %lld rows", op,
                 kind == PEN_LOSS_SOFTMAX ? "2 or more outputs" : "1 output", (long long)n_outputs, (long long)n_rows);
    }
    return PEN_OK;
}

#ifdef __cplusplus
}
#endif

#endif
