/* A group of ranks through NCCL: a stream for its calls, beside that of the exec, and one communicator.
 *
 * A call waits on the device for what the exec was asked for before it (an event), the exec for the calls (another one,
 * at the join); the host waits for neither. NCCL itself waits for ever for a rank that is gone, in its kernels and in
 * its calls, so nothing here blocks: the communicator is one that does not, and who waits for a stream asks it again
 * and again, and looks after the other ranks meanwhile. When one is gone the communicator is aborted, which ends what
 * it has on the device, and from then on the exec fails. The host is never more than a few joins ahead, for a queue
 * that is full would block, too. */
#include "kernels/cuda/group.cuh"
#include "kernels/cuda/nccl.cuh"

#include "core/log.h"
#include "core/memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static_assert(PEN_GROUP_ID_BYTES == NCCL_UNIQUE_ID_BYTES, "a group's name is NCCL's");

enum { JOINS_AHEAD = 4, SPINS = 2000, LOOK_EVERY = 100 };

struct pen_cuda_group {
    struct pen_group base; /* first */
    struct pen_cuda_exec *exec;
    struct pen_group_place place;
    const struct pen_nccl *nccl;
    ncclComm_t comm;
    cudaStream_t stream;
    cudaEvent_t asked;               /* the exec has come so far */
    cudaEvent_t joined[JOINS_AHEAD]; /* so have the calls, of the last joins in turn */
    int64_t n_joins;
    const char *what; /* the last call, for messages */
    int64_t n_calls;
    bool failed;
    struct pen_error error; /* why it failed */
};

static pen_cuda_group *group_of(struct pen_group *group)
{
    return reinterpret_cast<struct pen_cuda_group *>(group);
}

static const struct pen_nccl *open_nccl(const struct pen_exec *exec, struct pen_error *err)
{
    char why[256] = "";
    const struct pen_nccl *nccl = pen_nccl_open(why, sizeof why);
    if (nccl == NULL) {
        (void)pen_error_set(
            err, __FILE__, __LINE__, PEN_ERR_UNSUPPORTED,
            "ranks on %s: expected NCCL, by which they add up gradients, found none: %s; install it "
            "(libnccl2), or set trainer.exchange: host to go through the host's memory, which is slower",
            exec->name, why);
    }
    return nccl;
}

/* ---- waiting ---- */

/* Ends the ranks' common work for this one: what NCCL has on the device ends, and the exec fails from now on. */
static pen_status give_up(struct pen_cuda_group *g, struct pen_error *err)
{
    g->failed = true;
    if (g->comm != NULL) {
        (void)g->nccl->ncclCommAbort(g->comm);
        g->comm = NULL;
    }
    PEN_FAIL(err, g->error.status, "%s", g->error.message);
}

/* NCCL says that something went wrong, or nothing came for long: the ranks find out among themselves who is missing. */
static pen_status blame(struct pen_cuda_group *g, const char *problem, struct pen_error *err)
{
    if (g->place.look(g->place.user, true, &g->error) == PEN_OK) {
        (void)pen_error_set(&g->error, __FILE__, __LINE__, PEN_ERR_FAILED,
                            "rank %d of %d: call %lld of its group, %s: %s; all ranks are there", g->place.rank,
                            g->place.size, (long long)g->n_calls, g->what, problem);
    }
    return give_up(g, err);
}

/* Asks until `query` says something else than "not yet". */
struct patience {
    double began;
    int64_t turns;
};

static pen_status be_patient(struct pen_cuda_group *g, struct patience *p, struct pen_error *err)
{
    static const struct timespec nap = {0, 20000};
    if (++p->turns < SPINS) {
        return PEN_OK;
    }
    (void)nanosleep(&nap, NULL);
    if (p->turns % LOOK_EVERY != 0) {
        return PEN_OK;
    }
    if (g->place.look(g->place.user, false, &g->error) != PEN_OK) {
        return give_up(g, err);
    }
    ncclResult_t result = ncclSuccess;
    (void)g->nccl->ncclCommGetAsyncError(g->comm, &result);
    if (result != ncclSuccess && result != ncclInProgress) {
        return blame(g, g->nccl->ncclGetErrorString(result), err);
    }
    double now = pen_clock_seconds();
    p->began = p->began == 0 ? now : p->began;
    if (now - p->began > g->place.timeout_s) {
        char problem[64];
        (void)snprintf(problem, sizeof problem, "nothing came for %.0f s", g->place.timeout_s);
        return blame(g, problem, err);
    }
    return PEN_OK;
}

static pen_status fail_again(const struct pen_cuda_group *g, struct pen_error *err)
{
    PEN_FAIL(err, g->error.status, "%s", g->error.message);
}

/* error: what a query said; *done: it is over. */
static pen_status judge(cudaError_t error, bool *done, struct pen_error *err)
{
    *done = error != cudaErrorNotReady;
    if (!*done) {
        (void)cudaGetLastError(); /* it is no error, but remembered like one */
        return PEN_OK;
    }
    PEN_CUDA(err, error);
    return PEN_OK;
}

pen_status pen_cuda_group_wait(struct pen_cuda_group *g, cudaStream_t stream, struct pen_error *err)
{
    struct patience patience = {};
    if (g->failed) {
        return fail_again(g, err);
    }
    for (bool done = false;;) {
        PEN_TRY(judge(cudaStreamQuery(stream), &done, err));
        if (done) {
            return PEN_OK;
        }
        PEN_TRY(be_patient(g, &patience, err));
    }
}

static pen_status wait_for_event(struct pen_cuda_group *g, cudaEvent_t event, struct pen_error *err)
{
    struct patience patience = {};
    for (bool done = false;;) {
        PEN_TRY(judge(cudaEventQuery(event), &done, err));
        if (done) {
            return PEN_OK;
        }
        PEN_TRY(be_patient(g, &patience, err));
    }
}

/* What a call of NCCL said; one in progress is waited for, as the next may not be made before it has ended. */
static pen_status settle(struct pen_cuda_group *g, ncclResult_t result, struct pen_error *err)
{
    struct patience patience = {};
    while (result == ncclInProgress) {
        PEN_TRY(be_patient(g, &patience, err));
        (void)g->nccl->ncclCommGetAsyncError(g->comm, &result);
    }
    return result == ncclSuccess ? PEN_OK : blame(g, g->nccl->ncclGetErrorString(result), err);
}

/* ---- calls ---- */

static pen_status begin(struct pen_cuda_group *g, const char *what, struct pen_error *err)
{
    g->what = what;
    g->n_calls++;
    if (g->failed) {
        return fail_again(g, err);
    }
    PEN_CUDA(err, cudaEventRecord(g->asked, g->exec->stream));
    PEN_CUDA(err, cudaStreamWaitEvent(g->stream, g->asked, 0));
    return PEN_OK;
}

static pen_status group_add_up(struct pen_group *group, float *values, int64_t n, bool mean, struct pen_error *err)
{
    struct pen_cuda_group *g = group_of(group);
    PEN_TRY(begin(g, mean ? "a mean" : "a sum", err));
    return settle(
        g, g->nccl->ncclAllReduce(values, values, (size_t)n, ncclFloat32, mean ? ncclAvg : ncclSum, g->comm, g->stream),
        err);
}

/* All pieces as one call of NCCL's. */
static pen_status group_gather(struct pen_group *group, const struct pen_group_piece *pieces, int64_t n_pieces,
                               struct pen_error *err)
{
    struct pen_cuda_group *g = group_of(group);
    ncclResult_t result = ncclSuccess;
    PEN_TRY(begin(g, "a gather", err));
    PEN_TRY(settle(g, g->nccl->ncclGroupStart(), err));
    for (int64_t i = 0; i < n_pieces && (result == ncclSuccess || result == ncclInProgress); i++) {
        const struct pen_group_piece *p = &pieces[i];
        if (p->size_bytes > 0) {
            result = g->nccl->ncclAllGather(p->own, p->out, (size_t)p->size_bytes, ncclUint8, g->comm, g->stream);
        }
    }
    ncclResult_t ended = g->nccl->ncclGroupEnd();
    return settle(g, result == ncclSuccess || result == ncclInProgress ? ended : result, err);
}

static pen_status group_join(struct pen_group *group, struct pen_error *err)
{
    struct pen_cuda_group *g = group_of(group);
    cudaEvent_t joined = g->joined[g->n_joins % JOINS_AHEAD];
    if (g->failed) {
        return fail_again(g, err);
    }
    if (g->n_joins >= JOINS_AHEAD) {
        PEN_TRY(wait_for_event(g, joined, err));
    }
    g->n_joins++;
    PEN_CUDA(err, cudaEventRecord(joined, g->stream));
    PEN_CUDA(err, cudaStreamWaitEvent(g->exec->stream, joined, 0));
    return PEN_OK;
}

/* ---- beginning and end ---- */

static pen_status group_finish(struct pen_group *group, struct pen_error *err)
{
    struct pen_cuda_group *g = group_of(group);
    PEN_TRY(pen_cuda_group_wait(g, g->stream, err));
    PEN_TRY(pen_cuda_group_wait(g, g->exec->stream, err));
    g->what = "the end";
    if (g->place.look(g->place.user, true, &g->error) !=
        PEN_OK) { /* here all come to it: nobody reads or waits any more */
        return give_up(g, err);
    }
    return PEN_OK;
}

static void group_close(struct pen_group *group)
{
    struct pen_cuda_group *g = group_of(group);
    g->exec->group = NULL;
    if (g->comm != NULL) { /* nothing is under way, or it is to end: unlike destroying it, this waits for nobody */
        (void)g->nccl->ncclCommAbort(g->comm);
    }
    if (g->stream != NULL) {
        (void)cudaStreamDestroy(g->stream);
    }
    if (g->asked != NULL) {
        (void)cudaEventDestroy(g->asked);
    }
    for (cudaEvent_t joined : g->joined) {
        if (joined != NULL) {
            (void)cudaEventDestroy(joined);
        }
    }
    pen_free(g);
}

static const struct pen_group_table group_table = {group_add_up, group_gather, group_join, group_finish, group_close};

pen_status pen_cuda_name_group(struct pen_exec *exec, char id[PEN_GROUP_ID_BYTES], struct pen_error *err)
{
    ncclUniqueId name;
    const struct pen_nccl *nccl = open_nccl(exec, err);
    if (nccl == NULL) {
        return PEN_ERR_UNSUPPORTED;
    }
    ncclResult_t result = nccl->ncclGetUniqueId(&name);
    if (result != ncclSuccess) {
        PEN_FAIL(err, PEN_ERR_DEVICE, "%s: NCCL cannot begin: %s; NCCL_DEBUG=WARN in the environment says more",
                 exec->name, nccl->ncclGetErrorString(result));
    }
    memcpy(id, &name, sizeof name);
    return PEN_OK;
}

static pen_status prepare(struct pen_cuda_group *g, struct pen_error *err)
{
    ncclUniqueId name;
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    memcpy(&name, g->place.id, sizeof name);
    PEN_CUDA(err, cudaStreamCreateWithFlags(&g->stream, cudaStreamNonBlocking));
    PEN_CUDA(err, cudaEventCreateWithFlags(&g->asked, cudaEventDisableTiming));
    for (cudaEvent_t &joined : g->joined) {
        PEN_CUDA(err, cudaEventCreateWithFlags(&joined, cudaEventDisableTiming));
    }
    g->what = "the beginning";
    return settle(g, g->nccl->ncclCommInitRankConfig(&g->comm, g->place.size, name, g->place.rank, &config), err);
}

pen_status pen_cuda_open_group(struct pen_exec *exec, struct pen_group **group, const struct pen_group_place *place,
                               struct pen_error *err)
{
    const struct pen_nccl *nccl = open_nccl(exec, err);
    if (nccl == NULL) {
        return PEN_ERR_UNSUPPORTED;
    }
    auto *g = static_cast<struct pen_cuda_group *>(pen_calloc(1, sizeof(struct pen_cuda_group)));
    if (g == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a group of ranks on %s", exec->name);
    }
    g->base.table = &group_table;
    g->base.exec = exec;
    g->exec = pen_cuda_exec_of(exec);
    g->place = *place;
    g->nccl = nccl;
    pen_status status = prepare(g, err);
    if (status != PEN_OK) {
        group_close(&g->base);
        return status;
    }
    g->exec->group = g;
    *group = &g->base;
    return PEN_OK;
}

int pen_cuda_groups_version(void)
{
    char why[256];
    int version = 0;
    const struct pen_nccl *nccl = pen_nccl_open(why, sizeof why);
    return nccl != NULL && nccl->ncclGetVersion(&version) == ncclSuccess ? version : 0;
}
