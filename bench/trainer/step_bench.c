/* bench_trainer [batch ...]: rows/s of training steps of a wide & deep model (13 dense, 26 ids of 16, hidden 128-64,
 * Adam) on click-like ids with a long tail; load, forward, loss, backward and sparse update, nothing else. */
#include "components/trainer/update.h"
#include "core/log.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DENSE = 13, IDS = 26, VALUES = 50000, ROWS = 65536, STEPS_LEAST = 20 };

struct data {
    float *dense, *label;
    int32_t *ids;
    struct pen_rows_ids views[IDS];
    struct pen_tensor_ids_spec specs[IDS];
    const char *names[DENSE];
    struct pen_tensor_spec spec;
};

static pen_status make_data(struct data *d, struct pen_error *err)
{
    PEN_ALLOC(d->dense, ROWS * DENSE, err);
    PEN_ALLOC(d->label, ROWS, err);
    PEN_ALLOC(d->ids, ROWS * IDS, err);
    for (int64_t i = 0; i < ROWS * DENSE; i++) {
        d->dense[i] = (float)pen_rng_normal(1, 1, (uint64_t)i);
    }
    for (int64_t i = 0; i < ROWS * IDS; i++) {
        double u = pen_rng_uniform(1, 2, (uint64_t)i);
        d->ids[i] = (int32_t)(pow((double)VALUES, u) - 1); /* density 1 / id */
    }
    for (int64_t i = 0; i < ROWS; i++) {
        d->label[i] = pen_rng_uniform(1, 3, (uint64_t)i) < 0.25 ? 1.0f : 0.0f;
    }
    for (int64_t f = 0; f < IDS; f++) {
        d->views[f] = (struct pen_rows_ids){d->ids + f, IDS, NULL};
        d->specs[f] = (struct pen_tensor_ids_spec){"id", VALUES, false};
    }
    for (int64_t j = 0; j < DENSE; j++) {
        d->names[j] = "x";
    }
    d->spec = (struct pen_tensor_spec){.task = PEN_TASK_BINARY,
                                       .label = "clicked",
                                       .n_classes = 2,
                                       .n_dense = DENSE,
                                       .dense_names = d->names,
                                       .n_ids = IDS,
                                       .ids = d->specs};
    return PEN_OK;
}

static pen_status one_step(struct pen_pass *pass, struct pen_update *update, const struct data *d, int64_t step,
                           struct pen_error *err)
{
    struct pen_rows rows = {ROWS, d->dense, d->views, d->label, NULL};
    double norm = 0;
    int64_t first = (step - 1) % (ROWS / pass->max_rows) * pass->max_rows;
    PEN_TRY(pen_pass_load(pass, &rows, NULL, first, pass->max_rows, err));
    PEN_TRY(pen_pass_forward(pass, 1, step, err));
    PEN_TRY(pen_pass_loss(pass, true, 1.0 / (double)pass->max_rows, err));
    PEN_TRY(pen_pass_backward(pass, 1, step, err));
    return pen_update_apply(update, pass, 1e-3, step, &norm, err);
}

static pen_status one_batch(const struct data *d, int64_t batch, struct pen_error *err)
{
    struct pen_architecture architecture = {
        .kind = PEN_MODEL_WIDE_DEEP, .n_hidden = 2, .hidden = {128, 64}, .activation = PEN_ACTIVATION_RELU};
    struct pen_update_options options = {.kind = PEN_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    struct pen_network *network = NULL;
    struct pen_pass *pass = NULL;
    struct pen_update update = {.state1 = NULL};
    architecture.embedding_dim = 16;
    PEN_TRY(pen_network_create(&network, &architecture, &d->spec, pen_exec_cpu(), err));
    pen_network_initialise(network, 1, NULL);
    pen_status status = pen_pass_create(&pass, network, batch, true, 0, 0, err);
    if (status == PEN_OK) {
        status = pen_update_init(&update, &options, network, err);
    }
    double started = 0, best = INFINITY;
    for (int64_t step = 1; status == PEN_OK; step++) {
        double before = pen_clock_seconds();
        status = one_step(pass, &update, d, step, err);
        double taken = pen_clock_seconds() - before;
        started = step == 1 ? before : started;
        best = taken < best ? taken : best;
        if (step >= STEPS_LEAST && before - started > 2) {
            printf("batch %5lld: mean %9.0f rows/s, best %9.0f rows/s, loss %.4f\n", (long long)batch,
                   (double)(step * batch) / (before + taken - started), (double)batch / best,
                   pass->loss_sum / pass->weight_sum);
            break;
        }
    }
    pen_update_deinit(&update);
    pen_pass_destroy(pass);
    pen_network_destroy(network);
    return status;
}

int main(int argc, char **argv)
{
    struct data d = {.dense = NULL};
    struct pen_error err = PEN_ERROR_INIT;
    static const int64_t usual[] = {1024, 8192};
    pen_status status = make_data(&d, &err);
    for (int i = 0; status == PEN_OK && i < (argc > 1 ? argc - 1 : 2); i++) {
        int64_t batch = argc > 1 ? strtol(argv[i + 1], NULL, 10) : usual[i];
        if (batch < 1 || batch > ROWS) {
            fprintf(stderr, "bench_trainer: batch: expected 1 to %d, found %s\n", ROWS, argv[i + 1]);
            return pen_status_exit_code(PEN_ERR_USAGE);
        }
        status = one_batch(&d, batch, &err);
    }
    if (status != PEN_OK) {
        fprintf(stderr, "bench_trainer: %s\n", err.message);
    }
    pen_free(d.dense);
    pen_free(d.label);
    pen_free(d.ids);
    return pen_status_exit_code(status);
}
