/* An artifact for people: on the terminal, as the document it is, as a page. */
#ifndef PEN_ORCHESTRATOR_CLI_VIEW_H
#define PEN_ORCHESTRATOR_CLI_VIEW_H

#include "orchestrator/cli/verbs.h"

enum pen_view_form { PEN_VIEW_TEXT, PEN_VIEW_JSON, PEN_VIEW_HTML };

struct pen_view_artifact {
    const char *id, *type, *folder; /* in cli's arena, or as they were given */
};

/* By a word (statistics, evaluation, ...: the newest; anomalies also of a node that failed), an id or a type. */
PEN_MUST_USE pen_status pen_view_find(struct pen_cli *cli, const char *name, struct pen_view_artifact *artifact,
                                      struct pen_error *err);

/* Does its text say more than its document? */
bool pen_view_is_for_people(const struct pen_view_artifact *artifact);

/* features: of statistics as text, all about these; none: the table. */
PEN_MUST_USE pen_status pen_view_render(const struct pen_view_artifact *artifact, enum pen_view_form form,
                                        const struct pen_config_strings *features, struct pen_text *out,
                                        struct pen_error *err);

#endif
