/* What a test tells the shim, and what the shim's own files share. */
#ifndef PEN_TESTS_SHIM_SHIM_H
#define PEN_TESTS_SHIM_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Order of the blocks of a grid and of the threads of a block: 0 as numbered, any other seed a permutation. A missing
 * barrier, or a block that counts on another, shows as a wrong value under some order. At the start: PEN_SHIM_ORDER. */
void pen_shim_set_order(uint64_t seed);

/* true: work on a stream runs only when something waits for it, so that a missing wait shows as a wrong value. At the
 * start: on when PEN_SHIM_DEFERRED is set. */
void pen_shim_set_deferred(bool deferred);

/* Device memory there is; more is cudaErrorMemoryAllocation. At the start: PEN_SHIM_MEMORY_MB, or 8 GiB. */
void pen_shim_set_memory(size_t bytes);

size_t pen_shim_live_bytes(void);
int64_t pen_shim_live_buffers(void);

#ifdef __cplusplus
}

#include <functional>

struct dim3;
struct CUstream_st;

namespace pen_shim
{
/* Opens device memory to the calling code while it lives: kernels and copies only. */
class open_memory
{
  public:
    open_memory();
    ~open_memory();
};
/* Whether [at, at + bytes) lies in one live buffer. */
bool is_device(const void *at, size_t bytes);
bool is_in_region(const void *at);
/* Whether it lies in one piece of cudaMallocHost's. */
bool is_pinned(const void *at, size_t bytes);
/* While a stream is captured nothing may be allocated, and copies start from pinned memory: their bytes are read at
 * each launch. */
bool is_capturing(void);
/* Whether the kernel ran in this process. */
bool was_launched(const void *kernel);
/* A library call's double: runs in its place on the stream. */
void enqueue_call(CUstream_st *stream, std::function<void()> what);
/* The same for one that other processes have a part in: false while it cannot end. */
void enqueue_attempt(CUstream_st *stream, std::function<bool()> what);
/* A fault of the code under test: says so and aborts. */
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_grid(const char *name, dim3 grid, dim3 block, size_t shared_bytes, void (*body)(void *), void *user);
} // namespace pen_shim
#endif

#endif
