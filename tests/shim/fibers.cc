/* Runs a grid: blocks one after another, the threads of a block as fibers of the calling thread.
 *
 * A fiber runs until it ends, reaches a block barrier or a warp exchange. When none can run, exchanges whose lanes have
 * all come are answered, else the block barrier opens if every thread stands at it; else somebody never comes, and that
 * is a failure that says who waits where. Blocks and threads take turns in the order of a seed. */
#include "tests/shim/shim.h"
#include "tests/shim/switch.h"

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace
{

constexpr size_t STACK_BYTES = 256 * 1024, PAGE = 4096, SHARED_BYTES = 256 * 1024;
constexpr int MOST_THREADS = 1024, LANES = 32;

enum state { READY, AT_BARRIER, AT_EXCHANGE, DONE };

struct fiber {
    pen_shim::context context;
    char *stack = nullptr;
    void *fake_stack = nullptr; /* ASan's */
    state now = DONE;
    pen_shim::place place;
    int predicate = 0; /* of a barrier */
    /* of an exchange */
    pen_shim::exchange_kind kind;
    unsigned mask = 0;
    uint64_t value = 0;
    int source = 0;
};

/* One launching thread's machine. */
struct machine {
    fiber fibers[MOST_THREADS];
    pen_shim::context main;
    void *main_fake_stack = nullptr;
    const void *main_stack = nullptr;
    size_t main_stack_bytes = 0;
    int n_threads = 0, running = -1, barrier_count = 0;
    const char *kernel = "";
    void (*body)(void *) = nullptr;
    void *user = nullptr;
    char *shared = nullptr; /* SHARED_BYTES, then a closed page */
    size_t dynamic_bytes = 0, static_bytes = 0;
    std::vector<std::pair<const void *, char *>> statics;
};

thread_local machine *m = nullptr;

uint64_t order_seed =
    std::getenv("PEN_SHIM_ORDER") != nullptr ? std::strtoull(std::getenv("PEN_SHIM_ORDER"), nullptr, 10) : 0;

uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* 0 .. n - 1 in the order of the seed. */
std::vector<int64_t> order_of(int64_t n, uint64_t stream)
{
    std::vector<int64_t> order(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; i++) {
        order[static_cast<size_t>(i)] = i;
    }
    for (int64_t i = n - 1; order_seed != 0 && i > 0; i--) {
        auto j = static_cast<size_t>(mix(order_seed ^ mix(stream) ^ static_cast<uint64_t>(i)) %
                                     static_cast<uint64_t>(i + 1));
        std::swap(order[static_cast<size_t>(i)], order[j]);
    }
    return order;
}

/* ---- switching ---- */

void leave_for(pen_shim::context *from, void **fake_stack, const pen_shim::context *to, const void *stack,
               size_t stack_bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fake_stack, stack, stack_bytes);
#else
    (void)fake_stack;
    (void)stack;
    (void)stack_bytes;
#endif
    pen_shim::swap(from, to);
}

void arrived(void *fake_stack, bool from_main)
{
#if defined(__SANITIZE_ADDRESS__)
    const void *stack = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &stack, &bytes);
    if (from_main) {
        m->main_stack = stack;
        m->main_stack_bytes = bytes;
    }
#else
    (void)fake_stack;
    (void)from_main;
#endif
}

/* To the scheduler; returns when this fiber is to go on. */
void yield(void)
{
    fiber *self = &m->fibers[m->running];
    leave_for(&self->context, self->now == DONE ? nullptr : &self->fake_stack, &m->main, m->main_stack,
              m->main_stack_bytes);
    arrived(self->fake_stack, true);
}

void fiber_main(void)
{
    arrived(nullptr, true);
    m->body(m->user);
    m->fibers[m->running].now = DONE;
    yield();
}

void resume(int thread)
{
    fiber *f = &m->fibers[thread];
    m->running = thread;
    pen_shim::here = &f->place;
    leave_for(&m->main, &m->main_fake_stack, &f->context, f->stack + PAGE, STACK_BYTES);
    arrived(m->main_fake_stack, false);
    pen_shim::here = nullptr;
    m->running = -1;
}

void *closed_page_before(size_t bytes)
{
    void *memory =
        mmap(nullptr, bytes + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) != 0) {
        pen_shim::fail("no memory for fibers");
    }
    return memory;
}

void make_machine(void)
{
    m = new machine;
    void *shared = mmap(nullptr, SHARED_BYTES + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        pen_shim::fail("no memory for shared memory");
    }
    m->shared = static_cast<char *>(shared);
    (void)mprotect(m->shared + SHARED_BYTES, PAGE, PROT_NONE);
}

void start_fiber(int thread, const pen_shim::place &place)
{
    fiber *f = &m->fibers[thread];
    if (f->stack == nullptr) {
        f->stack = static_cast<char *>(closed_page_before(STACK_BYTES));
    }
#if defined(__SANITIZE_ADDRESS__)
    /* A fiber that has ended never returns from fiber_main and yield: their redzones would lie in its successor. */
    __asan_unpoison_memory_region(f->stack + STACK_BYTES, PAGE);
#endif
    pen_shim::make(&f->context, f->stack + PAGE, STACK_BYTES, fiber_main);
    f->now = READY;
    f->place = place;
}

/* ---- who may go on ---- */

/* Answers the exchange of fiber `thread` when all lanes of its mask wait in the same one. */
bool answer_exchange(int thread)
{
    const fiber &f = m->fibers[thread];
    int first = thread / LANES * LANES;
    int n_lanes = m->n_threads - first < LANES ? m->n_threads - first : LANES;
    uint64_t ballot = 0;
    for (int l = 0; l < n_lanes; l++) {
        const fiber &other = m->fibers[first + l];
        if ((f.mask >> l & 1) == 0) {
            continue;
        }
        if (other.now != AT_EXCHANGE || other.mask != f.mask || other.kind != f.kind) {
            return false;
        }
        ballot |= static_cast<uint64_t>(other.value != 0) << l;
    }
    uint64_t answers[LANES];
    for (int l = 0; l < n_lanes; l++) {
        const fiber &other = m->fibers[first + l];
        if ((f.mask >> l & 1) == 0) {
            continue;
        }
        int source = other.source;
        if (f.kind == pen_shim::SHUFFLE && (source >= n_lanes || (f.mask >> source & 1) == 0)) {
            pen_shim::here = &other.place;
            pen_shim::fail("a shuffle reads lane %d, which is not in its mask %08x", source, f.mask);
        }
        answers[l] = f.kind == pen_shim::SHUFFLE ? m->fibers[first + source].value : ballot;
    }
    for (int l = 0; l < n_lanes; l++) {
        if ((f.mask >> l & 1) != 0) {
            m->fibers[first + l].value = answers[l];
            m->fibers[first + l].now = READY;
        }
    }
    return true;
}

bool open_barrier(void)
{
    int count = 0;
    for (int t = 0; t < m->n_threads; t++) {
        if (m->fibers[t].now != AT_BARRIER) {
            return false;
        }
        count += m->fibers[t].predicate != 0;
    }
    m->barrier_count = count;
    for (int t = 0; t < m->n_threads; t++) {
        m->fibers[t].now = READY;
    }
    return true;
}

[[noreturn]] void stuck(void)
{
    int n_barrier = 0, n_exchange = 0, n_done = 0, waiting = 0, absent = 0;
    for (int t = 0; t < m->n_threads; t++) {
        state now = m->fibers[t].now;
        n_barrier += now == AT_BARRIER;
        n_exchange += now == AT_EXCHANGE;
        n_done += now == DONE;
        waiting = now == AT_BARRIER || now == AT_EXCHANGE ? t : waiting;
        absent = now == DONE ? t : absent;
    }
    pen_shim::here = &m->fibers[waiting].place;
    pen_shim::fail("%d threads wait at a block barrier, %d at a warp exchange (the named one with mask %08x), %d have "
                   "returned (thread %d among them): they will never meet",
                   n_barrier, n_exchange, m->fibers[waiting].mask, n_done, n_done > 0 ? absent : -1);
}

void run_block(uint64_t stream)
{
    std::vector<int64_t> order = order_of(m->n_threads, stream);
    int left = m->n_threads;
    while (left > 0) {
        bool moved = false;
        for (int64_t t : order) {
            int thread = static_cast<int>(t);
            if (m->fibers[thread].now == READY) {
                resume(thread);
                left -= m->fibers[thread].now == DONE;
                moved = true;
            }
        }
        for (int t = 0; t < m->n_threads; t++) {
            if (m->fibers[t].now == AT_EXCHANGE) {
                moved = answer_exchange(t) || moved;
            }
        }
        if (!moved && left > 0 && !open_barrier()) {
            stuck();
        }
    }
}

} // namespace

namespace pen_shim
{

__thread const place *here = nullptr;

const char *kernel_name(void)
{
    return m != nullptr ? m->kernel : "";
}

int lane(void)
{
    return m->running % LANES;
}

void block_barrier(void)
{
    (void)block_count(0);
}

int block_count(int predicate)
{
    fiber *self = &m->fibers[m->running];
    self->predicate = predicate;
    self->now = AT_BARRIER;
    yield();
    return m->barrier_count;
}

uint64_t exchange(exchange_kind kind, unsigned mask, uint64_t value, int source)
{
    fiber *self = &m->fibers[m->running];
    if ((mask >> (m->running % LANES) & 1) == 0) {
        fail("a lane takes part in a warp exchange whose mask %08x leaves it out", mask);
    }
    self->kind = kind;
    self->mask = mask;
    self->value = value;
    self->source = source;
    self->now = AT_EXCHANGE;
    yield();
    return self->value;
}

void *shared_dynamic(void)
{
    return m->shared + SHARED_BYTES - (m->dynamic_bytes + 15) / 16 * 16;
}

void *shared_static(const void *key, size_t bytes)
{
    for (const auto &entry : m->statics) {
        if (entry.first == key) {
            return entry.second;
        }
    }
    size_t rounded = (bytes + 15) / 16 * 16;
    if (m->static_bytes + rounded + m->dynamic_bytes > SHARED_BYTES || m->static_bytes + rounded > 48 * 1024) {
        fail("more than 48 KiB of static shared memory");
    }
    char *at = m->shared + m->static_bytes;
    m->static_bytes += rounded;
    m->statics.emplace_back(key, at);
    return at;
}

void run_grid(const char *name, dim3 grid, dim3 block, size_t shared_bytes, void (*body)(void *), void *user)
{
    if (m == nullptr) {
        make_machine();
    }
    open_memory open;
    m->kernel = name;
    m->body = body;
    m->user = user;
    m->n_threads = static_cast<int>(block.x * block.y * block.z);
    m->dynamic_bytes = shared_bytes;
    int64_t n_blocks = int64_t{grid.x} * grid.y * grid.z;
    for (int64_t b : order_of(n_blocks, 1)) {
        auto index = static_cast<uint64_t>(b);
        place where;
        where.block = uint3{static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
                            static_cast<unsigned>(index / grid.x / grid.y)};
        where.block_dim = block;
        where.grid_dim = grid;
        m->statics.clear();
        m->static_bytes = 0;
        std::memset(m->shared, 0xff, SHARED_BYTES);
        for (int t = 0; t < m->n_threads; t++) {
            auto thread = static_cast<unsigned>(t);
            where.thread = uint3{thread % block.x, thread / block.x % block.y, thread / block.x / block.y};
            start_fiber(t, where);
        }
        run_block(index + 2);
    }
}

} // namespace pen_shim

void pen_shim_set_order(uint64_t seed)
{
    order_seed = seed;
}
