/* What the pages share. */
#ifndef PEN_ORCHESTRATOR_UI_UI_INTERNAL_H
#define PEN_ORCHESTRATOR_UI_UI_INTERNAL_H

#include "orchestrator/metadata/metadata.h"
#include "orchestrator/ui/guard.h"
#include "orchestrator/ui/ui.h"

#include <sys/types.h>

enum { PEN_UI_NAMES = 3, PEN_UI_SAID_BYTES = 512 };

struct pen_ui_pipeline {
    const char *id;   /* in addresses */
    const char *name; /* of the pipeline; of the root's folder without a file */
    const char *file; /* NULL: only a root to look at */
    const char *root;
    pid_t child;                     /* a run started here, until it has ended; else 0 */
    int said;                        /* its standard error */
    char message[PEN_UI_SAID_BYTES]; /* about the last action, for the next page; "" */
    bool is_bad;                     /* it did not work */
};

struct pen_ui {
    struct pen_arena arena;
    struct pen_guard guard;
    const char *program;
    int64_t n_pipelines;
    struct pen_ui_pipeline *pipelines;
};

/* One request on its way to an answer. */
struct pen_ui_call {
    struct pen_ui *ui;
    const struct pen_http_request *request;
    struct pen_http_response *response;
    struct pen_text *out; /* the response's body */
    struct pen_arena arena;
    struct pen_http_fields query;
    struct pen_ui_pipeline *pipeline; /* what /p/NAME names, or NULL */
    const char *names[PEN_UI_NAMES];  /* what the other *s of the route stand for: plain names */
};

typedef pen_status pen_ui_page(struct pen_ui_call *call, struct pen_error *err);

pen_ui_page pen_ui_home, pen_ui_runs, pen_ui_run, pen_ui_section, pen_ui_log, pen_ui_log_text, pen_ui_artifact,
    pen_ui_compare, pen_ui_start, pen_ui_stop, pen_ui_pause, pen_ui_unpause, pen_ui_trigger, pen_ui_api_pipelines,
    pen_ui_api;

/* ---- frame.c ---- */

/* The page up to <main>; title: plain text. The trail leads to the pipeline (when there is one) and to `run` (when not
 * NULL). */
void pen_ui_begin(struct pen_ui_call *call, const char *title, const char *run);
void pen_ui_end(struct pen_ui_call *call);
/* A button that does something: a form of its own. */
void pen_ui_button(struct pen_ui_call *call, const char *action, const char *label);
/* <a href="/p/PIPELINE/KIND/NAME">NAME</a> */
void pen_ui_link(struct pen_ui_call *call, const char *kind, const char *name);
void pen_ui_status(struct pen_ui_call *call, const char *status); /* a word in its colour */

extern const char *const pen_ui_style; /* what the pages have beyond the report's style */
extern const char pen_ui_script[];     /* ui.js */

/* ---- grid.c ---- */

/* What each node came to in each of the last runs; nothing before the first. */
void pen_ui_grid(struct pen_ui_call *call, struct pen_metadata *metadata);

/* ---- look.c ---- */

/* The root's last runs, the given one among them, with all that its nodes took from the cache; run NULL: only the last
 * n. A root without history is empty. To be closed whenever it returns PEN_OK. */
PEN_MUST_USE pen_status pen_ui_look(struct pen_ui_call *call, struct pen_metadata *metadata, const char *run, int64_t n,
                                    struct pen_error *err);
/* Its status; "abandoned" for one that has no end and that nobody is at any more. */
const char *pen_ui_run_status(const struct pen_ui_call *call, const pen_json *run);
bool pen_ui_is_busy(const struct pen_ui_call *call); /* someone writes to the root */

/* ---- action.c ---- */

/* Takes in what a run that was started here came to, when it has ended. */
void pen_ui_reap(struct pen_ui_pipeline *pipeline);

#endif
