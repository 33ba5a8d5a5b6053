/* The loop of ExampleGen: batches of rows from the CSV reader, a split for every row, rows to their stores. When the
 * reader finds that a type it guessed was too narrow, the stores are thrown away and the input begins again. */
#include "components/example_gen/reading.h"

#include "core/log.h"

#include <string.h>
#include <sys/stat.h>

/* What one run over an input holds. */
struct loop {
    const struct pen_reading_plan *plan;
    const struct pen_example_input *input;
    struct pen_reading *reading;
    struct pen_csv_reader *reader;
    struct pen_strip strip;
    int32_t *splits;
    int64_t splits_capacity;
    int64_t n_bytes_total;
};

static pen_status csv_options(const struct pen_reading_plan *plan, const struct pen_example_input *input,
                              struct pen_csv_options *options, struct pen_error *err)
{
    const struct pen_dialect *dialect = &input->dialect;
    pen_csv_options_init(options);
    PEN_TRY(pen_dialect_character(input->options, "delimiter", dialect->delimiter, "auto", &options->delimiter, err));
    PEN_TRY(pen_dialect_character(input->options, "quote", dialect->quote, "none", &options->quote, err));
    PEN_TRY(pen_dialect_character(input->options, "comment", dialect->comment, "none", &options->comment, err));
    options->header = (enum pen_csv_header)dialect->header;
    options->names = dialect->columns.n_items > 0 ? dialect->columns.items : NULL;
    options->n_names = dialect->columns.n_items;
    options->null_markers = dialect->nulls.items;
    options->n_null_markers = dialect->nulls.n_items;
    options->skip_lines = dialect->skip_lines;
    options->trim_spaces = dialect->trim;
    options->float32 = plan->float32;
    options->late_bytes = true; /* the stores turn such a column too */
    if (plan->rejects != NULL) {
        options->bad_rows = PEN_CSV_BAD_ROWS_REJECT;
        options->on_reject = pen_rejects_on_row;
        options->on_reject_user = plan->rejects;
    }
    return PEN_OK;
}

static pen_status create_route(struct loop *loop, const struct pen_batch *batch, struct pen_error *err)
{
    struct pen_reading *reading = loop->reading;
    struct pen_arena *arena = loop->plan->context->arena;
    const char **paths = pen_arena_alloc(arena, reading->n_splits, sizeof *paths);
    reading->n_columns = batch->n_columns;
    reading->names = pen_arena_alloc(arena, batch->n_columns + 1, sizeof *reading->names);
    reading->types = pen_arena_alloc(arena, batch->n_columns + 1, sizeof *reading->types);
    if (paths == NULL || reading->names == NULL || reading->types == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld columns", (long long)batch->n_columns);
    }
    for (int64_t i = 0; i < reading->n_splits; i++) {
        paths[i] = pen_component_split_path(loop->plan->context, loop->plan->examples, reading->splits[i]);
    }
    for (int64_t i = 0; i < batch->n_columns; i++) {
        reading->names[i] = pen_arena_strdup(arena, batch->names[i]);
        if (reading->names[i] == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld columns", (long long)batch->n_columns);
        }
    }
    return pen_route_create(&reading->route, batch, reading->splits, paths, reading->n_splits, loop->plan->span, err);
}

static void restart(struct loop *loop)
{
    pen_route_abandon(loop->reading->route);
    loop->reading->route = NULL;
    memset(loop->reading->file_rows, 0, (size_t)loop->input->n_paths * sizeof(int64_t));
    pen_split_rule_reset(loop->plan->rule);
    if (loop->plan->rejects != NULL) {
        pen_rejects_restart_input(loop->plan->rejects);
    }
}

/* Rows of a batch come file after file; count them by looking for the borders. */
static void count_file_rows(struct loop *loop, int64_t n_rows)
{
    for (int64_t first = 0; first < n_rows;) {
        int64_t file = pen_csv_row_place(loop->reader, first).file_number;
        int64_t low = first + 1, high = n_rows;
        if (pen_csv_row_place(loop->reader, n_rows - 1).file_number == file) {
            low = n_rows;
        }
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (pen_csv_row_place(loop->reader, middle).file_number == file) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        loop->reading->file_rows[file] += low - first;
        first = low;
    }
}

static pen_status take_batch(struct loop *loop, struct pen_batch *batch, struct pen_error *err)
{
    PEN_TRY(pen_strip_apply(&loop->strip, batch, err));
    if (loop->reading->route == NULL) {
        PEN_TRY(create_route(loop, batch, err));
    }
    for (int64_t i = 0; i < batch->n_columns; i++) {
        loop->reading->types[i] = batch->columns[i].type;
    }
    void *splits = loop->splits;
    pen_status status = pen_grow(&splits, &loop->splits_capacity, batch->n_rows, sizeof(int32_t), err);
    loop->splits = splits;
    PEN_TRY(status);
    if (loop->input->split != NULL) {
        memset(loop->splits, 0, (size_t)batch->n_rows * sizeof(int32_t));
    } else {
        PEN_TRY(pen_split_rule_assign(loop->plan->rule, batch, loop->splits, err));
    }
    count_file_rows(loop, batch->n_rows);
    return pen_route_append(loop->reading->route, batch, loop->splits, err);
}

static pen_status read_all(struct loop *loop, struct pen_error *err)
{
    for (;;) {
        struct pen_batch batch;
        bool restarted = false;
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(pen_csv_next(loop->reader, &batch, &restarted, err));
        if (restarted) {
            restart(loop);
            pen_strip_deinit(&loop->strip);
            PEN_TRY(pen_strip_init(&loop->strip, loop->plan->strip, err));
            continue;
        }
        if (batch.n_rows == 0) {
            break;
        }
        PEN_TRY(take_batch(loop, &batch, err));
        struct pen_csv_counts counts = pen_csv_counts(loop->reader);
        int64_t total = counts.n_bytes <= loop->n_bytes_total ? loop->n_bytes_total : 0;
        pen_progress("reading", counts.n_bytes, total, "bytes", "%lld rows", (long long)counts.n_rows);
    }
    loop->reading->counts = pen_csv_counts(loop->reader);
    if (loop->reading->route == NULL) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected rows of data, found none", loop->input->paths[0]);
    }
    return PEN_OK;
}

/* The user's types first; those that other inputs need where the user said nothing. */
static pen_status merge_types(const struct pen_reading_plan *plan, const struct pen_csv_column_type *forced,
                              int64_t n_forced, struct pen_csv_options *options, struct pen_error *err)
{
    if (plan->n_types + n_forced == 0) {
        return PEN_OK;
    }
    struct pen_csv_column_type *all = pen_arena_alloc(plan->context->arena, plan->n_types + n_forced, sizeof *all);
    if (all == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: types of columns");
    }
    for (int64_t i = 0; i < plan->n_types; i++) {
        all[i] = plan->types[i];
    }
    options->n_types = plan->n_types;
    for (int64_t i = 0; i < n_forced; i++) {
        bool asked = false;
        for (int64_t k = 0; k < plan->n_types; k++) {
            asked = asked || strcmp(plan->types[k].name, forced[i].name) == 0;
        }
        if (!asked) {
            all[options->n_types++] = forced[i];
        }
    }
    options->types = all;
    return PEN_OK;
}

static int64_t total_bytes(const struct pen_example_input *input)
{
    int64_t total = 0;
    struct stat facts;
    for (int64_t i = 0; i < input->n_paths; i++) {
        total += stat(input->paths[i], &facts) == 0 ? facts.st_size : 0;
    }
    return total;
}

pen_status pen_reading_run(const struct pen_reading_plan *plan, const struct pen_example_input *input,
                           const struct pen_csv_column_type *forced, int64_t n_forced, struct pen_reading *reading,
                           struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_csv_options options;
    struct loop loop = {.plan = plan, .input = input, .reading = reading};
    const char **one_split = pen_arena_alloc(plan->context->arena, 1, sizeof *one_split);
    *reading = (struct pen_reading){0};
    reading->file_rows = pen_arena_alloc(plan->context->arena, input->n_paths, sizeof(int64_t));
    if (one_split == NULL || reading->file_rows == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld files", (long long)input->n_paths);
    }
    one_split[0] = input->split;
    reading->splits = input->split != NULL ? one_split : plan->rule->names;
    reading->n_splits = input->split != NULL ? 1 : plan->rule->n_splits;
    loop.n_bytes_total = total_bytes(input);
    pen_split_rule_reset(plan->rule);
    PEN_TRY_GOTO(cleanup, csv_options(plan, input, &options, err));
    PEN_TRY_GOTO(cleanup, merge_types(plan, forced, n_forced, &options, err));
    PEN_TRY_GOTO(cleanup, pen_strip_init(&loop.strip, plan->strip, err));
    PEN_TRY_GOTO(cleanup, pen_csv_open(&loop.reader, input->paths, input->n_paths, &options, err));
    PEN_TRY_GOTO(cleanup, read_all(&loop, err));
cleanup:
    if (status != PEN_OK) {
        pen_route_abandon(reading->route);
        reading->route = NULL;
    }
    pen_csv_close(loop.reader);
    pen_strip_deinit(&loop.strip);
    pen_split_rule_reset(plan->rule);
    pen_free(loop.splits);
    return status;
}
