/* Embeddings on the CPU. Forward runs over blocks of rows; backward gives each feature to one thread, which finds an
 * id's place in the batch's list of distinct ids through a table of slots (one int32 a value, kept at -1 between
 * calls), so no sort is needed and the work is that of the batch alone. */
#include "kernels/embedding/embedding.h"

#include "kernels/simd.h"

#include <string.h>

enum { EMBEDDING_ROWS = 128, EMBEDDING_PARALLEL_ROWS = 256, ROWS_AHEAD = 2, IDS_AHEAD = 16 };

PEN_SIMD static void add_row(float *restrict out, const float *restrict row, int64_t dim)
{
    for (int64_t d = 0; d < dim; d++) {
        out[d] += row[d];
    }
}

PEN_SIMD static void add_row_scaled(float *restrict out, const float *restrict row, float scale, int64_t dim)
{
    for (int64_t d = 0; d < dim; d++) {
        out[d] += scale * row[d];
    }
}

/* Rows of 16 are the common width; spelled out, they need no call and no loop. */
static inline void add_to(float *restrict out, const float *restrict row, int64_t dim)
{
    if (dim == 1) {
        out[0] += row[0];
    } else if (dim == 16) {
        for (int d = 0; d < 16; d++) {
            out[d] += row[d];
        }
    } else {
        add_row(out, row, dim);
    }
}

static int64_t count_present(const struct pen_embedding_feature *f, int64_t first, int64_t end)
{
    int64_t n = 0;
    for (int64_t i = first; i < end; i++) {
        n += f->ids[i] >= 0 && f->ids[i] < f->n_values;
    }
    return n;
}

static void forward_ragged(const struct pen_embedding_feature *f, const float *table, float *out, int64_t row)
{
    int64_t first = f->row_offsets[row], end = f->row_offsets[row + 1];
    float scale = 1.0f;
    if (f->mean) {
        int64_t n = count_present(f, first, end);
        scale = n > 0 ? 1.0f / (float)n : 0.0f;
    }
    for (int64_t i = first; i < end; i++) {
        int32_t id = f->ids[i];
        if (id >= 0 && id < f->n_values) {
            add_row_scaled(out, table + (int64_t)id * f->dim, scale, f->dim);
        }
    }
}

/* Rows of tables lie anywhere in memory: those that a later row of the batch wants are fetched ahead. */
static inline void fetch_ahead(const struct pen_embedding_feature *f, const float *table, int64_t row)
{
    int32_t id = f->ids[row * f->id_stride];
    if (id >= 0 && id < f->n_values) {
        __builtin_prefetch(table + (int64_t)id * f->dim);
    }
}

static void forward_rows(const struct pen_embedding *e, int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        float *out_row = e->out + row * e->ld_out;
        for (int64_t k = 0; k < e->n_features; k++) {
            const struct pen_embedding_feature *f = &e->features[k];
            const float *table = e->values + f->offset;
            float *out = out_row + f->column;
            if (!e->add) {
                memset(out, 0, (size_t)f->dim * sizeof *out);
            }
            if (f->row_offsets != NULL) {
                forward_ragged(f, table, out, row);
                continue;
            }
            if (row + ROWS_AHEAD < end) {
                fetch_ahead(f, table, row + ROWS_AHEAD);
            }
            int32_t id = f->ids[row * f->id_stride];
            if (id >= 0 && id < f->n_values) {
                add_to(out, table + (int64_t)id * f->dim, f->dim);
            }
        }
    }
}

pen_status pen_embedding_forward_cpu(struct pen_exec *exec, const struct pen_embedding *e, struct pen_error *err)
{
    if (e->n_rows < 0 || e->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "embedding_forward: expected sizes >= 0, found %lld rows, %lld features",
                 (long long)e->n_rows, (long long)e->n_features);
    }
    int64_t n_blocks = (e->n_rows + EMBEDDING_ROWS - 1) / EMBEDDING_ROWS;
#pragma omp parallel for schedule(static) if (e->n_rows >= EMBEDDING_PARALLEL_ROWS)
    for (int64_t b = 0; b < n_blocks; b++) {
        int64_t first = b * EMBEDDING_ROWS;
        forward_rows(e, first, first + EMBEDDING_ROWS < e->n_rows ? first + EMBEDDING_ROWS : e->n_rows);
    }
    return PEN_OK;
}

static inline void fetch_slot(const struct pen_embedding_feature *f, int64_t row)
{
    int32_t id = f->ids[row * f->id_stride];
    if (id >= 0 && id < f->n_values) {
        __builtin_prefetch(f->slot + id, 1);
    }
}

/* The gradient row of an id: found, or opened as the next one. */
static inline float *gradient_row(struct pen_embedding_feature *f, int32_t id)
{
    int32_t s = f->slot[id];
    if (s < 0) {
        s = (int32_t)f->n_touched++;
        f->slot[id] = s;
        f->touched[s] = id;
        memset(f->grad + (int64_t)s * f->dim, 0, (size_t)f->dim * sizeof *f->grad);
    }
    return f->grad + (int64_t)s * f->dim;
}

static void backward_feature(struct pen_embedding_feature *f, const float *dout, int64_t ld_dout, int64_t n_rows)
{
    f->n_touched = 0;
    for (int64_t row = 0; row < n_rows; row++) {
        const float *d = dout + row * ld_dout + f->column;
        if (f->row_offsets == NULL) {
            if (row + IDS_AHEAD < n_rows) {
                fetch_slot(f, row + IDS_AHEAD);
            }
            int32_t id = f->ids[row * f->id_stride];
            if (id >= 0 && id < f->n_values) {
                add_to(gradient_row(f, id), d, f->dim);
            }
            continue;
        }
        int64_t first = f->row_offsets[row], end = f->row_offsets[row + 1];
        int64_t n = f->mean ? count_present(f, first, end) : 1;
        float scale = n > 0 ? 1.0f / (float)n : 0.0f;
        for (int64_t i = first; i < end; i++) {
            int32_t id = f->ids[i];
            if (id >= 0 && id < f->n_values) {
                add_row_scaled(gradient_row(f, id), d, scale, f->dim);
            }
        }
    }
    for (int64_t s = 0; s < f->n_touched; s++) {
        f->slot[f->touched[s]] = -1;
    }
}

pen_status pen_embedding_backward_cpu(struct pen_exec *exec, const struct pen_embedding_grad *g, struct pen_error *err)
{
    if (g->n_rows < 0 || g->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "embedding_backward: expected sizes >= 0, found %lld rows, %lld features",
                 (long long)g->n_rows, (long long)g->n_features);
    }
    int64_t n = g->n_features, n_tables = g->twins != NULL ? 2 * n : n;
#pragma omp parallel for schedule(dynamic) if (g->n_rows >= EMBEDDING_PARALLEL_ROWS && n_tables > 1)
    for (int64_t k = 0; k < n_tables; k++) {
        if (k < n) {
            backward_feature(&g->features[k], g->dout, g->ld_dout, g->n_rows);
        } else {
            backward_feature(&g->twins[k - n], g->dout_twins, g->ld_dout_twins, g->n_rows);
        }
    }
    return PEN_OK;
}
