/* Device memory: a region of its own in which every buffer has pages of its own, closed to the host except while a
 * kernel or a copy runs. A buffer ends where its last page ends (to 16 bytes), so an overrun meets a closed page; a
 * freed buffer stays closed and its addresses are not given again. New memory holds NaN patterns. */
#include "tests/shim/shim.h"

#include <cuda_runtime.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace
{

constexpr size_t REGION_BYTES = size_t{1} << 38, PAGE = 4096, ALIGNMENT = 16;

struct buffer {
    size_t bytes;
    char *pages; /* its mapping */
    size_t mapped_bytes;
    bool live;
};

char *region = nullptr, *next_page = nullptr;
size_t memory_at_start(void)
{
    const char *asked = std::getenv("PEN_SHIM_MEMORY_MB");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) << 20 : size_t{8} << 30;
}

std::map<char *, buffer> buffers; /* by first byte */
std::map<char *, size_t> pinned;  /* host memory: first byte, bytes */
size_t memory_bytes = memory_at_start(), live_bytes = 0;
int64_t live_buffers = 0;
thread_local int n_open = 0;

const std::pair<char *const, buffer> *find(const void *at)
{
    char *address = const_cast<char *>(static_cast<const char *>(at));
    auto next = buffers.upper_bound(address);
    return next == buffers.begin() ? nullptr : &*std::prev(next);
}

void on_fault(int number, siginfo_t *info, void *)
{
    const void *at = info->si_addr;
    if (!pen_shim::is_in_region(at)) {
        (void)signal(number, SIG_DFL); /* not ours: let it happen again */
        return;
    }
    const auto *entry = find(at);
    const char *who = n_open > 0 ? "a kernel or copy" : "host code";
    if (entry == nullptr) {
        pen_shim::fail("%s touched device memory before any buffer, at %p", who, at);
    }
    long long into = static_cast<const char *>(at) - entry->first;
    pen_shim::fail("%s touched device memory %lld bytes into a %s of %zu bytes", who, into,
                   entry->second.live ? "buffer" : "freed buffer", entry->second.bytes);
}

bool reserve(void)
{
    if (region != nullptr) {
        return true;
    }
    void *memory = mmap(nullptr, REGION_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    region = next_page = static_cast<char *>(memory);
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    (void)sigaction(SIGSEGV, &action, nullptr);
    (void)sigaction(SIGBUS, &action, nullptr);
    return true;
}

void protect_all(int protection)
{
    for (const auto &entry : buffers) {
        if (entry.second.live && mprotect(entry.second.pages, entry.second.mapped_bytes, protection) != 0) {
            pen_shim::fail("mprotect failed");
        }
    }
}

} // namespace

namespace pen_shim
{

void fail(const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)std::fprintf(stderr, "shim: %s", message);
    if (here != nullptr) {
        (void)std::fprintf(stderr, "; kernel %s, block (%u, %u, %u), thread (%u, %u, %u)", kernel_name(), here->block.x,
                           here->block.y, here->block.z, here->thread.x, here->thread.y, here->thread.z);
    }
    (void)std::fprintf(stderr, "\n");
    (void)std::fflush(stderr);
    std::abort();
}

bool is_in_region(const void *at)
{
    const char *address = static_cast<const char *>(at);
    return region != nullptr && address >= region && address < region + REGION_BYTES;
}

bool is_device(const void *at, size_t bytes)
{
    const auto *entry = is_in_region(at) ? find(at) : nullptr;
    const char *address = static_cast<const char *>(at);
    return entry != nullptr && entry->second.live && address + bytes <= entry->first + entry->second.bytes;
}

bool is_pinned(const void *at, size_t bytes)
{
    char *address = const_cast<char *>(static_cast<const char *>(at));
    auto next = pinned.upper_bound(address);
    return next != pinned.begin() && address + bytes <= std::prev(next)->first + std::prev(next)->second;
}

open_memory::open_memory()
{
    if (n_open++ == 0) {
        protect_all(PROT_READ | PROT_WRITE);
    }
}

open_memory::~open_memory()
{
    if (--n_open == 0) {
        protect_all(PROT_NONE);
    }
}

} // namespace pen_shim

void pen_shim_set_memory(size_t bytes)
{
    memory_bytes = bytes;
}

size_t pen_shim_live_bytes(void)
{
    return live_bytes;
}

int64_t pen_shim_live_buffers(void)
{
    return live_buffers;
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    if (pen_shim::is_capturing()) {
        return cudaErrorStreamCaptureUnsupported;
    }
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, mapped = (rounded + PAGE - 1) / PAGE * PAGE;
    *memory = nullptr;
    if (bytes == 0) {
        return cudaSuccess;
    }
    if (bytes > memory_bytes - live_bytes || !reserve() || next_page + mapped + PAGE > region + REGION_BYTES) {
        return cudaErrorMemoryAllocation;
    }
    char *pages = next_page, *first = pages + mapped - rounded;
    next_page += mapped + PAGE; /* the page behind it stays closed */
    if (mprotect(pages, mapped, PROT_READ | PROT_WRITE) != 0) {
        return cudaErrorMemoryAllocation;
    }
    std::memset(pages, 0xff, mapped);
    if (n_open == 0 && mprotect(pages, mapped, PROT_NONE) != 0) {
        return cudaErrorMemoryAllocation;
    }
    buffers[first] = buffer{bytes, pages, mapped, true};
    live_bytes += bytes;
    live_buffers++;
    *memory = first;
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    if (memory == nullptr) {
        return cudaSuccess;
    }
    if (pen_shim::is_capturing()) {
        return cudaErrorStreamCaptureUnsupported;
    }
    (void)cudaDeviceSynchronize(); /* as the real one waits */
    auto at = buffers.find(static_cast<char *>(memory));
    if (at == buffers.end() || !at->second.live) {
        return cudaErrorInvalidValue;
    }
    buffer &freed = at->second;
    {
        pen_shim::open_memory open;
        for (char *tail = at->first + freed.bytes; tail < freed.pages + freed.mapped_bytes; tail++) {
            if (*tail != static_cast<char>(0xff)) {
                pen_shim::fail("a buffer of %zu bytes was written past its end", freed.bytes);
            }
        }
    }
    (void)madvise(freed.pages, freed.mapped_bytes, MADV_DONTNEED);
    (void)mprotect(freed.pages, freed.mapped_bytes, PROT_NONE);
    freed.live = false;
    live_bytes -= freed.bytes;
    live_buffers--;
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    if (pen_shim::is_capturing()) {
        return cudaErrorStreamCaptureUnsupported;
    }
    *memory = std::malloc(bytes);
    if (*memory == nullptr) {
        return cudaErrorMemoryAllocation;
    }
    pinned[static_cast<char *>(*memory)] = bytes;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory)
{
    if (memory != nullptr && pinned.erase(static_cast<char *>(memory)) == 0) {
        return cudaErrorInvalidValue;
    }
    std::free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes)
{
    *free_bytes = memory_bytes - live_bytes;
    *total_bytes = memory_bytes;
    return cudaSuccess;
}
