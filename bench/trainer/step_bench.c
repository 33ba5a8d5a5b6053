/* bench_trainer [--device D] [--rows R] [--batch B] [--hidden 512,256,128] [--threads T] [--seconds S] [--share FOLDER]
 *     [--precision float32|tf32|bf16]
 *
 * Training steps of a wide & deep model from device memory: 13 dense columns, 26 ids of width 16 with a long tail,
 * Adam; load in shuffled order, forward, loss, backward and sparse update, nothing else, repeated as the Trainer
 * repeats it. One JSON line a model and batch: milliseconds a step (on a device with a queue: of bursts that are waited
 * for), and the losses of the first steps, so that a peer can show that it does the same work. --share writes what a
 * peer needs to do it, rows in the order of the steps: dense.f32 [R, 13], ids.i32 [R, 26], label.f32 [R], values.f32
 * (the parameters before the first step, in the order of components/trainer/network.h). */
#include "bench/device.h"
#include "components/trainer/update.h"
#include "core/log.h"
#include "core/rng.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DENSE = 13,
    IDS = 26,
    VALUES = 50000,
    STEPS_LEAST = 12,
    STEPS_MOST = 100000,
    SHOWN = 8,
    BURST_MOST = 50,
    ORDER_SEED = 7,
    ORDER_STREAM = 3
};

struct settings {
    const char *device, *precision;
    int64_t rows, batch, n_hidden, hidden[PEN_NETWORK_HIDDEN_MAX];
    int threads;
    double seconds;
    const char *share;
};

struct data {
    int64_t n_rows;
    float *dense, *label;
    int32_t *ids;
    struct pen_tensor_ids_spec specs[IDS];
    const char *names[DENSE];
    struct pen_tensor_spec spec;
    struct pen_device_rows rows;
};

static void describe(struct data *d)
{
    for (int64_t f = 0; f < IDS; f++) {
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
}

static pen_status place(struct data *d, struct pen_exec *exec, struct pen_error *err)
{
    const int32_t *columns[IDS];
    struct pen_row_block block = {.spec = NULL};
    pen_status status = PEN_OK;
    PEN_TRY(pen_device_rows_init(&d->rows, &d->spec, exec, err));
    PEN_TRY_GOTO(cleanup, pen_row_block_init(&block, &d->spec, err));
    PEN_TRY_GOTO(cleanup, pen_row_block_reserve(&block, d->n_rows, err));
    for (int64_t row = 0; row < d->n_rows; row++) {
        struct pen_tensor_ids ids[IDS];
        for (int64_t f = 0; f < IDS; f++) {
            columns[f] = d->ids + row * IDS + f;
            ids[f] = (struct pen_tensor_ids){.values = columns[f]};
        }
        struct pen_tensor_batch one = {1, d->dense + row * DENSE, ids, d->label + row, NULL};
        PEN_TRY_GOTO(cleanup, pen_row_block_append(&block, &one, 0, err));
    }
    status = pen_device_rows_take(&d->rows, &block, err);
cleanup:
    pen_row_block_deinit(&block);
    return status;
}

static pen_status make_data(struct data *d, int64_t n_rows, struct pen_exec *exec, struct pen_error *err)
{
    d->n_rows = n_rows;
    describe(d);
    PEN_ALLOC(d->dense, n_rows * DENSE, err);
    PEN_ALLOC(d->label, n_rows, err);
    PEN_ALLOC(d->ids, n_rows * IDS, err);
    for (int64_t i = 0; i < n_rows * DENSE; i++) {
        d->dense[i] = (float)pen_rng_normal(1, 1, (uint64_t)i);
    }
    for (int64_t i = 0; i < n_rows * IDS; i++) {
        double u = pen_rng_uniform(1, 2, (uint64_t)i);
        d->ids[i] = (int32_t)(pow((double)VALUES, u) - 1); /* density 1 / id */
    }
    for (int64_t i = 0; i < n_rows; i++) {
        double z = (double)d->dense[i * DENSE] + (d->ids[i * IDS] % 2) - 1.5;
        d->label[i] = pen_rng_uniform(1, 3, (uint64_t)i) < 1 / (1 + exp(-z)) ? 1.0f : 0.0f;
    }
    return place(d, exec, err);
}

static void data_deinit(struct data *d)
{
    pen_device_rows_deinit(&d->rows);
    pen_free(d->dense);
    pen_free(d->label);
    pen_free(d->ids);
}

/* mode: that of fopen. */
static pen_status write_array(const char *folder, const char *name, const char *mode, const void *array, int64_t n,
                              struct pen_error *err)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    size_t written = file != NULL ? fwrite(array, sizeof(float), (size_t)n, file) : 0;
    if (file == NULL || fclose(file) != 0 || written != (size_t)n) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: expected a file that can be written", path);
    }
    return PEN_OK;
}

/* An array of the rows, of `width` values each, in the order of the steps. */
static pen_status write_rows(const char *folder, const char *name, const struct data *d, const void *array,
                             int64_t width, struct pen_error *err)
{
    int32_t *ordered = NULL;
    const int32_t *from = array; /* float or int32_t: four bytes */
    PEN_ALLOC(ordered, d->n_rows * width, err);
    for (int64_t place = 0; place < d->n_rows; place++) {
        uint64_t row = pen_rng_permute(ORDER_SEED, ORDER_STREAM, (uint64_t)place, (uint64_t)d->n_rows);
        memcpy(ordered + place * width, from + (int64_t)row * width, (size_t)width * sizeof *ordered);
    }
    pen_status status = write_array(folder, name, "wb", ordered, d->n_rows * width, err);
    pen_free(ordered);
    return status;
}

static pen_status share(const char *folder, const struct data *d, const struct pen_network *n, struct pen_error *err)
{
    float *values = NULL;
    pen_status status = PEN_OK;
    PEN_TRY(write_rows(folder, "dense.f32", d, d->dense, DENSE, err));
    PEN_TRY(write_rows(folder, "ids.i32", d, d->ids, IDS, err));
    PEN_TRY(write_rows(folder, "label.f32", d, d->label, 1, err));
    PEN_ALLOC(values, n->n_total, err);
    status = pen_device_download(n->exec, values, n->values, (size_t)n->n_total * sizeof *values, err);
    for (int64_t i = 0; status == PEN_OK && i < n->n_parameters; i++) {
        const struct pen_parameter *p = &n->parameters[i];
        status = write_array(folder, "values.f32", i == 0 ? "wb" : "ab", values + p->offset, p->n_rows * p->dim, err);
    }
    pen_free(values);
    return status;
}

struct steps {
    struct pen_pass *pass;
    struct pen_update *update;
    const struct data *data;
    struct pen_recording *recording;
};

static pen_status learn(void *context, struct pen_error *err)
{
    const struct steps *s = context;
    PEN_TRY(pen_pass_load_step(s->pass, &s->data->rows, s->pass->max_rows, err));
    PEN_TRY(pen_pass_forward(s->pass, true, err));
    PEN_TRY(pen_pass_loss_gradient(s->pass, 1.0 / (double)s->pass->max_rows, err));
    PEN_TRY(pen_pass_backward(s->pass, err));
    return pen_update_apply(s->update, s->pass, err);
}

static pen_status one_step(struct steps *s, int64_t number, struct pen_error *err)
{
    const int64_t batch = s->pass->max_rows, n_rows = s->data->n_rows;
    const struct pen_training_step step = {.number = number,
                                           .first_place = (number - 1) % (n_rows / batch) * batch,
                                           .order_seed = ORDER_SEED,
                                           .order_stream = ORDER_STREAM,
                                           .n_order = n_rows,
                                           .learning_rate = 1e-3};
    PEN_TRY(pen_pass_begin_step(s->pass, &step, err));
    return pen_device_repeat(s->pass->network->exec, &s->recording, learn, s, err);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_result(const struct settings *s, const double *losses, double *taken, int64_t n)
{
    qsort(taken, (size_t)n, sizeof *taken, by_size);
    printf("{\"device\": \"%s\", \"precision\": \"%s\", \"batch\": %lld, \"hidden\": \"", s->device, s->precision,
           (long long)s->batch);
    for (int64_t l = 0; l < s->n_hidden; l++) {
        printf("%s%lld", l > 0 ? "-" : "", (long long)s->hidden[l]);
    }
    printf("\", \"threads\": %d, \"steps\": %lld, \"median_ms\": %.4f, \"best_ms\": %.4f, \"rows_per_s\": %.0f, "
           "\"losses\": [",
           s->threads, (long long)n, taken[n / 2] * 1e3, taken[0] * 1e3, (double)s->batch / taken[n / 2]);
    for (int i = 0; i < SHOWN; i++) {
        printf("%s%.7f", i > 0 ? ", " : "", losses[i]);
    }
    printf("]}\n");
}

/* The first steps: their losses. They warm up. */
static pen_status first_steps(struct steps *steps, double losses[SHOWN], struct pen_error *err)
{
    for (int64_t number = 1; number <= SHOWN; number++) {
        struct pen_step_sums sums;
        PEN_TRY(one_step(steps, number, err));
        PEN_TRY(pen_pass_read_sums(steps->pass, &sums, true, err));
        losses[number - 1] = sums.loss / sums.weight;
    }
    return PEN_OK;
}

/* Steps between two waits for the device: of about 50 ms, told from one of them. */
static pen_status choose_burst(struct steps *steps, int64_t *number, int64_t *burst, struct pen_error *err)
{
    struct pen_exec *exec = steps->pass->network->exec;
    double before = pen_clock_seconds();
    PEN_TRY(one_step(steps, ++*number, err));
    PEN_TRY(pen_device_synchronise(exec, err));
    double fits = 0.05 / (pen_clock_seconds() - before);
    *burst = strcmp(exec->name, "cpu") == 0 || fits < 1 ? 1 : fits > BURST_MOST ? BURST_MOST : (int64_t)fits;
    return PEN_OK;
}

static pen_status time_steps(const struct settings *s, struct steps *steps, struct pen_error *err)
{
    struct pen_exec *exec = steps->pass->network->exec;
    int64_t burst = 1;
    pen_status status = PEN_OK;
    double losses[SHOWN], *taken = NULL;
    int64_t n = 0, number = SHOWN;
    PEN_ALLOC_GOTO(cleanup, taken, STEPS_MOST, err);
    PEN_TRY_GOTO(cleanup, first_steps(steps, losses, err));
    PEN_TRY_GOTO(cleanup, choose_burst(steps, &number, &burst, err));
    for (double started = pen_clock_seconds(), before = started;
         n < STEPS_MOST && (n < STEPS_LEAST || before - started < s->seconds);) {
        before = pen_clock_seconds();
        for (int64_t i = 0; i < burst; i++) {
            PEN_TRY_GOTO(cleanup, one_step(steps, ++number, err));
        }
        PEN_TRY_GOTO(cleanup, pen_device_synchronise(exec, err));
        taken[n++] = (pen_clock_seconds() - before) / (double)burst;
    }
    print_result(s, losses, taken, n);
cleanup:
    pen_free(taken);
    return status;
}

static pen_status one_model(const struct settings *s, const struct data *d, struct pen_exec *exec,
                            struct pen_error *err)
{
    struct pen_architecture architecture = {
        .kind = PEN_MODEL_WIDE_DEEP, .n_hidden = s->n_hidden, .activation = PEN_ACTIVATION_RELU, .embedding_dim = 16};
    struct pen_update_options options = {
        .rule = {.kind = PEN_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}};
    struct pen_network *network = NULL;
    struct pen_update update = {.state1 = NULL};
    struct steps steps = {.update = &update, .data = d};
    const double shares[] = {0.75, 0.25};
    pen_status status = PEN_OK;
    memcpy(architecture.hidden, s->hidden, sizeof s->hidden);
    omp_set_num_threads(s->threads);
    PEN_TRY(pen_network_create(&network, &architecture, &d->spec, exec, err));
    PEN_TRY_GOTO(cleanup, pen_network_initialise(network, 1, shares, err));
    if (s->share != NULL) {
        PEN_TRY_GOTO(cleanup, share(s->share, d, network, err));
    }
    PEN_TRY_GOTO(cleanup, pen_pass_create(&steps.pass, network, s->batch, true, 0, 0, 0, err));
    PEN_TRY_GOTO(cleanup, pen_update_init(&update, &options, network, err));
    status = time_steps(s, &steps, err);
cleanup:
    pen_device_forget(exec, &steps.recording);
    pen_update_deinit(&update);
    pen_pass_destroy(steps.pass);
    pen_network_destroy(network);
    return status;
}

static pen_status read_settings(struct settings *s, int argc, char **argv, struct pen_error *err)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        char *end = NULL;
        if (strcmp(argv[i], "--device") == 0) {
            s->device = value;
        } else if (strcmp(argv[i], "--precision") == 0) {
            s->precision = value;
        } else if (strcmp(argv[i], "--rows") == 0) {
            s->rows = strtol(value, NULL, 10);
        } else if (strcmp(argv[i], "--batch") == 0) {
            s->batch = strtol(value, NULL, 10);
        } else if (strcmp(argv[i], "--threads") == 0) {
            s->threads = (int)strtol(value, NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            s->seconds = strtod(value, NULL);
        } else if (strcmp(argv[i], "--share") == 0) {
            s->share = value;
        } else if (strcmp(argv[i], "--hidden") == 0) {
            for (s->n_hidden = 0; *value != '\0' && s->n_hidden < PEN_NETWORK_HIDDEN_MAX; s->n_hidden++) {
                s->hidden[s->n_hidden] = strtol(value, &end, 10);
                value = *end == ',' ? end + 1 : "";
            }
        } else {
            PEN_FAIL(
                err, PEN_ERR_USAGE,
                "expected --device, --precision, --rows, --batch, --hidden, --threads, --seconds or --share, found %s",
                argv[i]);
        }
    }
    if (s->batch < 0 || s->batch > s->rows || s->threads < 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected a batch of 1 to %lld rows and at least 1 thread, found %lld and %d",
                 (long long)s->rows, (long long)s->batch, s->threads);
    }
    return PEN_OK;
}

int main(int argc, char **argv)
{
    static const int64_t usual[] = {1024, 8192};
    struct data d = {.dense = NULL};
    struct pen_exec *exec = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    struct settings s = {.device = "cpu",
                         .precision = pen_precision_names[PEN_PRECISION_EXACT],
                         .rows = 65536,
                         .n_hidden = 3,
                         .hidden = {512, 256, 128},
                         .threads = omp_get_max_threads(),
                         .seconds = 2};
    pen_status status = read_settings(&s, argc, argv, &err);
    if (status == PEN_OK) {
        status = pen_bench_open_device(&exec, s.device, s.precision, &err);
    }
    if (status == PEN_OK) {
        status = make_data(&d, s.rows, exec, &err);
    }
    bool both = s.batch == 0;
    for (int i = 0; status == PEN_OK && i < (both ? 2 : 1); i++) {
        s.batch = both ? usual[i] : s.batch;
        status = one_model(&s, &d, exec, &err);
    }
    if (status != PEN_OK) {
        fprintf(stderr, "bench_trainer: %s\n", err.message);
    }
    data_deinit(&d);
    pen_exec_destroy(exec);
    return pen_status_exit_code(status);
}
