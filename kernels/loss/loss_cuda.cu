/* Losses, gradients and links: one visit of the logits, lanes along a row's outputs (1, 2, 4 ... 32 lanes a row, as
 * many as there are outputs), so a warp reads whole rows one after another; sigmoid and squared take a thread a row. A
 * lane keeps nothing of a row but its largest logit and its sum; exponents are computed again when they are written.
 *
 * Sums: each thread adds its rows in order, each block its threads, a last block the blocks: no atomics, and the number
 * of rows and outputs alone fixes the order. 4 C bytes a row read from memory, 4 C written. */
#include "kernels/cuda/exec.cuh"
#include "kernels/loss/loss.h"

static constexpr int MOST_BLOCKS = 1024;

struct loss_part {
    double loss, weight;
};

/* Which row of a block's a thread works on, and as which of the row's lanes. */
struct seat {
    int lanes, rows, row, lane;
};

static __device__ __forceinline__ seat take_seat(int lanes)
{
    int t = (int)threadIdx.x;
    return {lanes, PEN_CUDA_BLOCK / lanes, t / lanes, t % lanes};
}

static __device__ __forceinline__ float sigmoid(float z)
{
    return z >= 0.0f ? 1.0f / (1.0f + expf(-z)) : expf(z) / (1.0f + expf(z));
}

/* Over the lanes of a row; every lane of the warp comes, and all lanes of the row get it. */
static __device__ __forceinline__ float row_max(float value, int lanes)
{
    for (int delta = lanes / 2; delta > 0; delta /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, value, delta);
        value = other > value ? other : value;
    }
    return value;
}

static __device__ __forceinline__ float row_sum(float value, int lanes)
{
    for (int delta = lanes / 2; delta > 0; delta /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, delta);
    }
    return value;
}

/* top: the largest of the row's n logits; the result: sum of e^(z - top). NaN when one is NaN. n = 0: not a row. */
static __device__ __forceinline__ float softmax_sum(const float *z, int64_t n, const seat &at, float *top)
{
    float largest = -INFINITY, sum = 0;
    for (int64_t c = at.lane; c < n; c += at.lanes) {
        largest = z[c] > largest ? z[c] : largest;
    }
    *top = row_max(largest, at.lanes);
    for (int64_t c = at.lane; c < n; c += at.lanes) {
        sum += expf(z[c] - *top);
    }
    return row_sum(sum, at.lanes);
}

/* ---- loss ---- */

static __device__ __forceinline__ bool counts(const pen_loss &l, float y, float u)
{
    return !isnan(y) && u > 0.0f && (l.kind != PEN_LOSS_SOFTMAX || (y >= 0.0f && y < (float)l.n_outputs));
}

static __device__ void write_part(loss_part *parts, double loss, double weight)
{
    PEN_SHARED(double, partial, [PEN_CUDA_BLOCK / 32]);
    loss = pen_block_sum(loss, partial);
    weight = pen_block_sum(weight, partial);
    if (threadIdx.x == 0) {
        parts[blockIdx.x] = {loss, weight};
    }
}

static __global__ void single_k(pen_loss l, loss_part *parts)
{
    double loss_sum = 0, weight_sum = 0;
    for (int64_t row = pen_cuda_first(); row < l.n_rows; row += pen_cuda_step()) {
        float z = l.logits[row], y = l.label[row], u = l.weight != NULL ? l.weight[row] : 1.0f, slope = 0;
        if (counts(l, y, u)) {
            double loss;
            if (l.kind == PEN_LOSS_SIGMOID) {
                loss = (double)(z > 0.0f ? z : 0.0f) - (double)z * (double)y + (double)log1pf(expf(-fabsf(z)));
                slope = l.scale * u * (sigmoid(z) - y);
            } else {
                float difference = z - (float)(((double)y - l.label_shift) / l.label_scale);
                loss = 0.5 * (double)difference * (double)difference;
                slope = l.scale * u * difference;
            }
            loss_sum += (double)u * loss;
            weight_sum += (double)u;
        }
        if (l.gradient != NULL) {
            l.gradient[row] = slope;
        }
    }
    write_part(parts, loss_sum, weight_sum);
}

static __global__ void softmax_k(pen_loss l, int lanes, loss_part *parts)
{
    seat at = take_seat(lanes);
    double loss_sum = 0, weight_sum = 0;
    int64_t step = (int64_t)gridDim.x * at.rows;
    for (int64_t first = (int64_t)blockIdx.x * at.rows; first < l.n_rows; first += step) {
        int64_t row = first + at.row;
        bool inside = row < l.n_rows;
        float y = inside ? l.label[row] : NAN, u = inside && l.weight != NULL ? l.weight[row] : 1.0f;
        bool counted = counts(l, y, u);
        const float *z = l.logits + row * l.n_outputs;
        int64_t target = counted ? (int64_t)y : -1;
        float top = 0, sum = softmax_sum(z, counted ? l.n_outputs : 0, at, &top);
        if (counted && at.lane == 0) {
            loss_sum += (double)u * ((double)logf(sum) + (double)top - (double)z[target]);
            weight_sum += (double)u;
        }
        __syncwarp(); /* the gradient may take the logits' place */
        for (int64_t c = at.lane; inside && l.gradient != NULL && c < l.n_outputs; c += at.lanes) {
            float slope = counted ? l.scale * u * (expf(z[c] - top) / sum - (c == target ? 1.0f : 0.0f)) : 0.0f;
            l.gradient[row * l.n_outputs + c] = slope;
        }
    }
    write_part(parts, loss_sum, weight_sum);
}

static __global__ void add_parts_k(pen_step_sums *sums, const loss_part *parts, int n, const pen_training_step *step)
{
    PEN_SHARED(double, partial, [PEN_CUDA_BLOCK / 32]);
    double loss = 0, weight = 0;
    for (int i = (int)threadIdx.x; i < n; i += PEN_CUDA_BLOCK) {
        loss += parts[i].loss;
        weight += parts[i].weight;
    }
    loss = pen_block_sum(loss, partial);
    weight = pen_block_sum(weight, partial);
    if (threadIdx.x == 0) {
        sums->loss += loss;
        sums->weight += weight;
        if (step != NULL && !isfinite(loss) && sums->n_diverged++ == 0) {
            sums->first_diverged = step->number;
        }
    }
}

static int lanes_for(int64_t n_outputs)
{
    int lanes = 1;
    while (lanes < 32 && lanes < n_outputs) {
        lanes *= 2;
    }
    return lanes;
}

static unsigned blocks_for(int64_t n_rows, int lanes)
{
    int64_t blocks = pen_ceil_div(n_rows, PEN_CUDA_BLOCK / lanes);
    return (unsigned)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

extern "C" pen_status pen_loss_cuda(struct pen_exec *exec, const struct pen_loss *l, struct pen_error *err)
{
    PEN_TRY(pen_loss_check("loss", l->kind, l->n_rows, l->n_outputs, err));
    if (l->n_rows == 0) {
        return PEN_OK;
    }
    int lanes = lanes_for(l->n_outputs);
    unsigned blocks = blocks_for(l->n_rows, lanes);
    char *workspace = NULL;
    PEN_TRY(pen_cuda_workspace(exec, &workspace, blocks * sizeof(loss_part), "loss", err));
    auto *parts = reinterpret_cast<loss_part *>(workspace);
    if (l->kind == PEN_LOSS_SOFTMAX) {
        PEN_LAUNCH(softmax_k, blocks, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l, lanes, parts);
    } else {
        PEN_LAUNCH(single_k, blocks, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l, parts);
    }
    PEN_CUDA_LAUNCHED("loss", err);
    PEN_LAUNCH(add_parts_k, 1, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), l->sums, parts, (int)blocks, l->step);
    PEN_CUDA_LAUNCHED("loss", err);
    return PEN_OK;
}

/* ---- link ---- */

static __global__ void single_link_k(pen_link l)
{
    for (int64_t row = pen_cuda_first(); row < l.n_rows; row += pen_cuda_step()) {
        float z = l.logits[row];
        l.out[row] = l.kind == PEN_LOSS_SIGMOID ? sigmoid(z) : (float)((double)z * l.label_scale + l.label_shift);
    }
}

static __global__ void softmax_link_k(pen_link l, int lanes)
{
    seat at = take_seat(lanes);
    int64_t step = (int64_t)gridDim.x * at.rows;
    for (int64_t first = (int64_t)blockIdx.x * at.rows; first < l.n_rows; first += step) {
        int64_t row = first + at.row, n = row < l.n_rows ? l.n_outputs : 0;
        const float *z = l.logits + row * l.n_outputs;
        float top = 0, sum = softmax_sum(z, n, at, &top);
        for (int64_t c = at.lane; c < n; c += at.lanes) {
            l.out[row * l.n_outputs + c] = expf(z[c] - top) / sum;
        }
    }
}

extern "C" pen_status pen_link_cuda(struct pen_exec *exec, const struct pen_link *l, struct pen_error *err)
{
    PEN_TRY(pen_loss_check("link", l->kind, l->n_rows, l->n_outputs, err));
    if (l->n_rows == 0) {
        return PEN_OK;
    }
    int lanes = lanes_for(l->n_outputs);
    unsigned blocks = blocks_for(l->n_rows, lanes);
    if (l->kind == PEN_LOSS_SOFTMAX) {
        PEN_LAUNCH(softmax_link_k, blocks, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l, lanes);
    } else {
        PEN_LAUNCH(single_link_k, blocks, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *l);
    }
    PEN_CUDA_LAUNCHED("link", err);
    return PEN_OK;
}
