/* Embedding lookups of all id features of a batch in one call, and their sparse gradient.
 *
 * What stays the same from batch to batch, one pen_embedding_feature a feature, lies in device memory like the arrays
 * it points to; a table is a piece of the parameter array, so that the same description serves tables, their averages
 * and the optimiser's states (optimiser.h).
 *
 * embedding_forward
 * formula      out[n, column_f + d] (+)= pool over the ids i of row n of table_f[i, d]; pool = sum, or mean over them
 * shapes       table_f = values + offset_f: [V_f, D_f]; out: [N, ld_out];
 *              ids: one a row (ids[n * id_stride]) or ragged (row_offsets)
 * dtypes       f32 tables, int32 ids
 * aliasing     out overlaps nothing
 * special      an id outside [0, V_f) counts as absent; a row without ids gives 0
 * workspace    0 bytes
 * determinism  bit-identical, whatever the thread count: a row's ids are added in order
 * error bound  |out - ref| <= (k + 2) eps sum |terms|, k ids in the row
 * cost         4 (sum_f ids_f D_f) bytes read, 4 N sum_f D_f written
 * errors       PEN_ERR_SHAPE
 * backward     embedding_backward
 *
 * embedding_backward
 * formula      for each distinct id i of the batch: grad_f[s, d] = sum over its occurrences of
 *              dout[n, column_f + d] (/ ids of row n, for mean); touched_f[s] = i
 *              likewise for twins, if there are any: one more table for each feature, over the same ids
 * shapes       grad_f: [n_touched_f, D_f]; capacity of touched and grad: min(V_f, ids of the batch)
 * special      on a GPU the tables of features hold fewer than 2^32 rows together, one more counted for each
 * workspace    slot_f: int32 [V_f], all -1 before and after
 * determinism  bit-identical, whatever the thread count. The CPU adds the occurrences of an id in the order of the rows
 *              and lists distinct ids in the order of their first appearance; a GPU adds in a fixed tree and lists them
 *              rising
 * error bound  |grad - ref| <= (k + 2) eps sum |terms|, k occurrences of the id
 * cost         as forward, plus 4 bytes a distinct id; nothing grows with V_f
 * errors       PEN_ERR_SHAPE */
#ifndef PEN_KERNELS_EMBEDDING_EMBEDDING_H
#define PEN_KERNELS_EMBEDDING_EMBEDDING_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_embedding_feature {
    int64_t n_values, dim;
    int64_t offset; /* of the table in values */
    const int32_t *ids;
    int64_t id_stride;          /* one id a row */
    const int64_t *row_offsets; /* ragged: [N + 1]; NULL: one id a row */
    bool mean;
    int64_t column; /* first column in out and dout */

    /* backward only */
    int32_t *slot;
    int32_t *touched;
    float *grad;
    int64_t n_touched; /* result */
};

struct pen_embedding {
    int64_t n_rows, n_features;
    const float *values;
    const struct pen_embedding_feature *features;
    float *out;
    int64_t ld_out;
    bool add; /* add to out instead of replacing it */
};

typedef pen_status pen_embedding_forward_fn(struct pen_exec *exec, const struct pen_embedding *embedding,
                                            struct pen_error *err);
pen_embedding_forward_fn pen_embedding_forward_cpu, pen_embedding_forward_cuda;

struct pen_embedding_grad {
    int64_t n_rows, n_features;
    struct pen_embedding_feature *features;
    const float *dout;
    int64_t ld_dout;
    struct pen_embedding_feature *twins; /* [n_features], ids and n_values as features; NULL: none */
    const float *dout_twins;
    int64_t ld_dout_twins;

    /* What a GPU plans by, since features lie in its memory. */
    int64_t most_ids; /* no batch of these rows has more, over all features */
    int64_t n_ragged; /* features with row_offsets */
    int64_t n_values; /* over all features */
    int64_t most_dim; /* the largest D_f, of features and twins */
};

typedef pen_status pen_embedding_backward_fn(struct pen_exec *exec, const struct pen_embedding_grad *grad,
                                             struct pen_error *err);
pen_embedding_backward_fn pen_embedding_backward_cpu, pen_embedding_backward_cuda;

#ifdef __cplusplus
}
#endif

#endif
