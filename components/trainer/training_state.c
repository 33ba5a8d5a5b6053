/* Checkpoints of a training: when one is due, and its state as arrays and JSON.
 *
 * Random numbers are functions of the seed and the step, so the generator has no state of its own. What the plan made
 * of options and data (buffers, schedule, constants of the inputs) is made again by the run that goes on. */
#include "components/trainer/training_internal.h"
#include "core/log.h"

#include <math.h>

enum { N_ARRAYS_MAX = 6 };

static int64_t list_arrays(const struct pen_training *r, struct pen_checkpoint_array arrays[N_ARRAYS_MAX])
{
    const struct pen_checkpoint_array all[N_ARRAYS_MAX] = {
        {"values", r->live, r->network->n_total * (int64_t)sizeof(float)},
        {"mean", r->mean, r->network->n_total * (int64_t)sizeof(float)},
        {"best", r->best, r->network->n_total * (int64_t)sizeof(float)},
        {"state1", r->update.state1, r->network->n_total * (int64_t)sizeof(float)},
        {"state2", r->update.state2, r->network->n_total * (int64_t)sizeof(float)},
        {"sums", r->pass->sums, sizeof *r->pass->sums}};
    int64_t n = 0;
    for (int64_t i = 0; i < N_ARRAYS_MAX; i++) {
        if (all[i].memory != NULL) {
            arrays[n++] = all[i];
        }
    }
    return n;
}

/* The scalars of the state, by name. */
struct field {
    const char *name;
    int64_t *integer;
    double *number;
};

enum { N_FIELDS = 16 };

static void list_fields(struct pen_training *r, double *seconds, struct field fields[N_FIELDS])
{
    struct pen_training_result *result = r->result;
    const struct field all[N_FIELDS] = {{"step", &r->step, NULL},
                                        {"epoch", &r->epoch, NULL},
                                        {"window", &r->window, NULL},
                                        {"place", &r->place, NULL},
                                        {"n_means", &r->n_means, NULL},
                                        {"best_step", &r->best_step, NULL},
                                        {"n_waiting", &r->n_waiting, NULL},
                                        {"rows_seen", &r->rows_seen, NULL},
                                        {"best_score", NULL, &r->best_score},
                                        {"patience_score", NULL, &r->patience_score},
                                        {"train_loss", NULL, &result->train_loss},
                                        {"validation_loss", NULL, &result->validation_loss},
                                        {"validation_metric", NULL, &result->validation_metric},
                                        {"validation_accuracy", NULL, &result->validation_accuracy},
                                        {"seconds", NULL, seconds},
                                        {NULL, NULL, NULL}};
    for (int64_t i = 0; i < N_FIELDS; i++) {
        fields[i] = all[i];
    }
}

static pen_json *state_to_json(struct pen_training *r)
{
    struct field fields[N_FIELDS];
    double seconds = pen_clock_seconds() - r->started;
    pen_json *state = pen_json_object();
    list_fields(r, &seconds, fields);
    for (const struct field *f = fields; f->name != NULL; f++) {
        if (f->integer != NULL) {
            pen_json_set_int(state, f->name, *f->integer);
        } else {
            pen_json_set_double(state, f->name, *f->number);
        }
    }
    pen_json_set(state, "curves", pen_json_copy(r->curves));
    return state;
}

static pen_status state_from_json(struct pen_training *r, const pen_json *state, struct pen_error *err)
{
    const char *folder = r->options.checkpoints->where.folder;
    const pen_json *curves = NULL;
    struct field fields[N_FIELDS];
    double seconds = 0;
    list_fields(r, &seconds, fields);
    for (const struct field *f = fields; f->name != NULL; f++) {
        if (f->number != NULL) {
            PEN_TRY(pen_json_need_double(state, f->name, folder, f->number, err));
            continue;
        }
        PEN_TRY(pen_json_need_int(state, f->name, folder, f->integer, err));
        if (*f->integer < 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %s at 0 or above, found %lld", folder, f->name,
                     (long long)*f->integer);
        }
    }
    if (r->step >= r->options.steps || r->window >= pen_examples_n_windows(r->examples)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a step below %lld and a window below %lld, found %lld and %lld",
                 folder, (long long)r->options.steps, (long long)pen_examples_n_windows(r->examples),
                 (long long)r->step, (long long)r->window);
    }
    PEN_TRY(pen_json_need_array(state, "curves", folder, &curves, err));
    for (int64_t i = 0; i < pen_json_size(curves); i++) {
        pen_json_push(r->curves, pen_json_copy(pen_json_at(curves, i)));
    }
    r->started -= seconds;
    return PEN_OK;
}

static bool is_due(const struct pen_training *r)
{
    const struct pen_training_checkpoints *c = r->options.checkpoints;
    if (c->steps > 0 && r->step % c->steps == 0) {
        return true;
    }
    double least = fmax(c->seconds, 100 * r->checkpoint_seconds);
    return c->seconds > 0 && pen_clock_seconds() - r->last_checkpoint >= least;
}

pen_status pen_training_save(struct pen_training *r, bool now, struct pen_error *err)
{
    if (r->options.checkpoints == NULL || r->ranks->rank > 0 || r->finished || !(now || is_due(r))) {
        return PEN_OK;
    }
    struct pen_checkpoint_array arrays[N_ARRAYS_MAX];
    struct pen_step_sums sums;
    struct pen_error problem = PEN_ERROR_INIT;
    double began = pen_clock_seconds();
    PEN_TRY(pen_training_read_sums(r, &sums, false, err)); /* never a checkpoint of a training that diverged */
    int64_t n = list_arrays(r, arrays);
    pen_json *state = state_to_json(r);
    pen_status status =
        pen_checkpoints_save(&r->options.checkpoints->where, r->step, state, arrays, n, r->network->exec, &problem);
    pen_json_free(state);
    r->last_checkpoint = pen_clock_seconds();
    r->checkpoint_seconds = r->last_checkpoint - began;
    if (status != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "no checkpoint of step %lld: %s", (long long)r->step, problem.message);
    } else {
        pen_log(PEN_LOG_INFO, "checkpoint of step %lld written in %.3f s", (long long)r->step, r->checkpoint_seconds);
    }
    return PEN_OK;
}

static pen_status restore(struct pen_training *r, struct pen_error *err)
{
    struct pen_checkpoint_array arrays[N_ARRAYS_MAX];
    pen_json *state = NULL;
    int64_t n = list_arrays(r, arrays);
    PEN_TRY(pen_checkpoints_load(&r->options.checkpoints->where, &state, arrays, n, r->network->exec, err));
    pen_status status = state == NULL ? PEN_OK : state_from_json(r, state, err);
    if (state != NULL && status == PEN_OK) {
        pen_log(PEN_LOG_INFO, "goes on after step %lld of %lld", (long long)r->step, (long long)r->options.steps);
    }
    pen_json_free(state);
    return status;
}

/* Rank 0 first, which sets damaged ones aside; the others then find what it found. The sums of the steps since the last
 * validation are rank 0's alone. */
pen_status pen_training_restore(struct pen_training *r, struct pen_error *err)
{
    struct pen_step_sums sums;
    if (r->options.checkpoints == NULL) {
        return PEN_OK;
    }
    if (r->ranks->rank == 0) {
        PEN_TRY(restore(r, err));
    }
    PEN_TRY(pen_communicator_barrier(r->ranks, err));
    if (r->ranks->rank > 0) {
        PEN_TRY(restore(r, err));
        PEN_TRY(pen_pass_read_sums(r->pass, &sums, true, err));
    }
    return pen_communicator_barrier(r->ranks, err);
}
