/* Gradients of normalisation on the GPU: the sums down the columns first (norm.cuh), because dx may take the place of
 * dy; then dx, a warp a row for layers (three reads, two of them out of the cache), a thread a value for batches.
 * 20 bytes a value. */
#include "kernels/norm/norm.cuh"
#include "kernels/norm/norm.h"

/* What a piece of rows adds to the gradients of a column. */
struct norm_column_gradient {
    double beta, gamma;
};

static __global__ void column_gradients_k(norm_column_gradient *pieces, pen_norm_grad g)
{
    PEN_SHARED(double, room, [PEN_CUDA_BLOCK]);
    const bool batch = g.kind == PEN_NORM_BATCH;
    const int64_t d = (int64_t)blockIdx.x * NORM_COLUMNS + threadIdx.x % NORM_COLUMNS;
    const int64_t begin = (int64_t)blockIdx.y * NORM_PIECE_ROWS;
    const int64_t end = begin + NORM_PIECE_ROWS < g.n_rows ? begin + NORM_PIECE_ROWS : g.n_rows;
    double sum = 0, product = 0;
    for (int64_t row = begin + threadIdx.x / NORM_COLUMNS; d < g.dim && row < end; row += NORM_LANES) {
        const int64_t i = row * g.dim + d, group = batch ? d : row;
        sum += (double)g.dy[i];
        product += (double)g.dy[i] * (double)((g.x[i] - g.mean[group]) * g.rstd[group]);
    }
    sum = norm_column_sum(sum, room);
    product = norm_column_sum(product, room);
    if (d < g.dim && threadIdx.x < NORM_COLUMNS) {
        norm_column_gradient found = {sum, product};
        pieces[blockIdx.y * g.dim + d] = found;
    }
}

static __global__ void merge_gradients_k(pen_norm_grad g, const norm_column_gradient *pieces, int64_t n_pieces)
{
    for (int64_t d = pen_cuda_first(); d < g.dim; d += pen_cuda_step()) {
        double beta = 0, gamma = 0;
        for (int64_t p = 0; p < n_pieces; p++) {
            beta += pieces[p * g.dim + d].beta;
            gamma += pieces[p * g.dim + d].gamma;
        }
        g.dbeta[d] = (float)beta;
        g.dgamma[d] = (float)gamma;
    }
}

static __global__ void layer_gradient_k(pen_norm_grad g)
{
    const int lane = (int)(threadIdx.x % 32);
    for (int64_t row = pen_cuda_first() / 32; row < g.n_rows; row += pen_cuda_step() / 32) {
        const float *x = g.x + row * g.dim, *dy = g.dy + row * g.dim;
        const float mean = g.mean[row], rstd = g.rstd[row];
        double sum = 0, product = 0;
        for (int64_t d = lane; d < g.dim; d += 32) {
            const double v = (double)g.gamma[d] * (double)dy[d];
            sum += v;
            product += v * (double)((x[d] - mean) * rstd);
        }
        const float average = (float)(norm_row_sum(sum) / (double)g.dim);
        const float share = (float)(norm_row_sum(product) / (double)g.dim);
        for (int64_t d = lane; d < g.dim; d += 32) {
            g.dx[row * g.dim + d] = rstd * (g.gamma[d] * dy[d] - average - (x[d] - mean) * rstd * share);
        }
    }
}

static __global__ void batch_gradient_k(pen_norm_grad g)
{
    const float share = 1.0f / (float)g.n_rows;
    for (int64_t i = pen_cuda_first(); i < g.n_rows * g.dim; i += pen_cuda_step()) {
        const int64_t d = i % g.dim;
        const float xhat = (g.x[i] - g.mean[d]) * g.rstd[d];
        g.dx[i] = g.rstd[d] * g.gamma[d] * (g.dy[i] - share * g.dbeta[d] - xhat * (share * g.dgamma[d]));
    }
}

static pen_status column_gradients(struct pen_exec *exec, const struct pen_norm_grad *g, struct pen_error *err)
{
    const int64_t n_pieces = norm_pieces(g->n_rows);
    char *workspace = NULL;
    PEN_TRY(norm_check_pieces("norm_backward", g->n_rows, err));
    PEN_TRY(pen_cuda_workspace(exec, &workspace, sizeof(norm_column_gradient) * (size_t)(n_pieces * g->dim),
                               "norm_backward", err));
    norm_column_gradient *pieces = reinterpret_cast<norm_column_gradient *>(workspace);
    if (n_pieces > 0) {
        PEN_LAUNCH(column_gradients_k, norm_grid(g->n_rows, g->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), pieces,
                   *g);
        PEN_CUDA_LAUNCHED("norm_backward", err);
    }
    PEN_LAUNCH(merge_gradients_k, pen_cuda_grid(g->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *g, pieces,
               n_pieces);
    PEN_CUDA_LAUNCHED("norm_backward", err);
    return PEN_OK;
}

extern "C" pen_status pen_norm_backward_cuda(struct pen_exec *exec, const struct pen_norm_grad *g,
                                             struct pen_error *err)
{
    PEN_TRY(pen_norm_check("norm_backward", g->kind, g->n_rows, g->dim, err));
    if (g->dim == 0) {
        return PEN_OK;
    }
    PEN_TRY(column_gradients(exec, g, err));
    if (g->n_rows == 0) {
        return PEN_OK;
    }
    if (g->kind == PEN_NORM_LAYER) {
        PEN_LAUNCH(layer_gradient_k, pen_cuda_grid(32 * g->n_rows), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *g);
    } else {
        PEN_LAUNCH(batch_gradient_k, pen_cuda_grid(g->n_rows * g->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *g);
    }
    PEN_CUDA_LAUNCHED("norm_backward", err);
    return PEN_OK;
}
