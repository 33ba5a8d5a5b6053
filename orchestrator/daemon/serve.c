/* The loop: for each pipeline in turn, what is due; then to sleep until the next thing is. */
#include "orchestrator/daemon/serve.h"

#include "core/memory.h"
#include "core/text.h"
#include "orchestrator/daemon/input.h"
#include "orchestrator/daemon/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct entry {
    const char *file;
    const char *asked_root;
    char root[PEN_PATH_BYTES];
    struct pen_lock lock;
    struct pen_pipeline pipeline;
    bool is_read;             /* the pipeline is that of the file as it is now */
    struct timespec modified; /* of the file when it was last read, well or badly */
    struct pen_schedule_state state;
    int64_t next_look; /* at the input */
    bool is_pending;   /* a run that found the root held */
    char why[PEN_WHY_BYTES];
    int64_t at, next_try;
    bool was_paused;
};

struct server {
    const struct pen_schedule_world *world;
    struct entry *entries;
    int64_t n_entries;
};

static void say(const struct server *server, const struct entry *entry, const char *format, ...) PEN_PRINTF(3, 4);

static void say(const struct server *server, const struct entry *entry, const char *format, ...)
{
    char text[PEN_ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    server->world->say(server->world->user, entry->is_read ? entry->pipeline.name : entry->file, text);
}

static const char *print(char out[PEN_ZONE_TIME_BYTES], const struct entry *entry, int64_t at)
{
    return pen_zone_print(out, &entry->pipeline.schedule->zone, at);
}

static void forget(struct entry *entry)
{
    if (entry->is_read) {
        pen_pipeline_deinit(&entry->pipeline);
        entry->is_read = false;
    }
}

static pen_status read_entry(struct entry *entry, struct pen_error *err)
{
    PEN_TRY(pen_pipeline_read(&entry->pipeline, entry->file, NULL, 0, pen_components, err));
    entry->is_read = true;
    pen_status status = PEN_OK;
    if (entry->pipeline.schedule == NULL) {
        PEN_FAIL_GOTO(failed, err, PEN_ERR_CONFIG,
                      "%s: expected a section 'schedule:', such as schedule: {cron: 30 2 * * *}", entry->file);
    }
    if (entry->asked_root == NULL && entry->root[0] != '\0' && strcmp(entry->root, entry->pipeline.root) != 0) {
        PEN_FAIL_GOTO(failed, err, PEN_ERR_CONFIG, "%s: root changed from %s to %s: start the schedule anew",
                      entry->file, entry->root, entry->pipeline.root);
    }
    return PEN_OK;
failed:
    forget(entry);
    return status;
}

/* Times of a pipeline that is new here count from now on; with catch_up: all, from its start. */
static pen_status open_entry(const struct server *server, struct entry *entry, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct stat about;
    if (stat(entry->file, &about) == 0) {
        entry->modified = about.st_mtim;
    }
    PEN_TRY(read_entry(entry, err));
    (void)snprintf(entry->root, sizeof entry->root, "%s",
                   entry->asked_root != NULL ? entry->asked_root : entry->pipeline.root);
    PEN_TRY(pen_schedule_path(path, entry->root, "lock", err));
    PEN_TRY(pen_lock_take(&entry->lock, path, err));
    PEN_TRY(pen_schedule_state_read(entry->root, &entry->state, err));
    if (entry->state.is_new) {
        bool from_start =
            entry->pipeline.schedule->catch_up == PEN_CATCH_UP_ALL && entry->pipeline.schedule->start != 0;
        entry->state.handled =
            (from_start ? entry->pipeline.schedule->start : server->world->now(server->world->user)) - 1;
    }
    return pen_schedule_state_write(entry->root, &entry->state, err);
}

/* The file again, when it was changed. A file that is gone for a moment, while an editor replaces it, is no change. */
static void refresh(const struct server *server, struct entry *entry)
{
    struct stat about;
    struct pen_error why = PEN_ERROR_INIT;
    if (stat(entry->file, &about) != 0 ||
        (about.st_mtim.tv_sec == entry->modified.tv_sec && about.st_mtim.tv_nsec == entry->modified.tv_nsec)) {
        return;
    }
    entry->modified = about.st_mtim;
    forget(entry);
    if (read_entry(entry, &why) == PEN_OK) {
        say(server, entry, "read again");
    } else {
        say(server, entry, "nothing is started until it is mended: %s", why.message);
    }
}

/* Has the input changed since it was last looked at? The first look changes nothing. */
static pen_status look_at_input(const struct server *server, struct entry *entry, bool *changed, struct pen_error *err)
{
    char input[PEN_SHA256_HEX_BYTES] = "";
    struct pen_error why = PEN_ERROR_INIT;
    *changed = false;
    pen_status status = pen_schedule_input(&entry->pipeline, input, &why);
    if (status != PEN_OK && status != PEN_ERR_NOT_FOUND) {
        say(server, entry, "cannot look at the input: %s", why.message);
        return PEN_OK;
    }
    if (strcmp(input, entry->state.input) == 0 || status == PEN_ERR_NOT_FOUND) {
        return PEN_OK;
    }
    *changed = entry->state.input[0] != '\0';
    (void)snprintf(entry->state.input, sizeof entry->state.input, "%s", input);
    return pen_schedule_state_write(entry->root, &entry->state, err);
}

static pen_status run_entry(const struct server *server, struct entry *entry, struct pen_error *err)
{
    const struct pen_schedule_world *world = server->world;
    bool ignored = false;
    if (entry->pipeline.schedule->on_new_data) { /* what this run reads is no reason for another */
        PEN_TRY(look_at_input(server, entry, &ignored, err));
    }
    say(server, entry, "%s", entry->why);
    pen_status status = world->run(world->user, entry->file, entry->root, entry->why, entry->at);
    if (status == PEN_ERR_BUSY) {
        entry->is_pending = true;
        entry->next_try = world->now(world->user) + PEN_BUSY_S;
        return PEN_OK;
    }
    entry->is_pending = false;
    say(server, entry, "%s", status == PEN_OK ? "done" : pen_status_text(status));
    return PEN_OK;
}

/* Why a run begins now, when one does. */
static pen_status find_reason(const struct server *server, struct entry *entry, int64_t now, bool *is_due,
                              struct pen_error *err)
{
    char text[PEN_ZONE_TIME_BYTES];
    *is_due = false;
    entry->at = now;
    if (pen_schedule_has_mark(entry->root, "trigger")) {
        PEN_TRY(pen_schedule_set_mark(entry->root, "trigger", false, err));
        (void)snprintf(entry->why, sizeof entry->why, "triggered");
        *is_due = true;
        return PEN_OK;
    }
    struct pen_due due = pen_schedule_due(entry->pipeline.schedule, entry->state.handled, now);
    if (due.n_missed > 0) {
        say(server, entry, "left out %lld time%s up to %s (catch_up)", (long long)due.n_missed,
            due.n_missed == 1 ? "" : "s", print(text, entry, due.handled));
    }
    if (due.handled != entry->state.handled) {
        entry->state.handled = due.handled;
        PEN_TRY(pen_schedule_state_write(entry->root, &entry->state, err));
    }
    if (due.is_due) {
        entry->at = due.at;
        (void)snprintf(entry->why, sizeof entry->why, "due at %s", print(text, entry, due.at));
        *is_due = true;
    } else if (entry->pipeline.schedule->on_new_data && now >= entry->next_look) {
        entry->next_look = now + entry->pipeline.schedule->poll_s;
        PEN_TRY(look_at_input(server, entry, is_due, err));
        (void)snprintf(entry->why, sizeof entry->why, "new data");
    }
    return PEN_OK;
}

/* One pipeline: at most one run, and when it wants to be asked again. */
static pen_status serve_entry(const struct server *server, struct entry *entry, int64_t *wake, struct pen_error *err)
{
    int64_t now = server->world->now(server->world->user);
    refresh(server, entry);
    *wake = now + PEN_LOOK_S;
    if (!entry->is_read) {
        return PEN_OK;
    }
    bool is_paused = pen_schedule_has_mark(entry->root, "paused");
    if (is_paused != entry->was_paused) {
        say(server, entry, is_paused ? "paused" : "goes on");
        entry->was_paused = is_paused;
    }
    if (is_paused) {
        return PEN_OK;
    }
    bool is_due = entry->is_pending && now >= entry->next_try;
    if (!entry->is_pending) {
        PEN_TRY(find_reason(server, entry, now, &is_due, err));
    }
    if (is_due) {
        PEN_TRY(run_entry(server, entry, err));
        now = server->world->now(server->world->user);
    }
    if (entry->is_pending) {
        *wake = entry->next_try;
        return PEN_OK;
    }
    *wake = pen_schedule_next(entry->pipeline.schedule, entry->state.handled);
    if (entry->pipeline.schedule->on_new_data && entry->next_look < *wake) {
        *wake = entry->next_look;
    }
    *wake = *wake < now ? now : *wake;
    return PEN_OK;
}

static void announce(const struct server *server, const struct entry *entry)
{
    char text[PEN_ZONE_TIME_BYTES];
    int64_t next = pen_schedule_next(entry->pipeline.schedule, entry->state.handled);
    if (next == PEN_NEVER) {
        say(server, entry, "waits for new data, root %s", entry->root);
    } else {
        say(server, entry, "next at %s%s, root %s", print(text, entry, next),
            entry->pipeline.schedule->on_new_data ? " or on new data" : "", entry->root);
    }
}

static pen_status loop(const struct server *server, struct pen_error *err)
{
    const struct pen_schedule_world *world = server->world;
    int64_t wake = 0;
    do {
        wake = PEN_NEVER;
        for (int64_t i = 0; i < server->n_entries; i++) {
            int64_t until = 0;
            PEN_TRY(serve_entry(server, &server->entries[i], &until, err));
            wake = until < wake ? until : wake;
        }
    } while (world->wait(world->user, wake));
    return PEN_OK;
}

pen_status pen_schedule_serve(const char *const *files, int64_t n_files, const char *root,
                              const struct pen_schedule_world *world, struct pen_error *err)
{
    struct server server = {.world = world, .n_entries = n_files};
    pen_status status = PEN_OK;
    PEN_ALLOC(server.entries, n_files, err);
    for (int64_t i = 0; i < n_files; i++) {
        server.entries[i] = (struct entry){.file = files[i], .asked_root = root, .lock = PEN_LOCK_INIT};
    }
    for (int64_t i = 0; i < n_files; i++) {
        PEN_TRY_GOTO(cleanup, open_entry(&server, &server.entries[i], err));
        announce(&server, &server.entries[i]);
    }
    status = loop(&server, err);
cleanup:
    for (int64_t i = 0; i < n_files; i++) {
        pen_lock_release(&server.entries[i].lock);
        forget(&server.entries[i]);
    }
    pen_free(server.entries);
    return status;
}
