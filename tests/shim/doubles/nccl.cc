/* Stands for NCCL: sums and gathers among processes, through a piece of shared memory that the group's name names.
 *
 * A call goes in rounds: each rank puts a part of its bytes into a box of its own, and takes what is in all boxes once
 * all are filled; it fills its box again when all have taken. So it can stop and go on at any point, as a stream needs
 * that must not wait for others (shim.h, enqueue_attempt). Sums are float32, added up in the order of the ranks. Like
 * the library it never learns that a rank is gone; unlike it, it tells ranks that make different calls. Nothing is
 * promised but what include/nccl.h declares: a communicator is in progress until all ranks have come, and one that is
 * aborted ends what it has on its streams. */
#include "tests/shim/shim.h"

#include "kernels/cuda/nccl.cuh"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace
{

constexpr int RANKS_MAX = 16;
constexpr size_t BOX_BYTES = 16384;

/* What a rank says of its call; all must say the same. */
struct call_head {
    int64_t kind, count, op;
};

struct box {
    std::atomic<int64_t> filled, taken; /* rounds so far */
    call_head head;
    char bytes[BOX_BYTES];
};

struct shared_memory {
    std::atomic<int> n_ranks;
    box boxes[RANKS_MAX];
};

} // namespace

struct ncclComm {
    shared_memory *shared;
    int rank, size;
    int64_t rounds = 0; /* that the calls so far come to */
    std::shared_ptr<bool> aborted = std::make_shared<bool>(false);
};

namespace
{

enum kind { SUM, GATHER };

/* One call on its way. */
struct transfer {
    ncclComm *comm;
    std::shared_ptr<bool> aborted;
    call_head head;
    const char *send;
    char *receive;
    int64_t n_bytes; /* of one rank */
    int64_t first_round, round = 0;
    bool filled = false;
};

int64_t rounds_of(int64_t n_bytes)
{
    return (n_bytes + (int64_t)BOX_BYTES - 1) / (int64_t)BOX_BYTES;
}

bool all_have(const ncclComm *comm, std::atomic<int64_t> box::*counter, int64_t rounds)
{
    for (int r = 0; r < comm->size; r++) {
        if ((comm->shared->boxes[r].*counter).load() < rounds) {
            return false;
        }
    }
    return true;
}

void add_up(const transfer &t, int64_t at, int64_t n_bytes)
{
    for (int64_t i = 0; i < n_bytes; i += (int64_t)sizeof(float)) {
        float sum = 0, part = 0;
        for (int r = 0; r < t.comm->size; r++) {
            std::memcpy(&part, t.comm->shared->boxes[r].bytes + i, sizeof part);
            sum = r == 0 ? part : sum + part;
        }
        sum = t.head.op == ncclAvg ? sum / static_cast<float>(t.comm->size) : sum;
        std::memcpy(t.receive + at + i, &sum, sizeof sum);
    }
}

/* The round's bytes of all ranks, which are in the boxes. */
void take(const transfer &t, int64_t at, int64_t n_bytes)
{
    for (int r = 0; r < t.comm->size; r++) {
        const box &from = t.comm->shared->boxes[r];
        if (std::memcmp(&from.head, &t.head, sizeof t.head) != 0) {
            pen_shim::fail("NCCL: rank %d calls %s of %lld, rank %d %s of %lld: the library would hang or mix them up",
                           t.comm->rank, t.head.kind == SUM ? "a sum" : "a gather",
                           static_cast<long long>(t.head.count), r, from.head.kind == SUM ? "a sum" : "a gather",
                           static_cast<long long>(from.head.count));
        }
        if (t.head.kind == GATHER) {
            std::memcpy(t.receive + r * t.n_bytes + at, from.bytes, static_cast<size_t>(n_bytes));
        }
    }
    if (t.head.kind == SUM) {
        add_up(t, at, n_bytes);
    }
}

/* As far as it goes; true: it has ended. */
bool go_on(transfer &t)
{
    if (*t.aborted) {
        return true;
    }
    for (; t.round < rounds_of(t.n_bytes); t.round++) {
        int64_t number = t.first_round + t.round, at = t.round * static_cast<int64_t>(BOX_BYTES);
        int64_t n_bytes = t.n_bytes - at < static_cast<int64_t>(BOX_BYTES) ? t.n_bytes - at : BOX_BYTES;
        box &own = t.comm->shared->boxes[t.comm->rank];
        if (!t.filled) {
            if (!all_have(t.comm, &box::taken, number)) {
                return false;
            }
            pen_shim::open_memory open;
            own.head = t.head;
            std::memcpy(own.bytes, t.send + at, static_cast<size_t>(n_bytes));
            own.filled.store(number + 1);
            t.filled = true;
        }
        if (!all_have(t.comm, &box::filled, number + 1)) {
            return false;
        }
        pen_shim::open_memory open;
        take(t, at, n_bytes);
        own.taken.store(number + 1);
        t.filled = false;
    }
    return true;
}

ncclResult_t start(ncclComm_t comm, cudaStream_t stream, const call_head &head, const void *send, void *receive,
                   int64_t n_bytes)
{
    int64_t n_received = head.kind == SUM ? n_bytes : n_bytes * comm->size;
    if (!pen_shim::is_device(send, static_cast<size_t>(n_bytes)) ||
        !pen_shim::is_device(receive, static_cast<size_t>(n_received))) {
        return ncclInvalidArgument;
    }
    auto t = std::make_shared<transfer>(transfer{comm, comm->aborted, head, static_cast<const char *>(send),
                                                 static_cast<char *>(receive), n_bytes, comm->rounds});
    comm->rounds += rounds_of(n_bytes);
    pen_shim::enqueue_attempt(stream, [=]() { return go_on(*t); });
    return ncclInProgress; /* as the library may */
}

shared_memory *attach(const char *name)
{
    int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(shared_memory)) != 0) {
        return nullptr;
    }
    void *memory = mmap(nullptr, sizeof(shared_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<shared_memory *>(memory);
}

} // namespace

const struct pen_nccl *pen_nccl_open(char *why, size_t why_bytes)
{
#define PEN_NCCL_OF_DOUBLE(call) call,
    static const struct pen_nccl nccl = {PEN_NCCL_CALLS(PEN_NCCL_OF_DOUBLE)};
#undef PEN_NCCL_OF_DOUBLE
    if (std::getenv("PEN_SHIM_NO_NCCL") != nullptr) {
        (void)std::snprintf(why, why_bytes, "libnccl.so.2: PEN_SHIM_NO_NCCL is set");
        return nullptr;
    }
    return &nccl;
}

ncclResult_t ncclGetVersion(int *version)
{
    *version = 22800;
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t result)
{
    return result == ncclInvalidArgument ? "invalid argument" : "unhandled system error";
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
    static int n_groups = 0;
    *id = {};
    (void)std::snprintf(id->internal, sizeof id->internal, "/penstock-shim-%d-%d", getpid(), n_groups++);
    (void)shm_unlink(id->internal); /* of a process that had the number before and was killed */
    return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int n_ranks, ncclUniqueId id, int rank, ncclConfig_t *config)
{
    if (n_ranks > RANKS_MAX || config->blocking != 0) {
        return ncclInvalidArgument;
    }
    shared_memory *shared = attach(id.internal);
    if (shared == nullptr) {
        return ncclSystemError;
    }
    if (shared->n_ranks.fetch_add(1) + 1 == n_ranks) { /* all have it: the name is needed no more */
        (void)shm_unlink(id.internal);
    }
    *comm = new ncclComm{shared, rank, n_ranks};
    return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *result)
{
    *result = comm->shared->n_ranks.load() < comm->size ? ncclInProgress : ncclSuccess;
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm)
{
    *comm->aborted = true;
    (void)munmap(comm->shared, sizeof(shared_memory));
    delete comm;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *send, void *receive, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream)
{
    if (type != ncclFloat32) {
        return ncclInvalidArgument;
    }
    auto n = static_cast<int64_t>(count);
    return start(comm, stream, {SUM, n, op}, send, receive, n * static_cast<int64_t>(sizeof(float)));
}

ncclResult_t ncclAllGather(const void *send, void *receive, size_t send_count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream)
{
    if (type != ncclUint8) {
        return ncclInvalidArgument;
    }
    return start(comm, stream, {GATHER, static_cast<int64_t>(send_count), 0}, send, receive,
                 static_cast<int64_t>(send_count));
}

ncclResult_t ncclGroupStart()
{
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd()
{
    return ncclSuccess;
}
