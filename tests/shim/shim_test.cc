/* The shim itself: small kernels that must come out right in every order, and small kernels with a planted fault, each
 * of which it must catch. A fault that ends the process is looked at from outside, in a child. */
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/module.h"
#include "tests/pen_test.h"
#include "tests/shim/shim.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern "C" const struct pen_test_suite pen_suite_shim;

/* Of its own name: launched_test.cc leaves these kernels out. */
namespace planted
{

/* Device memory of n items. */
template <class T> class device
{
  public:
    explicit device(size_t n) : n_(n)
    {
        PEN_CHECK_EQ_I64(cudaMalloc(reinterpret_cast<void **>(&data_), n * sizeof(T)), cudaSuccess);
    }
    ~device()
    {
        (void)cudaFree(data_);
    }
    T *data(void) const
    {
        return data_;
    }
    std::vector<T> get(void) const
    {
        std::vector<T> host(n_);
        PEN_CHECK_EQ_I64(cudaMemcpy(host.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
        return host;
    }
    void set(const std::vector<T> &host) const
    {
        PEN_CHECK_EQ_I64(cudaMemcpy(data_, host.data(), n_ * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
    }

  private:
    size_t n_;
    T *data_ = nullptr;
};

std::vector<double> numbers(int n)
{
    std::vector<double> out(static_cast<size_t>(n));
    for (int i = 0; i < n; i++) {
        out[static_cast<size_t>(i)] = (i * 37) % 101 - 50;
    }
    return out;
}

/* Every seed's order, and back to the natural one. */
template <class Work> void in_every_order(Work work)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        pen_shim_set_order(seed);
        work();
    }
    pen_shim_set_order(0);
}

/* ---- right kernels ---- */

__global__ void sum_k(double *out, const double *in, int64_t n)
{
    PEN_SHARED_DYN(double, partial);
    double sum = 0;
    for (int64_t i = pen_cuda_first(); i < n; i += pen_cuda_step()) {
        sum += in[i];
    }
    sum = pen_block_sum(sum, partial);
    if (threadIdx.x == 0) {
        out[blockIdx.x] = sum;
    }
}

__global__ void scan_k(double *out, double *totals, const double *in)
{
    PEN_SHARED(double, partial, [8]);
    double total = 0;
    out[threadIdx.x] = pen_block_scan(in[threadIdx.x], partial, &total);
    totals[threadIdx.x] = total;
}

template <class T> __global__ void transpose_k(T *out, const T *in, int width)
{
    PEN_SHARED(T, tile, [8][9]);
    tile[threadIdx.y][threadIdx.x] =
        in[(blockIdx.y * 8 + threadIdx.y) * static_cast<unsigned>(width) + blockIdx.x * 8 + threadIdx.x];
    __syncthreads();
    out[(blockIdx.x * 8 + threadIdx.y) * static_cast<unsigned>(width) + blockIdx.y * 8 + threadIdx.x] =
        tile[threadIdx.x][threadIdx.y];
}

void block_sums_are_right_in_every_order(void)
{
    const int n = 5000;
    std::vector<double> host = numbers(n);
    device<double> in(n), out(4);
    in.set(host);
    double expected = 0;
    for (double value : host) {
        expected += value;
    }
    in_every_order([&]() {
        PEN_LAUNCH(sum_k, 4, 256, 8 * sizeof(double), nullptr, out.data(), in.data(), int64_t{n});
        double sum = 0;
        for (double value : out.get()) {
            sum += value;
        }
        PEN_CHECK_EQ_F64(sum, expected);
    });
}

void scans_are_right_in_every_order(void)
{
    std::vector<double> host = numbers(256);
    device<double> in(256), out(256), totals(256);
    in.set(host);
    in_every_order([&]() {
        PEN_LAUNCH(scan_k, 1, 256, 0, nullptr, out.data(), totals.data(), in.data());
        std::vector<double> found = out.get(), all = totals.get();
        double sum = 0;
        for (size_t i = 0; i < 256; i++) {
            sum += host[i];
            PEN_CHECK_EQ_F64(found[i], sum);
        }
        PEN_CHECK_EQ_F64(all[0], sum);
        PEN_CHECK_EQ_F64(all[255], sum);
    });
}

void a_tile_is_transposed(void)
{
    const int width = 24;
    std::vector<double> host = numbers(width * width);
    device<double> in(host.size()), out(host.size());
    in.set(host);
    in_every_order([&]() {
        PEN_LAUNCH((transpose_k<double>), dim3(3, 3), dim3(8, 8), 0, nullptr, out.data(), in.data(), width);
        std::vector<double> found = out.get();
        for (size_t i = 0; i < host.size(); i++) {
            PEN_CHECK_EQ_F64(found[i], host[i % width * width + i / width]);
        }
    });
}

__global__ void votes_k(unsigned *out)
{
    unsigned lane = threadIdx.x % 32;
    out[threadIdx.x] =
        lane < 16 ? __ballot_sync(0x0000ffffu, lane % 2 == 0) : __ballot_sync(0xffff0000u, lane % 4 == 0);
}

void votes_of_halves_keep_apart(void)
{
    device<unsigned> out(64);
    in_every_order([&]() {
        PEN_LAUNCH(votes_k, 1, 64, 0, nullptr, out.data());
        std::vector<unsigned> found = out.get();
        PEN_CHECK_EQ_I64(found[3], 0x00005555);
        PEN_CHECK_EQ_I64(found[32 + 20], 0x11110000);
    });
}

/* ---- streams and graphs ---- */

__global__ void add_k(int *at, int value)
{
    *at += value;
}

void a_graph_does_again_what_was_captured(void)
{
    cudaStream_t stream = nullptr;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    device<int> at(1);
    at.set({1});
    PEN_CHECK_EQ_I64(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    PEN_CHECK_EQ_I64(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    PEN_LAUNCH(add_k, 1, 1, 0, stream, at.data(), 10);
    PEN_CHECK_EQ_I64(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    int pageable = 1;
    void *memory = nullptr;
    PEN_CHECK_EQ_I64(cudaMalloc(&memory, 4), cudaErrorStreamCaptureUnsupported);
    PEN_CHECK_EQ_I64(cudaMemcpyAsync(at.data(), &pageable, sizeof pageable, cudaMemcpyHostToDevice, stream),
                     cudaErrorStreamCaptureUnsupported);
    (void)cudaGetLastError();
    PEN_CHECK_EQ_I64(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    PEN_CHECK_EQ_I64(at.get()[0], 1);
    PEN_CHECK_EQ_I64(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    for (int i = 0; i < 3; i++) {
        PEN_CHECK_EQ_I64(cudaGraphLaunch(exec, stream), cudaSuccess);
    }
    PEN_CHECK_EQ_I64(cudaStreamSynchronize(stream), cudaSuccess);
    PEN_CHECK_EQ_I64(at.get()[0], 31);
    (void)cudaGraphExecDestroy(exec);
    (void)cudaGraphDestroy(graph);
    (void)cudaStreamDestroy(stream);
}

void deferred_work_waits_until_it_is_waited_for(void)
{
    device<int> at(1);
    int host = -1;
    cudaStream_t stream = nullptr;
    at.set({5});
    PEN_CHECK_EQ_I64(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    pen_shim_set_deferred(true);
    PEN_CHECK_EQ_I64(cudaMemcpyAsync(&host, at.data(), sizeof host, cudaMemcpyDeviceToHost, stream), cudaSuccess);
    PEN_CHECK_EQ_I64(host, -1); /* a program that reads here has forgotten to wait */
    PEN_CHECK_EQ_I64(cudaStreamSynchronize(stream), cudaSuccess);
    PEN_CHECK_EQ_I64(host, 5);
    pen_shim_set_deferred(false);
    (void)cudaStreamDestroy(stream);
}

void wrong_launches_and_copies_are_errors(void)
{
    device<int> at(4);
    int host = 0;
    PEN_LAUNCH(add_k, 1, 2048, 0, nullptr, at.data(), 1);
    PEN_CHECK_EQ_I64(cudaGetLastError(), cudaErrorInvalidConfiguration);
    PEN_CHECK_EQ_I64(cudaMemcpy(at.data() + 4, &host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    PEN_CHECK_EQ_I64(cudaMemcpy(&host, at.data(), 5 * sizeof host, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
    (void)cudaGetLastError();
    void *memory = nullptr;
    pen_shim_set_memory(1 << 20);
    PEN_CHECK_EQ_I64(cudaMalloc(&memory, 2 << 20), cudaErrorMemoryAllocation);
    pen_shim_set_memory(size_t{8} << 30);
}

/* ---- planted faults ---- */

/* What `work` says before it dies of it; empty when it lives. */
template <class Work> std::string last_words(Work work)
{
    int ends[2];
    std::string words;
    if (pipe(ends) != 0) {
        return words;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], 2);
        (void)close(ends[0]);
        work();
        _exit(0);
    }
    (void)close(ends[1]);
    char buffer[512];
    for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
        words.append(buffer, static_cast<size_t>(n));
    }
    (void)close(ends[0]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    PEN_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "expected an abort, found status %d", status);
    return words;
}

__global__ void reverse_without_barrier_k(int *out, const int *in)
{
    PEN_SHARED(int, tile, [64]);
    tile[threadIdx.x] = in[threadIdx.x];
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

void a_missing_barrier_shows_in_some_order(void)
{
    device<int> in(64), out(64);
    std::vector<int> host(64);
    for (int i = 0; i < 64; i++) {
        host[static_cast<size_t>(i)] = i;
    }
    in.set(host);
    int n_wrong = 0;
    in_every_order([&]() {
        PEN_LAUNCH(reverse_without_barrier_k, 1, 64, 0, nullptr, out.data(), in.data());
        std::vector<int> found = out.get();
        for (size_t i = 0; i < 64; i++) {
            n_wrong += found[i] != host[63 - i];
        }
    });
    PEN_CHECK(n_wrong > 0);
}

__global__ void leave_early_k(int *out)
{
    if (threadIdx.x >= 40) {
        return;
    }
    __syncthreads();
    out[threadIdx.x] = 1;
}

void a_barrier_that_some_threads_leave_out_is_named(void)
{
    std::string words = last_words([]() {
        device<int> out(64);
        PEN_LAUNCH(leave_early_k, 1, 64, 0, nullptr, out.data());
    });
    PEN_CHECK_CONTAINS(words.c_str(), "40 threads wait at a block barrier");
    PEN_CHECK_CONTAINS(words.c_str(), "24 have returned");
    PEN_CHECK_CONTAINS(words.c_str(), "kernel leave_early_k");
}

__global__ void write_k(int *out, int at)
{
    out[at] = 1;
}

void a_write_behind_a_buffer_is_named(void)
{
    std::string words = last_words([]() {
        device<int> out(64);
        PEN_LAUNCH(write_k, 1, 1, 0, nullptr, out.data(), 64);
    });
    PEN_CHECK_CONTAINS(words.c_str(), "touched device memory 256 bytes into a buffer of 256 bytes");
    PEN_CHECK_CONTAINS(words.c_str(), "kernel write_k, block (0, 0, 0), thread (0, 0, 0)");
    words = last_words([]() { /* within the last 16 bytes: seen when it is freed */
                              device<int> out(1);
                              PEN_LAUNCH(write_k, 1, 1, 0, nullptr, out.data(), 1);
    });
    PEN_CHECK_CONTAINS(words.c_str(), "a buffer of 4 bytes was written past its end");
}

void the_host_cannot_touch_device_memory(void)
{
    std::string words = last_words([]() {
        device<int> out(64);
        std::printf("%d", out.data()[3]);
    });
    PEN_CHECK_CONTAINS(words.c_str(), "host code touched device memory 12 bytes into a buffer of 256 bytes");
}

void a_freed_buffer_stays_closed(void)
{
    std::string words = last_words([]() {
        int *kept = nullptr;
        {
            device<int> out(64);
            kept = out.data();
        }
        PEN_LAUNCH(write_k, 1, 1, 0, nullptr, kept, 0);
    });
    PEN_CHECK_CONTAINS(words.c_str(), "freed buffer");
}

__global__ void shuffle_outside_k(int *out)
{
    if (threadIdx.x < 16) {
        out[threadIdx.x] = __shfl_down_sync(0x0000ffffu, (int)threadIdx.x, 8);
    }
}

__global__ void shuffle_absent_k(int *out)
{
    if (threadIdx.x < 16) {
        out[threadIdx.x] = __shfl_down_sync(0xffffffffu, (int)threadIdx.x, 8);
    }
}

void a_shuffle_with_the_wrong_mask_is_named(void)
{
    std::string words = last_words([]() {
        device<int> out(32);
        PEN_LAUNCH(shuffle_outside_k, 1, 32, 0, nullptr, out.data());
    });
    PEN_CHECK_CONTAINS(words.c_str(), "which is not in its mask 0000ffff");
    words = last_words([]() {
        device<int> out(32);
        PEN_LAUNCH(shuffle_absent_k, 1, 32, 0, nullptr, out.data());
    });
    PEN_CHECK_CONTAINS(words.c_str(), "16 at a warp exchange (the named one with mask ffffffff), 16 have returned");
}

__global__ void unwritten_k(double *out)
{
    PEN_SHARED(double, tile, [32]);
    if (threadIdx.x == 0) {
        tile[0] = 1;
    }
    __syncthreads();
    out[threadIdx.x] = tile[threadIdx.x];
}

void memory_nobody_wrote_is_nan(void)
{
    device<double> out(32), fresh(2);
    PEN_LAUNCH(unwritten_k, 2, 32, 0, nullptr, out.data());
    std::vector<double> found = out.get();
    PEN_CHECK(found[0] == 1 && isnan(found[1]) && isnan(found[31]));
    PEN_CHECK(isnan(fresh.get()[1]));
}

/* Before a suite calls one that is not there. */
void the_cuda_table_has_every_op(void)
{
#define PEN_OP_PRESENT(op) PEN_CHECK_MSG(pen_cuda_kernels.op != NULL, "op %s: no row in kernels/cuda/table.c", #op);
    PEN_OP_LIST(PEN_OP_PRESENT)
#undef PEN_OP_PRESENT
}

} // namespace planted

using namespace planted;

PEN_SUITE(shim, PEN_CASE(the_cuda_table_has_every_op), PEN_CASE(block_sums_are_right_in_every_order),
          PEN_CASE(scans_are_right_in_every_order), PEN_CASE(a_tile_is_transposed),
          PEN_CASE(votes_of_halves_keep_apart), PEN_CASE(a_graph_does_again_what_was_captured),
          PEN_CASE(deferred_work_waits_until_it_is_waited_for), PEN_CASE(wrong_launches_and_copies_are_errors),
          PEN_CASE(a_missing_barrier_shows_in_some_order), PEN_CASE(a_barrier_that_some_threads_leave_out_is_named),
          PEN_CASE(a_write_behind_a_buffer_is_named), PEN_CASE(the_host_cannot_touch_device_memory),
          PEN_CASE(a_freed_buffer_stays_closed), PEN_CASE(a_shuffle_with_the_wrong_mask_is_named),
          PEN_CASE(memory_nobody_wrote_is_nan));
