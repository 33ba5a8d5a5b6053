/* Exchanges over sockets. A message is a head, which says of which call it is, and its bytes; all peers are served at
 * once, so nobody waits for anybody but those whose bytes it needs, and a call that ends too late knows who is missing.
 * Heads that do not fit are ranks that do different things: an error instead of a hang. */
#include "core/communicator_local.h"

#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ABORT_CALL = -1, ABORT_BYTES_MAX = 900 };

struct head {
    int64_t call; /* ABORT_CALL: the bytes are a message */
    int64_t size_bytes;
};

/* Bytes on their way to a peer or from it. */
struct transfer {
    struct head head;
    char *bytes;
    int64_t head_done, done;
};

struct local {
    struct pen_communicator base;
    int fds[PEN_LOCAL_RANKS_MAX]; /* -1: the own rank */
    struct transfer out[PEN_LOCAL_RANKS_MAX], in[PEN_LOCAL_RANKS_MAX];
};

static bool is_done(const struct transfer *t)
{
    return t->head_done == (int64_t)sizeof t->head && t->done == t->head.size_bytes;
}

static void list_waited_for(const struct local *l, char out[256])
{
    int length = 0;
    out[0] = '\0';
    for (int r = 0; r < l->base.size && length < 240; r++) {
        if (l->fds[r] >= 0 && (!is_done(&l->in[r]) || !is_done(&l->out[r]))) {
            length += snprintf(out + length, (size_t)(256 - length), "%s%d", length == 0 ? "" : ", ", r);
        }
    }
}

static bool would_wait(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

/* A peer gave up: its message is short and was sent in one piece. */
static pen_status fail_aborted(const struct local *l, int peer, struct pen_error *err)
{
    char message[ABORT_BYTES_MAX + 1] = "";
    int64_t size = l->in[peer].head.size_bytes;
    ssize_t got = recv(l->fds[peer], message, (size_t)(size < ABORT_BYTES_MAX ? size : ABORT_BYTES_MAX), MSG_WAITALL);
    message[got > 0 ? got : 0] = '\0';
    PEN_FAIL(err, PEN_ERR_FAILED, "rank %d gave up: %s", peer, message);
}

/* Reads what a peer that is gone had sent before, up to a message that says why it went; false: there is none. */
static bool find_reason(const struct local *l, int peer, struct transfer *t)
{
    char skipped[4096];
    for (;;) {
        int64_t of_head = (int64_t)sizeof t->head - t->head_done, of_bytes = t->head.size_bytes - t->done;
        bool head = of_head > 0;
        char *to = head ? (char *)&t->head + t->head_done : skipped;
        int64_t most = head ? of_head : of_bytes < (int64_t)sizeof skipped ? of_bytes : (int64_t)sizeof skipped;
        ssize_t got = most > 0 ? recv(l->fds[peer], to, (size_t)most, MSG_DONTWAIT) : 0;
        if (got < 0 || (got == 0 && most > 0)) {
            return false;
        }
        *(head ? &t->head_done : &t->done) += got;
        if (t->head_done == (int64_t)sizeof t->head && t->head.call == ABORT_CALL) {
            return true;
        }
        if (is_done(t)) {
            *t = (struct transfer){.head_done = 0};
        }
    }
}

static pen_status fail_lost(struct local *l, int peer, struct pen_error *err)
{
    if (find_reason(l, peer, &l->in[peer])) {
        return fail_aborted(l, peer, err);
    }
    PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: rank %d is gone (its process ended) in call %lld, %s", l->base.rank,
             l->base.size, peer, (long long)l->base.n_calls, l->base.what);
}

/* *moved: something went out. Head and bytes go in one call: between two, a peer that does something else may read
 * the head and leave, and this rank would tell of its leaving, not of what it read from it. */
static pen_status send_some(struct local *l, int peer, bool *moved, struct pen_error *err)
{
    struct transfer *t = &l->out[peer];
    while (!is_done(t)) {
        int64_t of_head = (int64_t)sizeof t->head - t->head_done;
        int64_t of_bytes = t->head.size_bytes - t->done;
        struct iovec pieces[2] = {{(char *)&t->head + t->head_done, (size_t)of_head},
                                  {of_bytes > 0 ? t->bytes + t->done : NULL, (size_t)of_bytes}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        ssize_t sent = sendmsg(l->fds[peer], &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && would_wait(errno)) {
            return PEN_OK;
        }
        if (sent < 0) {
            return fail_lost(l, peer, err);
        }
        t->head_done += sent < of_head ? sent : of_head;
        t->done += sent < of_head ? 0 : sent - of_head;
        *moved = true;
    }
    return PEN_OK;
}

static pen_status check_head(const struct local *l, int peer, int64_t expected_bytes, struct pen_error *err)
{
    const struct head *head = &l->in[peer].head;
    if (head->call == ABORT_CALL) {
        return fail_aborted(l, peer, err);
    }
    if (head->call != l->base.n_calls || head->size_bytes != expected_bytes) {
        PEN_FAIL(
            err, PEN_ERR_FAILED,
            "rank %d of %d: call %lld, %s: expected %lld bytes from rank %d, found %lld of call %lld: the ranks do "
            "different things (other options, data or program?)",
            l->base.rank, l->base.size, (long long)l->base.n_calls, l->base.what, (long long)expected_bytes, peer,
            (long long)head->size_bytes, (long long)head->call);
    }
    return PEN_OK;
}

static pen_status receive_some(struct local *l, int peer, int64_t expected_bytes, bool *moved, struct pen_error *err)
{
    struct transfer *t = &l->in[peer];
    while (!is_done(t)) {
        bool head = t->head_done < (int64_t)sizeof t->head;
        char *to = head ? (char *)&t->head + t->head_done : t->bytes + t->done;
        int64_t left = head ? (int64_t)sizeof t->head - t->head_done : t->head.size_bytes - t->done;
        ssize_t got = recv(l->fds[peer], to, (size_t)left, MSG_DONTWAIT);
        if (got < 0 && would_wait(errno)) {
            return PEN_OK;
        }
        if (got <= 0) {
            return fail_lost(l, peer, err);
        }
        *(head ? &t->head_done : &t->done) += got;
        *moved = true;
        if (head && t->head_done == (int64_t)sizeof t->head) {
            PEN_TRY(check_head(l, peer, expected_bytes, err));
        }
    }
    return PEN_OK;
}

static void begin(struct local *l, const struct pen_parcel *parcels)
{
    for (int r = 0; r < l->base.size; r++) {
        const struct pen_parcel *p = &parcels[r];
        l->out[r] = (struct transfer){.head = {l->base.n_calls, p->send_bytes}};
        memcpy(&l->out[r].bytes, &p->send, sizeof p->send); /* only read */
        l->in[r] = (struct transfer){.bytes = p->receive};
    }
}

static int list_polls(const struct local *l, struct pollfd polls[PEN_LOCAL_RANKS_MAX])
{
    int n = 0;
    for (int r = 0; r < l->base.size; r++) {
        short events = (short)((is_done(&l->in[r]) ? 0 : POLLIN) | (is_done(&l->out[r]) ? 0 : POLLOUT));
        if (l->fds[r] >= 0 && events != 0) {
            polls[n++] = (struct pollfd){.fd = l->fds[r], .events = events};
        }
    }
    return n;
}

static void local_abort(struct pen_communicator *c, const char *message)
{
    struct local *l = (struct local *)c;
    char bytes[sizeof(struct head) + ABORT_BYTES_MAX];
    size_t length = strnlen(message, ABORT_BYTES_MAX);
    struct head head = {ABORT_CALL, (int64_t)length};
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, message, length);
    for (int r = 0; r < c->size; r++) {
        bool within_a_message = !is_done(&l->out[r]) && l->out[r].head_done + l->out[r].done > 0;
        if (l->fds[r] >= 0 && !within_a_message) {
            (void)send(l->fds[r], bytes, sizeof head + length, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
}

static pen_status serve(struct local *l, const struct pen_parcel *parcels, struct pen_error *err)
{
    const struct pen_communicator *c = &l->base;
    struct pollfd polls[PEN_LOCAL_RANKS_MAX];
    double last_moved = pen_clock_seconds();
    begin(l, parcels);
    for (int n = list_polls(l, polls); n > 0; n = list_polls(l, polls)) {
        bool moved = false;
        for (int r = 0; r < c->size; r++) {
            if (l->fds[r] >= 0) {
                PEN_TRY(send_some(l, r, &moved, err));
                PEN_TRY(receive_some(l, r, parcels[r].receive_bytes, &moved, err));
            }
        }
        if (moved) {
            last_moved = pen_clock_seconds();
        } else if (poll(polls, (nfds_t)n, 1000) == 0 && pen_clock_seconds() - last_moved > c->timeout_s) {
            char missing[256];
            list_waited_for(l, missing);
            PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: waited %.0f s in call %lld, %s, for rank %s", c->rank,
                     c->size, c->timeout_s, (long long)c->n_calls, c->what, missing);
        }
    }
    return PEN_OK;
}

/* A rank that fails says so: else the others would name it, and not the one it lost. */
static pen_status pass_on(struct pen_communicator *c, pen_status status, const struct pen_error *problem,
                          struct pen_error *err)
{
    if (status != PEN_OK) {
        local_abort(c, problem->message);
        (void)pen_error_set(err, problem->file, problem->line, status, "%s", problem->message);
    }
    return status;
}

static pen_status local_exchange(struct pen_communicator *c, const struct pen_parcel *parcels, struct pen_error *err)
{
    struct pen_error problem = PEN_ERROR_INIT;
    pen_status status = serve((struct local *)c, parcels, &problem);
    return pass_on(c, status, &problem, err);
}

/* A peer that is gone may have left its next message; one that gave up says why, or is gone soon. */
static pen_status look_at(struct local *l, int peer, struct pen_error *err)
{
    struct head head;
    struct pollfd end = {.fd = l->fds[peer]};
    bool gone = poll(&end, 1, 0) > 0;
    ssize_t got = recv(l->fds[peer], &head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    bool gave_up = got == (ssize_t)sizeof head && head.call == ABORT_CALL;
    if (!gone && !gave_up) {
        return PEN_OK;
    }
    l->in[peer] = (struct transfer){.head_done = 0};
    return fail_lost(l, peer, err);
}

static pen_status local_look(struct pen_communicator *c, struct pen_error *err)
{
    struct local *l = (struct local *)c;
    struct pen_error problem = PEN_ERROR_INIT;
    pen_status status = PEN_OK;
    for (int r = 0; r < c->size && status == PEN_OK; r++) {
        status = r == c->rank ? PEN_OK : look_at(l, r, &problem);
    }
    return pass_on(c, status, &problem, err);
}

static void close_all(int *fds, int n)
{
    for (int r = 0; r < n; r++) {
        if (fds[r] >= 0) {
            (void)close(fds[r]);
            fds[r] = -1;
        }
    }
}

static void local_close(struct pen_communicator *c)
{
    struct local *l = (struct local *)c;
    close_all(l->fds, c->size);
    pen_free(l);
}

static const struct pen_communicator_table local_table = {local_exchange, local_look, local_abort, local_close};

pen_status pen_local_mesh_create(struct pen_local_mesh **mesh, int size, struct pen_error *err)
{
    struct pen_local_mesh *m = NULL;
    if (size < 1 || size > PEN_LOCAL_RANKS_MAX) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "ranks: expected 1 to %d on one machine, found %d", PEN_LOCAL_RANKS_MAX, size);
    }
    PEN_ALLOC(m, 1, err);
    m->size = size;
    memset(m->fds, 0xff, sizeof m->fds);
    for (int r = 0; r < size; r++) {
        for (int peer = r + 1; peer < size; peer++) {
            int ends[2];
            if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
                int number = errno;
                pen_local_mesh_destroy(m);
                PEN_FAIL(err, PEN_ERR_IO, "cannot make a socket between ranks %d and %d: %s", r, peer,
                         strerror(number));
            }
            m->fds[r][peer] = ends[0];
            m->fds[peer][r] = ends[1];
        }
    }
    *mesh = m;
    return PEN_OK;
}

void pen_local_mesh_destroy(struct pen_local_mesh *m)
{
    for (int r = 0; m != NULL && r < m->size; r++) {
        close_all(m->fds[r], m->size);
    }
    pen_free(m);
}

pen_status pen_local_mesh_join(struct pen_communicator **communicator, struct pen_local_mesh *mesh, int rank,
                               double timeout_s, struct pen_error *err)
{
    struct local *l = pen_calloc(1, sizeof *l);
    if (l == NULL) {
        pen_local_mesh_destroy(mesh);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: joining as rank %d", rank);
    }
    l->base = (struct pen_communicator){
        .table = &local_table, .rank = rank, .size = mesh->size, .timeout_s = timeout_s, .what = ""};
    for (int r = 0; r < mesh->size; r++) {
        l->fds[r] = mesh->fds[rank][r];
        mesh->fds[rank][r] = -1;
    }
    pen_local_mesh_destroy(mesh);
    *communicator = &l->base;
    return PEN_OK;
}
