/* Time of fitting expressions and applying them to all rows, from columns in memory to tensors in memory.
 *
 *   bench_transform [--device cuda] [rows [threads [case]]]   one line of JSON a case
 *   bench_transform rows threads all FOLDER                   writes columns and tensors there, for peers.py
 *
 * Rows are like those of taxi trips and of complaints: eight skewed numbers (the first misses one cell in 16), 45
 * companies by falling frequency, as text and as dictionary codes, and for one row in 16 a text of 20 to 180 words out
 * of 30,000. What a case must give in sum (values written, ids in range) is checked before its time counts. */
#include "bench/device.h"
#include "components/transform/compile.h"
#include "components/transform/evaluate.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 131072, N_NUMBERS = 8, N_COMPANIES = 45, N_WORDS = 30000, N_TIMES = 5, N_COLUMNS = 10, MOST = 8 };

struct bench_case {
    const char *name;
    bool of_text; /* over the texts' rows */
    const char *features[MOST];
};

static const struct bench_case cases[] = {
    {"zscore",
     false,
     {"zscore(x0)", "zscore(x1)", "zscore(x2)", "zscore(x3)", "zscore(x4)", "zscore(x5)", "zscore(x6)", "zscore(x7)"}},
    {"rank", false, {"rank(x1, 1000)", "rank(x2, 1000)"}},
    {"bucketize", false, {"bucketize(x1, 10)", "bucketize(x2, 10)", "bucketize(x3, 10)", "bucketize(x4, 10)"}},
    {"robust", false, {"robust(x1)", "robust(x2)", "robust(x3)", "robust(x4)"}},
    {"vocab_text", false, {"vocab(company)"}},
    {"vocab_codes", false, {"vocab(code)"}},
    {"onehot", false, {"onehot(code)"}},
    {"zscore_by", false, {"zscore(x1, by: code)", "zscore(x2, by: code)"}},
    {"mixed",
     false,
     {"zscore(log1p(fill(x0, 0)))", "minmax(x1)", "zscore(fill(x0, 'mean'))", "bucketize(x2, 10)", "vocab(code)",
      "if(x3 > x4, x3, x4)"}},
    {"hash_words", true, {"hash(tokens(lower(words)), 262144)"}},
    {"vocab_words", true, {"vocab(tokens(lower(words)), top_k: 10000)"}},
    {"tfidf", true, {"tfidf(tokens(words), top_k: 500)"}},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* ---- rows ---- */

struct rows {
    int64_t n_rows, n_texts;
    double *numbers; /* [N_NUMBERS, n_rows] */
    uint8_t *validity;
    int32_t *codes;
    int64_t *company_offsets, *word_offsets;
    char *company_bytes, *words;
    struct pen_dictionary dictionary;
    struct pen_column *columns; /* [n_chunks, N_COLUMNS] */
    struct pen_batch *batches;
};

static const char *const names[N_COLUMNS] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "company", "code"};
static const char *const text_names[1] = {"words"};

static double share(uint64_t stream, int64_t i)
{
    return pen_rng_at(11, stream, (uint64_t)i).word[0] * 0x1p-32;
}

static size_t company_name(int64_t code, char out[32])
{
    return (size_t)snprintf(out, 32, "%05lld Taxi Affiliation No. %lld", (long long)(code * 7919 % 10007),
                            (long long)code);
}

static void make_companies(struct rows *r)
{
    static int64_t offsets[N_COMPANIES + 1];
    static char bytes[32 * N_COMPANIES];
    char name[32];
    int64_t at = 0;
    for (int64_t c = 0; c < N_COMPANIES; c++) {
        size_t size = company_name(c, name);
        memcpy(bytes + offsets[c], name, size);
        offsets[c + 1] = offsets[c] + (int64_t)size;
    }
    r->dictionary = (struct pen_dictionary){N_COMPANIES, offsets, bytes};
    for (int64_t i = 0; i < r->n_rows; i++) {
        double u = share(20, i);
        r->codes[i] = (int32_t)(u * u * u * N_COMPANIES);
        int64_t first = offsets[r->codes[i]], size = offsets[r->codes[i] + 1] - first;
        memcpy(r->company_bytes + at, bytes + first, (size_t)size);
        at += size;
        r->company_offsets[i + 1] = at;
    }
}

/* Word w is the number of w in letters; small ones are frequent. */
static void make_texts(struct rows *r)
{
    int64_t at = 0;
    for (int64_t i = 0; i < r->n_texts; i++) {
        int64_t n = 20 + (int64_t)(share(30, i) * 160);
        for (int64_t k = 0; k < n; k++) {
            double u = share(31, i * 180 + k);
            for (int64_t w = (int64_t)(u * u * u * N_WORDS) + 676; w > 0; w /= 26) {
                r->words[at++] = (char)((k == 0 && w < 26 ? 'A' : 'a') + w % 26);
            }
            r->words[at++] = (char)(k % 13 == 12 ? '.' : ' ');
        }
        r->word_offsets[i + 1] = at;
    }
}

static void make_numbers(struct rows *r)
{
    memset(r->validity, 0xFF, (size_t)r->n_rows / 8 + 1);
#pragma omp parallel for
    for (int64_t c = 0; c < N_NUMBERS; c++) {
        for (int64_t i = 0; i < r->n_rows; i++) {
            double u = share((uint64_t)c, i), v = share((uint64_t)c + 50, i);
            /* Fares in cents, seconds in minutes, miles, coordinates. */
            double x = c % 4 == 0   ? exp(3 * (u + v - 1))
                       : c % 4 == 1 ? floor(1000 * u * v) / 4 + 3
                       : c % 4 == 2 ? 60 * floor(80 * u * v)
                                    : 41.8 + 0.3 * (u - v);
            r->numbers[c * r->n_rows + i] = x;
        }
    }
    for (int64_t i = 0; i < r->n_rows; i++) {
        if (share(9, i) < 1.0 / 16) {
            r->validity[i / 8] &= (uint8_t) ~(1 << i % 8);
            r->numbers[i] = (double)NAN;
        }
    }
}

static void view_rows(struct rows *r)
{
    for (int64_t b = 0; b * CHUNK < r->n_rows; b++) {
        int64_t first = b * CHUNK, n = r->n_rows - first < CHUNK ? r->n_rows - first : CHUNK;
        struct pen_column *columns = r->columns + b * N_COLUMNS;
        for (int64_t c = 0; c < N_NUMBERS; c++) {
            columns[c] = (struct pen_column){
                .type = PEN_TYPE_FLOAT64, .n_rows = n, .values = r->numbers + c * r->n_rows + first};
        }
        columns[0].validity = r->validity + first / 8;
        columns[8] = (struct pen_column){
            .type = PEN_TYPE_BYTES, .n_rows = n, .offsets = r->company_offsets + first, .bytes = r->company_bytes};
        columns[9] = (struct pen_column){
            .type = PEN_TYPE_CODES, .n_rows = n, .values = r->codes + first, .dictionary = &r->dictionary};
        r->batches[b] = (struct pen_batch){n, first, N_COLUMNS, names, columns};
    }
}

static bool make_rows(struct rows *r, int64_t n_rows)
{
    int64_t n_chunks = n_rows / CHUNK + 1;
    *r = (struct rows){.n_rows = n_rows, .n_texts = n_rows / 16 + 1};
    r->numbers = pen_malloc(n_rows * N_NUMBERS + 1, sizeof *r->numbers);
    r->validity = pen_malloc(n_rows / 8 + 1, 1);
    r->codes = pen_malloc(n_rows + 1, sizeof *r->codes);
    r->company_offsets = pen_calloc(n_rows + 1, sizeof *r->company_offsets);
    r->company_bytes = pen_malloc(n_rows * 32 + 1, 1);
    r->word_offsets = pen_calloc(r->n_texts + 1, sizeof *r->word_offsets);
    r->words = pen_malloc(r->n_texts * 180 * 5, 1);
    r->columns = pen_calloc(n_chunks * N_COLUMNS, sizeof *r->columns);
    r->batches = pen_calloc(n_chunks, sizeof *r->batches);
    if (r->numbers == NULL || r->validity == NULL || r->codes == NULL || r->company_offsets == NULL ||
        r->company_bytes == NULL || r->word_offsets == NULL || r->words == NULL || r->columns == NULL ||
        r->batches == NULL) {
        return false;
    }
    make_numbers(r);
    make_companies(r);
    make_texts(r);
    view_rows(r);
    return true;
}

/* ---- one case ---- */

struct source {
    const struct pen_batch *batches;
};

static pen_status read_batch(void *user, int64_t chunk, const char *const *wanted, int64_t n_wanted,
                             struct pen_batch *batch, struct pen_error *err)
{
    (void)wanted;
    (void)n_wanted;
    (void)err;
    *batch = ((const struct source *)user)->batches[chunk];
    return PEN_OK;
}

struct tensors {
    float *dense;       /* [n_rows, n_dense] */
    int32_t *ids[MOST]; /* one a row, or with offsets */
    int64_t *offsets[MOST];
    int64_t capacity, n_ids_in_all;
};

static pen_status fit(struct pen_transform_graph **graph, const struct bench_case *c, const struct pen_batch *batches,
                      int64_t n_batches, struct pen_exec *exec, struct pen_error *err)
{
    struct pen_transform_raw_column columns[N_COLUMNS];
    struct pen_transform_expression features[MOST];
    struct pen_transform_request request = {.features = features, .columns = columns};
    struct source source = {batches};
    for (; request.n_columns < batches->n_columns; request.n_columns++) {
        columns[request.n_columns] = (struct pen_transform_raw_column){batches->names[request.n_columns],
                                                                       batches->columns[request.n_columns].type};
    }
    for (; request.n_features < MOST && c->features[request.n_features] != NULL; request.n_features++) {
        const char *expression = c->features[request.n_features];
        features[request.n_features] = (struct pen_transform_expression){expression, expression, c->name, 0, 0};
    }
    const struct pen_transform_source rows = {.user = &source, .n_chunks = n_batches, .read = read_batch};
    return pen_transform_compile(graph, &request, &rows, exec, err);
}

/* What a thread applies with. */
struct hand {
    struct pen_transform_scratch *scratch;
    struct pen_exec *queue;
};

/* Segment after segment by any thread, each to its rows of the whole; ragged ids behind one another, in row order. */
static pen_status apply_batch(const struct pen_transform_graph *graph, const struct hand *hands,
                              const struct pen_batch *batch, struct tensors *to, struct pen_error *err)
{
    const struct pen_tensor_spec *spec = pen_transform_spec(graph);
    int64_t segment = spec->n_dense > 256 ? 2048 : PEN_TRANSFORM_SEGMENT,
            n_segments = (batch->n_rows - 1) / segment + 1;
    pen_status status = PEN_OK;
#pragma omp parallel for ordered schedule(dynamic, 1)
    for (int64_t s = 0; s < n_segments; s++) {
        struct pen_column columns[N_COLUMNS];
        struct pen_batch rows;
        struct pen_tensor_batch out;
        struct pen_error own = PEN_ERROR_INIT;
        int64_t first = s * segment, left = batch->n_rows - first;
        pen_transform_slice(batch, first, left < segment ? left : segment, columns, &rows);
        const struct hand *hand = &hands[omp_get_thread_num()];
        pen_status result = pen_transform_apply(graph, hand->queue, &rows, false, hand->scratch, &out, &own);
        int64_t row = batch->first_row + first;
        if (result == PEN_OK && spec->n_dense > 0) {
            memcpy(to->dense + row * spec->n_dense, out.dense, (size_t)(rows.n_rows * spec->n_dense) * sizeof(float));
        }
        for (int64_t k = 0; result == PEN_OK && k < spec->n_ids; k++) {
            if (!spec->ids[k].ragged) {
                memcpy(to->ids[k] + row, out.ids[k].values, (size_t)rows.n_rows * sizeof(int32_t));
            }
        }
#pragma omp ordered
        {
            for (int64_t k = 0; result == PEN_OK && k < spec->n_ids; k++) {
                if (spec->ids[k].ragged) {
                    int64_t n = out.ids[k].row_offsets[rows.n_rows];
                    memcpy(to->ids[k] + to->offsets[k][row], out.ids[k].values, (size_t)n * sizeof(int32_t));
                    for (int64_t i = 1; i <= rows.n_rows; i++) {
                        to->offsets[k][row + i] = to->offsets[k][row] + out.ids[k].row_offsets[i];
                    }
                }
            }
            if (result != PEN_OK && status == PEN_OK) {
                status = result;
                *err = own;
            }
        }
    }
    return status;
}

static void free_tensors(struct tensors *t)
{
    pen_free(t->dense);
    for (int k = 0; k < MOST; k++) {
        pen_free(t->ids[k]);
        pen_free(t->offsets[k]);
    }
    *t = (struct tensors){0};
}

/* On large pages, as NumPy takes for its arrays: the first touch of small ones costs as much as the work. */
static void *large_array(int64_t count, size_t size)
{
    size_t bytes = ((size_t)count * size + ((size_t)1 << 21)) >> 21 << 21;
    void *array = aligned_alloc((size_t)1 << 21, bytes);
    if (array != NULL) {
        (void)madvise(array, bytes, MADV_HUGEPAGE); /* a kernel without them: small ones, then */
    }
    return array;
}

static pen_status make_tensors(struct tensors *t, const struct pen_tensor_spec *spec, int64_t n_rows,
                               struct pen_error *err)
{
    *t = (struct tensors){.dense = large_array(n_rows * spec->n_dense, sizeof(float))};
    bool failed = t->dense == NULL;
    for (int64_t k = 0; k < spec->n_ids; k++) {
        t->ids[k] = large_array(spec->ids[k].ragged ? n_rows * 180 : n_rows, sizeof(int32_t));
        t->offsets[k] = large_array(n_rows + 1, sizeof(int64_t));
        failed = failed || t->ids[k] == NULL || t->offsets[k] == NULL;
        if (!failed) {
            t->offsets[k][0] = 0;
        }
    }
    if (failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: tensors of %lld rows", (long long)n_rows);
    }
    return PEN_OK;
}

static pen_status make_hand(struct hand *hand, const struct pen_transform_graph *graph, struct pen_exec *exec,
                            int thread, struct pen_error *err)
{
    PEN_TRY(pen_queue_open(&hand->queue, exec, thread, err));
    PEN_TRY(pen_transform_scratch_create(&hand->scratch, graph, err));
    pen_transform_scratch_keep_dictionaries(hand->scratch);
    return PEN_OK;
}

static pen_status apply_all(const struct pen_transform_graph *graph, const struct pen_batch *batches, int64_t n_batches,
                            int64_t n_rows, struct pen_exec *exec, struct tensors *to, struct pen_error *err)
{
    struct hand hands[256] = {{NULL, NULL}};
    int n_threads = omp_get_max_threads() < 256 ? omp_get_max_threads() : 256;
    pen_status status = make_tensors(to, pen_transform_spec(graph), n_rows, err);
#pragma omp parallel for schedule(static, 1) num_threads(n_threads)
    for (int t = 0; t < n_threads; t++) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_status result = make_hand(&hands[t], graph, exec, t, &own);
        if (result != PEN_OK) {
#pragma omp critical(bench_hands)
            {
                status = result;
                *err = own;
            }
        }
    }
    for (int64_t b = 0; status == PEN_OK && b < n_batches; b++) {
        status = apply_batch(graph, hands, &batches[b], to, err);
    }
    for (int t = 0; t < n_threads; t++) {
        pen_transform_scratch_destroy(hands[t].scratch);
        pen_queue_close(hands[t].queue, exec);
    }
    return status;
}

/* Every number finite, every id in range, and not all alike. */
static bool plausible(const struct tensors *t, const struct pen_tensor_spec *spec, int64_t n_rows)
{
    bool good = true;
    double sum = 0;
    for (int64_t i = 0; i < n_rows * spec->n_dense; i++) {
        good = good && isfinite(t->dense[i]);
        sum += fabs((double)t->dense[i]);
    }
    for (int64_t k = 0; k < spec->n_ids; k++) {
        int64_t n = spec->ids[k].ragged ? t->offsets[k][n_rows] : n_rows;
        for (int64_t i = 0; i < n; i++) {
            good = good && t->ids[k][i] >= -1 && t->ids[k][i] < spec->ids[k].n_values;
            sum += t->ids[k][i];
        }
    }
    return good && sum > 0;
}

/* ---- files for peers ---- */

static bool write_file(const char *folder, const char *name, const char *suffix, const void *data, int64_t size_bytes)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(data, 1, (size_t)size_bytes, file) == (size_t)size_bytes;
    return file != NULL && fclose(file) == 0 && good;
}

static bool write_rows(const struct rows *r, const char *folder)
{
    return write_file(folder, "numbers", ".f64", r->numbers, N_NUMBERS * r->n_rows * 8) &&
           write_file(folder, "codes", ".i32", r->codes, r->n_rows * 4) &&
           write_file(folder, "companies", ".i64", r->dictionary.offsets, (N_COMPANIES + 1) * 8) &&
           write_file(folder, "companies", ".txt", r->dictionary.bytes, r->dictionary.offsets[N_COMPANIES]) &&
           write_file(folder, "words", ".i64", r->word_offsets, (r->n_texts + 1) * 8) &&
           write_file(folder, "words", ".txt", r->words, r->word_offsets[r->n_texts]);
}

static bool write_tensors(const struct bench_case *c, const struct tensors *t, const struct pen_tensor_spec *spec,
                          int64_t n_rows, const char *folder)
{
    bool good = write_file(folder, c->name, ".dense", t->dense, n_rows * spec->n_dense * 4);
    char suffix[32];
    for (int64_t k = 0; k < spec->n_ids; k++) {
        int64_t n = spec->ids[k].ragged ? t->offsets[k][n_rows] : n_rows;
        (void)snprintf(suffix, sizeof suffix, ".ids%lld", (long long)k);
        good = good && write_file(folder, c->name, suffix, t->ids[k], n * 4);
        if (spec->ids[k].ragged) {
            good = good && write_file(folder, c->name, ".offsets", t->offsets[k], (n_rows + 1) * 8);
        }
    }
    return good;
}

/* ---- timing ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool run_case(const struct bench_case *c, const struct pen_batch *batches, int64_t n_batches, int64_t n_rows,
                     struct pen_exec *exec, const char *folder)
{
    double fit_seconds[N_TIMES], seconds[N_TIMES];
    bool good = true;
    for (int i = 0; i < N_TIMES && good; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        struct tensors tensors = {0};
        double start = pen_clock_seconds();
        pen_status status = fit(&graph, c, batches, n_batches, exec, &err);
        fit_seconds[i] = pen_clock_seconds() - start;
        status = status == PEN_OK ? apply_all(graph, batches, n_batches, n_rows, exec, &tensors, &err) : status;
        seconds[i] = pen_clock_seconds() - start;
        if (status != PEN_OK) {
            (void)fprintf(stderr, "%s: %s\n", c->name, err.message);
            return false;
        }
        good = plausible(&tensors, pen_transform_spec(graph), n_rows) &&
               (folder == NULL || i > 0 || write_tensors(c, &tensors, pen_transform_spec(graph), n_rows, folder));
        free_tensors(&tensors);
        pen_transform_destroy(graph);
    }
    qsort(fit_seconds, N_TIMES, sizeof *fit_seconds, ascending);
    qsort(seconds, N_TIMES, sizeof *seconds, ascending);
    printf("{\"bench\": \"transform\", \"case\": \"%s\", \"device\": \"%s\", \"rows\": %lld, \"threads\": %d, "
           "\"checked\": %s, \"n\": %d, \"fit_ms\": %.3f, \"ms\": %.3f}\n",
           c->name, exec->name, (long long)n_rows, omp_get_max_threads(), good ? "true" : "false", N_TIMES,
           1e3 * fit_seconds[N_TIMES / 2], 1e3 * seconds[N_TIMES / 2]);
    (void)fflush(stdout);
    return good;
}

static struct pen_exec *open_device(const char *asked)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = NULL;
    if (pen_bench_open_device(&exec, asked, pen_precision_names[PEN_PRECISION_EXACT], &err) != PEN_OK) {
        (void)fprintf(stderr, "bench_transform: %s\n", err.message);
    }
    return exec;
}

int main(int argc, char **argv)
{
    const char *device = "cpu";
    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        device = argv[2];
        argv += 2;
        argc -= 2;
    }
    int64_t n_rows = argc > 1 ? strtoll(argv[1], NULL, 10) : 1 << 20;
    int n_threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : omp_get_max_threads();
    const char *wanted = argc > 3 ? argv[3] : "all", *folder = argc > 4 ? argv[4] : NULL;
    struct rows rows;
    if (n_rows < 1000 || n_threads < 1) {
        (void)fprintf(stderr,
                      "usage: bench_transform [--device NAME] [rows, 1000 or more [threads [case or all [folder]]]]\n");
        return 2;
    }
    struct pen_exec *exec = open_device(device);
    if (exec == NULL) {
        return 1;
    }
    omp_set_num_threads(n_threads);
    if (!make_rows(&rows, n_rows) || (folder != NULL && !write_rows(&rows, folder))) {
        (void)fprintf(stderr, "no memory or no place for %lld rows\n", (long long)n_rows);
        return 1;
    }
    const struct pen_column text = {
        .type = PEN_TYPE_BYTES, .n_rows = rows.n_texts, .offsets = rows.word_offsets, .bytes = rows.words};
    const struct pen_batch texts = {rows.n_texts, 0, 1, text_names, &text};
    int n_failed = 0;
    for (int c = 0; c < N_CASES; c++) {
        if (strcmp(wanted, "all") != 0 && strcmp(wanted, cases[c].name) != 0) {
            continue;
        }
        n_failed += cases[c].of_text
                        ? !run_case(&cases[c], &texts, 1, rows.n_texts, exec, folder)
                        : !run_case(&cases[c], rows.batches, (n_rows - 1) / CHUNK + 1, n_rows, exec, folder);
    }
    pen_exec_destroy(exec);
    return n_failed == 0 ? 0 : 1;
}
