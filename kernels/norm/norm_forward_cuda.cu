/* Normalisation on the GPU. Layer: a warp has a row, which it reads three times, twice of them out of the cache; 8
 * bytes a value from memory. Batch: a block finds mean and squares of 32 columns over 512 rows (norm.cuh), a thread a
 * column merges the pieces (Chan, Golub, LeVeque 1979), and a thread a value applies them; 12 bytes a value. */
#include "kernels/norm/norm.cuh"
#include "kernels/norm/norm.h"

static __global__ void layer_norm_k(pen_norm l)
{
    const int lane = (int)(threadIdx.x % 32);
    for (int64_t row = pen_cuda_first() / 32; row < l.n_rows; row += pen_cuda_step() / 32) {
        const float *x = l.x + row * l.dim;
        double sum = 0, square = 0;
        for (int64_t d = lane; d < l.dim; d += 32) {
            sum += (double)x[d];
        }
        const double mean = norm_row_sum(sum) / (double)l.dim;
        for (int64_t d = lane; d < l.dim; d += 32) {
            const double v = (double)x[d] - mean;
            square += v * v;
        }
        const float m = (float)mean, r = (float)(1 / sqrt(norm_row_sum(square) / (double)l.dim + l.epsilon));
        for (int64_t d = lane; d < l.dim; d += 32) {
            l.y[row * l.dim + d] = l.gamma[d] * ((x[d] - m) * r) + l.beta[d];
        }
        if (lane == 0) {
            l.mean[row] = m;
            l.rstd[row] = r;
        }
    }
}

/* What a piece of rows holds of a column: its mean, and the squares about it. */
struct norm_moments {
    double mean, square;
};

static __global__ void column_moments_k(norm_moments *pieces, const float *x, int64_t n_rows, int64_t dim)
{
    PEN_SHARED(double, room, [PEN_CUDA_BLOCK]);
    const int64_t d = (int64_t)blockIdx.x * NORM_COLUMNS + threadIdx.x % NORM_COLUMNS;
    const int64_t begin = (int64_t)blockIdx.y * NORM_PIECE_ROWS, first = begin + threadIdx.x / NORM_COLUMNS;
    const int64_t end = begin + NORM_PIECE_ROWS < n_rows ? begin + NORM_PIECE_ROWS : n_rows;
    double sum = 0, square = 0;
    for (int64_t row = first; d < dim && row < end; row += NORM_LANES) {
        sum += (double)x[row * dim + d];
    }
    const double mean = norm_column_sum(sum, room) / (double)(end - begin);
    for (int64_t row = first; d < dim && row < end; row += NORM_LANES) {
        const double v = (double)x[row * dim + d] - mean;
        square += v * v;
    }
    square = norm_column_sum(square, room);
    if (d < dim && threadIdx.x < NORM_COLUMNS) {
        norm_moments found = {mean, square};
        pieces[blockIdx.y * dim + d] = found;
    }
}

static __global__ void merge_moments_k(pen_norm b, const norm_moments *pieces, int64_t n_pieces)
{
    for (int64_t d = pen_cuda_first(); d < b.dim; d += pen_cuda_step()) {
        double n = 0, mean = 0, square = 0;
        for (int64_t p = 0; p < n_pieces; p++) {
            const norm_moments piece = pieces[p * b.dim + d];
            const int64_t left = b.n_rows - p * NORM_PIECE_ROWS;
            const double more = (double)(left < NORM_PIECE_ROWS ? left : NORM_PIECE_ROWS);
            const double delta = piece.mean - mean, all = n + more;
            mean += delta * (more / all);
            square += piece.square + delta * delta * (n * more / all);
            n = all;
        }
        b.mean[d] = (float)mean;
        b.rstd[d] = (float)(1 / sqrt(square / n + b.epsilon));
        if (b.n_rows > 1) {
            const double old_mean = (double)b.running_mean[d], old_variance = (double)b.running_variance[d];
            b.running_mean[d] = (float)(old_mean + b.momentum * (mean - old_mean));
            b.running_variance[d] = (float)(old_variance + b.momentum * (square / (n - 1) - old_variance));
        }
    }
}

static __global__ void take_running_k(pen_norm b)
{
    for (int64_t d = pen_cuda_first(); d < b.dim; d += pen_cuda_step()) {
        b.mean[d] = b.running_mean[d];
        b.rstd[d] = (float)(1 / sqrt((double)b.running_variance[d] + b.epsilon));
    }
}

static __global__ void batch_norm_k(pen_norm b)
{
    for (int64_t i = pen_cuda_first(); i < b.n_rows * b.dim; i += pen_cuda_step()) {
        const int64_t d = i % b.dim;
        b.y[i] = b.gamma[d] * ((b.x[i] - b.mean[d]) * b.rstd[d]) + b.beta[d];
    }
}

static pen_status batch_statistics(struct pen_exec *exec, const struct pen_norm *b, struct pen_error *err)
{
    const int64_t n_pieces = norm_pieces(b->n_rows);
    char *workspace = NULL;
    PEN_TRY(norm_check_pieces("norm_forward", b->n_rows, err));
    PEN_TRY(
        pen_cuda_workspace(exec, &workspace, sizeof(norm_moments) * (size_t)(n_pieces * b->dim), "norm_forward", err));
    norm_moments *pieces = reinterpret_cast<norm_moments *>(workspace);
    PEN_LAUNCH(column_moments_k, norm_grid(b->n_rows, b->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), pieces, b->x,
               b->n_rows, b->dim);
    PEN_CUDA_LAUNCHED("norm_forward", err);
    PEN_LAUNCH(merge_moments_k, pen_cuda_grid(b->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *b, pieces, n_pieces);
    PEN_CUDA_LAUNCHED("norm_forward", err);
    return PEN_OK;
}

extern "C" pen_status pen_norm_forward_cuda(struct pen_exec *exec, const struct pen_norm *l, struct pen_error *err)
{
    PEN_TRY(pen_norm_check("norm_forward", l->kind, l->n_rows, l->dim, err));
    if (l->n_rows == 0 || l->dim == 0) {
        return PEN_OK;
    }
    if (l->kind == PEN_NORM_LAYER) {
        PEN_LAUNCH(layer_norm_k, pen_cuda_grid(32 * l->n_rows), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l);
        PEN_CUDA_LAUNCHED("norm_forward", err);
        return PEN_OK;
    }
    if (l->running) {
        PEN_LAUNCH(take_running_k, pen_cuda_grid(l->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l);
        PEN_CUDA_LAUNCHED("norm_forward", err);
    } else {
        PEN_TRY(batch_statistics(exec, l, err));
    }
    PEN_LAUNCH(batch_norm_k, pen_cuda_grid(l->n_rows * l->dim), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l);
    PEN_CUDA_LAUNCHED("norm_forward", err);
    return PEN_OK;
}
