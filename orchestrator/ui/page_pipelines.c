/* The pipelines, and the runs of one. */
#include "core/files.h"
#include "orchestrator/daemon/state.h"
#include "orchestrator/pipeline/pipeline.h"
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FEW_RUNS = 5, MANY_RUNS = 100 };

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void note(struct pen_ui_call *call)
{
    const struct pen_ui_pipeline *pipeline = call->pipeline;
    if (pipeline->message[0] == '\0') {
        return;
    }
    pen_text_append(call->out, pipeline->is_bad ? "<p class=\"note bad\" role=\"alert\">" : "<p class=\"note\">");
    pen_html_text(call->out, pipeline->message);
    pen_text_append(call->out, "</p>\n");
}

static void schedule_row(struct pen_ui_call *call, const struct pen_schedule *schedule, bool is_served, bool is_paused)
{
    struct pen_text *out = call->out;
    char next[PEN_ZONE_TIME_BYTES];
    const int64_t at = pen_schedule_next(schedule, (int64_t)time(NULL));
    pen_text_append(out, "<dt>schedule</dt><dd>");
    pen_html_text(out, schedule->text == NULL ? "" : schedule->text);
    pen_text_append(out, schedule->on_new_data ? schedule->text == NULL ? "on new data" : ", and on new data" : "");
    if (at != PEN_NEVER) {
        pen_text_append(out, "</dd><dt>next</dt><dd>");
        pen_html_text(out, pen_zone_print(next, &schedule->zone, at));
    }
    pen_text_printf(out, "</dd><dt>scheduler</dt><dd>%s%s</dd>",
                    is_served ? "<span class=\"good\">serves it</span>" : "<span class=\"soft\">not running</span>",
                    is_paused ? ", <span class=\"wait\">paused</span>" : "");
    if (!is_served) {
        pen_text_append(out, "<dt>to start it</dt><dd>penstock schedule ");
        pen_html_text(out, call->pipeline->file);
        pen_text_append(out, "</dd>");
    }
}

static void buttons(struct pen_ui_call *call, bool is_busy, bool has_schedule, bool served, bool paused)
{
    if (is_busy) {
        pen_ui_button(call, "stop", "stop");
    } else if (call->pipeline->file != NULL) {
        pen_ui_button(call, "start", "start");
    }
    if (has_schedule) {
        pen_ui_button(call, paused ? "unpause" : "pause", paused ? "unpause" : "pause");
    }
    if (has_schedule && served && !paused) {
        pen_ui_button(call, "trigger", "trigger");
    }
}

/* What it is, and what can be done with it. */
static void about(struct pen_ui_call *call, bool is_busy)
{
    struct pen_text *out = call->out;
    const struct pen_ui_pipeline *shown = call->pipeline;
    struct pen_error why = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const bool paused = pen_schedule_has_mark(shown->root, "paused"), served = pen_schedule_is_served(shown->root);
    pen_text_append(out, "<dl><dt>root</dt><dd>");
    pen_html_text(out, shown->root);
    pen_text_append(out, "</dd>");
    if (shown->file == NULL) {
        pen_text_append(out, "</dl>\n");
        buttons(call, is_busy, false, served, paused);
        return;
    }
    pen_text_append(out, "<dt>file</dt><dd>");
    pen_html_text(out, shown->file);
    pen_text_append(out, "</dd>");
    if (pen_pipeline_read(&pipeline, shown->file, NULL, 0, pen_components, &why) != PEN_OK) {
        pen_text_append(out, "</dl>\n<p class=\"note bad\" role=\"alert\">");
        pen_html_text(out, why.message);
        pen_text_append(out, "</p>\n");
        return;
    }
    if (pipeline.schedule != NULL) {
        schedule_row(call, pipeline.schedule, served, paused);
    } else {
        pen_text_append(out, "<dt>schedule</dt><dd class=\"soft\">none: it runs when it is started</dd>");
    }
    pen_text_append(out, "</dl>\n");
    buttons(call, is_busy, pipeline.schedule != NULL, served, paused);
    pen_pipeline_deinit(&pipeline);
}

/* The newest first. */
static void runs_table(struct pen_ui_call *call, struct pen_metadata *metadata, int64_t n)
{
    struct pen_text *out = call->out;
    if (metadata->n_runs == 0) {
        pen_text_append(out, "<p class=\"soft\">no run yet</p>\n");
        return;
    }
    pen_text_append(out,
                    "<div class=\"wide\" "
                    "tabindex=\"0\"><table><thead><tr><th>run</th><th>called</th><th>status</th><th>began (UTC)</th>"
                    "<th class=\"number\">seconds</th><th>device</th><th>pushed</th></tr></thead><tbody>\n");
    for (int64_t i = metadata->n_runs - 1; i >= 0 && i >= metadata->n_runs - n; i--) {
        const pen_json *run = pen_metadata_run(metadata, i), *seconds = pen_json_get(run, "seconds");
        pen_text_append(out, "<tr><td>");
        pen_ui_link(call, "run", text_of(run, "run"));
        pen_text_append(out, "</td><td>");
        pen_html_text(out, text_of(run, "name"));
        pen_html_tags(out, pen_json_get(run, "tags"));
        pen_text_append(out, "</td><td>");
        pen_ui_status(call, pen_ui_run_status(call, run));
        pen_text_append(out, "</td><td>");
        pen_html_time(out, text_of(run, "time"));
        pen_text_append(out, "</td>");
        pen_text_append(out, "<td class=\"number\">");
        if (seconds != NULL) {
            pen_text_printf(out, "%.3f", pen_json_number_or(seconds, 0));
        }
        pen_text_append(out, "</td>");
        pen_html_cell(out, text_of(run, "device"));
        pen_html_cell(out, text_of(run, "pushed"));
        pen_text_append(out, "</tr>\n");
    }
    pen_text_append(out, "</tbody></table></div>\n");
}

/* One pipeline's card; a root that cannot be read says so in its place. */
static void card(struct pen_ui_call *call)
{
    struct pen_text *out = call->out;
    struct pen_error why = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    pen_text_append(out, "<section class=\"card\" aria-labelledby=\"p-");
    pen_html_text(out, call->pipeline->id);
    pen_text_append(out, "\"><h2 id=\"p-");
    pen_html_text(out, call->pipeline->id);
    pen_text_append(out, "\"><a href=\"/p/");
    pen_html_text(out, call->pipeline->id);
    pen_text_append(out, "\">");
    pen_html_text(out, call->pipeline->name);
    pen_text_append(out, "</a></h2>\n");
    note(call);
    about(call, pen_ui_is_busy(call));
    pen_status status = pen_ui_look(call, &metadata, NULL, FEW_RUNS, &why);
    if (status == PEN_OK) {
        runs_table(call, &metadata, FEW_RUNS);
        status = pen_metadata_check(&metadata, &why);
        pen_metadata_close(&metadata);
    }
    if (status != PEN_OK) {
        pen_text_append(out, "<p class=\"note bad\" role=\"alert\">");
        pen_html_text(out, why.message);
        pen_text_append(out, "</p>\n");
    }
    pen_text_append(out, "</section>\n");
}

pen_status pen_ui_home(struct pen_ui_call *call, struct pen_error *err)
{
    (void)err;
    pen_ui_begin(call, "Pipelines", NULL);
    pen_text_append(call->out, "<p id=\"say\" role=\"status\" data-live>");
    for (int64_t i = 0; i < call->ui->n_pipelines; i++) {
        call->pipeline = &call->ui->pipelines[i];
        pen_ui_reap(call->pipeline);
        if (pen_ui_is_busy(call)) {
            pen_html_text(call->out, call->pipeline->name);
            pen_text_append(call->out, " is running. ");
        }
    }
    pen_text_append(call->out, "</p>\n<div id=\"pipelines\" data-live>\n");
    for (int64_t i = 0; i < call->ui->n_pipelines; i++) {
        call->pipeline = &call->ui->pipelines[i];
        card(call);
    }
    pen_text_append(call->out, "</div>\n");
    pen_ui_end(call);
    return PEN_OK;
}

static void choice(struct pen_ui_call *call, struct pen_metadata *metadata, const char *name, int64_t chosen)
{
    struct pen_text *out = call->out;
    pen_text_printf(out, "<label>run %s <select name=\"%s\">", name, name);
    for (int64_t i = metadata->n_runs - 1; i >= 0 && i >= metadata->n_runs - MANY_RUNS; i--) {
        pen_text_append(out, i == chosen ? "<option selected>" : "<option>");
        pen_html_text(out, text_of(pen_metadata_run(metadata, i), "run"));
        pen_text_append(out, "</option>");
    }
    pen_text_append(out, "</select></label> ");
}

static void compare_form(struct pen_ui_call *call, struct pen_metadata *metadata)
{
    struct pen_text *out = call->out;
    if (metadata->n_runs < 2) {
        return;
    }
    pen_html_section(out, "compare", "Compare two runs");
    pen_text_append(out, "<form method=\"get\" action=\"/p/");
    pen_html_text(out, call->pipeline->id);
    pen_text_append(out, "/compare\">");
    choice(call, metadata, "a", metadata->n_runs - 2);
    choice(call, metadata, "b", metadata->n_runs - 1);
    pen_text_append(out, "<button>compare</button></form>\n");
    pen_html_section_end(out);
}

pen_status pen_ui_runs(struct pen_ui_call *call, struct pen_error *err)
{
    struct pen_text *out = call->out;
    struct pen_metadata metadata;
    PEN_TRY(pen_ui_look(call, &metadata, NULL, MANY_RUNS, err));
    const bool is_busy = pen_ui_is_busy(call);
    pen_ui_begin(call, call->pipeline->name, NULL);
    pen_text_append(out, "<p id=\"say\" role=\"status\" data-live>");
    pen_text_append(out, is_busy ? "A run is going on." : "");
    pen_text_append(out, "</p>\n<div id=\"pipeline\" data-live>\n");
    note(call);
    about(call, is_busy);
    pen_ui_grid(call, &metadata);
    pen_html_section(out, "runs", "Runs");
    runs_table(call, &metadata, MANY_RUNS);
    if (metadata.n_runs > MANY_RUNS) {
        pen_text_append(out, "<p class=\"soft\">older ones: penstock runs --last all</p>\n");
    }
    pen_html_section_end(out);
    pen_text_append(out, "</div>\n");
    compare_form(call, &metadata);
    pen_ui_end(call);
    pen_status status = pen_metadata_check(&metadata, err);
    pen_metadata_close(&metadata);
    return status;
}
