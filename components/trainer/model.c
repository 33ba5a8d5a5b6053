/* A loaded model: the network of its files and a pass to predict with. */
#include "components/trainer/model.h"

#include "components/trainer/model_file.h"
#include "components/trainer/pass.h"

enum { PREDICT_ROWS = 512 };

struct pen_model {
    struct pen_network *network;
    struct pen_pass *pass;
    struct pen_rows_ids *ids;
};

pen_status pen_model_load(struct pen_model **model, const char *directory, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_model *m = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC(m, 1, err);
    PEN_TRY_GOTO(failed, pen_model_read(&m->network, directory, exec, err));
    PEN_TRY_GOTO(failed, pen_pass_create(&m->pass, m->network, PREDICT_ROWS, false, 0, 0, err));
    PEN_ALLOC_GOTO(failed, m->ids, m->network->spec.n_ids, err);
    *model = m;
    return PEN_OK;
failed:
    pen_model_destroy(m);
    return status;
}

void pen_model_destroy(struct pen_model *m)
{
    if (m != NULL) {
        pen_pass_destroy(m->pass);
        pen_network_destroy(m->network);
        pen_free(m->ids);
        pen_free(m);
    }
}

const struct pen_tensor_spec *pen_model_spec(const struct pen_model *m)
{
    return &m->network->spec;
}

int64_t pen_model_n_outputs(const struct pen_model *m)
{
    return m->network->n_outputs;
}

pen_status pen_model_predict(struct pen_model *m, float *predictions, const struct pen_tensor_batch *batch,
                             struct pen_error *err)
{
    const struct pen_network *n = m->network;
    for (int64_t f = 0; f < n->spec.n_ids; f++) {
        m->ids[f] = (struct pen_rows_ids){batch->ids[f].values, 1, batch->ids[f].row_offsets};
    }
    struct pen_rows rows = {batch->n_rows, batch->dense, m->ids, NULL, NULL};
    for (int64_t first = 0; first < batch->n_rows; first += PREDICT_ROWS) {
        int64_t left = batch->n_rows - first;
        PEN_TRY(pen_pass_load(m->pass, &rows, NULL, first, left < PREDICT_ROWS ? left : PREDICT_ROWS, err));
        PEN_TRY(pen_pass_forward(m->pass, 0, 0, err));
        struct pen_link link = {n->loss,
                                m->pass->n_rows,
                                n->n_outputs,
                                m->pass->logits,
                                n->label_shift,
                                n->label_scale,
                                predictions + first * n->n_outputs};
        PEN_TRY(n->exec->kernels->link(n->exec, &link, err));
    }
    return PEN_OK;
}
