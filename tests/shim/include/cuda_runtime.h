/* The host execution shim: stands where the CUDA toolkit's header of this name stands, so that the project's .cu files
 * compile unchanged as C++ for the host. A kernel's blocks run one after another, the threads of a block are fibers
 * that switch at barriers and warp exchanges (fibers.cc); device memory is closed to the host (memory.cc); streams and
 * graphs are queues of calls (stream.cc). Only what the project uses is here. README.md says what this shows. */
#ifndef PEN_TESTS_SHIM_CUDA_RUNTIME_H
#define PEN_TESTS_SHIM_CUDA_RUNTIME_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <math.h>

#define PEN_CUDA_SHIM 1
#define __CUDA_ARCH_LIST__ 800

/* ---- the language ---- */

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) double2 {
    double x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(16) int4 {
    int x, y, z, w;
};

static inline float4 make_float4(float x, float y, float z, float w)
{
    return float4{x, y, z, w};
}

struct CUstream_st;
struct CUevent_st;
struct CUgraph_st;
struct CUgraphExec_st;
typedef CUstream_st *cudaStream_t;
typedef CUevent_st *cudaEvent_t;
typedef CUgraph_st *cudaGraph_t;
typedef CUgraphExec_st *cudaGraphExec_t;

namespace pen_shim
{

struct place {
    uint3 thread, block;
    dim3 block_dim, grid_dim;
};

enum exchange_kind { SHUFFLE, BALLOT, WARP_BARRIER };

extern __thread const place *here; /* of the running fiber */

const char *kernel_name(void);
void block_barrier(void);
int block_count(int predicate); /* a barrier; the number of threads whose predicate holds */
/* Waits for all lanes of the mask. SHUFFLE: the value of lane `source`; BALLOT: bit l = lane l's value is not 0. */
uint64_t exchange(exchange_kind kind, unsigned mask, uint64_t value, int source);
int lane(void);
void *shared_dynamic(void);
void *shared_static(const void *key, size_t bytes); /* the same memory for the same key, within a block */
void enqueue_kernel(const char *name, const void *kernel, dim3 grid, dim3 block, size_t shared_bytes,
                    cudaStream_t stream, std::function<void()> body);

template <class Kernel, class... Arguments>
void launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, Kernel kernel,
            Arguments... arguments)
{
    enqueue_kernel(name, reinterpret_cast<const void *>(kernel), grid, block, shared_bytes, stream,
                   [=]() { kernel(arguments...); });
}

template <class T> uint64_t to_bits(T value)
{
    static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T> T from_bits(uint64_t bits)
{
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace pen_shim

#define threadIdx (pen_shim::here->thread)
#define blockIdx (pen_shim::here->block)
#define blockDim (pen_shim::here->block_dim)
#define gridDim (pen_shim::here->grid_dim)
enum { warpSize = 32 };

#define PEN_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
    pen_shim::launch(#kernel, dim3(grid), dim3(block), (shared_bytes), (stream), kernel, __VA_ARGS__)
#define PEN_SHARED_DYN(T, name) T *name = static_cast<T *>(pen_shim::shared_dynamic())
#define PEN_SHARED(T, name, dims)         \
    static const char pen_key_##name = 0; \
    T(&name) dims = *reinterpret_cast<T(*) dims>(pen_shim::shared_static(&pen_key_##name, sizeof(T dims)))

static inline void __syncthreads(void)
{
    pen_shim::block_barrier();
}
static inline int __syncthreads_count(int predicate)
{
    return pen_shim::block_count(predicate);
}
static inline int __syncthreads_or(int predicate)
{
    return pen_shim::block_count(predicate) > 0;
}
static inline int __syncthreads_and(int predicate)
{
    return pen_shim::block_count(!predicate) == 0;
}
static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    (void)pen_shim::exchange(pen_shim::WARP_BARRIER, mask, 0, 0);
}
static inline void __threadfence(void)
{
}
static inline unsigned __ballot_sync(unsigned mask, int predicate)
{
    return (unsigned)pen_shim::exchange(pen_shim::BALLOT, mask, predicate != 0, 0);
}
static inline int __any_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, predicate) != 0;
}
static inline int __all_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, !predicate) == 0;
}
template <class T> T pen_shim_shuffle(unsigned mask, T value, int source, int width)
{
    int lane = pen_shim::lane(), first = lane & ~(width - 1);
    int from = source < first || source >= first + width ? lane : source; /* outside: its own value */
    return pen_shim::from_bits<T>(pen_shim::exchange(pen_shim::SHUFFLE, mask, pen_shim::to_bits(value), from));
}
template <class T> T __shfl_sync(unsigned mask, T value, int source, int width = 32)
{
    int lane = pen_shim::lane();
    return pen_shim_shuffle(mask, value, (lane & ~(width - 1)) + (source & (width - 1)), width);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    return pen_shim_shuffle(mask, value, pen_shim::lane() - (int)delta, width);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    return pen_shim_shuffle(mask, value, pen_shim::lane() + (int)delta, width);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32)
{
    return pen_shim_shuffle(mask, value, pen_shim::lane() ^ lanes, width);
}

/* One fiber runs at a time, so an atomic is the plain operation. */
template <class T, class U> T atomicAdd(T *at, U value)
{
    T before = *at;
    *at = before + (T)value;
    return before;
}
template <class T, class U> T atomicMax(T *at, U value)
{
    T before = *at;
    *at = before > (T)value ? before : (T)value;
    return before;
}
template <class T, class U> T atomicMin(T *at, U value)
{
    T before = *at;
    *at = before < (T)value ? before : (T)value;
    return before;
}
template <class T, class U> T atomicExch(T *at, U value)
{
    T before = *at;
    *at = (T)value;
    return before;
}
template <class T, class U, class V> T atomicCAS(T *at, U expected, V value)
{
    T before = *at;
    *at = before == (T)expected ? (T)value : before;
    return before;
}
template <class T, class U> T atomicOr(T *at, U value)
{
    T before = *at;
    *at = before | (T)value;
    return before;
}

template <class T> T __ldg(const T *at)
{
    return *at;
}
static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}
static inline int __clz(int x)
{
    return x == 0 ? 32 : __builtin_clz((unsigned)x);
}
static inline unsigned __umulhi(unsigned x, unsigned y)
{
    return (unsigned)(((uint64_t)x * y) >> 32);
}
static inline unsigned __float_as_uint(float x)
{
    return pen_shim::from_bits<unsigned>(pen_shim::to_bits(x));
}
static inline float __uint_as_float(unsigned x)
{
    return pen_shim::from_bits<float>(pen_shim::to_bits(x));
}
static inline double __dmul_rn(double x, double y)
{
    return x * y; /* the shim's build never fuses it with a sum */
}
static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

/* ---- the runtime ---- */

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorNotReady = 600,
    cudaErrorStreamCaptureUnsupported = 900
};
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr {
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };

struct cudaUUID_t {
    char bytes[16];
};

struct cudaDeviceProp {
    char name[256];
    cudaUUID_t uuid;
    size_t totalGlobalMem;
    int major, minor, multiProcessorCount;
};

const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError(void);
cudaError_t cudaPeekAtLastError(void);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaDeviceSynchronize(void);

cudaError_t cudaMalloc(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMallocHost(void **memory, size_t bytes);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *memory, int byte, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemset(void *memory, int byte, size_t bytes);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventQuery(cudaEvent_t event);
cudaError_t cudaEventSynchronize(cudaEvent_t event);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

template <class Function> cudaError_t cudaFuncSetAttribute(Function, int, int)
{
    return cudaSuccess;
}
enum { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

#endif
