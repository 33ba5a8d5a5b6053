/* Embeddings: pooled sums and their sparse gradient against dense float64 loops. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(embedding_forward, embedding);
PEN_OP_CASE(embedding_backward, embedding);

enum { V0 = 7, D0 = 16, V1 = 50, D1 = 8, V2 = 20, D2 = 3, WIDTH = D0 + D1 + D2 + 2 };
enum { OFFSET0 = 4, OFFSET1 = OFFSET0 + V0 * D0 + 4, OFFSET2 = OFFSET1 + V1 * D1 + 3, N_VALUES = OFFSET2 + V2 * D2 };

enum { SIDE = 3, TWIN_WIDTH = 8 };

/* Three features: one id a row, ragged mean, ragged sum; some ids absent or too large. Then their twins, in other
 * widths and with sum and mean the other way round. */
struct fixture {
    int64_t n;
    int32_t *single, *many;
    int64_t *offsets;
    float *values; /* the tables, one behind the other, a gap before each */
    struct pen_embedding_feature features[2 * SIDE];
    int64_t n_many;
};

static void fixture_init(struct fixture *f, int64_t n)
{
    memset(f, 0, sizeof *f);
    f->n = n;
    f->single = pen_test_ints(n * 2, 11, -1, V0 + 1);
    f->offsets = pen_calloc(n + 1, sizeof *f->offsets);
    PEN_ASSERT(f->offsets != NULL);
    for (int64_t r = 0; r < n; r++) {
        f->offsets[r + 1] = f->offsets[r] + (r * 7) % 5;
    }
    f->n_many = f->offsets[n];
    f->many = pen_test_ints(f->n_many, 12, -1, V2 + 2);
    f->values = pen_test_floats(N_VALUES, 1, -1, 1);
    static const int64_t values[] = {V0, V1, V2}, dims[] = {D0, D1, D2, 1, 4, 2};
    static const int64_t columns[] = {1, 1 + D0, 1 + D0 + D1, 7, 0, 4}, offsets[] = {OFFSET0, OFFSET1, OFFSET2};
    for (int k = 0; k < 2 * SIDE; k++) {
        int64_t capacity = n + f->n_many + 1;
        struct pen_embedding_feature *e = &f->features[k];
        *e = (struct pen_embedding_feature){.n_values = values[k % SIDE],
                                            .dim = dims[k],
                                            .offset = offsets[k % SIDE],
                                            .ids = k % SIDE == 0 ? f->single : f->many,
                                            .id_stride = 2,
                                            .row_offsets = k % SIDE == 0 ? NULL : f->offsets,
                                            .mean = k == 1 || k == SIDE + 2,
                                            .column = columns[k]};
        e->slot = pen_calloc(e->n_values, sizeof *e->slot);
        e->touched = pen_calloc(capacity, sizeof *e->touched);
        e->grad = pen_calloc(capacity * dims[k], sizeof *e->grad);
        PEN_ASSERT(e->slot != NULL && e->touched != NULL && e->grad != NULL);
        memset(e->slot, 0xff, (size_t)e->n_values * sizeof *e->slot);
    }
}

static void fixture_deinit(struct fixture *f)
{
    for (int k = 0; k < 2 * SIDE; k++) {
        pen_free(f->features[k].slot);
        pen_free(f->features[k].touched);
        pen_free(f->features[k].grad);
    }
    pen_free(f->values);
    pen_free(f->single);
    pen_free(f->many);
    pen_free(f->offsets);
}

/* first: 0 for the features, SIDE for their twins. */
static void mirror_features(struct pen_mirror *m, struct fixture *f, int first, struct pen_embedding_feature **features)
{
    for (int k = first; k < first + SIDE; k++) {
        struct pen_embedding_feature *e = &f->features[k];
        int64_t capacity = f->n + f->n_many + 1;
        PEN_MIRROR_IN(m, e->ids, k % SIDE == 0 ? f->n * 2 : f->n_many);
        PEN_MIRROR_IN(m, e->row_offsets, f->n + 1);
        PEN_MIRROR_INOUT(m, e->slot, e->n_values);
        PEN_MIRROR_INOUT(m, e->touched, capacity);
        PEN_MIRROR_INOUT(m, e->grad, capacity * e->dim);
    }
    PEN_MIRROR_INOUT(m, *features, SIDE);
}

/* The weight with which value v of feature k stands in row r, and the number of ids added there. */
static double share(const struct fixture *f, int k, int64_t r, int64_t v, int64_t *n_ids)
{
    int64_t hits = 0, present = 0;
    bool single = k % SIDE == 0;
    int64_t first = single ? r * 2 : f->offsets[r], end = single ? r * 2 + 1 : f->offsets[r + 1];
    for (int64_t i = first; i < end; i++) {
        int32_t id = f->features[k].ids[i];
        present += id >= 0 && id < f->features[k].n_values;
        hits += id == v;
    }
    *n_ids = present;
    return hits == 0 ? 0 : f->features[k].mean ? (double)hits / (double)present : (double)hits;
}

/* Columns of a row, the features' behind the first: WIDTH, all of them at odd places, or ALIGNED, fours aligned. */
enum { ALIGNED = 36, SHIFT = 3 };

static void check_sums(const struct fixture *f, const float *out, const float *before, int64_t ld_out, bool add)
{
    for (int64_t r = 0; r < f->n; r++) {
        const float *row = out + r * ld_out, *row_before = before + r * ld_out;
        PEN_CHECK_EQ_F64(row[f->features[0].column - 1], row_before[f->features[0].column - 1]);
        PEN_CHECK_EQ_F64(row[f->features[2].column + D2], row_before[f->features[2].column + D2]);
        for (int k = 0; k < SIDE; k++) {
            const struct pen_embedding_feature *e = &f->features[k];
            for (int64_t d = 0; d < e->dim; d++) {
                int64_t n_ids = 0;
                double sum = add ? (double)row_before[e->column + d] : 0, size = fabs(sum);
                for (int64_t v = 0; v < e->n_values; v++) {
                    double term = share(f, k, r, v, &n_ids) * (double)f->values[e->offset + v * e->dim + d];
                    sum += term;
                    size += fabs(term);
                }
                PEN_CHECK_NEAR(row[e->column + d], sum, (double)(n_ids + 3) * PEN_TEST_EPS * (size + 1));
            }
        }
    }
}

static void sums_of_one_size(int64_t n, int64_t ld_out)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct fixture f;
    fixture_init(&f, n);
    float *out = pen_test_floats(n * ld_out, 4, -1, 1), *before = pen_test_floats(n * ld_out, 4, -1, 1);
    for (int k = 0; k < SIDE && ld_out == ALIGNED; k++) {
        f.features[k].column += SHIFT;
    }
    for (int add = 0; add < 2; add++) {
        memcpy(out, before, (size_t)(n * ld_out) * sizeof *out);
        struct pen_embedding e = {n, SIDE, f.values, f.features, out, ld_out, add == 1};
        struct pen_embedding_feature *features = f.features;
        struct pen_mirror m = PEN_MIRROR_INIT;
        mirror_features(&m, &f, 0, &features);
        PEN_MIRROR_IN(&m, e.values, N_VALUES);
        PEN_MIRROR_INOUT(&m, e.out, n * ld_out);
        e.features = features;
        PEN_CHECK_OK(m.exec->kernels->embedding_forward(m.exec, &e, &err), &err);
        pen_mirror_end(&m);
        check_sums(&f, out, before, ld_out, add == 1);
    }
    pen_free(out);
    pen_free(before);
    fixture_deinit(&f);
}

/* Feature k's sparse gradient is the dense one without the rows that nobody asked for. */
static void check_gradient(const struct fixture *f, int k, const float *dout, int64_t ld_dout)
{
    const struct pen_embedding_feature *e = &f->features[k];
    for (int64_t v = 0; v < e->n_values; v++) {
        PEN_CHECK_EQ_I64(e->slot[v], -1);
        int64_t place = -1, occurrences = 0, n_ids = 0;
        for (int64_t s = 0; s < e->n_touched; s++) {
            PEN_CHECK(e->touched[s] != v || place < 0);
            place = e->touched[s] == v ? s : place;
        }
        for (int64_t d = 0; d < e->dim; d++) {
            double sum = 0, size = 0;
            occurrences = 0;
            for (int64_t r = 0; r < f->n; r++) {
                double part = share(f, k, r, v, &n_ids), x = (double)dout[r * ld_dout + e->column + d];
                sum += part * x;
                size += part * fabs(x);
                occurrences += part > 0;
            }
            double found = place < 0 ? 0 : (double)e->grad[place * e->dim + d];
            PEN_CHECK_NEAR(found, sum, (double)(4 * occurrences + 4) * PEN_TEST_EPS * size);
        }
        PEN_CHECK_EQ_I64(place >= 0, occurrences > 0);
    }
}

static void gradients_of_one_size(int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct fixture f;
    fixture_init(&f, n);
    float *dout = pen_test_floats(n * WIDTH, 4, -1, 1), *dout_twins = pen_test_floats(n * TWIN_WIDTH, 5, -1, 1);
    for (int twins = 0; twins < 2; twins++) {
        struct pen_embedding_grad g = {.n_rows = n,
                                       .n_features = SIDE,
                                       .features = f.features,
                                       .dout = dout,
                                       .ld_dout = WIDTH,
                                       .most_ids = n + 2 * f.n_many,
                                       .n_ragged = 2,
                                       .n_values = V0 + V1 + V2,
                                       .most_dim = D0};
        struct pen_mirror m = PEN_MIRROR_INIT;
        mirror_features(&m, &f, 0, &g.features);
        PEN_MIRROR_IN(&m, g.dout, n * WIDTH);
        if (twins == 1) {
            g.twins = f.features + SIDE;
            g.dout_twins = dout_twins;
            g.ld_dout_twins = TWIN_WIDTH;
            mirror_features(&m, &f, SIDE, &g.twins);
            PEN_MIRROR_IN(&m, g.dout_twins, n * TWIN_WIDTH);
        }
        PEN_CHECK_OK(m.exec->kernels->embedding_backward(m.exec, &g, &err), &err);
        pen_mirror_end(&m);
        for (int k = 0; k < SIDE; k++) {
            check_gradient(&f, k, dout, WIDTH);
            if (twins == 1) {
                check_gradient(&f, SIDE + k, dout_twins, TWIN_WIDTH);
            }
        }
    }
    pen_free(dout);
    pen_free(dout_twins);
    fixture_deinit(&f);
}

static void sums_and_sparse_gradients_match_dense_loops(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sums_of_one_size(sizes[i], WIDTH);
        sums_of_one_size(sizes[i], ALIGNED);
        gradients_of_one_size(sizes[i]);
    }
}

/* Two features of N rows, one id each: every example has the same one but for some without; one out of many. */
enum { HOT = 17, HOT_ROWS = 5000, HOT_VALUES = 400 };

static void place_hot(struct pen_embedding_feature *features, const int32_t *ids, int64_t dim)
{
    for (int64_t k = 0; k < 2; k++) {
        features[k] = (struct pen_embedding_feature){.n_values = HOT_VALUES,
                                                     .dim = dim,
                                                     .ids = ids + k,
                                                     .id_stride = 2,
                                                     .column = k * dim,
                                                     .slot = pen_calloc(HOT_VALUES, sizeof(int32_t)),
                                                     .touched = pen_calloc(HOT_VALUES, sizeof(int32_t)),
                                                     .grad = pen_calloc(HOT_VALUES * dim, sizeof(float))};
        memset(features[k].slot, 0xff, HOT_VALUES * sizeof(int32_t));
    }
}

static void mirror_hot(struct pen_mirror *m, struct pen_embedding_feature *features)
{
    for (int k = 0; k < 2; k++) {
        PEN_MIRROR_IN(m, features[k].ids, 2 * HOT_ROWS - k);
        PEN_MIRROR_INOUT(m, features[k].slot, HOT_VALUES);
        PEN_MIRROR_INOUT(m, features[k].touched, HOT_VALUES);
        PEN_MIRROR_INOUT(m, features[k].grad, HOT_VALUES * features[k].dim);
    }
}

static void check_hot(struct pen_embedding_feature *f, const float *dout, int64_t ld_dout)
{
    double *sum = pen_calloc(HOT_VALUES * f->dim, sizeof *sum), *size = pen_calloc(HOT_VALUES * f->dim, sizeof *size);
    int64_t *n = pen_calloc(HOT_VALUES, sizeof *n), n_distinct = 0;
    for (int64_t r = 0; r < HOT_ROWS; r++) {
        int32_t id = f->ids[2 * r];
        n_distinct += id >= 0 && n[id]++ == 0;
        for (int64_t d = 0; id >= 0 && d < f->dim; d++) {
            double x = (double)dout[r * ld_dout + f->column + d];
            sum[id * f->dim + d] += x;
            size[id * f->dim + d] += fabs(x);
        }
    }
    PEN_CHECK_EQ_I64(f->n_touched, n_distinct);
    for (int64_t s = 0; s < f->n_touched; s++) {
        for (int64_t d = 0; d < f->dim; d++) {
            int64_t at = f->touched[s] * f->dim + d;
            PEN_CHECK_NEAR(f->grad[s * f->dim + d], sum[at], (double)(n[f->touched[s]] + 2) * PEN_TEST_EPS * size[at]);
        }
    }
    pen_free(sum);
    pen_free(size);
    pen_free(n);
    pen_free(f->slot);
    pen_free(f->touched);
    pen_free(f->grad);
}

struct backward_call {
    struct pen_exec *exec;
    const struct pen_embedding_grad *job;
};

static pen_status call_backward(void *context, struct pen_error *err)
{
    const struct backward_call *c = context;
    return c->exec->kernels->embedding_backward(c->exec, c->job, err);
}

/* A first run, one that may be recorded, one that may be a replay: the same bits. grad: device memory. */
static void repeat_backward(struct pen_exec *exec, const struct pen_embedding_grad *job, const float *grad, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct backward_call c = {exec, job};
    struct pen_recording *recording = NULL;
    float *first = pen_calloc(n, sizeof *first), *again = pen_calloc(n, sizeof *again);
    for (int run = 0; run < 3; run++) {
        PEN_CHECK_OK(pen_device_repeat(exec, &recording, call_backward, &c, &err), &err);
        PEN_CHECK_OK(pen_device_download(exec, run == 0 ? first : again, grad, (size_t)n * sizeof *grad, &err), &err);
        PEN_CHECK(run == 0 || memcmp(first, again, (size_t)n * sizeof *first) == 0);
    }
    pen_device_forget(exec, &recording);
    pen_free(first);
    pen_free(again);
}

/* ld_dout: a row of the gradient, of both features and what lies between rows. */
static void one_width(int64_t dim, int64_t ld_dout)
{
    int32_t *ids = pen_calloc(2 * HOT_ROWS, sizeof *ids);
    float *dout = pen_test_floats(HOT_ROWS * ld_dout, 5, -1, 1), *dout_twins = pen_test_floats(HOT_ROWS * 2, 6, -1, 1);
    struct pen_embedding_feature features[2], twins[2];
    for (int64_t r = 0; r < HOT_ROWS; r++) {
        ids[2 * r] = r % 50 == 3 ? -1 : HOT;
        ids[2 * r + 1] = (int32_t)((r * r) % HOT_VALUES);
    }
    place_hot(features, ids, dim);
    place_hot(twins, ids, 1);
    struct pen_embedding_grad g = {.n_rows = HOT_ROWS,
                                   .n_features = 2,
                                   .features = features,
                                   .dout = dout,
                                   .ld_dout = ld_dout,
                                   .twins = twins,
                                   .dout_twins = dout_twins,
                                   .ld_dout_twins = 2,
                                   .most_ids = 2 * HOT_ROWS,
                                   .n_values = 2 * HOT_VALUES,
                                   .most_dim = dim};
    struct pen_mirror m = PEN_MIRROR_INIT;
    mirror_hot(&m, features);
    mirror_hot(&m, twins);
    PEN_MIRROR_INOUT(&m, g.features, 2);
    PEN_MIRROR_INOUT(&m, g.twins, 2);
    PEN_MIRROR_IN(&m, g.dout, HOT_ROWS * ld_dout);
    PEN_MIRROR_IN(&m, g.dout_twins, HOT_ROWS * 2);
    repeat_backward(m.exec, &g, features[1].grad, HOT_VALUES * dim);
    pen_mirror_end(&m);
    for (int k = 0; k < 2; k++) {
        check_hot(&features[k], dout, ld_dout);
        check_hot(&twins[k], dout_twins, 2);
    }
    pen_free(ids);
    pen_free(dout);
    pen_free(dout_twins);
}

/* Narrow and wide rows, of fours and not, side by side and apart. */
static void a_row_that_every_example_hits_is_summed_whole(void)
{
    static const int64_t widths[][2] = {{1, 2}, {3, 6}, {16, 32}, {16, 33}, {40, 80}, {67, 134}, {140, 280}};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        one_width(widths[i][0], widths[i][1]);
    }
}

static void a_distinct_id_is_listed_once(void)
{
    int32_t ids[] = {4, 2, 4, -1, 0, 2}, slot[5] = {-1, -1, -1, -1, -1}, touched[5];
    float dout[] = {1, 2, 4, 8, 16, 32}, grad[5], found[5] = {0};
    struct pen_embedding_feature f = {
        .n_values = 5, .dim = 1, .ids = ids, .id_stride = 1, .slot = slot, .touched = touched, .grad = grad};
    struct pen_embedding_grad g = {.n_rows = 6,
                                   .n_features = 1,
                                   .features = &f,
                                   .dout = dout,
                                   .ld_dout = 1,
                                   .most_ids = 6,
                                   .n_values = 5,
                                   .most_dim = 1};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, f.ids, 6);
    PEN_MIRROR_INOUT(&m, f.slot, 5);
    PEN_MIRROR_INOUT(&m, f.touched, 5);
    PEN_MIRROR_INOUT(&m, f.grad, 5);
    PEN_MIRROR_INOUT(&m, g.features, 1);
    PEN_MIRROR_IN(&m, g.dout, 6);
    PEN_CHECK_STATUS(m.exec->kernels->embedding_backward(m.exec, &g, NULL), PEN_OK);
    pen_mirror_end(&m);
    PEN_REQUIRE_EQ_I64(f.n_touched, 3);
    for (int s = 0; s < 3; s++) {
        PEN_REQUIRE(touched[s] >= 0 && touched[s] < 5);
        found[touched[s]] = grad[s];
    }
    PEN_CHECK_EQ_F64(found[4], 5);
    PEN_CHECK_EQ_F64(found[2], 34);
    PEN_CHECK_EQ_F64(found[0], 16);
}

PEN_SUITE(embedding, PEN_CASE(sums_and_sparse_gradients_match_dense_loops),
          PEN_CASE(a_row_that_every_example_hits_is_summed_whole), PEN_CASE(a_distinct_id_is_listed_once));
