/* Streams, events and graphs: queues of calls. A call runs when it is made, or (deferred) when something waits for its
 * stream. One that cannot end yet, because another process has its part in it, stays at the head of its queue until it
 * can; who waits for it without asking waits as on a device, but not for ever. A stream that is being captured collects
 * its calls in a graph, which a launch queues again. */
#include "tests/shim/shim.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <deque>
#include <set>
#include <unistd.h>
#include <vector>

using call = std::function<bool()>; /* false: not yet */

struct CUgraph_st {
    std::vector<call> calls;
};

struct CUgraphExec_st {
    std::vector<call> calls;
};

struct CUstream_st {
    std::deque<call> queue;
    CUgraph_st *captured = nullptr;
};

struct CUevent_st {
    uint64_t recorded = 0, reached = 0; /* how often */
    CUstream_st *stream = nullptr;
};

namespace
{

int devices_at_start(void)
{
    const char *asked = std::getenv("PEN_SHIM_DEVICES");
    return asked != nullptr ? std::atoi(asked) : 1;
}

CUstream_st default_stream;
std::set<CUstream_st *> streams = {&default_stream};
bool deferred = std::getenv("PEN_SHIM_DEFERRED") != nullptr;
cudaError_t last_error = cudaSuccess;
std::set<const void *> launched;
int n_devices = devices_at_start(), current_device = 0;

CUstream_st *stream_of(cudaStream_t stream)
{
    return stream != nullptr ? stream : &default_stream;
}

/* Runs the next call; false: it cannot end yet. */
bool run_one(CUstream_st *stream)
{
    if (stream->queue.empty()) {
        pen_shim::fail("an event is waited for that no stream comes to");
    }
    call next = stream->queue.front();
    if (!next()) {
        return false;
    }
    stream->queue.pop_front();
    return true;
}

/* What can run now. */
void run_ready(CUstream_st *stream)
{
    while (!stream->queue.empty() && run_one(stream)) {
    }
}

template <class Condition> void run_until(CUstream_st *stream, const Condition &reached)
{
    constexpr int NAP_US = 200, LIMIT_S = 60;
    for (int64_t naps = 0; !reached();) {
        if (!run_one(stream)) {
            if (++naps > int64_t{LIMIT_S} * 1000000 / NAP_US) {
                pen_shim::fail("waited %d s for work that other processes have a part in: a device waits for ever",
                               LIMIT_S);
            }
            (void)usleep(NAP_US);
        }
    }
}

void run_queue(CUstream_st *stream)
{
    run_until(stream, [=]() { return stream->queue.empty(); });
}

/* Runs what was queued before the event was recorded for the number-th time; false: not yet. */
bool reach(CUevent_st *event, uint64_t number)
{
    while (event->reached < number) {
        if (!run_one(event->stream)) {
            return false;
        }
    }
    return true;
}

void enqueue(cudaStream_t given, call what)
{
    CUstream_st *stream = stream_of(given);
    if (stream->captured != nullptr) {
        stream->captured->calls.push_back(what);
        return;
    }
    stream->queue.push_back(what);
    if (!deferred) {
        run_ready(stream);
    }
}

void enqueue_done(cudaStream_t stream, const std::function<void()> &what)
{
    enqueue(stream, [=]() {
        what();
        return true;
    });
}

cudaError_t remember(cudaError_t error)
{
    last_error = error != cudaSuccess ? error : last_error;
    return error;
}

bool copy_fits(const void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return (to_device ? pen_shim::is_device(to, bytes) : !pen_shim::is_in_region(to)) &&
           (from_device ? pen_shim::is_device(from, bytes) : !pen_shim::is_in_region(from));
}

} // namespace

bool pen_shim::is_capturing(void)
{
    for (const CUstream_st *stream : streams) {
        if (stream->captured != nullptr) {
            return true;
        }
    }
    return false;
}

void pen_shim_set_deferred(bool wanted)
{
    (void)cudaDeviceSynchronize();
    deferred = wanted;
}

void pen_shim::enqueue_call(CUstream_st *stream, std::function<void()> what)
{
    enqueue_done(stream, what);
}

void pen_shim::enqueue_attempt(CUstream_st *stream, std::function<bool()> what)
{
    enqueue(stream, what);
}

bool pen_shim::was_launched(const void *kernel)
{
    return launched.count(kernel) > 0;
}

void pen_shim::enqueue_kernel(const char *name, const void *kernel, dim3 grid, dim3 block, size_t shared_bytes,
                              cudaStream_t stream, std::function<void()> body)
{
    size_t threads = size_t{block.x} * block.y * block.z;
    if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
        grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535 || shared_bytes > 227 * 1024) {
        (void)remember(cudaErrorInvalidConfiguration);
        return;
    }
    enqueue_done(stream, [=]() {
        launched.insert(kernel);
        run_grid(
            name, grid, block, shared_bytes, [](void *user) { (*static_cast<const std::function<void()> *>(user))(); },
            const_cast<std::function<void()> *>(&body));
    });
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    if (bytes > 0 && !copy_fits(to, from, bytes, kind)) {
        return remember(cudaErrorInvalidValue);
    }
    if (stream_of(stream)->captured != nullptr && kind == cudaMemcpyHostToDevice && !pen_shim::is_pinned(from, bytes)) {
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    enqueue_done(stream, [=]() {
        pen_shim::open_memory open;
        std::memmove(to, from, bytes);
    });
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
    return error != cudaSuccess ? error : cudaDeviceSynchronize();
}

cudaError_t cudaMemsetAsync(void *memory, int byte, size_t bytes, cudaStream_t stream)
{
    if (bytes > 0 && !pen_shim::is_device(memory, bytes)) {
        return remember(cudaErrorInvalidValue);
    }
    enqueue_done(stream, [=]() {
        pen_shim::open_memory open;
        std::memset(memory, byte, bytes);
    });
    return cudaSuccess;
}

cudaError_t cudaMemset(void *memory, int byte, size_t bytes)
{
    return cudaMemsetAsync(memory, byte, bytes, nullptr);
}

cudaError_t cudaDeviceSynchronize(void)
{
    if (pen_shim::is_capturing()) {
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    for (CUstream_st *stream : streams) {
        run_queue(stream);
    }
    return last_error;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    *stream = new CUstream_st;
    streams.insert(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    run_queue(stream);
    streams.erase(stream);
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (stream_of(stream)->captured != nullptr) {
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    run_queue(stream_of(stream));
    return last_error;
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    if (stream_of(stream)->captured != nullptr) {
        return remember(cudaErrorStreamCaptureUnsupported);
    }
    run_ready(stream_of(stream));
    return stream_of(stream)->queue.empty() ? last_error : remember(cudaErrorNotReady);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = new CUevent_st;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    uint64_t number = ++event->recorded;
    event->stream = stream_of(stream);
    enqueue_done(stream, [=]() { event->reached = number; });
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    run_until(event->stream, [=]() { return event->reached >= event->recorded; });
    return last_error;
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    return reach(event, event->recorded) ? last_error : remember(cudaErrorNotReady);
}

/* Of the event as it was last recorded, whatever is recorded later. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    uint64_t number = event->recorded;
    enqueue(stream, [=]() { return reach(event, number); });
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode)
{
    stream_of(stream)->captured = new CUgraph_st;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    *graph = stream_of(stream)->captured;
    stream_of(stream)->captured = nullptr;
    return *graph != nullptr ? cudaSuccess : remember(cudaErrorInvalidValue);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
    *exec = new CUgraphExec_st{graph->calls};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    for (const call &what : exec->calls) {
        enqueue(stream, what);
    }
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}

/* ---- the device ---- */

const char *cudaGetErrorString(cudaError_t error)
{
    static const struct {
        cudaError_t error;
        const char *text;
    } texts[] = {{cudaSuccess, "no error"},
                 {cudaErrorMemoryAllocation, "out of memory"},
                 {cudaErrorInvalidConfiguration, "invalid configuration argument"},
                 {cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"}};
    for (const auto &entry : texts) {
        if (entry.error == error) {
            return entry.text;
        }
    }
    return "invalid argument";
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = n_devices;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    if (device < 0 || device >= n_devices) {
        return remember(cudaErrorInvalidDevice);
    }
    current_device = device;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = current_device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    size_t free_bytes = 0;
    *properties = cudaDeviceProp{"host execution shim", {{(char)device}}, 0, 8, 0, 4};
    return cudaMemGetInfo(&free_bytes, &properties->totalGlobalMem);
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int)
{
    *value = attribute == cudaDevAttrMultiProcessorCount      ? 4
             : attribute == cudaDevAttrComputeCapabilityMajor ? 8
                                                              : 227 * 1024;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}
