/* Built where there is no libmicrohttpd. */
#include "orchestrator/ui/server.h"

pen_status pen_server_open(struct pen_server **server, const char *address, int port, int *bound,
                           pen_server_handler *handler, void *user, struct pen_error *err)
{
    (void)address;
    (void)port;
    (void)bound;
    (void)handler;
    (void)user;
    *server = NULL;
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
             "this penstock was built without libmicrohttpd: install libmicrohttpd-dev and build again");
}

pen_status pen_server_run(struct pen_server *server, struct pen_error *err)
{
    (void)server;
    PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "this penstock was built without libmicrohttpd");
}

void pen_server_close(struct pen_server *server)
{
    (void)server;
}
