/* The file of a node's progress: written, read, put into words. */
#include "orchestrator/run/live.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double interval_s = 0.25;
static const char file_name[] = "progress.json";

static const char *text_of(const pen_json *object, const char *key)
{
    return pen_json_string_or(pen_json_get(object, key), "");
}

/* ---- the runner's side ---- */

static pen_status replace(const char *path, const struct pen_text *text, struct pen_error *err)
{
    char fresh[PEN_PATH_BYTES + 8];
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    PEN_TRY(pen_file_write_unsynced(fresh, text->data, text->size_bytes, err));
    if (rename(fresh, path) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot rename: %s", fresh, strerror(errno));
    }
    return PEN_OK;
}

/* NULL: the node has only begun. */
static void write_file(struct pen_live *live, const pen_json *progress)
{
    struct pen_text text = {0};
    struct pen_error problem = PEN_ERROR_INIT;
    pen_json *object = progress == NULL ? pen_json_object() : pen_json_copy(progress);
    pen_json_set_string(object, "node", live->node);
    pen_json_set_string(object, "began", live->began);
    pen_status status = pen_json_print(object, PEN_JSON_COMPACT, &text, &problem);
    pen_text_append_char(&text, '\n');
    status = status == PEN_OK ? pen_text_check(&text, &problem) : status;
    status = status == PEN_OK ? replace(live->path, &text, &problem) : status;
    if (status != PEN_OK && !live->is_broken) {
        live->is_broken = true;
        pen_log(PEN_LOG_WARNING, "other processes do not see the progress of %s: %s", live->node, problem.message);
    }
    pen_json_free(object);
    pen_text_deinit(&text);
}

static void take_progress(void *user, const pen_json *progress)
{
    struct pen_live *live = user;
    const double now = pen_clock_seconds();
    if (now - live->written_at >= interval_s) {
        live->written_at = now;
        write_file(live, progress);
    }
    if (live->then != NULL) {
        live->then->progress(live->then->user, progress);
    }
}

static void take_warning(void *user, const char *text)
{
    const struct pen_live *live = user;
    if (live->then != NULL) {
        live->then->warning(live->then->user, text);
    }
}

void pen_live_begin(struct pen_live *live, const char *folder, const char *node, const struct pen_run_watch *then)
{
    *live = (struct pen_live){.watch = {live, take_progress, take_warning}, .then = then, .node = node};
    (void)snprintf(live->path, sizeof live->path, "%s/%s/%s", folder, node, file_name);
    (void)pen_clock_utc(live->began);
    write_file(live, NULL);
}

void pen_live_end(struct pen_live *live)
{
    (void)unlink(live->path); /* what cannot be removed was never written, and that was said */
}

/* ---- a report as JSON ---- */

static void add_number(pen_json *progress, const char *key, double value)
{
    if (isfinite(value)) {
        pen_json_set_double(progress, key, value);
    }
}

void pen_live_add(pen_json *progress, const struct pen_progress_report *report)
{
    pen_json_set_string(progress, "phase", report->phase);
    pen_json_set_int(progress, "done", report->done);
    pen_json_set_string(progress, "unit", report->unit);
    if (report->total > 0) {
        pen_json_set_int(progress, "total", report->total);
        pen_json_set_double(progress, "percent", 100.0 * (double)report->done / (double)report->total);
    }
    if (report->rows >= 0) {
        pen_json_set_int(progress, "rows", report->rows);
    }
    add_number(progress, "epoch", report->epoch);
    add_number(progress, "loss", report->loss);
    add_number(progress, "rows_per_s", report->rows_per_s);
    add_number(progress, "seconds_left", report->seconds_left);
    if (report->detail[0] != '\0') {
        pen_json_set_string(progress, "detail", report->detail);
    }
}

static void describe_number(const pen_json *progress, const char *key, const char *before, const char *after,
                            int decimals, struct pen_text *out)
{
    const pen_json *value = pen_json_get(progress, key);
    if (value != NULL) {
        pen_text_printf(out, ", %s%.*f%s", before, decimals, pen_json_number_or(value, 0), after);
    }
}

static void describe_time_left(const pen_json *progress, struct pen_text *out)
{
    const double left = pen_json_number_or(pen_json_get(progress, "seconds_left"), -1);
    if (left >= 0) {
        pen_text_printf(out,
                        left < 100    ? ", %.0f s left"
                        : left < 6000 ? ", %.0f min left"
                                      : ", %.1f h left",
                        left < 100    ? left
                        : left < 6000 ? left / 60
                                      : left / 3600);
    }
}

void pen_live_describe(const pen_json *progress, struct pen_text *out)
{
    const char *phase = text_of(progress, "phase"), *unit = text_of(progress, "unit");
    const pen_json *percent = pen_json_get(progress, "percent");
    if (phase[0] == '\0') {
        return;
    }
    if (percent != NULL) {
        pen_text_printf(out, "%s %.0f%% of %lld %s", phase, pen_json_number_or(percent, 0),
                        (long long)pen_json_int_or(pen_json_get(progress, "total"), 0), unit);
    } else {
        pen_text_printf(out, "%s %lld %s", phase, (long long)pen_json_int_or(pen_json_get(progress, "done"), 0), unit);
    }
    pen_text_printf(out, text_of(progress, "detail")[0] == '\0' ? "%s" : ", %s", text_of(progress, "detail"));
    describe_number(progress, "epoch", "epoch ", "", 1, out);
    describe_number(progress, "loss", "loss ", "", 4, out);
    describe_number(progress, "rows_per_s", "", " rows/s", 0, out);
    describe_time_left(progress, out);
}

/* ---- other processes ---- */

/* The node's file; NULL: it does not run, or has just ended. */
static pen_json *read_file(const char *folder, const char *node)
{
    struct pen_text path = {0}, text = {0};
    pen_json *progress = NULL;
    pen_text_printf(&path, "%s/%s/%s", folder, node, file_name);
    if (pen_path_exists(pen_text_view(&path)) &&
        (pen_file_read(pen_text_view(&path), 1 << 16, &text, NULL) != PEN_OK ||
         pen_json_parse(text.data, text.size_bytes, pen_text_view(&path), &progress, NULL) != PEN_OK)) {
        progress = NULL;
    }
    pen_text_deinit(&path);
    pen_text_deinit(&text);
    return progress;
}

pen_json *pen_live_read(const char *root, const char *run)
{
    struct pen_arena arena = {0};
    pen_json *all = pen_json_array();
    char now[PEN_TIME_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    const char *folder = pen_arena_printf(&arena, "%s/runs/%s", root, run);
    if (folder != NULL && pen_directory_list(&arena, folder, &names, &n_names, NULL) != PEN_OK) {
        n_names = 0;
    }
    for (int64_t i = 0; i < n_names; i++) {
        pen_json *progress = read_file(folder, names[i]);
        if (progress != NULL) {
            const double seconds =
                pen_clock_utc_seconds(pen_clock_utc(now)) - pen_clock_utc_seconds(text_of(progress, "began"));
            pen_json_set_double(progress, "seconds", seconds > 0 ? seconds : 0);
            pen_json_push(all, progress);
        }
    }
    pen_arena_deinit(&arena);
    return all;
}
