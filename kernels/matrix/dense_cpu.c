/* Dense layers on the CPU: one-threaded products over fixed pieces of the batch, one piece a task.
 *
 * Forward: blocks of rows, so bias and activation meet the block while it is in cache. Backward: blocks of rows for
 * dz, dx and the partial bias sums, then blocks of dw's rows, each a product over the whole batch, so nothing has to
 * be reduced between threads. Piece sizes follow from shapes alone, hence the same bits for any thread count. */
#include "kernels/matrix/dense.h"

#include "kernels/matrix/gemm.h"

#include <string.h>

enum { DENSE_DW_ROWS = 96, DENSE_PARALLEL_FLOPS = 400000 };

/* Rows of a block: at least 64 (the workspace contract), more when the batch is large, because each block's product
 * packs the weights anew. */
static int64_t block_rows(int64_t n_rows)
{
    return n_rows >= 4096 ? 512 : n_rows >= 1024 ? 256 : 64;
}

pen_status pen_dense_forward_cpu(struct pen_exec *exec, const struct pen_dense *d, struct pen_error *err)
{
    PEN_TRY(pen_dense_check("dense_forward", d->n_rows, d->n_in, d->n_out, err));
    int64_t block = block_rows(d->n_rows), n_blocks = (d->n_rows + block - 1) / block;
    bool parallel = n_blocks > 1 && 2.0 * (double)d->n_rows * (double)d->n_in * (double)d->n_out > DENSE_PARALLEL_FLOPS;
    pen_status failed = PEN_OK;
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t b = 0; b < n_blocks; b++) {
        int64_t first = b * block, rows = d->n_rows - first < block ? d->n_rows - first : block;
        float *y = d->y + first * d->ld_y;
        struct pen_gemm g = {
            rows,    d->n_out, d->n_in,  false, false,  1, d->add ? 1.0f : 0.0f, d->x + first * d->ld_x,
            d->ld_x, d->w,     d->n_out, y,     d->ld_y};
        pen_status status = pen_gemm_cpu(exec, &g, NULL);
        if (status != PEN_OK) {
#pragma omp atomic write
            failed = status;
            continue;
        }
        pen_activation_apply_cpu(d->activation, y, d->ld_y, d->bias, rows, d->n_out);
    }
    if (failed != PEN_OK) {
        PEN_FAIL(err, failed, "dense_forward: the matrix product failed");
    }
    return PEN_OK;
}

static pen_status backward_rows(struct pen_exec *exec, const struct pen_dense_grad *d, int64_t b, int64_t block)
{
    int64_t first = b * block, rows = d->n_rows - first < block ? d->n_rows - first : block;
    float *dz = d->dy + first * d->ld_dy;
    pen_activation_backward_cpu(d->activation, dz, d->ld_dy, d->dbias ? d->workspace + b * d->n_out : NULL,
                                d->y + first * d->ld_y, d->ld_y, rows, d->n_out);
    struct pen_gemm g = {rows, d->n_dx, d->n_out, false, true, 1, 0, dz, d->ld_dy, d->w, d->n_out, NULL, d->ld_dx};
    if (d->n_dx == 0) {
        return PEN_OK;
    }
    g.c = d->dx + first * d->ld_dx;
    return pen_gemm_cpu(exec, &g, NULL);
}

pen_status pen_dense_backward_cpu(struct pen_exec *exec, const struct pen_dense_grad *d, struct pen_error *err)
{
    PEN_TRY(pen_dense_check("dense_backward", d->n_rows, d->n_in, d->n_out, err));
    int64_t block = block_rows(d->n_rows), n_blocks = (d->n_rows + block - 1) / block;
    bool parallel = 2.0 * (double)d->n_rows * (double)d->n_in * (double)d->n_out > DENSE_PARALLEL_FLOPS;
    pen_status failed = PEN_OK;
#pragma omp parallel for schedule(static) if (parallel && n_blocks > 1)
    for (int64_t b = 0; b < n_blocks; b++) {
        pen_status status = backward_rows(exec, d, b, block);
        if (status != PEN_OK) {
#pragma omp atomic write
            failed = status;
        }
    }
    if (d->dbias != NULL) {
        memset(d->dbias, 0, (size_t)d->n_out * sizeof *d->dbias);
        for (int64_t b = 0; b < n_blocks; b++) {
            for (int64_t o = 0; o < d->n_out; o++) {
                d->dbias[o] += d->workspace[b * d->n_out + o];
            }
        }
    }
    int64_t n_pieces = (d->n_in + DENSE_DW_ROWS - 1) / DENSE_DW_ROWS;
#pragma omp parallel for schedule(static) if (parallel && n_pieces > 1)
    for (int64_t p = 0; p < n_pieces; p++) {
        int64_t first = d->n_in * p / n_pieces, end = d->n_in * (p + 1) / n_pieces;
        struct pen_gemm g = {end - first, d->n_out,     d->n_rows, true,  false,    1,
                             0,           d->x + first, d->ld_x,   d->dy, d->ld_dy, d->dw + first * d->n_out,
                             d->n_out};
        pen_status status = pen_gemm_cpu(exec, &g, NULL);
        if (status != PEN_OK) {
#pragma omp atomic write
            failed = status;
        }
    }
    if (failed != PEN_OK) {
        PEN_FAIL(err, failed, "dense_backward: the matrix product failed");
    }
    return PEN_OK;
}
