/* libmicrohttpd, the only file that knows it. It is opened when a server is, not linked: it brings a dozen libraries
 * along, and every other verb starts faster without. No threads: the server's sockets are polled here. */
#include "orchestrator/ui/server.h"

#include "core/log.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

enum { WAIT_MS = 500, CONNECTIONS = 64, TIMEOUT_S = 10, CONNECTION_BYTES = 32 << 10 };

#define LIBRARY "libmicrohttpd.so.12"
#define FUNCTIONS(X)                   \
    X(MHD_start_daemon)                \
    X(MHD_stop_daemon)                 \
    X(MHD_run_wait)                    \
    X(MHD_get_daemon_info)             \
    X(MHD_lookup_connection_value)     \
    X(MHD_create_response_from_buffer) \
    X(MHD_add_response_header)         \
    X(MHD_queue_response)              \
    X(MHD_destroy_response)

/* Each under the type that the header gives it. */
struct functions {
#define MEMBER(name) __typeof__(name) *p##name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

struct pen_server {
    struct functions call;
    void *library;
    struct MHD_Daemon *daemon;
    pen_server_handler *handler;
    void *user;
};

/* What is kept of a request until its body is complete. */
struct pending {
    char target[PEN_HTTP_TARGET_BYTES];
    struct pen_text body;
    bool is_too_long, has_begun;
};

static pen_status load(struct pen_server *server, struct pen_error *err)
{
    server->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (server->library == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "the web UI needs libmicrohttpd: install libmicrohttpd12 (%s)", dlerror());
    }
#define LOOK_UP(name)                                                                                \
    {                                                                                                \
        void *symbol = dlsym(server->library, #name);                                                \
        if (symbol == NULL) {                                                                        \
            PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "%s: expected %s in it, found none", LIBRARY, #name); \
        }                                                                                            \
        memcpy(&server->call.p##name, &symbol, sizeof symbol);                                       \
    }
    FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    return PEN_OK;
}

/* The address as it was sent, before anyone decodes it. */
static void *keep_target(void *user, const char *target, struct MHD_Connection *connection)
{
    (void)user;
    (void)connection;
    struct pending *pending = pen_calloc(1, sizeof *pending);
    if (pending != NULL) {
        size_t size = strnlen(target, PEN_HTTP_TARGET_BYTES);
        pending->is_too_long = size == PEN_HTTP_TARGET_BYTES;
        memcpy(pending->target, target, pending->is_too_long ? 0 : size);
    }
    return pending;
}

static void forget(void *user, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    struct pending *pending = *state;
    if (pending != NULL) {
        pen_text_deinit(&pending->body);
        pen_free(pending);
    }
    *state = NULL;
}

static enum MHD_Result send_response(struct pen_server *server, struct MHD_Connection *connection,
                                     const struct pen_http_response *response)
{
    const struct functions *call = &server->call;
    struct MHD_Response *sent =
        call->pMHD_create_response_from_buffer(response->body.size_bytes, response->body.data, MHD_RESPMEM_MUST_COPY);
    if (sent == NULL) {
        return MHD_NO;
    }
    enum MHD_Result result = call->pMHD_add_response_header(sent, MHD_HTTP_HEADER_CONTENT_TYPE, response->type);
    for (int i = 0; result == MHD_YES && i < response->n_headers; i++) {
        result = call->pMHD_add_response_header(sent, response->headers[i].name, response->headers[i].value);
    }
    if (result == MHD_YES) {
        result = call->pMHD_queue_response(connection, (unsigned int)response->status, sent);
    }
    call->pMHD_destroy_response(sent);
    return result;
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *bytes, size_t *size_bytes, void **state)
{
    struct pen_server *server = user;
    struct pending *pending = *state;
    (void)path;
    (void)version;
    if (pending == NULL) {
        return MHD_NO;
    }
    if (!pending->has_begun) { /* the headers are here, the body comes next */
        pending->has_begun = true;
        return MHD_YES;
    }
    if (*size_bytes > 0) {
        pending->is_too_long = pending->is_too_long || *size_bytes > PEN_HTTP_BODY_BYTES - pending->body.size_bytes;
        if (!pending->is_too_long) {
            pen_text_append_bytes(&pending->body, bytes, *size_bytes);
        }
        *size_bytes = 0;
        return MHD_YES;
    }
    struct pen_http_response response = {.status = 413, .type = "text/plain; charset=utf-8"};
    if (pending->is_too_long || pending->body.failed) {
        pen_text_append(&response.body, "too long\n");
    } else {
        const struct functions *call = &server->call;
        const struct pen_http_request request = {
            .method = method,
            .target = pending->target,
            .body = pen_text_view(&pending->body),
            .host = call->pMHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
            .origin = call->pMHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN),
            .cookie = call->pMHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE)};
        server->handler(server->user, &request, &response);
    }
    enum MHD_Result result = send_response(server, connection, &response);
    pen_http_response_deinit(&response);
    return result;
}

/* An address of either family, as the library wants it. */
union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static pen_status read_address(const char *text, int port, union address *address, struct pen_error *err)
{
    *address = (union address){.any = {.sa_family = AF_UNSPEC}};
    if (inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons((uint16_t)port);
        return PEN_OK;
    }
    *address = (union address){.any = {.sa_family = AF_UNSPEC}};
    if (inet_pton(AF_INET6, text, &address->six.sin6_addr) == 1) {
        address->six.sin6_family = AF_INET6;
        address->six.sin6_port = htons((uint16_t)port);
        return PEN_OK;
    }
    PEN_FAIL(err, PEN_ERR_USAGE, "--listen: expected a numeric address such as 127.0.0.1 or ::1, found '%.80s'", text);
}

static pen_status start(struct pen_server *server, const char *address, int port, int *bound, struct pen_error *err)
{
    union address where;
    PEN_TRY(load(server, err));
    PEN_TRY(read_address(address, port, &where, err));
    unsigned int flags = MHD_USE_EPOLL | (where.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    server->daemon = server->call.pMHD_start_daemon(
        flags, (uint16_t)port, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR, &where.any,
        MHD_OPTION_URI_LOG_CALLBACK, keep_target, NULL, MHD_OPTION_NOTIFY_COMPLETED, forget, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (server->daemon == NULL) {
        int number = errno;
        PEN_FAIL(err, number == EADDRINUSE ? PEN_ERR_BUSY : PEN_ERR_CREATE,
                 "cannot listen on %s port %d: %s; --port 0 takes one that is free", address, port, strerror(number));
    }
    const union MHD_DaemonInfo *info = server->call.pMHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    *bound = info == NULL ? port : info->port;
    return PEN_OK;
}

pen_status pen_server_open(struct pen_server **server, const char *address, int port, int *bound,
                           pen_server_handler *handler, void *user, struct pen_error *err)
{
    *server = NULL;
    struct pen_server *opened = NULL;
    PEN_ALLOC(opened, 1, err);
    opened->handler = handler;
    opened->user = user;
    pen_status status = start(opened, address, port, bound, err);
    if (status != PEN_OK) {
        pen_server_close(opened);
        return status;
    }
    *server = opened;
    return PEN_OK;
}

pen_status pen_server_run(struct pen_server *server, struct pen_error *err)
{
    while (!pen_cancel_requested()) {
        if (server->call.pMHD_run_wait(server->daemon, WAIT_MS) != MHD_YES && errno != EINTR) {
            PEN_FAIL(err, PEN_ERR_IO, "the server's sockets cannot be polled: %s", strerror(errno));
        }
    }
    return PEN_OK;
}

void pen_server_close(struct pen_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->daemon != NULL) {
        server->call.pMHD_stop_daemon(server->daemon);
    }
    pen_free(server);
}
