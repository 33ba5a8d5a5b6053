/* Dealing to segments against a walk over all rows for each segment. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(deal_rows, deal);
PEN_OP_CASE(deal_keys, deal);

static pen_status run_rows(struct pen_deal_rows *job, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->segment, job->n > 0 ? job->n : 0);
    PEN_MIRROR_INOUT(&m, job->rows, job->begin[job->n_segments]);
    pen_status status = m.exec->kernels->deal_rows(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static pen_status run_keys(struct pen_deal_keys *job, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->keys, job->n_keys);
    PEN_MIRROR_IN(&m, job->segment, job->n_keys);
    PEN_MIRROR_INOUT(&m, job->dealt, job->begin[job->n_segments]);
    pen_status status = m.exec->kernels->deal_keys(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

/* Segments from -2 (nobody's) to n_segments + 1 (nobody's either). */
static void check(int64_t n, int64_t n_segments)
{
    struct pen_error err = PEN_ERROR_INIT;
    int32_t *segment = pen_test_ints(n, 3, -2, (int32_t)n_segments + 2), *classes = pen_test_ints(n, 4, 0, 2);
    float *scores = pen_test_floats(n, 5, 0, 1);
    int64_t *begin = pen_calloc(n_segments + 1, sizeof *begin);
    uint32_t *rows = pen_calloc(n + 1, sizeof *rows);
    uint64_t *keys = pen_calloc(n, sizeof *keys), *dealt = pen_calloc(n + 1, sizeof *dealt);
    for (int64_t i = 0; i < n; i++) {
        if (segment[i] >= 0 && segment[i] < n_segments) {
            begin[segment[i] + 1]++;
        }
    }
    for (int64_t s = 0; s < n_segments; s++) {
        begin[s + 1] += begin[s];
    }
    rows[begin[n_segments]] = 77;
    struct pen_sort_scores sort = {n, scores, 1, classes, 1, keys, dealt}; /* input: any device's keys are the same */
    PEN_REQUIRE_OK(pen_exec_cpu()->kernels->sort_scores(pen_exec_cpu(), &sort, &err), &err);
    dealt[begin[n_segments]] = 78;
    struct pen_deal_rows deal_rows = {n, segment, n_segments, begin, rows};
    struct pen_deal_keys deal_keys = {n, keys, segment, n_segments, begin, dealt};
    PEN_CHECK_OK(run_rows(&deal_rows, &err), &err);
    PEN_CHECK_OK(run_keys(&deal_keys, &err), &err);
    int64_t n_wrong = 0;
    for (int64_t s = 0; s < n_segments; s++) {
        int64_t row_at = begin[s], key_at = begin[s];
        for (int64_t i = 0; i < n; i++) {
            if (segment[i] == s) {
                n_wrong += rows[row_at++] != (uint32_t)i;
            }
            if (segment[pen_sort_key_row(keys[i])] == s) {
                n_wrong += dealt[key_at++] != keys[i];
            }
        }
        PEN_CHECK_EQ_I64(row_at, begin[s + 1]);
        PEN_CHECK_EQ_I64(key_at, begin[s + 1]);
    }
    PEN_CHECK_EQ_I64(n_wrong, 0);
    PEN_CHECK_EQ_I64(rows[begin[n_segments]], 77);
    PEN_CHECK_EQ_I64((int64_t)dealt[begin[n_segments]], 78);
    pen_free(segment);
    pen_free(classes);
    pen_free(scores);
    pen_free(begin);
    pen_free(rows);
    pen_free(keys);
    pen_free(dealt);
}

static void every_row_and_key_goes_to_its_segment(void)
{
    static const int64_t sizes[] = {0, 1, 2, 31, 33, 257, 5000, 140001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check(sizes[i], 1);
        check(sizes[i], 3);
        check(sizes[i], 50);
    }
    check(1000, 0);
    check(300, 4000);
}

static void counts_that_do_not_fit_are_refused(void)
{
    static const int32_t segment[] = {0, 1, 1};
    static const int64_t begin[] = {0, 2, 3};
    uint32_t rows[3];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_deal_rows job = {3, segment, 2, begin, rows};
    PEN_CHECK_STATUS(run_rows(&job, &err), PEN_ERR_SHAPE);
    job.n = -1;
    PEN_CHECK_STATUS(run_rows(&job, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(deal, PEN_CASE(every_row_and_key_goes_to_its_segment), PEN_CASE(counts_that_do_not_fit_are_refused));
