/* A run on the terminal: device and root first, one line a node, progress while it works, the result and what to type
 * next at the end. With --json the outcome alone goes to standard output. Everything else goes to standard error. */
#ifndef PEN_ORCHESTRATOR_CLI_DISPLAY_H
#define PEN_ORCHESTRATOR_CLI_DISPLAY_H

#include "orchestrator/cli/verbs.h"
#include "orchestrator/run/runner.h"

#include <stdio.h>

PEN_MUST_USE pen_status pen_display_run(struct pen_cli *cli, const struct pen_pipeline *pipeline,
                                        const struct pen_run_options *options, struct pen_error *err);

/* The same without the end, for whoever says it in his own way. *outcome is the caller's to free. */
PEN_MUST_USE pen_status pen_display_nodes(struct pen_cli *cli, const struct pen_pipeline *pipeline,
                                          const struct pen_run_options *options, pen_json **outcome,
                                          struct pen_error *err);

/* One line about a node on a terminal, in the place of the one drawn before and cut at the terminal's width; and that
 * line gone again. */
void pen_display_line(FILE *terminal, const char *node, const char *text);
void pen_display_erase(FILE *terminal);

#endif
