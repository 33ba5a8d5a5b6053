/* Embeddings: pooled sums and their sparse gradient against dense float64 loops. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(embedding_forward, embedding);
PEN_OP_CASE(embedding_backward, embedding);

enum { V0 = 7, D0 = 16, V1 = 50, D1 = 3, V2 = 20, D2 = 1, WIDTH = D0 + D1 + D2 + 2 };
enum { OFFSET0 = 3, OFFSET1 = OFFSET0 + V0 * D0 + 3, OFFSET2 = OFFSET1 + V1 * D1 + 3, N_VALUES = OFFSET2 + V2 * D2 };

/* Three features: one id a row, ragged mean, ragged sum; some ids absent or too large. */
struct fixture {
    int64_t n;
    int32_t *single, *many;
    int64_t *offsets;
    float *values; /* the tables, one behind the other, a gap before each */
    struct pen_embedding_feature features[3];
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
    static const int64_t values[] = {V0, V1, V2}, dims[] = {D0, D1, D2}, columns[] = {1, 1 + D0, 1 + D0 + D1};
    static const int64_t offsets[] = {OFFSET0, OFFSET1, OFFSET2};
    for (int k = 0; k < 3; k++) {
        int64_t capacity = n + f->n_many + 1;
        struct pen_embedding_feature *e = &f->features[k];
        *e = (struct pen_embedding_feature){.n_values = values[k],
                                            .dim = dims[k],
                                            .offset = offsets[k],
                                            .ids = k == 0 ? f->single : f->many,
                                            .id_stride = 2,
                                            .row_offsets = k == 0 ? NULL : f->offsets,
                                            .mean = k == 1,
                                            .column = columns[k]};
        e->slot = pen_calloc(values[k], sizeof *e->slot);
        e->touched = pen_calloc(capacity, sizeof *e->touched);
        e->grad = pen_calloc(capacity * dims[k], sizeof *e->grad);
        PEN_ASSERT(e->slot != NULL && e->touched != NULL && e->grad != NULL);
        for (int64_t v = 0; v < values[k]; v++) {
            e->slot[v] = -1;
        }
    }
}

static void fixture_deinit(struct fixture *f)
{
    for (int k = 0; k < 3; k++) {
        pen_free(f->features[k].slot);
        pen_free(f->features[k].touched);
        pen_free(f->features[k].grad);
    }
    pen_free(f->values);
    pen_free(f->single);
    pen_free(f->many);
    pen_free(f->offsets);
}

static void mirror_features(struct pen_mirror *m, struct fixture *f, struct pen_embedding_feature **features)
{
    for (int k = 0; k < 3; k++) {
        struct pen_embedding_feature *e = &f->features[k];
        int64_t capacity = f->n + f->n_many + 1;
        PEN_MIRROR_IN(m, e->ids, k == 0 ? f->n * 2 : f->n_many);
        PEN_MIRROR_IN(m, e->row_offsets, f->n + 1);
        PEN_MIRROR_INOUT(m, e->slot, e->n_values);
        PEN_MIRROR_INOUT(m, e->touched, capacity);
        PEN_MIRROR_INOUT(m, e->grad, capacity * e->dim);
    }
    PEN_MIRROR_INOUT(m, *features, 3);
}

/* The weight with which value v of feature k stands in row r, and the number of ids added there. */
static double share(const struct fixture *f, int k, int64_t r, int64_t v, int64_t *n_ids)
{
    int64_t hits = 0, present = 0;
    int64_t first = k == 0 ? r * 2 : f->offsets[r], end = k == 0 ? r * 2 + 1 : f->offsets[r + 1];
    for (int64_t i = first; i < end; i++) {
        int32_t id = f->features[k].ids[i];
        present += id >= 0 && id < f->features[k].n_values;
        hits += id == v;
    }
    *n_ids = present;
    return hits == 0 ? 0 : k == 1 ? (double)hits / (double)present : (double)hits;
}

static void one_size(int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct fixture f;
    fixture_init(&f, n);
    float *out = pen_test_floats(n * WIDTH, 4, -1, 1), *before = pen_test_floats(n * WIDTH, 4, -1, 1);
    for (int add = 0; add < 2; add++) {
        memcpy(out, before, (size_t)(n * WIDTH) * sizeof *out);
        struct pen_embedding e = {n, 3, f.values, f.features, out, WIDTH, add == 1};
        struct pen_embedding_feature *features = f.features;
        struct pen_mirror m = PEN_MIRROR_INIT;
        mirror_features(&m, &f, &features);
        PEN_MIRROR_IN(&m, e.values, N_VALUES);
        PEN_MIRROR_INOUT(&m, e.out, n * WIDTH);
        e.features = features;
        PEN_CHECK_OK(m.exec->kernels->embedding_forward(m.exec, &e, &err), &err);
        pen_mirror_end(&m);
        for (int64_t r = 0; r < n; r++) {
            PEN_CHECK_EQ_F64(out[r * WIDTH], before[r * WIDTH]);
            PEN_CHECK_EQ_F64(out[r * WIDTH + WIDTH - 1], before[r * WIDTH + WIDTH - 1]);
            for (int k = 0; k < 3; k++) {
                for (int64_t d = 0; d < f.features[k].dim; d++) {
                    int64_t column = r * WIDTH + f.features[k].column + d, n_ids = 0;
                    double sum = add ? (double)before[column] : 0, size = fabs(sum);
                    for (int64_t v = 0; v < f.features[k].n_values; v++) {
                        double term = share(&f, k, r, v, &n_ids) *
                                      (double)f.values[f.features[k].offset + v * f.features[k].dim + d];
                        sum += term;
                        size += fabs(term);
                    }
                    PEN_CHECK_NEAR(out[column], sum, (double)(n_ids + 3) * PEN_TEST_EPS * (size + 1));
                }
            }
        }
    }
    struct pen_embedding_grad g = {n, 3, f.features, out, WIDTH, n + 2 * f.n_many, D0};
    struct pen_mirror m = PEN_MIRROR_INIT;
    mirror_features(&m, &f, &g.features);
    PEN_MIRROR_IN(&m, g.dout, n * WIDTH);
    PEN_CHECK_OK(m.exec->kernels->embedding_backward(m.exec, &g, &err), &err);
    pen_mirror_end(&m);
    for (int k = 0; k < 3; k++) {
        const struct pen_embedding_feature *e = &f.features[k];
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
                for (int64_t r = 0; r < n; r++) {
                    double part = share(&f, k, r, v, &n_ids);
                    sum += part * (double)out[r * WIDTH + e->column + d];
                    size += part * fabs((double)out[r * WIDTH + e->column + d]);
                    occurrences += part > 0;
                }
                double found = place < 0 ? 0 : (double)e->grad[place * e->dim + d];
                PEN_CHECK_NEAR(found, sum, (double)(4 * occurrences + 4) * PEN_TEST_EPS * size);
            }
            PEN_CHECK_EQ_I64(place >= 0, occurrences > 0);
        }
    }
    pen_free(out);
    pen_free(before);
    fixture_deinit(&f);
}

static void sums_and_sparse_gradients_match_dense_loops(void)
{
    static const int64_t sizes[] = {0, 1, 31, 33, 257, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        one_size(sizes[i]);
    }
}

/* Every example has the same row, and one id out of many: long runs of places beside short ones. */
static void a_row_that_every_example_hits_is_summed_whole(void)
{
    enum { N = 5000, V = 400, DIM = 40 };
    struct pen_error err = PEN_ERROR_INIT;
    int32_t *ids = pen_calloc(2 * N, sizeof *ids), *slot = pen_calloc(2 * V, sizeof *slot);
    int32_t *touched = pen_calloc(2 * V, sizeof *touched);
    float *grad = pen_calloc(2 * V * DIM, sizeof *grad), *dout = pen_test_floats(N * 2 * DIM, 5, -1, 1);
    struct pen_embedding_feature features[2], *placed = features;
    memset(slot, 0xff, 2 * V * sizeof *slot);
    for (int64_t r = 0; r < N; r++) {
        ids[2 * r] = 17;
        ids[2 * r + 1] = (int32_t)((r * r) % V);
    }
    for (int64_t k = 0; k < 2; k++) {
        features[k] = (struct pen_embedding_feature){.n_values = V,
                                                     .dim = DIM,
                                                     .ids = ids + k,
                                                     .id_stride = 2,
                                                     .column = k * DIM,
                                                     .slot = slot + k * V,
                                                     .touched = touched + k * V,
                                                     .grad = grad + k * V * DIM};
    }
    struct pen_embedding_grad g = {N, 2, placed, dout, 2 * DIM, 2 * N, DIM};
    struct pen_mirror m = PEN_MIRROR_INIT;
    for (int k = 0; k < 2; k++) {
        PEN_MIRROR_IN(&m, features[k].ids, 2 * N - k);
        PEN_MIRROR_INOUT(&m, features[k].slot, V);
        PEN_MIRROR_INOUT(&m, features[k].touched, V);
        PEN_MIRROR_INOUT(&m, features[k].grad, V * DIM);
    }
    PEN_MIRROR_INOUT(&m, g.features, 2);
    PEN_MIRROR_IN(&m, g.dout, N * 2 * DIM);
    PEN_CHECK_OK(m.exec->kernels->embedding_backward(m.exec, &g, &err), &err);
    pen_mirror_end(&m);
    PEN_REQUIRE_EQ_I64(features[0].n_touched, 1);
    PEN_CHECK_EQ_I64(touched[0], 17);
    for (int64_t k = 0; k < 2; k++) {
        for (int64_t s = 0; s < features[k].n_touched; s++) {
            for (int64_t d = 0; d < DIM; d++) {
                double sum = 0, size = 0, n = 0;
                for (int64_t r = 0; r < N; r++) {
                    if (ids[2 * r + k] == features[k].touched[s]) {
                        double x = (double)dout[r * 2 * DIM + k * DIM + d];
                        sum += x;
                        size += fabs(x);
                        n++;
                    }
                }
                PEN_CHECK(n > 0);
                PEN_CHECK_NEAR(features[k].grad[s * DIM + d], sum, (n + 2) * PEN_TEST_EPS * size);
            }
        }
    }
    pen_free(ids);
    pen_free(slot);
    pen_free(touched);
    pen_free(grad);
    pen_free(dout);
}

static void a_distinct_id_is_listed_once(void)
{
    int32_t ids[] = {4, 2, 4, -1, 0, 2}, slot[5] = {-1, -1, -1, -1, -1}, touched[5];
    float dout[] = {1, 2, 4, 8, 16, 32}, grad[5], found[5] = {0};
    struct pen_embedding_feature f = {
        .n_values = 5, .dim = 1, .ids = ids, .id_stride = 1, .slot = slot, .touched = touched, .grad = grad};
    struct pen_embedding_grad g = {6, 1, &f, dout, 1, 6, 1};
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
