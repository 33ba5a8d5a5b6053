/* Validation by batches in order. AUC is the Mann-Whitney statistic with ties counted half. */
#include "components/trainer/validate.h"

#include <math.h>
#include <stdlib.h>

struct pen_scored {
    float score, label, weight;
};

pen_status pen_validation_init(struct pen_validation *v, const struct pen_pass *pass, int64_t max_rows,
                               struct pen_error *err)
{
    *v = (struct pen_validation){.max_rows = max_rows};
    PEN_ALLOC(v->scored, max_rows, err);
    PEN_ALLOC(v->predictions, pass->max_rows * pass->network->n_outputs, err);
    return PEN_OK;
}

void pen_validation_deinit(struct pen_validation *v)
{
    pen_free(v->scored);
    pen_free(v->predictions);
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
    double loss, weight, right, square;
};

static void count_row(struct pen_validation *v, struct tally *t, const struct pen_pass *p, int64_t row)
{
    const struct pen_network *n = p->network;
    const float *out = v->predictions + row * n->n_outputs;
    float y = p->label[row], u = p->weight[row];
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

pen_status pen_validation_run(struct pen_validation *v, struct pen_pass *p, const struct pen_rows *rows,
                              struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct tally t = {.n = 0};
    PEN_ASSERT(rows->n_rows <= v->max_rows);
    for (int64_t first = 0; first < rows->n_rows; first += p->max_rows) {
        int64_t left = rows->n_rows - first;
        PEN_TRY(pen_pass_load(p, rows, NULL, first, left < p->max_rows ? left : p->max_rows, err));
        PEN_TRY(pen_pass_forward(p, 0, 0, err));
        PEN_TRY(pen_pass_loss(p, false, 1, err));
        t.loss += p->loss_sum;
        t.weight += p->weight_sum;
        struct pen_link link = {n->loss,        p->n_rows,      n->n_outputs,  p->logits,
                                n->label_shift, n->label_scale, v->predictions};
        PEN_TRY(n->exec->kernels->link(n->exec, &link, err));
        for (int64_t row = 0; row < p->n_rows; row++) {
            count_row(v, &t, p, row);
        }
    }
    v->loss = t.weight > 0 ? t.loss / t.weight : (double)NAN;
    v->accuracy = n->loss == PEN_LOSS_SQUARED || !(t.weight > 0) ? (double)NAN : t.right / t.weight;
    v->metric = n->loss == PEN_LOSS_SIGMOID   ? area_under_curve(v->scored, t.n)
                : n->loss == PEN_LOSS_SOFTMAX ? v->accuracy
                : t.weight > 0                ? sqrt(t.square / t.weight)
                                              : (double)NAN;
    return PEN_OK;
}
