/* The optimiser's calls: weights, biases, tables. */
#include "components/trainer/update.h"

#include <math.h>

pen_status pen_update_init(struct pen_update *u, const struct pen_update_options *options, const struct pen_network *n,
                           struct pen_error *err)
{
    bool adam = options->kind == PEN_OPTIMISER_ADAM || options->kind == PEN_OPTIMISER_ADAMW;
    bool plain = options->kind == PEN_OPTIMISER_SGD && options->momentum <= 0;
    *u = (struct pen_update){.options = *options};
    if (!plain) {
        PEN_ALLOC(u->state1, n->n_total, err);
    }
    if (adam || options->kind == PEN_OPTIMISER_FTRL) {
        PEN_ALLOC(u->state2, n->n_total, err);
    }
    return PEN_OK;
}

void pen_update_deinit(struct pen_update *u)
{
    pen_free(u->state1);
    pen_free(u->state2);
    *u = (struct pen_update){.state1 = NULL};
}

static pen_status add_norm(const struct pen_network *n, const float *x, int64_t size, double *sum,
                           struct pen_error *err)
{
    struct pen_squared_norm norm = {size, x, 0};
    PEN_TRY(n->exec->kernels->squared_norm(n->exec, &norm, err));
    *sum += norm.result;
    return PEN_OK;
}

static pen_status gradient_norm(const struct pen_pass *p, double *norm, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    double sum = 0;
    PEN_TRY(add_norm(n, p->grad, n->n_weights + n->n_biases, &sum, err));
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        if (n->has_deep) {
            PEN_TRY(add_norm(n, p->deep[f].grad, p->deep[f].n_touched * p->deep[f].dim, &sum, err));
        }
        if (n->has_wide) {
            PEN_TRY(add_norm(n, p->wide[f].grad, p->wide[f].n_touched * p->wide[f].dim, &sum, err));
        }
    }
    *norm = sqrt(sum);
    return PEN_OK;
}

static void place(const struct pen_update *u, struct pen_optimiser *o, const struct pen_network *n, int64_t offset)
{
    o->param = n->values + offset;
    o->state1 = u->state1 != NULL ? u->state1 + offset : NULL;
    o->state2 = u->state2 != NULL ? u->state2 + offset : NULL;
}

static pen_status update_table(const struct pen_update *u, struct pen_optimiser o, const struct pen_network *n,
                               int64_t parameter, const struct pen_embedding_feature *feature, struct pen_error *err)
{
    place(u, &o, n, n->parameters[parameter].offset);
    o.n_rows = feature->n_touched;
    o.dim = feature->dim;
    o.rows = feature->touched;
    o.grad = feature->grad;
    return n->exec->kernels->optimiser(n->exec, &o, err);
}

pen_status pen_update_apply(struct pen_update *u, struct pen_pass *p, double learning_rate, int64_t step, double *norm,
                            struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_update_options *s = &u->options;
    *norm = NAN;
    struct pen_optimiser o = {.kind = s->kind,
                              .learning_rate = learning_rate,
                              .momentum = s->momentum,
                              .beta1 = s->beta1,
                              .beta2 = s->beta2,
                              .epsilon = s->epsilon,
                              .l1 = s->l1,
                              .l2 = s->l2,
                              .ftrl_beta = s->ftrl_beta,
                              .step = step,
                              .grad_scale = 1,
                              .n_rows = n->n_weights,
                              .dim = 1,
                              .grad = p->grad};
    if (s->clip_norm > 0) {
        PEN_TRY(gradient_norm(p, norm, err));
        o.grad_scale = *norm > s->clip_norm ? s->clip_norm / *norm : 1;
    }
    place(u, &o, n, 0);
    PEN_TRY(n->exec->kernels->optimiser(n->exec, &o, err));
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        if (n->has_deep) {
            PEN_TRY(update_table(u, o, n, n->deep_table[f], &p->deep[f], err));
        }
        if (n->has_wide) {
            PEN_TRY(update_table(u, o, n, n->wide_table[f], &p->wide[f], err));
        }
    }
    o.l1 = o.l2 = 0;
    o.n_rows = n->n_biases;
    o.grad = p->grad + n->n_weights;
    place(u, &o, n, n->n_weights);
    return n->exec->kernels->optimiser(n->exec, &o, err);
}
