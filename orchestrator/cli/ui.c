/* penstock ui: pipelines and runs in a browser. */
#include "orchestrator/ui/ui.h"

#include "core/files.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/ui/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIPELINES = 256, PORT = 7878 };

struct values {
    const char *port, *listen;
};

static const struct pen_arg args[] = {
    {"port", 'p', PEN_ARG_TEXT, offsetof(struct values, port), "N", "7878 when left out; 0: any that is free"},
    {"listen", 0, PEN_ARG_TEXT, offsetof(struct values, listen), "ADDR",
     "a numeric address of this machine; 127.0.0.1, which nobody else can reach, when left out"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static bool is_loopback(const char *address)
{
    struct in_addr four;
    return strcmp(address, "::1") == 0 ||
           (inet_pton(AF_INET, address, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127);
}

static pen_status announce(const struct pen_cli *cli, const struct pen_ui *ui, const char *address, int port,
                           struct pen_error *err)
{
    struct pen_text text = {0};
    pen_json *document = pen_json_object();
    const bool is_six = strchr(address, ':') != NULL;
    pen_text_printf(&text, "http://%s%s%s:%d/?token=%s", is_six ? "[" : "", address, is_six ? "]" : "", port,
                    pen_ui_token(ui));
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "url", pen_text_view(&text));
    pen_text_append_char(&text, '\n');
    if (!is_loopback(address)) {
        (void)fprintf(stderr,
                      "warning: whoever reaches %s and sees this address or the network's traffic can start and stop "
                      "runs: nothing is encrypted\n",
                      address);
    }
    (void)fprintf(stderr, "open this in a browser; Ctrl-C ends it\n");
    pen_status status = pen_cli_answer(cli, document, &text, err);
    pen_json_free(document);
    pen_text_deinit(&text);
    return status;
}

static pen_status serve(const struct pen_cli *cli, struct pen_ui *ui, const char *address, int port,
                        struct pen_error *err)
{
    struct pen_server *server = NULL;
    PEN_TRY(pen_server_open(&server, address, port, &port, pen_ui_answer, ui, err));
    pen_ui_set_port(ui, port);
    pen_status status = announce(cli, ui, address, port, err);
    if (status == PEN_OK) {
        status = pen_server_run(server, err);
    }
    pen_server_close(server);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    const char *address = values->listen == NULL ? "127.0.0.1" : values->listen, *here = "pipeline.yaml";
    int64_t port = PORT;
    struct pen_ui *ui = NULL;
    if (values->port != NULL &&
        (!pen_parse_int64(values->port, strlen(values->port), &port) || port < 0 || port > 65535)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --port: expected 0 to 65535, found '%.40s'", values->port);
    }
    struct pen_ui_options options = {.files = cli->args.positionals.items,
                                     .n_files = cli->args.positionals.n_items,
                                     .root = cli->args.root,
                                     .is_loopback = is_loopback(address)};
    if (options.root != NULL && options.n_files > 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--root: expected one pipeline file with it: each has a root of its own");
    }
    if (options.n_files == 0 && options.root == NULL && pen_path_exists(here)) {
        options.files = &here;
        options.n_files = 1;
    } else if (options.n_files == 0) {
        PEN_TRY(pen_cli_root(cli, &options.root, err));
    }
    PEN_TRY(pen_ui_open(&ui, &options, err));
    pen_status status = serve(cli, ui, address, (int)port, err);
    pen_ui_close(ui);
    return status;
}

const struct pen_verb pen_verb_ui = {
    .name = "ui",
    .arguments = "[PIPELINE.yaml ...]",
    .summary = "pipelines, runs and artifacts in a browser, and runs started and stopped there",
    .examples = "  penstock ui pipeline.yaml             # prints the address to open\n"
                "  penstock ui --root out/trips          # a root alone: to look at\n"
                "  ssh -L 7878:127.0.0.1:7878 machine    # then the same address, from elsewhere\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_max = MOST_PIPELINES,
    .run = run,
};
