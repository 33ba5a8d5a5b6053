/* Opens the CSV twice: once for its header, once with the graph's types forced, so that no restart can happen. */
#include "components/predict.h"

#include "components/trainer/model.h"
#include "components/transform/graph.h"
#include "core/files.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#include <errno.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30 };

struct predictor {
    struct pen_model *model;
    struct pen_transform_graph *graph;
    struct pen_transform_scratch *scratch;
    struct pen_csv_reader *reader;
    struct pen_csv_column_type *types;
    float *outputs;
    int64_t outputs_capacity, n_outputs, n_rows;
    struct pen_text text;
};

void pen_predict_options_init(struct pen_predict_options *options)
{
    *options = (struct pen_predict_options){.threshold = 0.5};
    pen_csv_options_init(&options->csv);
}

static pen_status load(struct predictor *p, const char *directory, struct pen_exec *exec, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_model_load(&p->model, directory, exec, err));
    PEN_TRY(pen_path_join(path, directory, "transform", err));
    PEN_TRY(pen_transform_load(&p->graph, path, err));
    p->n_outputs = pen_model_n_outputs(p->model);
    return pen_transform_scratch_create(&p->scratch, p->graph, err);
}

static pen_status open_csv(struct predictor *p, const char *const *paths, int64_t n_paths,
                           const struct pen_csv_options *given, struct pen_error *err)
{
    struct pen_csv_options options = *given;
    int64_t n_inputs = pen_transform_n_inputs(p->graph, false), n_types = 0;
    PEN_ALLOC(p->types, n_inputs + 1, err);
    PEN_TRY(pen_csv_open(&p->reader, paths, n_paths, given, err));
    const char *const *names = pen_csv_names(p->reader);
    for (int64_t i = 0; i < n_inputs; i++) {
        const char *name = pen_transform_input_name(p->graph, i);
        enum pen_type type = pen_transform_input_type(p->graph, i);
        bool found = false;
        for (int64_t c = 0; c < pen_csv_n_columns(p->reader); c++) {
            found = found || strcmp(names[c], name) == 0;
        }
        if (found && type != PEN_TYPE_NONE) {
            p->types[n_types++] = (struct pen_csv_column_type){name, type};
        }
    }
    if (n_types == 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected columns the model reads, such as '%s', found none of them", paths[0],
                 n_inputs > 0 ? pen_transform_input_name(p->graph, 0) : "");
    }
    pen_csv_close(p->reader);
    p->reader = NULL;
    options.types = p->types;
    options.n_types = n_types;
    options.only_typed_columns = true;
    options.max_distinct = NO_LIMIT;
    options.max_dictionary_bytes = (int64_t)NO_LIMIT * 16;
    return pen_csv_open(&p->reader, paths, n_paths, &options, err);
}

static const char *class_name(const struct pen_tensor_spec *spec, int64_t c, char number[PEN_NUMBER_BYTES])
{
    return spec->classes != NULL ? spec->classes[c] : pen_format_double(number, (double)c);
}

/* A CSV cell, quoted where it must be. */
static void cell(struct pen_text *text, const char *value)
{
    if (strpbrk(value, ",\"\r\n") == NULL) {
        pen_text_append(text, value);
        return;
    }
    pen_text_append_char(text, '"');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"') {
            pen_text_append_char(text, '"');
        }
        pen_text_append_char(text, *c);
    }
    pen_text_append_char(text, '"');
}

static void header(struct predictor *p)
{
    const struct pen_tensor_spec *spec = pen_model_spec(p->model);
    pen_text_append(&p->text, spec->task == PEN_TASK_BINARY ? "row,prediction,probability" : "row,prediction");
    for (int64_t c = 0; spec->task == PEN_TASK_MULTICLASS && c < p->n_outputs; c++) {
        char number[PEN_NUMBER_BYTES];
        pen_text_append_char(&p->text, ',');
        cell(&p->text, class_name(spec, c, number));
    }
    pen_text_append_char(&p->text, '\n');
}

static void line(struct predictor *p, const float *y, double threshold)
{
    const struct pen_tensor_spec *spec = pen_model_spec(p->model);
    int64_t best = 0;
    char number[PEN_NUMBER_BYTES];
    pen_text_printf(&p->text, "%lld,", (long long)p->n_rows);
    if (spec->task == PEN_TASK_BINARY) {
        bool positive = (double)y[0] > threshold;
        if (spec->classes != NULL && spec->n_classes == 2) {
            cell(&p->text, spec->classes[positive ? 1 : 0]);
        } else {
            pen_text_append(&p->text, positive ? "1" : "0");
        }
    } else if (spec->task == PEN_TASK_MULTICLASS) {
        for (int64_t c = 1; c < p->n_outputs; c++) {
            best = y[c] > y[best] ? c : best;
        }
        cell(&p->text, class_name(spec, best, number));
    }
    for (int64_t c = 0; c < p->n_outputs; c++) {
        pen_text_printf(&p->text, spec->task == PEN_TASK_REGRESSION ? "%.9g" : ",%.9g", (double)y[c]);
    }
    pen_text_append_char(&p->text, '\n');
}

static pen_status flush(struct predictor *p, FILE *out, struct pen_error *err)
{
    PEN_TRY(pen_text_check(&p->text, err));
    if (fwrite(pen_text_view(&p->text), 1, p->text.size_bytes, out) != p->text.size_bytes) {
        PEN_FAIL(err, PEN_ERR_IO, "predictions: cannot write: %s", strerror(errno));
    }
    pen_text_reset(&p->text);
    return PEN_OK;
}

static pen_status predict(struct predictor *p, const struct pen_batch *batch, struct pen_exec *exec, double threshold,
                          struct pen_error *err)
{
    struct pen_tensor_batch tensors;
    PEN_TRY(pen_transform_apply(p->graph, exec, batch, false, p->scratch, &tensors, err));
    PEN_TRY(
        pen_grow((void **)&p->outputs, &p->outputs_capacity, batch->n_rows * p->n_outputs, sizeof *p->outputs, err));
    PEN_TRY(pen_model_predict(p->model, p->outputs, &tensors, err));
    for (int64_t i = 0; i < batch->n_rows; i++, p->n_rows++) {
        line(p, p->outputs + i * p->n_outputs, threshold);
    }
    return PEN_OK;
}

pen_status pen_predict_csv(const char *model, const char *const *paths, int64_t n_paths,
                           const struct pen_predict_options *options, FILE *out, struct pen_exec *exec, int64_t *n_rows,
                           struct pen_error *err)
{
    struct predictor p = {0};
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, load(&p, model, exec, err));
    PEN_TRY_GOTO(cleanup, open_csv(&p, paths, n_paths, &options->csv, err));
    header(&p);
    for (;;) {
        struct pen_batch batch;
        bool restarted = false;
        PEN_TRY_GOTO(cleanup, pen_cancel_check(err));
        PEN_TRY_GOTO(cleanup, pen_csv_next(p.reader, &batch, &restarted, err));
        PEN_ASSERT(!restarted);
        if (batch.n_rows == 0) {
            break;
        }
        PEN_TRY_GOTO(cleanup, predict(&p, &batch, exec, options->threshold, err));
        PEN_TRY_GOTO(cleanup, flush(&p, out, err));
    }
    PEN_TRY_GOTO(cleanup, flush(&p, out, err));
    if (fflush(out) != 0) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_IO, "predictions: cannot write: %s", strerror(errno));
    }
    if (n_rows != NULL) {
        *n_rows = p.n_rows;
    }
cleanup:
    pen_text_deinit(&p.text);
    pen_free(p.outputs);
    pen_free(p.types);
    if (p.reader != NULL) {
        pen_csv_close(p.reader);
    }
    if (p.graph != NULL) {
        pen_transform_scratch_destroy(p.scratch);
        pen_transform_destroy(p.graph);
    }
    if (p.model != NULL) {
        pen_model_destroy(p.model);
    }
    return status;
}
