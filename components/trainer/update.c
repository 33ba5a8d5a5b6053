/* The optimiser's calls: weights, tables, biases. */
#include "components/trainer/update.h"

static pen_status zero_state(float **state, const struct pen_network *n, struct pen_error *err)
{
    PEN_DEVICE_ALLOC(n->exec, *state, n->n_total, "optimiser state", err);
    return pen_device_fill(n->exec, *state, 0, (size_t)n->n_total * sizeof **state, err);
}

pen_status pen_update_init(struct pen_update *u, const struct pen_update_options *options, const struct pen_network *n,
                           struct pen_error *err)
{
    enum pen_optimiser_kind kind = options->rule.kind;
    bool adam = kind == PEN_OPTIMISER_ADAM || kind == PEN_OPTIMISER_ADAMW;
    bool plain = kind == PEN_OPTIMISER_SGD && options->rule.momentum <= 0;
    *u = (struct pen_update){.options = *options, .exec = n->exec};
    if (!plain) {
        PEN_TRY(zero_state(&u->state1, n, err));
    }
    return adam || kind == PEN_OPTIMISER_FTRL ? zero_state(&u->state2, n, err) : PEN_OK;
}

void pen_update_deinit(struct pen_update *u)
{
    if (u->exec != NULL) {
        pen_device_release(u->exec, u->state1);
        pen_device_release(u->exec, u->state2);
    }
    *u = (struct pen_update){.exec = NULL};
}

static pen_status clip(const struct pen_pass *p, double limit, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct pen_squared_norm dense = {n->n_weights + n->n_biases, p->grad, &p->sums->squared_norm};
    struct pen_tables_norm tables = {p->n_tables, p->summed, &p->sums->squared_norm};
    struct pen_clip_norm scale = {limit, p->sums};
    PEN_TRY(n->exec->kernels->squared_norm(n->exec, &dense, err));
    PEN_TRY(n->exec->kernels->tables_norm(n->exec, &tables, err));
    return n->exec->kernels->clip_norm(n->exec, &scale, err);
}

/* Values [first, first + n) of those with a dense gradient. */
static pen_status update_dense(const struct pen_update *u, const struct pen_pass *p,
                               const struct pen_optimiser_rule *rule, int64_t first, int64_t n, struct pen_error *err)
{
    const struct pen_network *network = p->network;
    struct pen_optimiser o = {.rule = *rule,
                              .step = p->step,
                              .sums = p->sums,
                              .n = n,
                              .grad = p->grad + first,
                              .param = network->values + first,
                              .state1 = u->state1 != NULL ? u->state1 + first : NULL,
                              .state2 = u->state2 != NULL ? u->state2 + first : NULL};
    return network->exec->kernels->optimiser(network->exec, &o, err);
}

pen_status pen_update_apply(struct pen_update *u, struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct pen_optimiser_rule rule = u->options.rule;
    if (u->options.clip_norm > 0) {
        PEN_TRY(clip(p, u->options.clip_norm, err));
    }
    PEN_TRY(update_dense(u, p, &rule, 0, n->n_weights, err));
    struct pen_optimiser_tables tables = {rule,      p->step,   p->sums,   p->n_tables,
                                          p->summed, n->values, u->state1, u->state2};
    PEN_TRY(n->exec->kernels->optimiser_tables(n->exec, &tables, err));
    rule.l1 = rule.l2 = 0;
    return update_dense(u, p, &rule, n->n_weights, n->n_biases, err);
}
