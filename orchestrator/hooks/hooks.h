/* What happens when a run has ended: commands, a mail, a webhook, as the pipeline's settings say
 * (pipeline/settings.h). A hook that fails is told of and changes nothing about the run.
 *
 * on_success follows a run that succeeded, from the cache too; on_failure one that failed; notify either, as its `on`
 * says; on_exit follows all of these and a run that was cancelled. Each has a minute, then it is stopped. Commands run
 * by /bin/sh in the pipeline file's folder; what they say goes to <root>/runs/<run>/hooks.log, a mail to mail.txt
 * beside it. Their environment:
 *
 *   PENSTOCK_PIPELINE, PENSTOCK_FILE, PENSTOCK_ROOT    name, file and root, the last absolute
 *   PENSTOCK_RUN, PENSTOCK_STATUS, PENSTOCK_SECONDS    run-12, succeeded | cached | failed | cancelled, 1.25
 *   PENSTOCK_NODE, PENSTOCK_MESSAGE                    the node that failed and why; else empty
 *   PENSTOCK_BLESSED, PENSTOCK_PUSHED                  true, false or empty; the pushed model's path or empty */
#ifndef PEN_ORCHESTRATOR_HOOKS_HOOKS_H
#define PEN_ORCHESTRATOR_HOOKS_HOOKS_H

#include "core/json.h"
#include "orchestrator/pipeline/settings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A run that has ended. Texts are never NULL. */
struct pen_event {
    const char *pipeline, *file, *root, *run, *status, *node, *message, *blessed, *pushed;
    double seconds;
    const char *directory; /* the pipeline file's */
    const char *folder;    /* the run's */
};

/* Adds {hook, ok, message} for each to results, an array; warns of those that failed through warning (may be NULL). */
void pen_hooks_run(const struct pen_settings *settings, const struct pen_event *event, pen_json *results,
                   void (*warning)(void *user, const char *text), void *user);

#ifdef __cplusplus
}
#endif

#endif
