/* The backward pass: gradients of the wide part, of the deep part from the last layer to the first, of the tables. */
#include "components/trainer/pass.h"

enum { STREAM_DROPOUT = 2000 };

pen_status pen_pass_dropout(const struct pen_pass *p, int64_t layer, float *to, const float *from,
                            struct pen_error *err)
{
    int64_t width = p->network->architecture.hidden[layer];
    uint64_t stride = ((uint64_t)(p->max_rows * width) + 3) / 4 * 4;
    struct pen_dropout dropout = {
        p->n_rows * width, p->dropout, p->mask_seed, STREAM_DROPOUT + (uint64_t)layer, stride, p->step, from, to};
    return p->network->exec->kernels->dropout(p->network->exec, &dropout, err);
}

static float *gradient_of(const struct pen_pass *p, int64_t parameter)
{
    return p->grad + p->network->parameters[parameter].offset;
}

static pen_status backward_wide(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct pen_dense_grad dense = {.n_rows = p->n_rows,
                                   .n_in = n->spec.n_dense,
                                   .n_out = n->n_outputs,
                                   .activation = PEN_ACTIVATION_NONE,
                                   .x = p->x + n->n_embedded,
                                   .ld_x = n->ld_x,
                                   .w = pen_network_value(n, n->wide_dense),
                                   .y = p->logits,
                                   .ld_y = n->n_outputs,
                                   .dy = p->d_logits,
                                   .ld_dy = n->n_outputs,
                                   .dw = gradient_of(p, n->wide_dense),
                                   .dbias = gradient_of(p, n->wide_bias),
                                   .workspace = p->workspace};
    return n->exec->kernels->dense_backward(n->exec, &dense, err);
}

/* From the gradient of what hidden layer l gives to that of its activation. */
static pen_status backward_hidden(struct pen_pass *p, int64_t l, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_architecture *a = &n->architecture;
    if (p->dropped[l] != p->normed[l]) {
        PEN_TRY(pen_pass_dropout(p, l, p->d_hidden[l], p->d_hidden[l], err));
    }
    if (a->norm == PEN_NORM_NONE) {
        return PEN_OK;
    }
    struct pen_norm_grad norm = {.kind = a->norm,
                                 .n_rows = p->n_rows,
                                 .dim = a->hidden[l],
                                 .x = p->hidden[l],
                                 .gamma = pen_network_value(n, n->gamma[l]),
                                 .mean = p->mean[l],
                                 .rstd = p->rstd[l],
                                 .dy = p->d_hidden[l],
                                 .dx = p->d_hidden[l],
                                 .dgamma = gradient_of(p, n->gamma[l]),
                                 .dbeta = gradient_of(p, n->beta[l])};
    return n->exec->kernels->norm_backward(n->exec, &norm, err);
}

static pen_status backward_layer(struct pen_pass *p, int64_t l, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_architecture *a = &n->architecture;
    bool last = l == a->n_hidden, first = l == 0;
    struct pen_dense_grad dense = {.n_rows = p->n_rows,
                                   .n_in = first ? n->n_x : a->hidden[l - 1],
                                   .n_out = last ? n->n_outputs : a->hidden[l],
                                   .activation = last ? PEN_ACTIVATION_NONE : a->activation,
                                   .w = pen_network_value(n, n->layer[l]),
                                   .y = last ? p->logits : p->hidden[l],
                                   .dy = last ? p->d_logits : p->d_hidden[l],
                                   .dw = gradient_of(p, n->layer[l]),
                                   .dbias = gradient_of(p, n->bias[l]),
                                   .workspace = p->workspace};
    dense.x = first ? p->x : p->dropped[l - 1];
    dense.dx = first ? p->d_x : p->d_hidden[l - 1];
    dense.n_dx = first ? n->n_embedded : dense.n_in;
    dense.ld_x = first ? n->ld_x : dense.n_in;
    dense.ld_dx = first ? n->ld_embedded : dense.n_dx;
    dense.ld_y = dense.ld_dy = dense.n_out;
    return n->exec->kernels->dense_backward(n->exec, &dense, err);
}

/* The tables of the wide part from `first` on. */
static void of_wide(const struct pen_pass *p, struct pen_embedding_grad *g, int64_t first)
{
    g->features = p->wide + first;
    g->dout = p->d_logits;
    g->ld_dout = p->network->n_outputs;
}

/* The tables of both parts stand for the same ids, which a device need look at only once; but for texts, whose deep
 * part is another one's (backward_text). */
static pen_status backward_tables(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    struct pen_embedding_grad g = {.n_rows = p->n_rows,
                                   .n_features = n->n_pooled,
                                   .most_ids = p->most_ids,
                                   .n_ragged = n->spec.n_ids - p->n_single - p->n_texts,
                                   .n_values = p->n_values,
                                   .most_dim = p->most_dim};
    if (n->has_deep) {
        g.features = p->deep;
        g.dout = p->d_x;
        g.ld_dout = n->ld_embedded;
    }
    if (n->has_wide && n->has_deep) {
        g.twins = p->wide;
        g.dout_twins = p->d_logits;
        g.ld_dout_twins = n->n_outputs;
    } else if (n->has_wide) {
        of_wide(p, &g, 0);
    }
    PEN_TRY(n->exec->kernels->embedding_backward(n->exec, &g, err));
    if (!n->has_wide || p->n_texts == 0) {
        return PEN_OK;
    }
    g.n_features = g.n_ragged = p->n_texts;
    g.n_values = p->n_text_values;
    g.twins = NULL;
    of_wide(p, &g, n->n_pooled);
    return n->exec->kernels->embedding_backward(n->exec, &g, err);
}

/* From the gradient of a text's columns to those of its filters and of the rows of its table. */
static pen_status backward_text(struct pen_pass *p, int64_t i, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    const struct pen_pass_text *text = &p->texts[i];
    int64_t f = text->feature;
    struct pen_text_conv_grad conv = {.shape = text->shape,
                                      .n_rows = p->n_rows,
                                      .filters = pen_network_value(n, n->text_filters[f]),
                                      .starts = text->starts,
                                      .positions = text->positions,
                                      .best = text->best,
                                      .dy = p->d_x + n->embedding_columns[f],
                                      .ld_dy = n->ld_embedded,
                                      .dfilters = gradient_of(p, n->text_filters[f]),
                                      .dbias = gradient_of(p, n->text_bias[f]),
                                      .d_positions = text->d_positions};
    PEN_TRY(n->exec->kernels->text_conv_backward(n->exec, &conv, err));
    struct pen_embedding_grad embedding = {.n_rows = text->n_positions,
                                           .n_features = 1,
                                           .features = p->deep + n->n_pooled + i,
                                           .dout = text->d_positions,
                                           .ld_dout = text->shape.dim,
                                           .most_ids = text->n_positions,
                                           .n_values = n->spec.ids[f].n_values,
                                           .most_dim = text->shape.dim};
    return n->exec->kernels->embedding_backward(n->exec, &embedding, err);
}

pen_status pen_pass_backward(struct pen_pass *p, struct pen_error *err)
{
    const struct pen_network *n = p->network;
    if (n->has_wide) {
        PEN_TRY(backward_wide(p, err));
    }
    for (int64_t l = n->has_deep ? n->architecture.n_hidden : -1; l >= 0; l--) {
        if (l < n->architecture.n_hidden) {
            PEN_TRY(backward_hidden(p, l, err));
        }
        PEN_TRY(backward_layer(p, l, err));
        if (p->came_down != NULL) {
            PEN_TRY(p->came_down(p->came_down_user, n->parameters[n->layer[l]].offset, err));
        }
    }
    for (int64_t i = 0; i < p->n_texts; i++) {
        PEN_TRY(backward_text(p, i, err));
    }
    return backward_tables(p, err);
}
