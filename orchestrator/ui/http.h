/* A request and its answer, as the pages see them: no socket, no server, so that tests ask as a browser would.
 *
 * What comes from outside is bounded by the server: PEN_HTTP_TARGET_BYTES of address, PEN_HTTP_BODY_BYTES of body. A
 * field of a query or a form is decoded once. */
#ifndef PEN_ORCHESTRATOR_UI_HTTP_H
#define PEN_ORCHESTRATOR_UI_HTTP_H

#include "core/memory.h"
#include "core/text.h"

enum {
    PEN_HTTP_TARGET_BYTES = 2048,
    PEN_HTTP_BODY_BYTES = 64 << 10,
    PEN_HTTP_HEADERS = 12,
    PEN_HTTP_FIELDS = 16,
    PEN_HTTP_VALUE_BYTES = 512
};

struct pen_http_request {
    const char *method;                 /* GET, HEAD, POST, ... */
    const char *target;                 /* as it was sent: /p/taxi?x=1 */
    const char *body;                   /* "" without */
    const char *host, *origin, *cookie; /* headers; NULL: not sent */
};

struct pen_http_header {
    const char *name; /* static */
    char value[PEN_HTTP_VALUE_BYTES];
};

struct pen_http_response {
    int status;
    const char *type; /* static */
    struct pen_text body;
    int n_headers;
    struct pen_http_header headers[PEN_HTTP_HEADERS];
};

/* A value with control characters is left out: nothing from outside adds a header of its own. */
void pen_http_header(struct pen_http_response *response, const char *name, const char *format, ...) PEN_PRINTF(3, 4);
const char *pen_http_find_header(const struct pen_http_response *response, const char *name); /* NULL: not there */
void pen_http_response_deinit(struct pen_http_response *response);

struct pen_http_fields {
    int n;
    const char *names[PEN_HTTP_FIELDS], *values[PEN_HTTP_FIELDS];
};

/* "a=1&b=x%20y" of size bytes; false: not such a text, or too many. Texts live in the arena. */
bool pen_http_read_fields(struct pen_arena *arena, const char *text, size_t size_bytes, struct pen_http_fields *fields);
const char *pen_http_field(const struct pen_http_fields *fields, const char *name); /* "": not there */

/* Value of a cookie into out; "": not there or too long. */
void pen_http_cookie(const char *header, const char *name, char *out, size_t capacity);

#endif
