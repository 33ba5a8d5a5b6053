/* Transform on a device whose memory is not the host's: what its analyzers find and what it gives, beside the CPU. On
 * the CPU the two are the same code; the shim's device (tests/shim) and a real one are where this shows something.
 *
 * Values cross between host and device in every direction, constants and tables come along, tiles are whole and short,
 * and dense columns of the host (lists) stand between those of the device. */
#include "components/transform/compile.h"
#include "core/memory.h"
#include "core/rng.h"
#include "tests/kernels/mirror.h"
#include "tests/pen_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_ROWS = 20000, N_COLUMNS = 4, N_ENTRIES = 5, N_BATCHES = 3 };

static const char *const names[N_COLUMNS] = {"x", "y", "n", "s"};
static const int64_t offsets[N_ENTRIES + 1] = {0, 4, 9, 9, 16, 22};
static const struct pen_dictionary dictionary = {N_ENTRIES, offsets, "Casha b caCredit Mobile"};

/* Features whose numbers hold an exponential or a logarithm, which devices round in their own ways. */
struct feature {
    const char *expression;
    bool rounded;
};

static const struct feature features[] = {
    {"zscore(x)", false},
    {"minmax(y, 2, 5)", false},
    {"robust(y) * 2 - 1", false},
    {"x * n + y / 3", false},
    {"clip(x, -1, 1) % 0.7 + min(x, y) - max(x, n)", false},
    {"mean(y, by: s)", false},
    {"zscore(x, by: vocab(s, top_k: 2, oov: 1))", false},
    {"multihot(split(s, ' '))", false},
    {"rank(x * 2, 50)", false},
    {"if(x > y, x * 2, y - 1)", false},
    {"is_missing(x + y)", false},
    {"tfidf(tokens(s))", false},
    {"onehot(s)", false},
    {"onehot(bucketize(round(x * 8), 5))", false},
    {"length(s) * 0.5 + x", false},
    {"zscore(log1p(abs(fill(x, 0))))", true},
    {"minmax(0 * n) + sigmoid(y) + exp(clip(x, -1, 1))", true},
    {"bucketize(x, 10)", false},
    {"buckets(-x, [-1, 0, 1])", false},
    {"vocab(s)", false},
    {"hash(cast(floor(x * 4), string), 50)", false},
    {"hash(cross(s, n), 100)", false},
    {"vocab(tokens(s))", false},
};
enum { N_FEATURES = sizeof features / sizeof features[0] };

struct rows {
    double x[N_ROWS], y[N_ROWS];
    int64_t n[N_ROWS];
    int32_t s[N_ROWS];
    uint8_t y_valid[(N_ROWS + 7) / 8];
    struct pen_column columns[N_BATCHES][N_COLUMNS];
    struct pen_batch batches[N_BATCHES];
};

/* x: a value in 13 missing, one infinite; y: by bitmap; s: one in 9 missing. Batches of all rows, of few, of none. */
static struct rows *make_rows(void)
{
    static const int64_t sizes[N_BATCHES] = {N_ROWS, 777, 0};
    struct rows *r = pen_calloc(1, sizeof *r);
    PEN_ASSERT(r != NULL);
    for (int64_t i = 0; i < N_ROWS; i++) {
        struct pen_rng_block draw = pen_rng_at(8, 0, (uint64_t)i);
        r->x[i] = i % 13 == 4 ? (double)NAN : 4 * (draw.word[0] * 0x1p-32) - 2;
        r->y[i] = 50 + 30 * (draw.word[1] * 0x1p-32);
        r->n[i] = (int64_t)(draw.word[2] % 40) - 5;
        r->s[i] = i % 9 == 2 ? -1 : (int32_t)(draw.word[3] % N_ENTRIES);
        r->y_valid[i / 8] = (uint8_t)(r->y_valid[i / 8] | (i % 17 != 3) << (i % 8));
    }
    r->x[19] = (double)INFINITY;
    for (int b = 0; b < N_BATCHES; b++) {
        const struct pen_column columns[N_COLUMNS] = {
            {.type = PEN_TYPE_FLOAT64, .n_rows = sizes[b], .values = r->x},
            {.type = PEN_TYPE_FLOAT64, .n_rows = sizes[b], .values = r->y, .validity = r->y_valid},
            {.type = PEN_TYPE_INT64, .n_rows = sizes[b], .values = r->n},
            {.type = PEN_TYPE_CODES, .n_rows = sizes[b], .values = r->s, .dictionary = &dictionary}};
        memcpy(r->columns[b], columns, sizeof columns);
        r->batches[b] =
            (struct pen_batch){.n_rows = sizes[b], .n_columns = N_COLUMNS, .names = names, .columns = r->columns[b]};
    }
    return r;
}

static pen_status read_rows(void *user, int64_t chunk, const char *const *wanted, int64_t n_wanted,
                            struct pen_batch *batch, struct pen_error *err)
{
    (void)wanted;
    (void)n_wanted;
    (void)err;
    *batch = ((const struct rows *)user)->batches[chunk];
    return PEN_OK;
}

static struct pen_transform_graph *compile(struct pen_exec *exec, struct rows *r)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_expression list[N_FEATURES];
    struct pen_transform_raw_column columns[N_COLUMNS];
    char feature_names[N_FEATURES][8];
    for (int i = 0; i < N_FEATURES; i++) {
        (void)snprintf(feature_names[i], sizeof feature_names[i], "f%d", i);
        list[i] = (struct pen_transform_expression){feature_names[i], features[i].expression, "p.yaml", i + 1, 1};
    }
    for (int i = 0; i < N_COLUMNS; i++) {
        columns[i] = (struct pen_transform_raw_column){names[i], r->columns[0][i].type};
    }
    const struct pen_transform_request request = {.n_features = N_FEATURES,
                                                  .features = list,
                                                  .label = {NULL, "y * 2 > x + 120", "p.yaml", 30, 1},
                                                  .weight = {NULL, "1 + n / 10", "p.yaml", 31, 1},
                                                  .columns = columns,
                                                  .n_columns = N_COLUMNS};
    const struct pen_transform_source source = {.user = r, .n_chunks = 2, .read = read_rows};
    PEN_CHECK_OK(pen_transform_compile(&graph, &request, &source, exec, &err), &err);
    return graph;
}

/* Is the dense column one of a feature that is rounded by the device? Names are f15 or f15[value]. */
static bool is_rounded(const char *name)
{
    return features[strtol(name + 1, NULL, 10)].rounded;
}

static bool same(float a, float b, bool rounded)
{
    return memcmp(&a, &b, sizeof a) == 0 || (rounded && fabsf(a - b) <= 1e-6F * (1 + fabsf(a)));
}

static void compare_dense(const struct pen_tensor_spec *spec, const struct pen_tensor_batch *cpu,
                          const struct pen_tensor_batch *device)
{
    for (int64_t k = 0; k < spec->n_dense; k++) {
        int64_t n_wrong = 0;
        for (int64_t i = 0; i < cpu->n_rows; i++) {
            int64_t at = i * spec->n_dense + k;
            n_wrong += !same(cpu->dense[at], device->dense[at], is_rounded(spec->dense_names[k]));
        }
        PEN_CHECK_MSG(n_wrong == 0, "%s: %lld of %lld rows differ from the CPU's", spec->dense_names[k],
                      (long long)n_wrong, (long long)cpu->n_rows);
    }
}

static void compare(const struct pen_tensor_spec *spec, const struct pen_tensor_batch *cpu,
                    const struct pen_tensor_batch *device)
{
    size_t floats = (size_t)cpu->n_rows * sizeof(float);
    PEN_REQUIRE(cpu->n_rows == device->n_rows);
    compare_dense(spec, cpu, device);
    for (int64_t k = 0; k < spec->n_ids; k++) {
        const struct pen_tensor_ids *a = &cpu->ids[k], *b = &device->ids[k];
        int64_t n = spec->ids[k].ragged ? a->row_offsets[cpu->n_rows] : cpu->n_rows;
        PEN_CHECK(!spec->ids[k].ragged ||
                  memcmp(a->row_offsets, b->row_offsets, (size_t)(cpu->n_rows + 1) * sizeof(int64_t)) == 0);
        PEN_CHECK_MSG(memcmp(a->values, b->values, (size_t)n * sizeof(int32_t)) == 0, "%s: ids differ from the CPU's",
                      spec->ids[k].name);
    }
    PEN_CHECK(memcmp(cpu->label, device->label, floats) == 0);
    PEN_CHECK(memcmp(cpu->weight, device->weight, floats) == 0);
}

static void a_device_gives_what_the_cpu_gives(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct rows *r = make_rows();
    struct pen_exec *execs[2] = {pen_exec_cpu(), pen_test_exec()};
    struct pen_transform_graph *graphs[2] = {compile(execs[0], r), compile(execs[1], r)};
    struct pen_transform_scratch *scratches[2] = {NULL, NULL};
    struct pen_tensor_batch out[2];
    PEN_REQUIRE(graphs[0] != NULL && graphs[1] != NULL);
    const struct pen_tensor_spec *spec = pen_transform_spec(graphs[0]);
    for (int side = 0; side < 2; side++) {
        PEN_CHECK_OK(pen_transform_scratch_create(&scratches[side], graphs[side], &err), &err);
    }
    PEN_CHECK_EQ_I64(pen_transform_spec(graphs[1])->n_dense, spec->n_dense);
    for (int round = 0; round < 2 * N_BATCHES; round++) { /* longest, short, none, and once more */
        for (int side = 0; side < 2; side++) {
            PEN_REQUIRE_OK(pen_transform_apply(graphs[side], execs[side], &r->batches[round % N_BATCHES], true,
                                               scratches[side], &out[side], &err),
                           &err);
        }
        compare(spec, &out[0], &out[1]);
    }
    for (int64_t k = 0; k < spec->n_dense; k++) {
        PEN_CHECK_EQ_I64(pen_transform_scratch_n_replaced(scratches[1], k),
                         pen_transform_scratch_n_replaced(scratches[0], k));
    }
    for (int side = 0; side < 2; side++) {
        pen_transform_scratch_destroy(scratches[side]);
        pen_transform_destroy(graphs[side]);
    }
    pen_free(r);
}

PEN_SUITE(transform_places, PEN_CASE(a_device_gives_what_the_cpu_gives));
