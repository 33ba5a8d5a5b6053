/* The training loop. */
#include "components/trainer/training_internal.h"

#include "core/log.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { STREAM_ROWS = 3, STREAM_MASKS = 4 };

/* Takes over each parameter of base that has the same name and shape, and what the inputs and labels go through. */
static pen_status take_over(struct pen_network *n, const struct pen_network *base, struct pen_error *err)
{
    int64_t n_taken = 0;
    for (int64_t i = 0; i < n->n_parameters; i++) {
        const struct pen_parameter *p = &n->parameters[i];
        for (int64_t j = 0; j < base->n_parameters; j++) {
            const struct pen_parameter *q = &base->parameters[j];
            if (strcmp(p->name, q->name) == 0 && p->n_rows == q->n_rows && p->dim == q->dim) {
                PEN_TRY(pen_device_copy(n->exec, pen_network_value(n, i), pen_network_value(base, j),
                                        (size_t)(p->n_rows * p->dim) * sizeof(float), err));
                n_taken++;
                break;
            }
        }
    }
    if (base->spec.n_dense == n->spec.n_dense) {
        size_t bytes = (size_t)n->spec.n_dense * sizeof(float);
        PEN_TRY(pen_device_copy(n->exec, n->input_shift, base->input_shift, bytes, err));
        PEN_TRY(pen_device_copy(n->exec, n->input_scale, base->input_scale, bytes, err));
    }
    n->label_shift = base->label_shift;
    n->label_scale = base->label_scale;
    pen_log(n_taken > 0 ? PEN_LOG_INFO : PEN_LOG_WARNING,
            "warm start: %lld of %lld parameters begin as in the base model, by name and shape", (long long)n_taken,
            (long long)n->n_parameters);
    return PEN_OK;
}

/* A column whose mean or spread is far from 1 was not scaled by the transform: bring it to mean 0, deviation 1.
 * Others stay as they are, so that one-hot columns and z-scores keep their meaning. */
static pen_status standardise(struct pen_network *n, const struct pen_examples *e, struct pen_error *err)
{
    float *shift = NULL, *scale = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(cleanup, shift, n->spec.n_dense, err);
    PEN_ALLOC_GOTO(cleanup, scale, n->spec.n_dense, err);
    for (int64_t j = 0; j < n->spec.n_dense; j++) {
        bool far = fabs(e->dense_mean[j]) > 4 || e->dense_std[j] > 4;
        shift[j] = far ? (float)e->dense_mean[j] : 0.0f;
        scale[j] = far && e->dense_std[j] > 0 ? (float)(1 / e->dense_std[j]) : 1.0f;
    }
    status = pen_network_set_input(n, shift, scale, err);
cleanup:
    pen_free(shift);
    pen_free(scale);
    return status;
}

static pen_status first_values(struct pen_training *r, const struct pen_network *base, struct pen_error *err)
{
    struct pen_network *n = r->network;
    if (r->options.standardise) {
        PEN_TRY(standardise(n, r->examples, err));
    }
    if (n->loss == PEN_LOSS_SQUARED) {
        n->label_shift = r->examples->label_mean;
        n->label_scale = r->examples->label_std;
    }
    PEN_TRY(pen_network_initialise(n, r->options.seed, r->examples->class_shares, err));
    return base != NULL ? take_over(n, base, err) : PEN_OK;
}

static double flops_of_a_step(const struct pen_training *r)
{
    const struct pen_network *n = r->network;
    const struct pen_device_rows *rows = r->examples->window;
    double flops = 6.0 * (double)n->n_weights;
    for (int64_t f = 0; f < n->spec.n_ids && rows->n_rows > 0; f++) {
        if (pen_network_is_text(n, f)) { /* forward, its filters meet every token */
            const struct pen_parameter *filters = &n->parameters[n->text_filters[f]];
            flops += 2.0 * (double)(filters->n_rows * filters->dim) * (double)rows->n_many[f] / (double)rows->n_rows;
        }
    }
    return flops * (double)r->options.batch_size / r->ranks->size;
}

/* A step under about a millisecond of arithmetic runs on one thread: waking a team costs more than it brings, and far
 * more where other work wants the cores. The bits are the same either way. */
static void choose_threads(const struct pen_training *r)
{
    double flops = flops_of_a_step(r);
    if (r->options.threads > 0) {
        omp_set_num_threads((int)r->options.threads);
    } else if (flops < 1e8) {
        omp_set_num_threads(1);
    } else if (r->ranks->size > 1) { /* the cores are for all of them */
        omp_set_num_threads(1 + (omp_get_num_procs() - 1) / r->ranks->size);
    }
}

static pen_status copy_values(const struct pen_training *r, float *to, const float *from, struct pen_error *err)
{
    return pen_device_copy(r->network->exec, to, from, (size_t)r->network->n_total * sizeof(float), err);
}

/* When a batch does not fit: how many rows would. */
static pen_status create_pass(struct pen_training *r, struct pen_error *err)
{
    const struct pen_training_options *o = &r->options;
    const int64_t most_ids = r->examples->max_ids_a_row;
    int64_t free_bytes = 0, total_bytes = 0;
    const uint64_t mask_seed = o->seed + STREAM_MASKS + (uint64_t)r->ranks->rank * 1000003u;
    pen_status status =
        pen_pass_create(&r->pass, r->network, o->batch_size, true, o->dropout, mask_seed, most_ids, err);
    if (status == PEN_ERR_MEMORY && pen_device_memory(r->network->exec, &free_bytes, &total_bytes, NULL) == PEN_OK) {
        pen_error_prefix(err, "batch_size %lld: expected room for its buffers (there is some for about %lld rows): ",
                         (long long)o->batch_size,
                         (long long)(free_bytes / pen_pass_row_bytes(r->network, o->dropout > 0, most_ids)));
    }
    return status;
}

static pen_status prepare(struct pen_training *r, const struct pen_network *base, struct pen_error *err)
{
    struct pen_network *n = r->network;
    struct pen_training_options *o = &r->options;
    PEN_TRY(first_values(r, base, err));
    pen_training_plan(o, n, r->examples->n_train);
    PEN_TRY(create_pass(r, err));
    PEN_TRY(pen_update_init(&r->update, &o->update, n, err));
    PEN_TRY(pen_exchange_init(&r->exchange, r->ranks, o->through_host, r->pass, err));
    PEN_TRY(pen_validation_init(&r->validation, r->pass, r->examples->validation.n_rows, r->ranks, err));
    r->live = n->values;
    choose_threads(r);
    if (o->average) {
        PEN_DEVICE_ALLOC(n->exec, r->mean, n->n_total, "averaged parameters", err);
        PEN_TRY(copy_values(r, r->mean, r->live, err));
    }
    PEN_DEVICE_ALLOC(n->exec, r->best, n->n_total, "best parameters", err);
    PEN_TRY(copy_values(r, r->best, r->live, err));
    /* Averaging reads all tables: with large ones, seldom enough to stay a small part of a step. */
    int64_t an_epoch = (r->examples->n_train + o->batch_size - 1) / o->batch_size;
    r->mean_every = 1 + n->n_total / 262144;
    r->horizon = an_epoch < 20 ? 20 : an_epoch > 1000 ? 1000 : an_epoch;
    if (r->mean_every * 8 > r->horizon) {
        r->mean_every = r->horizon / 8;
    }
    r->best_score = r->patience_score = INFINITY;
    r->started = r->last_progress = r->last_checkpoint = pen_clock_seconds();
    return PEN_OK;
}

static pen_status average(struct pen_training *r, struct pen_error *err)
{
    if (r->mean == NULL || r->step % r->mean_every != 0) {
        return PEN_OK;
    }
    r->n_means++;
    double newest = (double)r->mean_every / (double)r->horizon, even = 1.0 / (double)r->n_means;
    struct pen_average a = {r->network->n_total, newest > even ? newest : even, r->live, r->mean};
    return r->network->exec->kernels->average(r->network->exec, &a, err);
}

pen_status pen_training_read_sums(struct pen_training *r, struct pen_step_sums *sums, bool reset, struct pen_error *err)
{
    PEN_TRY(pen_pass_read_sums(r->pass, sums, reset, err));
    if (sums->n_diverged > 0) {
        PEN_FAIL(err, PEN_ERR_FAILED,
                 "training diverged at step %lld: expected a finite loss, found one that is not; lower learning_rate "
                 "(there %g) or set clip_norm: 1",
                 (long long)sums->first_diverged, pen_training_rate(&r->options, sums->first_diverged));
    }
    return PEN_OK;
}

static pen_status show_progress(struct pen_training *r, double rate, struct pen_error *err)
{
    double now = pen_clock_seconds(), spent = now - r->started;
    bool due = now - r->last_progress >= 0.1 || r->step == r->options.steps;
    bool logged = r->options.log_every > 0 && r->step % r->options.log_every == 0;
    if (!due && !logged) {
        return PEN_OK;
    }
    struct pen_step_sums sums;
    PEN_TRY(pen_training_read_sums(r, &sums, false, err));
    double loss = sums.weight > 0 ? sums.loss / sums.weight : (double)NAN;
    double speed = spent > 0 ? (double)r->rows_seen / spent : 0;
    if (due) {
        r->last_progress = now;
        pen_progress_send(&(struct pen_progress_report){.phase = "training",
                                                        .done = r->step,
                                                        .total = r->options.steps,
                                                        .unit = "steps",
                                                        .detail = "",
                                                        .rows = r->rows_seen,
                                                        .epoch = (double)r->rows_seen / (double)r->examples->n_train,
                                                        .loss = loss,
                                                        .rows_per_s = (double)NAN,
                                                        .seconds_left = (double)NAN});
    }
    if (logged) {
        pen_log(PEN_LOG_INFO, "step %lld of %lld: loss %.5f, learning rate %.3g, %.0f rows/s", (long long)r->step,
                (long long)r->options.steps, loss, rate, speed);
    }
    return PEN_OK;
}

/* Lower is better. Accuracy and AUC count down from 0. */
static double score_of(const struct pen_training *r)
{
    double loss = r->validation.loss, metric = r->validation.metric;
    if (r->options.stop_metric == PEN_STOP_LOSS || isnan(metric)) {
        return loss;
    }
    return r->network->loss == PEN_LOSS_SQUARED ? metric : -metric;
}

static void add_point(struct pen_training *r, double rate)
{
    double spent = pen_clock_seconds() - r->started;
    pen_json *point = pen_json_object();
    pen_json_set_int(point, "step", r->step);
    pen_json_set_double(point, "epoch", (double)r->rows_seen / (double)r->examples->n_train);
    pen_json_set_double(point, "train_loss", r->result->train_loss);
    if (r->validation.max_rows > 0) {
        pen_json_set_double(point, "validation_loss", r->validation.loss);
        pen_json_set_double(point, pen_validation_metric_name(r->network), r->validation.metric);
    }
    pen_json_set_double(point, "learning_rate", rate);
    pen_json_set_double(point, "rows_per_s", spent > 0 ? round((double)r->rows_seen / spent) : 0);
    pen_json_push(r->curves, point);
}

static pen_status keep_best(struct pen_training *r, struct pen_error *err)
{
    r->best_step = r->step;
    r->result->validation_loss = r->validation.loss;
    r->result->validation_metric = r->validation.metric;
    r->result->validation_accuracy = r->validation.accuracy;
    return copy_values(r, r->best, r->mean != NULL ? r->mean : r->live, err);
}

/* The same over all ranks, and back to nothing. */
static pen_status take_all_sums(struct pen_training *r, struct pen_step_sums *sums, struct pen_error *err)
{
    struct pen_step_sums own;
    if (r->ranks->size == 1) {
        return pen_training_read_sums(r, sums, true, err);
    }
    PEN_TRY(pen_training_read_sums(r, &own, true, err));
    double both[2] = {own.loss, own.weight};
    PEN_TRY(pen_communicator_sum_f64(r->ranks, both, 2, err));
    *sums = (struct pen_step_sums){.loss = both[0], .weight = both[1]};
    return PEN_OK;
}

static pen_status validate(struct pen_training *r, double rate, struct pen_error *err)
{
    struct pen_step_sums sums;
    PEN_TRY(take_all_sums(r, &sums, err));
    r->result->train_loss = sums.weight > 0 ? sums.loss / sums.weight : (double)NAN;
    r->network->values = r->mean != NULL ? r->mean : r->live;
    pen_status status = pen_validation_run(&r->validation, r->pass, &r->examples->validation, err);
    r->network->values = r->live;
    PEN_TRY(status);
    add_point(r, rate);
    double score = score_of(r);
    if (isnan(score)) { /* no validation rows: the newest weights are the best known */
        return keep_best(r, err);
    }
    if (score < r->best_score) {
        r->best_score = score;
        PEN_TRY(keep_best(r, err));
    }
    /* Without a min_delta a thousandth counts: averaged weights gain a little nearly for ever. */
    double least = r->options.min_delta > 0 ? r->options.min_delta : 1e-3 * fabs(score);
    if (score < r->patience_score - least) {
        r->patience_score = score;
        r->n_waiting = 0;
    } else if (++r->n_waiting >= r->options.patience && r->options.early_stopping) {
        r->result->stopped_early = true;
        r->finished = true;
    }
    return PEN_OK;
}

struct learning {
    struct pen_training *run;
    int64_t n_rows, n_batch; /* of this rank, of all */
};

/* The calls of a step. */
static pen_status learn(void *context, struct pen_error *err)
{
    const struct learning *l = context;
    struct pen_training *r = l->run;
    PEN_TRY(pen_pass_load_step(r->pass, r->examples->window, l->n_rows, err));
    PEN_TRY(pen_pass_forward(r->pass, true, err));
    PEN_TRY(pen_pass_loss_gradient(r->pass, 1.0 / ((double)l->n_batch * r->examples->mean_weight), err));
    PEN_TRY(pen_pass_backward(r->pass, err));
    PEN_TRY(pen_exchange_gradients(&r->exchange, err));
    return pen_update_apply(&r->update, r->pass, err);
}

static pen_status one_step(struct pen_training *r, const struct pen_training_step *step, int64_t n,
                           struct pen_error *err)
{
    const struct pen_training_options *o = &r->options;
    struct pen_training_step own = *step;
    int64_t first = 0, end = 0;
    pen_communicator_share(r->ranks, n, &first, &end);
    own.first_place += first;
    struct learning work = {r, end - first, n};
    PEN_TRY(pen_pass_begin_step(r->pass, &own, err));
    if (n == o->batch_size && r->ranks->size == 1) { /* what ranks tell each other is not the device's to replay */
        PEN_TRY(pen_device_repeat(r->network->exec, &r->whole_step[r->examples->which], learn, &work, err));
    } else {
        PEN_TRY(learn(&work, err));
    }
    PEN_TRY(average(r, err));
    r->rows_seen += n;
    PEN_TRY(show_progress(r, step->learning_rate, err));
    if (r->step % o->eval_every == 0 || r->step == o->steps) {
        PEN_TRY(validate(r, step->learning_rate, err));
    }
    r->finished = r->finished || r->step == o->steps;
    return PEN_OK;
}

/* Asked to stop: what was learnt so far is kept for the next run. */
static pen_status check_stop(struct pen_training *r, struct pen_error *err)
{
    if (r->ranks->rank > 0) {
        return PEN_OK;
    }
    if (pen_cancel_requested() && r->step > 0) {
        PEN_TRY(pen_training_save(r, true, err));
    }
    return pen_cancel_check(err);
}

static pen_status one_window(struct pen_training *r, struct pen_error *err)
{
    pen_status loaded = pen_examples_load_window(r->examples, r->epoch, r->window, err);
    if (loaded == PEN_ERR_CANCELLED) {
        PEN_TRY(check_stop(r, err));
    }
    PEN_TRY(loaded);
    int64_t n_rows = r->examples->window->n_rows;
    struct pen_training_step step = {.order_seed =
                                         r->options.seed + (uint64_t)r->epoch * 1000003u + (uint64_t)r->window,
                                     .order_stream = STREAM_ROWS,
                                     .n_order = n_rows};
    while (r->place < n_rows && !r->finished) {
        int64_t left = n_rows - r->place, n = left < r->options.batch_size ? left : r->options.batch_size;
        PEN_TRY(check_stop(r, err));
        step.number = ++r->step;
        step.first_place = r->place;
        step.learning_rate = pen_training_rate(&r->options, r->step);
        PEN_TRY(one_step(r, &step, n, err));
        r->place += n;
        PEN_TRY(pen_examples_go_on(r->examples, err));
        PEN_TRY(pen_training_save(r, false, err));
    }
    return PEN_OK;
}

static pen_status all_windows(struct pen_training *r, struct pen_error *err)
{
    int64_t n_windows = pen_examples_n_windows(r->examples);
    while (!r->finished) {
        PEN_TRY(one_window(r, err));
        r->place = 0;
        if (++r->window == n_windows) {
            r->window = 0;
            r->epoch++;
            PEN_TRY(pen_training_save(r, r->options.checkpoints != NULL && r->options.checkpoints->epochs, err));
        }
    }
    return PEN_OK;
}

static pen_status conclude(struct pen_training *r, struct pen_error *err)
{
    struct pen_training_result *result = r->result;
    PEN_TRY(copy_values(r, r->live, r->best, err));
    PEN_TRY(pen_exchange_finish(&r->exchange, err));
    PEN_TRY(pen_device_synchronise(r->network->exec, err));
    result->steps = r->step;
    result->best_step = r->best_step;
    result->n_train = r->examples->n_train;
    result->n_validation = r->examples->validation.n_rows;
    result->batch_size = r->options.batch_size;
    result->steps_planned = r->options.steps;
    result->learning_rate = r->options.learning_rate;
    result->epochs = (double)r->rows_seen / (double)r->examples->n_train;
    result->seconds = pen_clock_seconds() - r->started;
    result->rows_per_s = result->seconds > 0 ? (double)r->rows_seen / result->seconds : 0;
    return PEN_OK;
}

static void run_deinit(struct pen_training *r)
{
    if (r->network == NULL) {
        return; /* it comes first */
    }
    if (r->live != NULL) {
        r->network->values = r->live;
    }
    pen_exchange_deinit(
        &r->exchange); /* first: releasing memory waits for the device, and it perhaps for a lost rank */
    pen_device_forget(r->network->exec, &r->whole_step[0]);
    pen_device_forget(r->network->exec, &r->whole_step[1]);
    pen_validation_deinit(&r->validation);
    pen_update_deinit(&r->update);
    pen_pass_destroy(r->pass);
    pen_examples_destroy(r->examples);
    pen_device_release(r->network->exec, r->mean);
    pen_device_release(r->network->exec, r->best);
}

/* For rows: the option, or 1 GiB of a CPU's memory, which others use too, or half of a GPU's. */
static pen_status rows_memory(const struct pen_training_options *options, struct pen_exec *exec, int64_t *bytes,
                              struct pen_error *err)
{
    int64_t free_bytes = 0, total_bytes = 0;
    *bytes = options->memory_bytes;
    if (*bytes == 0) {
        PEN_TRY(pen_device_memory(exec, &free_bytes, &total_bytes, err));
        *bytes = strcmp(exec->name, "cpu") == 0 ? INT64_C(1) << 30 : total_bytes / 2;
    }
    return PEN_OK;
}

/* What the exec's products do until the training ends. */
static enum pen_precision choose_precision(const struct pen_training *r, struct pen_exec *exec)
{
    enum pen_precision asked = r->options.precision, taken = pen_exec_allow(exec, asked);
    if (taken != asked && r->ranks->rank == 0) {
        pen_log(PEN_LOG_WARNING, "precision %s: %s has no faster products of that kind, float32 is computed",
                pen_precision_names[asked], exec->name);
    }
    return taken;
}

pen_status pen_training_run(struct pen_network **network, struct pen_training_result *result, pen_json *curves,
                            const struct pen_examples_source *source, const struct pen_training_options *options,
                            const struct pen_network *base, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_training r = {.options = *options, .result = result, .curves = curves};
    r.ranks = options->ranks != NULL ? options->ranks : pen_communicator_one();
    pen_status status = PEN_OK;
    int threads_before = omp_get_max_threads();
    *result = (struct pen_training_result){
        .train_loss = NAN, .validation_loss = NAN, .validation_metric = NAN, .validation_accuracy = NAN};
    result->precision = choose_precision(&r, exec);
    PEN_TRY_GOTO(cleanup, pen_network_create(&r.network, &options->architecture, source->spec, exec, err));
    double share = pen_training_validation_share(options, source->n_rows);
    int64_t memory_bytes = 0;
    PEN_TRY_GOTO(cleanup, rows_memory(options, exec, &memory_bytes, err));
    PEN_TRY_GOTO(cleanup, pen_examples_create(&r.examples, source, share, memory_bytes, options->seed, exec, err));
    PEN_TRY_GOTO(cleanup, prepare(&r, base, err));
    PEN_TRY_GOTO(cleanup, pen_training_restore(&r, err));
    PEN_TRY_GOTO(cleanup, all_windows(&r, err));
    status = conclude(&r, err);
cleanup:
    omp_set_num_threads(threads_before);
    run_deinit(&r);
    (void)pen_exec_allow(exec, PEN_PRECISION_EXACT);
    if (status == PEN_OK) {
        *network = r.network;
    } else {
        pen_network_destroy(r.network);
    }
    return status;
}
