/* An HTTP server in the calling thread, one request after another. */
#ifndef PEN_ORCHESTRATOR_UI_SERVER_H
#define PEN_ORCHESTRATOR_UI_SERVER_H

#include "orchestrator/ui/http.h"

struct pen_server;

/* Fills the response; never fails: what went wrong is an answer too. */
typedef void pen_server_handler(void *user, const struct pen_http_request *request, struct pen_http_response *response);

/* address: numeric, IPv4 or IPv6. port: 0 for any that is free; *bound gets it. PEN_ERR_UNSUPPORTED: this build, or
 * this machine, has no libmicrohttpd. */
PEN_MUST_USE pen_status pen_server_open(struct pen_server **server, const char *address, int port, int *bound,
                                        pen_server_handler *handler, void *user, struct pen_error *err);
/* Answers until cancellation is requested (core/log.h). */
PEN_MUST_USE pen_status pen_server_run(struct pen_server *server, struct pen_error *err);
void pen_server_close(struct pen_server *server); /* NULL is fine */

#endif
