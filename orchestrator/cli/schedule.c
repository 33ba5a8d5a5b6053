/* penstock schedule: runs pipelines when they are due, in the foreground; and the same seen and steered from elsewhere.
 */
#include "core/files.h"
#include "core/memory.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/daemon/state.h"
#include "orchestrator/daemon/world.h"
#include "orchestrator/pipeline/pipeline.h"
#include "orchestrator/schedule/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N_NEXT = 5, MOST_PIPELINES = 256 };

struct values {
    bool show, pause, unpause, trigger;
    const char *emit;
};

static const struct pen_arg args[] = {
    {"show", 0, PEN_ARG_FLAG, offsetof(struct values, show), NULL, "say when it runs next, and whether it is served"},
    {"pause", 0, PEN_ARG_FLAG, offsetof(struct values, pause), NULL, "start nothing until --unpause"},
    {"unpause", 0, PEN_ARG_FLAG, offsetof(struct values, unpause), NULL,
     "go on; catch_up decides about the times in between"},
    {"trigger", 0, PEN_ARG_FLAG, offsetof(struct values, trigger), NULL, "one run now, by the schedule that serves it"},
    {"emit", 0, PEN_ARG_TEXT, offsetof(struct values, emit), "systemd|cron",
     "print units or a crontab line that do the same without penstock schedule"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static void add_next_times(const struct pen_schedule *schedule, pen_json *document, struct pen_text *text)
{
    pen_json *times = pen_json_array();
    int64_t at = (int64_t)time(NULL);
    for (int i = 0; i < N_NEXT; i++) {
        char printed[PEN_ZONE_TIME_BYTES];
        at = pen_schedule_next(schedule, at);
        if (at == PEN_NEVER) {
            break;
        }
        pen_json_push(times, pen_json_int(at));
        pen_text_printf(text, "%-9s %s\n", i == 0 ? "next" : "", pen_zone_print(printed, &schedule->zone, at));
    }
    pen_json_set(document, "next", times);
}

static pen_status show(struct pen_cli *cli, const struct pen_pipeline *pipeline, struct pen_error *err)
{
    static const char *const catch_ups[] = {"none", "last", "all"};
    const struct pen_schedule *schedule = pipeline->schedule;
    bool paused = pen_schedule_has_mark(pipeline->root, "paused");
    bool served = pen_schedule_is_served(pipeline->root);
    pen_json *document = pen_json_object();
    struct pen_text text = {0};
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "pipeline", pipeline->name);
    pen_json_set_string(document, "schedule", schedule->text);
    pen_json_set_string(document, "zone", schedule->zone.name);
    pen_json_set_string(document, "catch_up", catch_ups[schedule->catch_up]);
    pen_json_set_bool(document, "on_new_data", schedule->on_new_data);
    pen_json_set_bool(document, "paused", paused);
    pen_json_set_bool(document, "served", served);
    pen_text_printf(&text, "%-9s %s%s%s\n", "when", schedule->text == NULL ? "" : schedule->text,
                    schedule->text == NULL || !schedule->on_new_data ? "" : ", and ",
                    schedule->on_new_data ? "on new data" : "");
    pen_text_printf(&text, "%-9s %s\n%-9s %s\n", "zone", schedule->zone.name, "catch_up",
                    catch_ups[schedule->catch_up]);
    pen_text_printf(&text, "%-9s %s%s\n", "state",
                    served ? "served" : "not served: penstock schedule starts it when it is left running",
                    paused ? ", paused" : "");
    add_next_times(schedule, document, &text);
    pen_status status = pen_cli_answer(cli, document, &text, err);
    pen_text_deinit(&text);
    pen_json_free(document);
    return status;
}

static pen_status steer(const struct values *values, const struct pen_pipeline *pipeline, struct pen_error *err)
{
    if (values->pause || values->unpause) {
        return pen_schedule_set_mark(pipeline->root, "paused", values->pause, err);
    }
    if (!pen_schedule_is_served(pipeline->root)) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "no schedule serves %s, so nothing would be triggered: penstock run %s",
                 pipeline->root, pipeline->file);
    }
    return pen_schedule_set_mark(pipeline->root, "trigger", true, err);
}

static pen_status emit(const struct pen_cli *cli, const char *target, const struct pen_pipeline *pipeline,
                       struct pen_error *err)
{
    char program[PEN_PATH_BYTES], directory[PEN_PATH_BYTES], file[PEN_PATH_BYTES];
    struct pen_text text = {0};
    pen_status status = PEN_OK;
    if (strcmp(target, "systemd") != 0 && strcmp(target, "cron") != 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--emit: expected systemd or cron, found '%.80s'", target);
    }
    if (realpath("/proc/self/exe", program) == NULL || getcwd(directory, sizeof directory) == NULL ||
        realpath(pipeline->file, file) == NULL) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot find out where it, this folder or penstock lies", pipeline->file);
    }
    const struct pen_emit_command command = {
        .pipeline = pipeline->name, .program = program, .file = file, .root = cli->args.root, .directory = directory};
    status = (strcmp(target, "cron") == 0 ? pen_emit_cron : pen_emit_systemd)(pipeline->schedule, &command, &text, err);
    if (status != PEN_OK) {
        pen_error_prefix(err, "%s: ", pipeline->file);
    }
    status = status == PEN_OK ? pen_cli_print(pen_text_view(&text), err) : status;
    pen_text_deinit(&text);
    return status;
}

/* Everything but serving is about one pipeline. */
static pen_status answer(struct pen_cli *cli, const struct values *values, struct pen_error *err)
{
    struct pen_pipeline pipeline;
    if (cli->args.positionals.n_items != 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected one pipeline file with these options, found %lld",
                 (long long)cli->args.positionals.n_items);
    }
    PEN_TRY(pen_pipeline_read(&pipeline, cli->args.positionals.items[0], NULL, 0, pen_components, err));
    pipeline.root = cli->args.root != NULL ? cli->args.root : pipeline.root;
    pen_status status = PEN_OK;
    if (pipeline.schedule == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_CONFIG,
                      "%s: expected a section 'schedule:', such as schedule: {cron: 30 2 * * *}", pipeline.file);
    }
    status = values->emit != NULL ? emit(cli, values->emit, &pipeline, err)
             : values->show       ? show(cli, &pipeline, err)
                                  : steer(values, &pipeline, err);
cleanup:
    pen_pipeline_deinit(&pipeline);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    int n_asked = values->show + values->pause + values->unpause + values->trigger + (values->emit != NULL);
    if (n_asked > 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected one of --show, --pause, --unpause, --trigger and --emit");
    }
    if (n_asked == 1) {
        return answer(cli, values, err);
    }
    if (cli->args.root != NULL && cli->args.positionals.n_items > 1) {
        PEN_FAIL(err, PEN_ERR_USAGE, "--root: expected one pipeline file with it: each has a root of its own");
    }
    return pen_schedule_serve(cli->args.positionals.items, cli->args.positionals.n_items, cli->args.root,
                              &pen_schedule_real_world, err);
}

const struct pen_verb pen_verb_schedule = {
    .name = "schedule",
    .arguments = "PIPELINE.yaml ...",
    .summary = "run pipelines when their schedule: says so, one at a time, until stopped",
    .examples = "  penstock schedule pipeline.yaml         # in the foreground; Ctrl-C or SIGTERM ends it\n"
                "  penstock schedule pipeline.yaml --show\n"
                "  penstock schedule pipeline.yaml --pause\n"
                "  penstock schedule pipeline.yaml --emit systemd\n"
                "\n"
                "In the file:\n"
                "  schedule:\n"
                "    cron: 30 2 * * mon-fri    # or every: 6h\n"
                "    zone: Europe/Berlin       # UTC when left out; local: the machine's\n"
                "    catch_up: last            # times at which nothing could run: none, last, all\n"
                "    start: 2026-01-01         # UTC: nothing before\n"
                "    on_new_data: true         # also when the input changed, a new span for example\n"
                "    poll: 60s                 # how often that is looked at\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = MOST_PIPELINES,
    .run = run,
};
