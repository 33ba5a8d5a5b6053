/* Sorted scores against an insertion of every key where it belongs (O(n^2)), with special values and many sizes. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(sort_scores, sort_scores);

/* Numeric order with NaN last; equal scores in row order. */
static bool before(const float *scores, int64_t stride, int64_t a, int64_t b)
{
    float x = scores[a * stride], y = scores[b * stride];
    if (isnan(x) || isnan(y)) {
        return isnan(x) && isnan(y) ? a < b : isnan(y);
    }
    return x < y || (!(y < x) && a < b);
}

static pen_status run(struct pen_sort_scores *job, int64_t n_scores, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->scores, n_scores);
    PEN_MIRROR_IN(&m, job->classes, job->n);
    PEN_MIRROR_INOUT(&m, job->keys, job->n);
    PEN_MIRROR_INOUT(&m, job->scratch, job->n);
    pen_status status = m.exec->kernels->sort_scores(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static void check(const float *scores, int64_t stride, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    int32_t *classes = pen_test_ints(n + 1, 5, 0, 3);
    uint64_t *keys = pen_calloc(n + 1, sizeof *keys), *scratch = pen_calloc(n + 1, sizeof *scratch);
    keys[n] = 12345;
    struct pen_sort_scores sort = {n, scores, stride, classes, 2, keys, scratch};
    PEN_CHECK_OK(run(&sort, n == 0 ? 0 : (n - 1) * stride + 1, &err), &err);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = pen_sort_key_row(keys[i]);
        float score = pen_sort_key_score(keys[i]), given = scores[row * stride];
        PEN_CHECK(score == given || (isnan(score) && isnan(given)));
        PEN_CHECK_EQ_I64(pen_sort_key_positive(keys[i]), classes[row] == 2);
        if (i > 0) {
            PEN_CHECK(before(scores, stride, pen_sort_key_row(keys[i - 1]), row));
        }
    }
    PEN_CHECK_EQ_I64(keys[n], 12345);
    pen_free(classes);
    pen_free(keys);
    pen_free(scratch);
}

static void every_size_is_sorted(void)
{
    static const int64_t sizes[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 255, 256, 257, 5000, 300001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        float *scores = pen_test_floats(3 * sizes[i] + 1, 7 + i, -2, 2);
        check(scores, 1, sizes[i]);
        check(scores + 1, 3, sizes[i]);
        pen_free(scores);
    }
}

static void special_values_have_their_place(void)
{
    enum { N = 600 };
    static const float special[] = {0.0f,  -0.0f,  INFINITY, -INFINITY, NAN,   -NAN,   1e-45f,
                                    1e38f, -1e38f, 1.0f,     1.0f,      -1.0f, 1e-40f, -1e-40f};
    float scores[N];
    for (int i = 0; i < N; i++) {
        scores[i] = special[(i * 5) % (int)(sizeof special / sizeof special[0])];
    }
    check(scores, 1, N);
    check(scores, 1, 14);
}

static void a_negative_size_is_refused(void)
{
    struct pen_sort_scores sort = {.n = -1};
    PEN_CHECK_STATUS(run(&sort, 0, NULL), PEN_ERR_SHAPE);
    sort.n = PEN_SORT_MOST_ROWS;
    PEN_CHECK_STATUS(run(&sort, 0, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(sort_scores, PEN_CASE(every_size_is_sorted), PEN_CASE(special_values_have_their_place),
          PEN_CASE(a_negative_size_is_refused));
