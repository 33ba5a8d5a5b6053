/* The forward pass, and the loss of its logits. */
#include "components/trainer/pass.h"

static const double norm_epsilon = 1e-5, norm_momentum = 0.1; /* the usual ones */

static pen_status forward_wide(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct pen_dense dense = {p->n_rows,
                              n->spec.n_dense,
                              n->n_outputs,
                              PEN_ACTIVATION_NONE,
                              false,
                              p->x + n->n_embedded,
                              n->ld_x,
                              pen_network_value(n, n->wide_dense),
                              pen_network_value(n, n->wide_bias),
                              p->logits,
                              n->n_outputs};
    PEN_TRY(n->exec->kernels->dense_forward(n->exec, &dense, err));
    struct pen_embedding embedding = {p->n_rows, n->spec.n_ids, n->values, p->wide, p->logits, n->n_outputs, true};
    return n->exec->kernels->embedding_forward(n->exec, &embedding, err);
}

static pen_status forward_texts(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    for (int64_t i = 0; i < p->n_texts; i++) {
        const struct pen_pass_text *text = &p->texts[i];
        int64_t f = text->feature;
        struct pen_text_conv conv = {.shape = text->shape,
                                     .n_rows = p->n_rows,
                                     .n_values = n->spec.ids[f].n_values,
                                     .ids = p->placed_to[f].ids,
                                     .row_offsets = p->placed_to[f].offsets,
                                     .table = pen_network_value(n, n->deep_table[f]),
                                     .filters = pen_network_value(n, n->text_filters[f]),
                                     .bias = pen_network_value(n, n->text_bias[f]),
                                     .y = p->x + n->embedding_columns[f],
                                     .ld_y = n->ld_x,
                                     .best = text->best,
                                     .n_positions = text->n_positions,
                                     .starts = text->starts,
                                     .positions = text->positions,
                                     .position_ids = text->position_ids};
        PEN_TRY(n->exec->kernels->text_conv_forward(n->exec, &conv, err));
    }
    return PEN_OK;
}

/* What follows the activation of hidden layer l. */
static pen_status finish_hidden(struct pen_pass *p, int64_t l, bool learning, float **output, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_architecture *a = &n->architecture;
    *output = p->normed[l];
    if (a->norm != PEN_NORM_NONE) {
        bool batch = a->norm == PEN_NORM_BATCH;
        struct pen_norm norm = {.kind = a->norm,
                                .n_rows = p->n_rows,
                                .dim = a->hidden[l],
                                .x = p->hidden[l],
                                .gamma = pen_network_value(n, n->gamma[l]),
                                .beta = pen_network_value(n, n->beta[l]),
                                .y = p->normed[l],
                                .mean = p->mean[l],
                                .rstd = p->rstd[l],
                                .epsilon = norm_epsilon,
                                .running = !learning,
                                .momentum = norm_momentum,
                                .running_mean = batch ? pen_network_value(n, n->running_mean[l]) : NULL,
                                .running_variance = batch ? pen_network_value(n, n->running_variance[l]) : NULL};
        PEN_TRY(n->exec->kernels->norm_forward(n->exec, &norm, err));
    }
    if (learning && p->dropped[l] != p->normed[l]) {
        PEN_TRY(pen_pass_dropout(p, l, p->dropped[l], p->normed[l], err));
        *output = p->dropped[l];
    }
    return PEN_OK;
}

static pen_status forward_deep(struct pen_pass *p, bool learning, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_architecture *a = &n->architecture;
    struct pen_embedding embedding = {p->n_rows, n->n_pooled, n->values, p->deep, p->x, n->ld_x, false};
    PEN_TRY(n->exec->kernels->embedding_forward(n->exec, &embedding, err));
    PEN_TRY(forward_texts(p, err));
    const float *input = p->x;
    int64_t n_in = n->n_x, ld_in = n->ld_x;
    for (int64_t l = 0; l <= a->n_hidden; l++) {
        bool last = l == a->n_hidden;
        int64_t n_out = last ? n->n_outputs : a->hidden[l];
        float *output = last ? p->logits : p->hidden[l];
        struct pen_dense dense = {p->n_rows,
                                  n_in,
                                  n_out,
                                  last ? PEN_ACTIVATION_NONE : a->activation,
                                  last && n->has_wide, /* the wide part is in the logits already */
                                  input,
                                  ld_in,
                                  pen_network_value(n, n->layer[l]),
                                  pen_network_value(n, n->bias[l]),
                                  output,
                                  n_out};
        PEN_TRY(n->exec->kernels->dense_forward(n->exec, &dense, err));
        if (last) {
            break;
        }
        PEN_TRY(finish_hidden(p, l, learning, &output, err));
        input = output;
        n_in = ld_in = n_out;
    }
    return PEN_OK;
}

pen_status pen_pass_forward(struct pen_pass *p, bool learning, struct pen_error *err)
{
    if (p->network->has_wide) {
        PEN_TRY(forward_wide(p, err));
    }
    return p->network->has_deep ? forward_deep(p, learning, err) : PEN_OK;
}

static struct pen_loss loss_of(const struct pen_pass *p)
{
    const struct pen_network *n = p->network;
    return (struct pen_loss){.kind = n->loss,
                             .n_rows = p->n_rows,
                             .n_outputs = n->n_outputs,
                             .logits = p->logits,
                             .label = p->label,
                             .weight = p->weight,
                             .label_shift = n->label_shift,
                             .label_scale = n->label_scale};
}

pen_status pen_pass_loss(const struct pen_pass *p, struct pen_step_sums *sums, struct pen_error *err)
{
    struct pen_loss loss = loss_of(p);
    loss.sums = sums;
    return p->network->exec->kernels->loss(p->network->exec, &loss, err);
}

pen_status pen_pass_loss_gradient(struct pen_pass *p, double scale, struct pen_error *err)
{
    struct pen_loss loss = loss_of(p);
    loss.scale = (float)scale;
    loss.gradient = p->d_logits;
    loss.step = p->step;
    loss.sums = p->sums;
    return p->network->exec->kernels->loss(p->network->exec, &loss, err);
}
