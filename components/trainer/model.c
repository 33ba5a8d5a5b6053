/* A loaded model: the network of its files and a pass to predict with. */
#include "components/trainer/model.h"

#include "components/trainer/model_file.h"
#include "components/trainer/pass.h"

enum { PREDICT_ROWS = 512 };

struct pen_model {
    struct pen_network *network;
    struct pen_pass *pass;
    struct pen_row_block block; /* rows of a batch on their way to the device */
    struct pen_device_rows rows;
    float *predictions; /* [PREDICT_ROWS, n_outputs] device memory */
};

static pen_status prepare(struct pen_model *m, struct pen_error *err)
{
    const struct pen_network *n = m->network;
    PEN_TRY(pen_row_block_init(&m->block, &n->spec, err));
    PEN_TRY(pen_device_rows_init(&m->rows, &n->spec, n->exec, err));
    PEN_DEVICE_ALLOC(n->exec, m->predictions, PREDICT_ROWS * n->n_outputs, "predictions", err);
    return PEN_OK;
}

pen_status pen_model_load(struct pen_model **model, const char *directory, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_model *m = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC(m, 1, err);
    PEN_TRY_GOTO(failed, pen_model_read(&m->network, directory, exec, err));
    PEN_TRY_GOTO(failed, pen_pass_create(&m->pass, m->network, PREDICT_ROWS, false, 0, 0, 0, err));
    PEN_TRY_GOTO(failed, prepare(m, err));
    *model = m;
    return PEN_OK;
failed:
    pen_model_destroy(m);
    return status;
}

void pen_model_destroy(struct pen_model *m)
{
    if (m != NULL) {
        pen_row_block_deinit(&m->block);
        pen_device_rows_deinit(&m->rows);
        if (m->network != NULL) {
            pen_device_release(m->network->exec, m->predictions);
        }
        pen_pass_destroy(m->pass);
        pen_network_destroy(m->network);
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

/* Rows first .. first + n of the batch, n <= PREDICT_ROWS. */
static pen_status predict_rows(struct pen_model *m, float *predictions, const struct pen_tensor_batch *batch,
                               int64_t first, int64_t n_rows, struct pen_error *err)
{
    const struct pen_network *n = m->network;
    m->block.n_rows = 0;
    PEN_TRY(pen_row_block_reserve(&m->block, n_rows, err));
    for (int64_t row = first; row < first + n_rows; row++) {
        PEN_TRY(pen_row_block_append(&m->block, batch, row, err));
    }
    pen_device_rows_clear(&m->rows);
    PEN_TRY(pen_device_rows_take(&m->rows, &m->block, err));
    PEN_TRY(pen_pass_load(m->pass, &m->rows, 0, n_rows, err));
    PEN_TRY(pen_pass_forward(m->pass, false, err));
    struct pen_link link = {n->loss,        n_rows,         n->n_outputs,  m->pass->logits,
                            n->label_shift, n->label_scale, m->predictions};
    PEN_TRY(n->exec->kernels->link(n->exec, &link, err));
    return pen_device_download(n->exec, predictions, m->predictions, (size_t)(n_rows * n->n_outputs) * sizeof(float),
                               err);
}

pen_status pen_model_predict(struct pen_model *m, float *predictions, const struct pen_tensor_batch *batch,
                             struct pen_error *err)
{
    for (int64_t first = 0; first < batch->n_rows; first += PREDICT_ROWS) {
        int64_t left = batch->n_rows - first;
        PEN_TRY(predict_rows(m, predictions + first * m->network->n_outputs, batch, first,
                             left < PREDICT_ROWS ? left : PREDICT_ROWS, err));
    }
    return PEN_OK;
}
