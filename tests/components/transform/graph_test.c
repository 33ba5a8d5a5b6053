/* Graphs as wholes: labels and tasks, saving and loading, batch splits, rows that differ in production, bad files. */
#include "core/files.h"
#include "core/memory.h"
#include "core/rng.h"
#include "tests/components/transform/rows.h"
#include "tests/kernels/mirror.h"

#include <stdio.h>

static const char *const many[] = {"zscore(log1p(fill(x, 'median')))",
                                   "vocab(s, top_k: 2, oov: 3)",
                                   "bucketize(x + 0.1, 3)",
                                   "onehot(s)",
                                   "hash(cross(s, n), 100)",
                                   "vocab(ngrams(tokens(lower(t)), [1, 2]))",
                                   "minmax(n, -1, 1)",
                                   "fill(n, 'mode') / 3",
                                   "if(fill(s, 'mode') == 'Cash', robust(x), 1e-9)",
                                   "multihot(hash(tokens(t), 5))",
                                   "hash(concat(s, '-', x), 1000, seed: 7)",
                                   "zscore(x, by: s)",
                                   "minmax(x, by: n)",
                                   "robust(x, by: s) + quantile(x, 0.3, by: s)",
                                   "bucketize(x, 3, by: s)",
                                   "rank(x, 7) + interpolate(n, [0, 2, 5])",
                                   "x / sum(x) + var(n) - min(x) * max(x)",
                                   "tfidf(unique(tokens(t)), top_k: 5)",
                                   "vocab(split(trim(t), ' '), top_k: 3)"};
enum { N_MANY = sizeof many / sizeof many[0] };

/* Equal bits in every tensor. */
static void check_equal(const struct pen_tensor_spec *spec, const struct pen_tensor_batch *a,
                        const struct pen_tensor_batch *b, int64_t first)
{
    for (int64_t i = 0; i < b->n_rows; i++) {
        PEN_CHECK(memcmp(a->dense + (first + i) * spec->n_dense, b->dense + i * spec->n_dense,
                         (size_t)spec->n_dense * sizeof(float)) == 0);
        for (int64_t k = 0; k < spec->n_ids; k++) {
            const struct pen_tensor_ids *x = &a->ids[k], *y = &b->ids[k];
            if (!spec->ids[k].ragged) {
                PEN_CHECK_EQ_I64(y->values[i], x->values[first + i]);
                continue;
            }
            int64_t n = y->row_offsets[i + 1] - y->row_offsets[i];
            PEN_CHECK_EQ_I64(n, x->row_offsets[first + i + 1] - x->row_offsets[first + i]);
            for (int64_t j = 0; j < n; j++) {
                PEN_CHECK_EQ_I64(y->values[y->row_offsets[i] + j], x->values[x->row_offsets[first + i] + j]);
            }
        }
    }
}

static struct pen_batch slice(const struct pen_batch *rows, int64_t first, int64_t n, struct pen_column *columns,
                              uint8_t *bits)
{
    struct pen_batch out = *rows;
    for (int64_t i = 0; i < rows->n_columns; i++) {
        struct pen_column c = rows->columns[i];
        c.values = c.values == NULL ? NULL : (const char *)c.values + (size_t)first * pen_type_size(c.type);
        c.offsets = c.offsets == NULL ? NULL : c.offsets + first;
        if (c.validity != NULL) {
            bits[i] = (uint8_t)(c.validity[0] >> first);
            c.validity = &bits[i];
        }
        c.n_rows = n;
        columns[i] = c;
    }
    out.columns = columns;
    out.n_rows = n;
    return out;
}

static void batch_split_and_loading_change_nothing(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL, *loaded = NULL;
    struct pen_transform_scratch *whole = NULL, *parts = NULL;
    struct pen_tensor_batch a, b;
    const struct pen_batch *rows = pen_test_rows();
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, many, N_MANY, rows, 1, &err), &err);
    PEN_REQUIRE_OK(pen_transform_save(graph, pen_test_directory(), &err), &err);
    PEN_REQUIRE_OK(pen_transform_load(&loaded, pen_test_directory(), &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&whole, graph, &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&parts, loaded, &err), &err);
    PEN_REQUIRE_OK(pen_transform_apply(graph, pen_test_exec(), rows, false, whole, &a, &err), &err);
    for (int64_t size = 1; size <= ROWS; size++) {
        for (int64_t first = 0; first < ROWS; first += size) {
            struct pen_column columns[8];
            uint8_t bits[8];
            struct pen_batch part = slice(rows, first, first + size > ROWS ? ROWS - first : size, columns, bits);
            PEN_REQUIRE_OK(pen_transform_apply(loaded, pen_test_exec(), &part, false, parts, &b, &err), &err);
            check_equal(pen_transform_spec(graph), &a, &b, first);
        }
    }
    for (int64_t i = 0; i < pen_transform_spec(graph)->n_dense; i++) {
        PEN_CHECK_EQ_STR(pen_transform_spec(loaded)->dense_names[i], pen_transform_spec(graph)->dense_names[i]);
    }
    pen_transform_scratch_destroy(whole);
    pen_transform_scratch_destroy(parts);
    pen_transform_destroy(graph);
    pen_transform_destroy(loaded);
}

/* A graph file with bytes changed or cut off loads or is refused with its path; it never crashes. */
static void hostile_files_are_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, many, N_MANY, pen_test_rows(), 1, &err), &err);
    PEN_REQUIRE_OK(pen_transform_save(graph, pen_test_directory(), &err), &err);
    pen_transform_destroy(graph);
    (void)snprintf(path, sizeof path, "%s/graph.json", pen_test_directory());
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &text, &err), &err);
    static const char bytes[] = "0-9\"{}[],:\\xe.\n";
    int64_t refused = 0;
    for (uint64_t round = 0; round < 300; round++) {
        char *copy = pen_calloc((int64_t)text.size_bytes + 1, 1);
        memcpy(copy, text.data, text.size_bytes);
        size_t size = text.size_bytes;
        if (round % 3 == 0) {
            size = (size_t)pen_rng_below(7, 0, round, text.size_bytes);
        } else {
            copy[pen_rng_below(7, 1, round, text.size_bytes)] = bytes[pen_rng_below(7, 2, round, sizeof bytes - 1)];
        }
        FILE *file = fopen(path, "wb");
        PEN_REQUIRE(file != NULL);
        (void)fwrite(copy, 1, size, file);
        (void)fclose(file);
        pen_free(copy);
        graph = NULL;
        if (pen_transform_load(&graph, pen_test_directory(), &err) != PEN_OK) {
            refused++;
            PEN_CHECK_CONTAINS(err.message, pen_test_directory());
        } else {
            struct pen_transform_scratch *scratch = NULL;
            struct pen_tensor_batch out;
            PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
            pen_status status =
                pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), false, scratch, &out, &err);
            PEN_CHECK_MSG(status == PEN_OK || status == PEN_ERR_DATA, "%s", err.message);
            pen_transform_scratch_destroy(scratch);
            pen_transform_destroy(graph);
        }
    }
    PEN_CHECK(refused > 150);
    pen_text_deinit(&text);
}

struct label_case {
    const char *label;
    enum pen_task asked;
    const char *positive;
    enum pen_task task;
    const char *classes[4];
    double expected[ROWS];
};

static void labels_become_tasks(void)
{
    static const struct label_case cases[] = {
        {"x > 0", PEN_TASK_NONE, NULL, PEN_TASK_BINARY, {"false", "true"}, {1, 0, 0, NAN, 1, 1}},
        {"x > 0", PEN_TASK_NONE, "false", PEN_TASK_BINARY, {"true", "false"}, {0, 1, 1, NAN, 0, 0}},
        {"s", PEN_TASK_NONE, NULL, PEN_TASK_MULTICLASS, {"Card", "Cash", "\xc3\xbcQuux-9"}, {1, 0, 1, 2, NAN, 0}},
        {"x", PEN_TASK_NONE, NULL, PEN_TASK_REGRESSION, {NULL}, {1.5, -2, 0, NAN, 4, 10}},
        {"log1p(n)",
         PEN_TASK_REGRESSION,
         NULL,
         PEN_TASK_REGRESSION,
         {NULL},
         {1.3862944, NAN, 1.3862944, 2.0794415, 0, 0.6931472}},
        {"n", PEN_TASK_NONE, NULL, PEN_TASK_REGRESSION, {NULL}, {3, NAN, 3, 7, 0, 1}},
        {"n", PEN_TASK_MULTICLASS, NULL, PEN_TASK_MULTICLASS, {"0", "1", "3", "7"}, {2, NAN, 2, 3, 0, 1}},
        {"n % 2", PEN_TASK_NONE, NULL, PEN_TASK_BINARY, {"0", "1"}, {1, NAN, 1, 1, 0, 1}},
        {"n % 2", PEN_TASK_NONE, "0", PEN_TASK_BINARY, {"1", "0"}, {0, NAN, 0, 0, 1, 0}},
        {"if(s == 'Cash', 'yes', 'no')", PEN_TASK_NONE, "no", PEN_TASK_BINARY, {"yes", "no"}, {0, 1, 0, 1, NAN, 1}},
        {"min(n, 2) + 0.5", PEN_TASK_NONE, NULL, PEN_TASK_REGRESSION, {NULL}, {2.5, NAN, 2.5, 2.5, 0.5, 1.5}},
        {"cast(min(n, 2), int)", PEN_TASK_NONE, NULL, PEN_TASK_MULTICLASS, {"0", "1", "2"}, {2, NAN, 2, 2, 0, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        struct pen_transform_scratch *scratch = NULL;
        struct pen_tensor_batch out;
        const struct label_case *row = &cases[c];
        pen_status status = pen_test_compile(&graph, "zscore(x)", row->label, row->asked, row->positive, &err);
        PEN_CHECK_MSG(status == PEN_OK, "%s: %s", row->label, err.message);
        if (status != PEN_OK) {
            continue;
        }
        const struct pen_tensor_spec *spec = pen_transform_spec(graph);
        PEN_CHECK_MSG(spec->task == row->task, "%s: expected task %d, found %d", row->label, row->task, spec->task);
        for (int i = 0; i < spec->n_classes; i++) {
            PEN_CHECK_EQ_STR(spec->classes[i], row->classes[i]);
        }
        PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
        PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), true, scratch, &out, &err), &err);
        for (int i = 0; i < ROWS; i++) {
            double found = (double)out.label[i], want = row->expected[i];
            PEN_CHECK_MSG(fabs(found - want) < 1e-5 || (isnan(found) && isnan(want)),
                          "label %s, row %d: expected %g, found %g", row->label, i, want, found);
        }
        pen_transform_scratch_destroy(scratch);
        pen_transform_destroy(graph);
    }
}

static void wrong_labels_are_named(void)
{
    static const struct {
        const char *label;
        enum pen_task task;
        const char *positive, *message;
    } cases[] = {
        {"s", PEN_TASK_REGRESSION, NULL, "p.yaml:4:10: label: task regression: expected a number, found a string"},
        {"s", PEN_TASK_BINARY, NULL, "label: task binary: expected two distinct values, found 3"},
        {"n * 0", PEN_TASK_NONE, NULL, "expected two or more distinct values in the analyze split, found one"},
        {"n / 0", PEN_TASK_NONE, NULL, "expected values in the analyze split, found all missing"},
        {"n % 2", PEN_TASK_NONE, "yes", "positive: expected '0' or '1', found 'yes'"},
        {"x", PEN_TASK_NONE, "1", "positive: expected a label of two classes, found a quantity"},
        {"x > 0", PEN_TASK_MULTICLASS, NULL, "a true or false label: expected task binary"},
        {"tokens(t)", PEN_TASK_NONE, NULL, "expected a number, a string or a truth value, found a list of tokens"},
        {"tip > 0", PEN_TASK_NONE, NULL, "p.yaml:4:10: label: unknown column 'tip'"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        PEN_CHECK_STATUS(pen_test_compile(&graph, "x", cases[c].label, cases[c].task, cases[c].positive, &err),
                         PEN_ERR_CONFIG);
        PEN_CHECK_CONTAINS(err.message, cases[c].message);
    }
}

/* Other types, unseen values and absent columns. */
static void production_rows_may_differ(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    const char *const features[] = {"fill(x, -1)", "vocab(s, oov: 2)", "n + 0"};
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, features, 3, pen_test_rows(), 1, &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    const int64_t text_offsets[] = {0, 4, 10, 10};
    const double n_values[] = {5, 2.5, (double)NAN};
    const struct pen_column columns[] = {
        {.type = PEN_TYPE_BYTES, .n_rows = 3, .offsets = text_offsets, .bytes = "CashUnseen"},
        {.type = PEN_TYPE_FLOAT64, .n_rows = 3, .values = n_values},
    };
    const char *const names[] = {"s", "n"};
    const struct pen_batch rows = {.n_rows = 3, .n_columns = 2, .names = names, .columns = columns};
    PEN_REQUIRE_OK(pen_transform_apply(graph, pen_test_exec(), &rows, false, scratch, &out, &err), &err);
    const double expected[] = {-1, 5, -1, 0, -1, 0}; /* x absent; 2.5 is no integer: missing, 0 */
    for (int i = 0; i < 6; i++) {
        PEN_CHECK_EQ_F64((double)out.dense[i], expected[i]);
    }
    PEN_CHECK_EQ_I64(out.ids[0].values[0], 0);
    PEN_CHECK(out.ids[0].values[1] == 3 || out.ids[0].values[1] == 4); /* one of the oov buckets */
    PEN_CHECK(out.ids[0].values[2] == 3 || out.ids[0].values[2] == 4); /* an empty text is a text */
    const struct pen_batch without_n = {.n_rows = 3, .n_columns = 1, .names = names, .columns = columns};
    PEN_CHECK_STATUS(pen_transform_apply(graph, pen_test_exec(), &without_n, false, scratch, &out, &err), PEN_ERR_DATA);
    PEN_CHECK_EQ_STR(err.message, "transform: expected a column 'n' of type int64, found none by that name");
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
}

PEN_SUITE(transform_graph, PEN_CASE(batch_split_and_loading_change_nothing), PEN_CASE(hostile_files_are_refused),
          PEN_CASE(labels_become_tasks), PEN_CASE(wrong_labels_are_named), PEN_CASE(production_rows_may_differ));
