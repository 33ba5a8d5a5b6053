/* More distinct values than a thread keeps to itself between chunks: ids against the order worked out by hand, for
 * every number of threads. */
#include "core/memory.h"
#include "tests/components/transform/rows.h"
#include "tests/kernels/mirror.h"

#include <omp.h>
#include <stdio.h>

/* Value v occurs 1 + v % 3 times, occurrences scattered over two chunks of several segments. */
enum { N_VALUES = 39999, N_ROWS = 2 * N_VALUES, CHUNK = 45000, SCATTER = 7919, DIGITS = 5 };

struct many_rows {
    int32_t codes[N_ROWS];
    int64_t numbers[N_ROWS];
    uint8_t valid[N_ROWS / 8 + 1];
    int64_t offsets[N_VALUES + 1];
    char text[N_VALUES * DIGITS + 1];
    struct pen_dictionary dictionary;
    struct pen_column columns[2][2];
    struct pen_batch batches[2];
};

static void fill_rows(struct many_rows *m)
{
    static const char *const names[] = {"s", "n"};
    int64_t at = 0;
    for (int32_t v = 0; v < N_VALUES; v++) {
        char digits[16];
        snprintf(digits, sizeof digits, "%05d", (int)v);
        memcpy(m->text + v * DIGITS, digits, DIGITS);
        m->offsets[v + 1] = m->offsets[v] + DIGITS;
        for (int k = 0; k <= v % 3; k++, at++) {
            int64_t row = at * SCATTER % N_ROWS;
            m->codes[row] = v;
            m->numbers[row] = v;
        }
    }
    PEN_CHECK_EQ_I64(at, N_ROWS);
    memset(m->valid, 0xFF, sizeof m->valid);
    m->valid[0] = 0xFE; /* row 0 has no number: it shows what fills it */
    m->dictionary = (struct pen_dictionary){N_VALUES, m->offsets, m->text};
    for (int64_t b = 0; b < 2; b++) {
        int64_t first = b * CHUNK, n = b == 0 ? CHUNK : N_ROWS - CHUNK;
        m->columns[b][0] = (struct pen_column){
            .type = PEN_TYPE_CODES, .n_rows = n, .values = m->codes + first, .dictionary = &m->dictionary};
        m->columns[b][1] = (struct pen_column){
            .type = PEN_TYPE_INT64, .n_rows = n, .values = m->numbers + first, .validity = m->valid + first / 8};
        m->batches[b] = (struct pen_batch){
            .n_rows = n, .n_columns = 2, .names = names, .columns = m->columns[b], .first_row = first};
    }
}

/* By frequency, equals by falling bytes: values of v % 3 == 2 first, the largest of them first of all. */
static int64_t expected_id(int64_t v)
{
    return (2 - v % 3) * (N_VALUES / 3) + (N_VALUES / 3 - 1 - v / 3);
}

static void check_with(const struct many_rows *m, int n_threads)
{
    static const char *const features[] = {"vocab(s)", "fill(n, 'mode')"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    int before = omp_get_max_threads();
    omp_set_num_threads(n_threads);
    PEN_CHECK_OK(pen_test_compile_rows(&graph, features, 2, m->batches, 2, &err), &err);
    omp_set_num_threads(before);
    PEN_REQUIRE_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    int64_t n_wrong = 0;
    for (int64_t b = 0; b < 2; b++) {
        PEN_REQUIRE_OK(pen_transform_apply(graph, pen_test_exec(), &m->batches[b], false, scratch, &out, &err), &err);
        for (int64_t i = 0; i < out.n_rows; i++) {
            n_wrong += out.ids[0].values[i] != expected_id(m->codes[b * CHUNK + i]);
        }
        if (b == 0) {
            PEN_CHECK_EQ_I64((int64_t)out.dense[0], 2); /* three times, and the smallest that is */
        }
    }
    PEN_CHECK_EQ_I64(n_wrong, 0);
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
}

static void many_values_are_counted_whatever_the_threads(void)
{
    struct many_rows *m = pen_calloc(1, sizeof *m);
    PEN_REQUIRE(m != NULL);
    fill_rows(m);
    static const int threads[] = {1, 2, 3, 8};
    for (int t = 0; t < 4; t++) {
        check_with(m, threads[t]);
    }
    pen_free(m);
}

PEN_SUITE(transform_many_values, PEN_CASE(many_values_are_counted_whatever_the_threads));
