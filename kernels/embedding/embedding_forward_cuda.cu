/* Look-ups on the GPU, all tables in one launch: 4 bytes of id and 4 D of table read a look-up, 4 D written.
 *
 * Replacing: a block has one feature, groups of lanes have its rows, a lane a column. Adding: features may share
 * columns (the wide part), so a group has a row and takes the features one after another. */
#include "kernels/cuda/exec.cuh"
#include "kernels/embedding/embedding.h"

static const int BLOCKS =
    2112; /* of a launch, about: 16 for each of 132 multiprocessors, which then go on by strides */

/* Lanes for d columns: the next power of two, at most a warp. */
static __device__ __forceinline__ int lanes_for(int64_t d)
{
    int lanes = 1;
    while (lanes < 32 && lanes < d) {
        lanes *= 2;
    }
    return lanes;
}

static __device__ __forceinline__ bool is_present(const pen_embedding_feature &f, int32_t id)
{
    return id >= 0 && id < f.n_values;
}

/* Pooled value of column d of one row, as the CPU adds it: the ids in their order, each times the scale. */
static __device__ float pooled(const pen_embedding_feature &f, const float *table, int64_t row, int64_t d, float sum)
{
    if (f.row_offsets == NULL) {
        const int32_t id = f.ids[row * f.id_stride];
        return is_present(f, id) ? sum + table[id * f.dim + d] : sum;
    }
    const int64_t first = f.row_offsets[row], end = f.row_offsets[row + 1];
    float scale = 1.0f;
    if (f.mean) {
        int64_t n = 0;
        for (int64_t i = first; i < end; i++) {
            n += is_present(f, f.ids[i]);
        }
        scale = n > 0 ? 1.0f / static_cast<float>(n) : 0.0f;
    }
    for (int64_t i = first; i < end; i++) {
        const int32_t id = f.ids[i];
        sum += is_present(f, id) ? scale * table[id * f.dim + d] : 0.0f;
    }
    return sum;
}

static __global__ void embedding_replace_k(pen_embedding e)
{
    const pen_embedding_feature f = e.features[blockIdx.y];
    const float *table = e.values + f.offset;
    const int lanes = lanes_for(f.dim);
    const int64_t groups = static_cast<int64_t>(gridDim.x) * blockDim.x / lanes;
    for (int64_t row = pen_cuda_first() / lanes; row < e.n_rows; row += groups) {
        float *out = e.out + row * e.ld_out + f.column;
        for (int64_t d = threadIdx.x % lanes; d < f.dim; d += lanes) {
            out[d] = pooled(f, table, row, d, 0.0f);
        }
    }
}

static __global__ void embedding_add_k(pen_embedding e)
{
    for (int64_t row = pen_cuda_first(); row < e.n_rows; row += pen_cuda_step()) {
        for (int64_t k = 0; k < e.n_features; k++) {
            const pen_embedding_feature &f = e.features[k];
            float *out = e.out + row * e.ld_out + f.column;
            for (int64_t d = 0; d < f.dim; d++) {
                out[d] = pooled(f, e.values + f.offset, row, d, out[d]);
            }
        }
    }
}

extern "C" pen_status pen_embedding_forward_cuda(struct pen_exec *exec, const struct pen_embedding *e,
                                                 struct pen_error *err)
{
    if (e->n_rows < 0 || e->n_features < 0 || e->n_features > 65535) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "embedding_forward: expected sizes >= 0, found %lld rows, %lld features",
                 (long long)e->n_rows, (long long)e->n_features);
    }
    if (e->n_rows == 0 || e->n_features == 0) {
        return PEN_OK;
    }
    if (e->add) {
        PEN_LAUNCH(embedding_add_k, pen_cuda_grid(e->n_rows), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *e);
    } else {
        int64_t wanted = pen_ceil_div(e->n_rows, PEN_CUDA_BLOCK / 32), share = pen_ceil_div(BLOCKS, e->n_features);
        dim3 grid((unsigned)(wanted < share ? wanted : share), (unsigned)e->n_features);
        PEN_LAUNCH(embedding_replace_k, grid, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *e);
    }
    PEN_CUDA_LAUNCHED("embedding_forward", err);
    return PEN_OK;
}
