/* Validation by batches in order. AUC is the Mann-Whitney statistic with ties counted half. */
#include "components/trainer/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pen_scored {
    float score, label, weight;
};

pen_status pen_validation_init(struct pen_validation *v, const struct pen_pass *pass, int64_t max_rows,
                               struct pen_communicator *ranks, struct pen_error *err)
{
    struct pen_exec *exec = pass->network->exec;
    *v = (struct pen_validation){.max_rows = max_rows, .exec = exec, .ranks = ranks};
    PEN_ALLOC(v->scored, max_rows, err);
    PEN_ALLOC(v->predictions, pass->max_rows * pass->network->n_outputs, err);
    PEN_ALLOC(v->label, pass->max_rows, err);
    PEN_ALLOC(v->weight, pass->max_rows, err);
    PEN_DEVICE_ALLOC(exec, v->on_device, pass->max_rows * pass->network->n_outputs, "predictions of a batch", err);
    PEN_DEVICE_ALLOC(exec, v->sums, 1, "sums of a validation", err);
    return PEN_OK;
}

void pen_validation_deinit(struct pen_validation *v)
{
    pen_free(v->scored);
    pen_free(v->predictions);
    pen_free(v->label);
    pen_free(v->weight);
    if (v->exec != NULL) {
        pen_device_release(v->exec, v->on_device);
        pen_device_release(v->exec, v->sums);
    }
}

const char *pen_validation_metric_name(const struct pen_network *n)
{
    return n->loss == PEN_LOSS_SIGMOID ? "auc" : n->loss == PEN_LOSS_SOFTMAX ? "accuracy" : "rmse";
}

static int by_score(const void *a, const void *b)
{
    float x = ((const struct pen_scored *)a)->score, y = ((const struct pen_scored *)b)->score;
    return x < y ? -1 : x > y ? 1 : 0;
}

static double area_under_curve(struct pen_scored *s, int64_t n)
{
    double below = 0, pairs = 0, positives = 0;
    qsort(s, (size_t)n, sizeof *s, by_score);
    for (int64_t i = 0; i < n;) {
        double positive = 0, negative = 0;
        int64_t j = i;
        for (; j < n && !(s[j].score > s[i].score); j++) {
            positive += (double)(s[j].weight * s[j].label);
            negative += (double)(s[j].weight * (1.0f - s[j].label));
        }
        pairs += positive * (below + negative / 2);
        below += negative;
        positives += positive;
        i = j;
    }
    return positives > 0 && below > 0 ? pairs / (positives * below) : (double)NAN;
}

struct tally {
    int64_t n;
    double right, square;
};

static void count_row(struct pen_validation *v, struct tally *t, const struct pen_network *n, int64_t row)
{
    const float *out = v->predictions + row * n->n_outputs;
    float y = v->label[row], u = v->weight[row];
    if (isnan(y) || !(u > 0.0f)) {
        return;
    }
    if (n->loss == PEN_LOSS_SIGMOID) {
        v->scored[t->n++] = (struct pen_scored){out[0], y, u};
        t->right += (double)u * ((out[0] >= 0.5f) == (y >= 0.5f));
    } else if (n->loss == PEN_LOSS_SOFTMAX) {
        int64_t best = 0;
        for (int64_t c = 1; c < n->n_outputs; c++) {
            best = out[c] > out[best] ? c : best;
        }
        t->right += (double)u * ((float)best == y);
    } else {
        t->square += (double)u * ((double)out[0] - (double)y) * ((double)out[0] - (double)y);
    }
}

static pen_status run_batch(struct pen_validation *v, struct pen_pass *p, struct tally *t, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    PEN_TRY(pen_pass_forward(p, false, err));
    PEN_TRY(pen_pass_loss(p, v->sums, err));
    struct pen_link link = {n->loss, p->n_rows, n->n_outputs, p->logits, n->label_shift, n->label_scale, v->on_device};
    PEN_TRY(n->exec->kernels->link(n->exec, &link, err));
    size_t row_bytes = (size_t)p->n_rows * sizeof(float);
    PEN_TRY(pen_device_download(n->exec, v->predictions, v->on_device, row_bytes * (size_t)n->n_outputs, err));
    PEN_TRY(pen_device_download(n->exec, v->label, p->label, row_bytes, err));
    PEN_TRY(pen_device_download(n->exec, v->weight, p->weight, row_bytes, err));
    for (int64_t row = 0; row < p->n_rows; row++) {
        count_row(v, t, n, row);
    }
    return PEN_OK;
}

/* What all ranks counted, their scored rows in the order of the ranks. */
static pen_status add_ranks(struct pen_validation *v, struct tally *t, struct pen_step_sums *sums,
                            struct pen_error *err)
{
    double counted[4] = {sums->loss, sums->weight, t->right, t->square};
    int64_t *offsets = NULL;
    char *scored = NULL;
    if (v->ranks->size == 1) {
        return PEN_OK;
    }
    PEN_TRY(pen_communicator_sum_f64(v->ranks, counted, 4, err));
    sums->loss = counted[0];
    sums->weight = counted[1];
    t->right = counted[2];
    t->square = counted[3];
    PEN_ALLOC(offsets, v->ranks->size + 1, err);
    pen_status status =
        pen_communicator_gather_all(v->ranks, &scored, offsets, v->scored, t->n * (int64_t)sizeof *v->scored, err);
    if (status == PEN_OK) {
        t->n = offsets[v->ranks->size] / (int64_t)sizeof *v->scored;
        PEN_ASSERT(t->n <= v->max_rows);
        memcpy(v->scored, scored, (size_t)offsets[v->ranks->size]);
    }
    pen_free(offsets);
    pen_free(scored);
    return status;
}

pen_status pen_validation_run(struct pen_validation *v, struct pen_pass *p, const struct pen_device_rows *rows,
                              struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct tally t = {.n = 0};
    struct pen_step_sums sums;
    PEN_ASSERT(rows->n_rows <= v->max_rows);
    PEN_TRY(pen_device_fill(n->exec, v->sums, 0, sizeof *v->sums, err));
    int64_t first = 0, end = 0;
    pen_communicator_share(v->ranks, rows->n_rows, &first, &end);
    for (; first < end; first += p->max_rows) {
        int64_t left = end - first;
        PEN_TRY(pen_pass_load(p, rows, first, left < p->max_rows ? left : p->max_rows, err));
        PEN_TRY(run_batch(v, p, &t, err));
    }
    PEN_TRY(pen_device_download(n->exec, &sums, v->sums, sizeof sums, err));
    PEN_TRY(add_ranks(v, &t, &sums, err));
    v->loss = sums.weight > 0 ? sums.loss / sums.weight : (double)NAN;
    v->accuracy = n->loss == PEN_LOSS_SQUARED || !(sums.weight > 0) ? (double)NAN : t.right / sums.weight;
    v->metric = n->loss == PEN_LOSS_SIGMOID   ? area_under_curve(v->scored, t.n)
                : n->loss == PEN_LOSS_SOFTMAX ? v->accuracy
                : sums.weight > 0             ? sqrt(t.square / sums.weight)
                                              : (double)NAN;
    return PEN_OK;
}
