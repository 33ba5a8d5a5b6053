/* The web UI: pipelines, runs and artifacts as pages, from a root's files, and runs started and stopped.
 *
 *   /                                   the pipelines
 *   /p/PIPELINE                         its runs
 *   /p/PIPELINE/run/RUN                 what the nodes did or do
 *   /p/PIPELINE/run/RUN/show/SECTION    evaluation, training, anomalies, statistics, schema
 *   /p/PIPELINE/run/RUN/log/NODE        what a node said; .../text?from=N: its bytes from N on
 *   /p/PIPELINE/artifact/ARTIFACT       what it was made of, what was made of it
 *   /p/PIPELINE/compare?a=RUN&b=RUN
 *   /api/...                            api.c: the documents of the verbs' --json
 *   POST /p/PIPELINE/ACTION             start, stop, pause, unpause, trigger
 *
 * Pages are whole without the script, which only puts in again what changed (elements with data-live) and follows
 * logs. A request is answered from what the files say at that moment, while runs write; pages look at the last runs
 * alone, so their time does not grow with history. Names in an address are looked up in the metadata before they are
 * part of any path. Who may ask: guard.h. */
#ifndef PEN_ORCHESTRATOR_UI_UI_H
#define PEN_ORCHESTRATOR_UI_UI_H

#include "orchestrator/ui/http.h"

struct pen_ui;

struct pen_ui_options {
    const char *const *files; /* pipeline files */
    int64_t n_files;
    const char *root;    /* without files: the root to show; with one file: instead of the file's; NULL: the file's */
    const char *program; /* that runs are started with; NULL: this one */
    bool is_loopback;    /* it listens on a loopback address alone */
};

PEN_MUST_USE pen_status pen_ui_open(struct pen_ui **ui, const struct pen_ui_options *options, struct pen_error *err);
void pen_ui_close(struct pen_ui *ui);

/* The port it is reached at, which Host has to name; and what a browser has to know: /?token=... */
void pen_ui_set_port(struct pen_ui *ui, int port);
const char *pen_ui_token(const struct pen_ui *ui);

/* A pen_server_handler; user: the struct pen_ui. */
void pen_ui_answer(void *user, const struct pen_http_request *request, struct pen_http_response *response);

#endif
