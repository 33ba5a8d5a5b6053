/* Exchanges through MPI: every byte is sent and awaited without blocking, so that a call that ends too late knows whose
 * bytes are missing. Any MPI of the time will do; only this file sees its header. */
#include "core/communicator_module.h"
#include "core/log.h"
#include "core/memory.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PIECE_BYTES = 1 << 30, TAGS = 1 << 14, SPINS = 2000 };

/* mpirun that lost a rank asks the others to stop: they wait no longer than this for what will not come. */
static const double patience_once_asked_s = 2;

struct messages {
    int64_t n, capacity;
    MPI_Request *requests;
    int *peers;
};

struct mpi {
    struct pen_communicator base;
    MPI_Comm comm;
    struct messages messages;
    bool opened_mpi;
    bool (*stop_requested)(void);
};

static pen_status check(const struct mpi *m, int code, struct pen_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == MPI_SUCCESS) {
        return PEN_OK;
    }
    (void)MPI_Error_string(code, text, &length);
    PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: call %lld, %s: MPI: %.*s", m->base.rank, m->base.size,
             (long long)m->base.n_calls, m->base.what, length, text);
}

static pen_status add_message(struct mpi *m, int peer, struct pen_error *err)
{
    struct messages *list = &m->messages;
    int64_t capacity = list->capacity;
    void *requests = list->requests, *peers = list->peers;
    PEN_TRY(pen_grow(&requests, &capacity, list->n + 1, sizeof *list->requests, err));
    list->requests = requests;
    capacity = list->capacity;
    PEN_TRY(pen_grow(&peers, &capacity, list->n + 1, sizeof *list->peers, err));
    list->peers = peers;
    list->capacity = capacity;
    list->requests[list->n] = MPI_REQUEST_NULL;
    list->peers[list->n++] = peer;
    return PEN_OK;
}

/* A message in pieces that an int can count; none when there is nothing to say. */
static pen_status post(struct mpi *m, int peer, const void *send, void *receive, int64_t size_bytes,
                       struct pen_error *err)
{
    int tag = (int)(m->base.n_calls % TAGS);
    for (int64_t done = 0; done < size_bytes; done += PIECE_BYTES) {
        int n = (int)(size_bytes - done < PIECE_BYTES ? size_bytes - done : PIECE_BYTES);
        PEN_TRY(add_message(m, peer, err));
        MPI_Request *request = &m->messages.requests[m->messages.n - 1];
        int code = send != NULL ? MPI_Isend((const char *)send + done, n, MPI_BYTE, peer, tag, m->comm, request)
                                : MPI_Irecv((char *)receive + done, n, MPI_BYTE, peer, tag, m->comm, request);
        PEN_TRY(check(m, code, err));
    }
    return PEN_OK;
}

static pen_status fail_late(const struct mpi *m, double waited_s, struct pen_error *err)
{
    char missing[256] = "";
    int length = 0, before = -1;
    for (int64_t i = 0; i < m->messages.n && length < 240; i++) {
        if (m->messages.requests[i] != MPI_REQUEST_NULL && m->messages.peers[i] != before) {
            before = m->messages.peers[i];
            length += snprintf(missing + length, (size_t)(256 - length), "%s%d", length == 0 ? "" : ", ", before);
        }
    }
    PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: waited %.0f s in call %lld, %s, for rank %s", m->base.rank,
             m->base.size, waited_s, (long long)m->base.n_calls, m->base.what, missing);
}

static pen_status wait_for_all(struct mpi *m, struct pen_error *err)
{
    static const struct timespec nap = {0, 50000};
    double began = pen_clock_seconds(), asked = 0;
    for (int64_t turn = 0;; turn++) {
        int done = 0;
        PEN_TRY(check(m, MPI_Testall((int)m->messages.n, m->messages.requests, &done, MPI_STATUSES_IGNORE), err));
        if (done) {
            return PEN_OK;
        }
        if (turn > SPINS) {
            (void)nanosleep(&nap, NULL);
            double now = pen_clock_seconds();
            asked = asked == 0 && m->stop_requested() ? now : asked;
            if (now - began > m->base.timeout_s || (asked > 0 && now - asked > patience_once_asked_s)) {
                for (int64_t i = 0; i < m->messages.n; i++) { /* Testall frees none before all are done */
                    int one = 0;
                    (void)MPI_Test(&m->messages.requests[i], &one, MPI_STATUS_IGNORE);
                }
                return fail_late(m, now - began, err);
            }
        }
    }
}

static pen_status mpi_exchange(struct pen_communicator *c, const struct pen_parcel *parcels, struct pen_error *err)
{
    struct mpi *m = (struct mpi *)c;
    m->messages.n = 0;
    for (int r = 0; r < c->size; r++) {
        if (r != c->rank) {
            PEN_TRY(post(m, r, NULL, parcels[r].receive, parcels[r].receive_bytes, err));
        }
    }
    for (int step = 1; step < c->size; step++) { /* each begins with another, so that none is overrun */
        int r = (c->rank + step) % c->size;
        PEN_TRY(post(m, r, parcels[r].send, NULL, parcels[r].send_bytes, err));
    }
    return wait_for_all(m, err);
}

/* MPI has no message for ranks that wait elsewhere: the launcher ends them all. */
static void mpi_abort(struct pen_communicator *c, const char *message)
{
    struct mpi *m = (struct mpi *)c;
    (void)fprintf(stderr, "rank %d of %d gives up: %s\n", c->rank, c->size, message);
    (void)fflush(stderr);
    (void)MPI_Abort(m->comm, 1);
}

static void mpi_close(struct pen_communicator *c)
{
    struct mpi *m = (struct mpi *)c;
    if (!c->failed) { /* after a failure the others never come, and finalising waits for them */
        (void)MPI_Comm_free(&m->comm);
        if (m->opened_mpi) {
            (void)MPI_Finalize();
        }
    }
    pen_free(m->messages.requests);
    pen_free(m->messages.peers);
    pen_free(m);
}

static const struct pen_communicator_table mpi_table = {mpi_exchange, NULL, mpi_abort, mpi_close};

pen_status pen_mpi_open_2(struct pen_communicator **communicator, double timeout_s, bool (*stop_requested)(void),
                          struct pen_error *err)
{
    struct mpi *m = NULL;
    int opened = 0, provided = 0;
    PEN_ALLOC(m, 1, err);
    m->base = (struct pen_communicator){.table = &mpi_table, .size = 1, .timeout_s = timeout_s, .what = "joining"};
    m->stop_requested = stop_requested;
    pen_status status = check(m, MPI_Initialized(&opened), err);
    if (status == PEN_OK && !opened) {
        status = check(m, MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided), err);
        m->opened_mpi = true;
    }
    if (status == PEN_OK) {
        status = check(m, MPI_Comm_dup(MPI_COMM_WORLD, &m->comm), err);
    }
    if (status != PEN_OK) {
        pen_free(m);
        return status;
    }
    (void)MPI_Comm_set_errhandler(m->comm, MPI_ERRORS_RETURN);
    (void)MPI_Comm_rank(m->comm, &m->base.rank);
    (void)MPI_Comm_size(m->comm, &m->base.size);
    *communicator = &m->base;
    return PEN_OK;
}
