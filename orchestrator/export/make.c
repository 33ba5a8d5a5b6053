/* A makefile: one phony target a node, since penstock's cache knows better than times of files what changed. */
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

#include <string.h>

/* A goal no node is called like. */
static const char *goal_of(const struct pen_export *export)
{
    static const char *const goals[] = {"all", "every_step", "whole_pipeline"};
    for (size_t g = 0; g + 1 < sizeof goals / sizeof goals[0]; g++) {
        bool taken = false;
        for (int64_t i = 0; i < export->n_steps; i++) {
            taken = taken || strcmp(export->steps[i].node->name, goals[g]) == 0;
        }
        if (!taken) {
            return goals[g];
        }
    }
    return goals[2];
}

static void write_rule(const struct pen_export *export, const struct pen_export_step *step, struct pen_text *out)
{
    struct pen_text command = {0};
    pen_text_printf(out, "\n# %s\n%s:", step->node->component->description, step->node->name);
    for (int64_t i = 0; i < step->n_after; i++) {
        pen_text_printf(out, " %s", export->steps[step->after[i]].node->name);
    }
    pen_export_shell(step, NULL, &command);
    pen_text_append(out, "\n\t");
    pen_quote_replace(pen_text_view(&command), "$", "$$", out);
    pen_text_append(out, " --run '$(RUN)'\n");
    out->failed = out->failed || command.failed;
    pen_text_deinit(&command);
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    const char *goal = goal_of(export);
    PEN_TRY(pen_export_refuse(export, "make", "\n", "a recipe cannot hold a line break", err));
    pen_text_printf(out,
                    "# Pipeline %s, written by penstock export make.\n"
                    "#   make -f FILE          every node\n"
                    "#   make -f FILE NODE     a node and what it needs\n"
                    "# The nodes of one call are one run; RUN=name goes on with an earlier one. What did not change\n"
                    "# comes from the cache. With -j, steps wait for each other where they must.\n"
                    "ifndef RUN\n"
                    "RUN := make-$(shell date -u +%%Y%%m%%dT%%H%%M%%SZ)-$(shell echo $$PPID)\n"
                    "endif\n\n%s:",
                    export->pipeline->name, goal);
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_text_printf(out, " %s", export->steps[i].node->name);
    }
    pen_text_printf(out, "\n.PHONY: %s", goal);
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_text_printf(out, " %s", export->steps[i].node->name);
    }
    pen_text_append_char(out, '\n');
    for (int64_t i = 0; i < export->n_steps; i++) {
        write_rule(export, &export->steps[i], out);
    }
    return pen_text_check(out, err);
}

const struct pen_export_target pen_export_make = {
    .name = "make",
    .summary = "a makefile, a target a node",
    .next = "make -f FILE",
    .write = write,
};
