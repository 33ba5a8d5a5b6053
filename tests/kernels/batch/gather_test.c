/* Batches gathered from resident rows, row by row against plain indexing; the order against pen_rng_permute. */
#include "core/memory.h"
#include "core/rng.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <math.h>

PEN_OP_CASE(gather, batch_gather);

enum { N = 2500, MOST_DENSE = 8, IDS = 3, SINGLE = 2, LD = MOST_DENSE + 4, MANY_A_ROW = 4 };

/* N rows of n_dense columns, two features of one id a row and a ragged one. */
struct fixture {
    int64_t n_dense;
    float *dense, *label, *weight, shift[MOST_DENSE], scale[MOST_DENSE];
    int32_t *single, *many;
    int64_t offsets[N + 1];
    struct pen_gather_from from[IDS];
};

static void fixture_init(struct fixture *f, int64_t n_dense)
{
    *f = (struct fixture){.n_dense = n_dense, .dense = pen_test_floats(N * n_dense, 1, -5, 5)};
    f->label = pen_test_floats(N, 2, 0, 1);
    f->weight = pen_test_floats(N, 3, 0, 2);
    f->single = pen_test_ints(N * SINGLE, 4, -1, 50);
    f->many = pen_test_ints(N * MANY_A_ROW, 5, -1, 50);
    f->dense[7] = NAN;
    f->dense[n_dense * 9] = INFINITY;
    for (int64_t r = 0; r < N; r++) {
        f->offsets[r + 1] = f->offsets[r] + r * 7 % (MANY_A_ROW + 1);
    }
    for (int64_t j = 0; j < n_dense; j++) {
        f->shift[j] = (float)j - 1.5f;
        f->scale[j] = j == 3 ? 1.0f : 0.25f * (float)(j + 1);
    }
    f->from[0] = (struct pen_gather_from){f->single, SINGLE, NULL};
    f->from[1] = (struct pen_gather_from){f->many, 1, f->offsets};
    f->from[2] = (struct pen_gather_from){f->single + 1, SINGLE, NULL};
}

static void fixture_deinit(struct fixture *f)
{
    pen_free(f->dense);
    pen_free(f->label);
    pen_free(f->weight);
    pen_free(f->single);
    pen_free(f->many);
}

struct batch {
    float *x, *label, *weight;
    int32_t *single[2], *many;
    int64_t *offsets;
    struct pen_gather_to to[IDS];
};

static void batch_init(struct batch *b, int64_t n)
{
    *b = (struct batch){.x = pen_test_floats(n * LD, 8, 0, 1)};
    b->label = pen_calloc(n, sizeof(float));
    b->weight = pen_calloc(n, sizeof(float));
    b->single[0] = pen_calloc(n * 3, sizeof(int32_t));
    b->single[1] = pen_calloc(n, sizeof(int32_t));
    b->many = pen_calloc(n * MANY_A_ROW, sizeof(int32_t));
    b->offsets = pen_calloc(n + 1, sizeof(int64_t));
    b->to[0] = (struct pen_gather_to){b->single[0], 3, NULL};
    b->to[1] = (struct pen_gather_to){b->many, 1, b->offsets};
    b->to[2] = (struct pen_gather_to){b->single[1], 1, NULL};
}

static void batch_deinit(struct batch *b)
{
    void *owned[] = {b->x, b->label, b->weight, b->single[0], b->single[1], b->many, b->offsets};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        pen_free(owned[i]);
    }
}

static void run(struct pen_gather *g, struct fixture *f, struct batch *b)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_mirror m = PEN_MIRROR_INIT;
    int64_t n = g->n_rows;
    const int64_t ids_from[IDS] = {N * SINGLE, N * MANY_A_ROW, N * SINGLE - 1},
                  ids_to[IDS] = {n * 3, n * MANY_A_ROW, n};
    for (int k = 0; k < IDS; k++) {
        PEN_MIRROR_IN(&m, f->from[k].values, ids_from[k]);
        PEN_MIRROR_IN(&m, f->from[k].row_offsets, N + 1);
        PEN_MIRROR_INOUT(&m, b->to[k].ids, ids_to[k]);
        PEN_MIRROR_INOUT(&m, b->to[k].offsets, n + 1);
    }
    PEN_MIRROR_IN(&m, g->from, IDS);
    PEN_MIRROR_IN(&m, g->to, IDS);
    PEN_MIRROR_IN(&m, g->step, 1);
    PEN_MIRROR_IN(&m, g->dense, N * f->n_dense);
    PEN_MIRROR_IN(&m, g->shift, f->n_dense);
    PEN_MIRROR_IN(&m, g->scale, f->n_dense);
    PEN_MIRROR_IN(&m, g->from_label, N);
    PEN_MIRROR_IN(&m, g->from_weight, N);
    PEN_MIRROR_INOUT(&m, g->x, n * LD);
    PEN_MIRROR_INOUT(&m, g->label, n);
    PEN_MIRROR_INOUT(&m, g->weight, n);
    PEN_CHECK_OK(m.exec->kernels->gather(m.exec, g, &err), &err);
    pen_mirror_end(&m);
}

static void check_row(const struct fixture *f, const struct batch *b, int64_t i, int64_t r)
{
    for (int64_t j = 0; j < f->n_dense; j++) {
        double v = (double)f->dense[r * f->n_dense + j];
        double expected = isfinite(v) ? (v - (double)f->shift[j]) * (double)f->scale[j] : 0;
        double size = isfinite(v) ? (fabs(v) + fabs((double)f->shift[j])) * (double)f->scale[j] : 0;
        PEN_CHECK_NEAR(b->x[i * LD + j], expected, 2 * PEN_TEST_EPS * size);
    }
    PEN_CHECK_EQ_I64(b->single[0][i * 3], f->single[r * SINGLE]);
    PEN_CHECK_EQ_I64(b->single[1][i], f->single[r * SINGLE + 1]);
    PEN_REQUIRE_EQ_I64(b->offsets[i + 1] - b->offsets[i], f->offsets[r + 1] - f->offsets[r]);
    for (int64_t k = 0; k < b->offsets[i + 1] - b->offsets[i]; k++) {
        PEN_CHECK_EQ_I64(b->many[b->offsets[i] + k], f->many[f->offsets[r] + k]);
    }
}

static void one_batch(int64_t n, int64_t n_dense, bool in_order, bool labelled)
{
    struct fixture f;
    struct batch b;
    fixture_init(&f, n_dense);
    batch_init(&b, n);
    struct pen_training_step step = {.first_place = N - n, .order_seed = 11, .order_stream = 3, .n_order = N};
    struct pen_gather g = {.n_rows = n,
                           .step = in_order ? NULL : &step,
                           .first = N - n,
                           .n_dense = n_dense,
                           .n_ids = IDS,
                           .n_ragged = 1,
                           .dense = f.dense,
                           .shift = f.shift,
                           .scale = f.scale,
                           .from = f.from,
                           .from_label = labelled ? f.label : NULL,
                           .from_weight = labelled ? f.weight : NULL,
                           .x = b.x,
                           .ld_x = LD,
                           .to = b.to,
                           .label = b.label,
                           .weight = b.weight};
    float *before = pen_test_floats(n * LD, 8, 0, 1);
    run(&g, &f, &b);
    PEN_CHECK_EQ_I64(b.offsets[0], 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t r = in_order ? N - n + i : (int64_t)pen_rng_permute(11, 3, (uint64_t)(N - n + i), N);
        check_row(&f, &b, i, r);
        PEN_CHECK(labelled ? b.label[i] == f.label[r] : isnan(b.label[i]));
        PEN_CHECK_EQ_F64(b.weight[i], labelled ? f.weight[r] : 1.0f);
        for (int64_t j = n_dense; j < LD; j++) {
            PEN_CHECK_EQ_F64(b.x[i * LD + j], before[i * LD + j]);
        }
    }
    pen_free(before);
    batch_deinit(&b);
    fixture_deinit(&f);
}

static void rows_are_those_that_were_asked_for(void)
{
    static const int64_t sizes[] = {0, 1, 31, 63, 65, 257, N};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        one_batch(sizes[i], 5, true, true);
        one_batch(sizes[i], 8, false, true); /* rows of whole 16 bytes */
        one_batch(sizes[i], 5, false, false);
    }
}

static void a_negative_size_is_refused(void)
{
    struct pen_gather g = {.n_rows = -1};
    PEN_CHECK_STATUS(pen_test_exec()->kernels->gather(pen_test_exec(), &g, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(batch_gather, PEN_CASE(rows_are_those_that_were_asked_for), PEN_CASE(a_negative_size_is_refused));
