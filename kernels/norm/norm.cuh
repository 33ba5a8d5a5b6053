/* Sums down the columns of [N, D], shared by the forward and the backward kernels: a block has 32 columns and a piece
 * of the rows, eight rows at a time; what the pieces found is merged in their order. */
#ifndef PEN_KERNELS_NORM_NORM_CUH
#define PEN_KERNELS_NORM_NORM_CUH

#include "kernels/cuda/exec.cuh"

static const int NORM_COLUMNS = 32, NORM_LANES = PEN_CUDA_BLOCK / NORM_COLUMNS, NORM_PIECE_ROWS = 512;

static inline int64_t norm_pieces(int64_t n_rows)
{
    return pen_ceil_div(n_rows, NORM_PIECE_ROWS);
}

/* Columns across, pieces down. */
static inline dim3 norm_grid(int64_t n_rows, int64_t dim)
{
    return dim3((unsigned)pen_ceil_div(dim, NORM_COLUMNS), (unsigned)norm_pieces(n_rows));
}

static inline pen_status norm_check_pieces(const char *op, int64_t n_rows, struct pen_error *err)
{
    if (norm_pieces(n_rows) > 65535) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "%s: expected at most %d rows, found %lld", op, 65535 * NORM_PIECE_ROWS,
                 (long long)n_rows);
    }
    return PEN_OK;
}

/* Of the eight values that a column's threads hold, the sum, in all of them. room: shared, one a thread. Every thread
 * of the block comes. */
static __device__ __forceinline__ double norm_column_sum(double value, double *room)
{
    const int column = (int)threadIdx.x % NORM_COLUMNS;
    room[threadIdx.x] = value;
    __syncthreads();
    double sum = 0;
    for (int lane = 0; lane < NORM_LANES; lane++) {
        sum += room[lane * NORM_COLUMNS + column];
    }
    __syncthreads();
    return sum;
}

/* Sum over the lanes of a full warp, in all of them. */
static __device__ __forceinline__ double norm_row_sum(double value)
{
    return __shfl_sync(0xffffffffu, pen_warp_sum(value), 0);
}

#endif
