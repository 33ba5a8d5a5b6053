/* What every .cu file of the project shares: launching, shared memory, checked calls, reductions in a fixed order.
 *
 * The host execution shim (tests/shim) compiles the same files without a toolkit; its cuda_runtime.h brings PEN_LAUNCH,
 * PEN_SHARED and PEN_SHARED_DYN of its own, so kernels are launched and shared memory is declared by these alone. */
#ifndef PEN_KERNELS_CUDA_COMMON_CUH
#define PEN_KERNELS_CUDA_COMMON_CUH

#include "core/status.h"
#include "kernels/exec.h"

#include <cuda_runtime.h>

/* PEN_LAUNCH((kernel<float>), grid, block, shared_bytes, stream, arguments...), then PEN_CUDA_LAUNCHED.
 * PEN_SHARED(T, name, [32][33]): an array of the block. PEN_SHARED_DYN(T, name): the launch's shared_bytes. */
#ifndef PEN_LAUNCH
#define PEN_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
    kernel<<<(grid), (block), (shared_bytes), (stream)>>>(__VA_ARGS__)
#define PEN_SHARED(T, name, dims) __shared__ T name dims
#define PEN_SHARED_DYN(T, name)                                        \
    extern __shared__ __align__(16) unsigned char pen_shared_memory[]; \
    T *name = reinterpret_cast<T *>(pen_shared_memory)
#endif

/* Returns a failure of the runtime as one line: what was called, what CUDA said. */
#define PEN_CUDA(err, call)                                                                                     \
    do {                                                                                                        \
        cudaError_t pen_cuda_error_ = (call);                                                                   \
        if (pen_cuda_error_ != cudaSuccess) {                                                                   \
            (void)pen_error_set((err), __FILE__, __LINE__,                                                      \
                                pen_cuda_error_ == cudaErrorMemoryAllocation ? PEN_ERR_MEMORY : PEN_ERR_DEVICE, \
                                "CUDA: %s: %s", #call, cudaGetErrorString(pen_cuda_error_));                    \
            return pen_cuda_error_ == cudaErrorMemoryAllocation ? PEN_ERR_MEMORY : PEN_ERR_DEVICE;              \
        }                                                                                                       \
    } while (0)

/* After a launch: `op` and what CUDA said of it. */
#define PEN_CUDA_LAUNCHED(op, err)                                                                        \
    do {                                                                                                  \
        cudaError_t pen_cuda_error_ = cudaGetLastError();                                                 \
        if (pen_cuda_error_ != cudaSuccess) {                                                             \
            (void)pen_error_set((err), __FILE__, __LINE__, PEN_ERR_DEVICE, "%s: cannot launch: %s", (op), \
                                cudaGetErrorString(pen_cuda_error_));                                     \
            return PEN_ERR_DEVICE;                                                                        \
        }                                                                                                 \
    } while (0)

constexpr int PEN_CUDA_BLOCK = 256;

static inline int64_t pen_ceil_div(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

/* Blocks for n items in a grid-stride loop: enough to fill any device, at most 2^20. */
static inline unsigned pen_cuda_grid(int64_t n, int block = PEN_CUDA_BLOCK)
{
    int64_t blocks = pen_ceil_div(n, block);
    return (unsigned)(blocks < 1 ? 1 : blocks > (1 << 20) ? 1 << 20 : blocks);
}

/* May items of so many bytes (a power of two) be read and written there at once? */
static __host__ __device__ inline bool pen_cuda_aligned(const void *at, size_t bytes)
{
    return reinterpret_cast<uintptr_t>(at) % bytes == 0;
}

/* First item and step of a grid-stride loop. */
static __device__ __forceinline__ int64_t pen_cuda_first(void)
{
    return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}
static __device__ __forceinline__ int64_t pen_cuda_step(void)
{
    return (int64_t)gridDim.x * blockDim.x;
}

/* Sum over the lanes of a full warp, in lane 0: halves added to halves, always in the same order. */
template <class T> static __device__ __forceinline__ T pen_warp_sum(T value)
{
    for (int delta = 16; delta > 0; delta /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, delta);
    }
    return value;
}

/* Sum over a block of full warps, in thread 0. partial: shared, a T for each warp. Every thread of the block comes. */
template <class T> static __device__ __forceinline__ T pen_block_sum(T value, T *partial)
{
    int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32), n_warps = (int)(blockDim.x / 32);
    value = pen_warp_sum(value);
    if (lane == 0) {
        partial[warp] = value;
    }
    __syncthreads();
    if (warp == 0) {
        value = pen_warp_sum(lane < n_warps ? partial[lane] : T(0));
    }
    __syncthreads();
    return value;
}

/* Sum over the block's threads up to and with this one; *total: over all. partial: shared, a T for each warp. */
template <class T> static __device__ __forceinline__ T pen_block_scan(T value, T *partial, T *total)
{
    int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32), n_warps = (int)(blockDim.x / 32);
    for (int delta = 1; delta < 32; delta *= 2) {
        T before = __shfl_up_sync(0xffffffffu, value, delta);
        value += lane >= delta ? before : T(0);
    }
    if (lane == 31) {
        partial[warp] = value;
    }
    __syncthreads();
    if (warp == 0) {
        T sum = lane < n_warps ? partial[lane] : T(0);
        for (int delta = 1; delta < 32; delta *= 2) {
            T before = __shfl_up_sync(0xffffffffu, sum, delta);
            sum += lane >= delta ? before : T(0);
        }
        if (lane < n_warps) {
            partial[lane] = sum;
        }
    }
    __syncthreads();
    value += warp > 0 ? partial[warp - 1] : T(0);
    *total = partial[n_warps - 1];
    __syncthreads();
    return value;
}

#endif
