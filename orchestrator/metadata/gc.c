/* Marks by execution number, then what is not marked. */
#include "orchestrator/metadata/gc.h"

#include "core/files.h"
#include "core/log.h"
#include "core/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct pen_metadata_query made = {.has_outputs = true, .is_first_hand = true};

struct marks {
    struct pen_metadata *metadata;
    int64_t n;
    bool *kept; /* [n] by execution number */
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void mark(struct marks *marks, int64_t number)
{
    if (number > 0 && number < marks->n) {
        marks->kept[number] = true;
    }
}

/* The execution that made the artifact of this id. */
static void mark_maker(struct marks *marks, const char *id)
{
    const pen_json *producer = NULL;
    if (id[0] != '\0' && pen_metadata_find_artifact(marks->metadata, id, &producer) != NULL) {
        mark(marks, pen_json_int_or(pen_json_get(producer, "execution"), 0));
    }
}

/* ---- what is kept ---- */

static void mark_run(struct marks *marks, const char *run)
{
    const struct pen_metadata_query query = {.run = run};
    for (int64_t i = pen_metadata_seek(marks->metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(marks->metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(marks->metadata, i), *input = NULL;
        const char *port = NULL;
        mark(marks, pen_metadata_number(marks->metadata, i));
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "inputs"), k, &port, &input); k++) {
            mark_maker(marks, pen_json_string_or(input, ""));
        }
    }
}

static void mark_runs(struct marks *marks, const struct pen_gc_policy *policy)
{
    const int64_t n = marks->metadata->n_runs;
    for (int64_t i = 0; i < n; i++) {
        const pen_json *run = pen_metadata_run(marks->metadata, i);
        const double age = policy->now_s - pen_clock_utc_seconds(text_of(run, "time"));
        const bool is_open = strcmp(text_of(run, "status"), "open") == 0;
        if (is_open || i >= n - policy->keep_runs || !(age >= policy->younger_than_s)) { /* no time is no age */
            mark_run(marks, text_of(run, "run"));
        }
    }
}

static void mark_newest_of_nodes(struct marks *marks)
{
    pen_json *seen = pen_json_object();
    for (int64_t i = pen_metadata_seek(marks->metadata, marks->metadata->n_executions - 1, -1, &made); i >= 0;
         i = pen_metadata_seek(marks->metadata, i - 1, -1, &made)) {
        const char *node = text_of(pen_metadata_execution(marks->metadata, i), "node");
        if (pen_json_get(seen, node) == NULL) {
            pen_json_set_bool(seen, node, true);
            mark(marks, pen_metadata_number(marks->metadata, i));
        }
    }
    pen_json_free(seen);
}

/* An output of this type and property speaks well of the model that its execution took. */
static bool speaks_well(const pen_json *output)
{
    const char *type = text_of(output, "type");
    const pen_json *properties = pen_json_get(output, "properties");
    return (strcmp(type, "ModelBlessing") == 0 && pen_json_bool_or(pen_json_get(properties, "blessed"), false)) ||
           (strcmp(type, "PushedModel") == 0 && pen_json_bool_or(pen_json_get(properties, "pushed"), false));
}

static void mark_good_models(struct marks *marks)
{
    for (int64_t i = pen_metadata_seek(marks->metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(marks->metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(marks->metadata, i), *output = NULL;
        const char *port = NULL;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output); k++) {
            if (speaks_well(output)) {
                mark(marks, pen_metadata_number(marks->metadata, i));
                mark_maker(marks, text_of(pen_json_get(execution, "inputs"), "model"));
            }
        }
    }
}

/* Of the data that statistics were made of; -1: not of a span. */
static int64_t span_of(struct pen_metadata *metadata, const pen_json *execution)
{
    const pen_json *producer = NULL, *outputs = pen_json_get(execution, "outputs"), *output = NULL;
    const char *port = NULL, *id = text_of(pen_json_get(execution, "inputs"), "examples");
    for (int64_t k = 0; pen_json_member(outputs, k, &port, &output); k++) {
        if (strcmp(text_of(output, "type"), "ExampleStatistics") == 0 && id[0] != '\0') {
            const pen_json *examples = pen_metadata_find_artifact(metadata, id, &producer);
            return pen_json_int_or(pen_json_get(pen_json_get(examples, "properties"), "span"), -1);
        }
    }
    return -1;
}

/* From the newest on: the first of a span is its newest. */
static void mark_statistics(struct marks *marks)
{
    int64_t spans[2] = {-1, -1}, numbers[2] = {0, 0};
    for (int64_t i = pen_metadata_seek(marks->metadata, marks->metadata->n_executions - 1, -1, &made); i >= 0;
         i = pen_metadata_seek(marks->metadata, i - 1, -1, &made)) {
        const int64_t span = span_of(marks->metadata, pen_metadata_execution(marks->metadata, i));
        const int64_t number = pen_metadata_number(marks->metadata, i);
        if (span > spans[0]) {
            spans[1] = spans[0];
            numbers[1] = numbers[0];
            spans[0] = span;
            numbers[0] = number;
        } else if (span > spans[1] && span < spans[0]) {
            spans[1] = span;
            numbers[1] = number;
        }
    }
    mark(marks, numbers[0]);
    mark(marks, numbers[1]);
}

/* ---- what may go ---- */

/* As penstock names its folders; a journal that was tampered with leads nowhere else. */
static bool is_own_folder(const char *uri)
{
    return uri[0] != '\0' && uri[0] != '/' && strstr(uri, "..") == NULL;
}

static int64_t bytes_of(const char *folder)
{
    char path[PEN_PATH_BYTES];
    pen_json *manifest = NULL;
    int64_t bytes = 0;
    if (pen_path_join(path, folder, "manifest.json", NULL) == PEN_OK &&
        pen_json_read_file(path, &manifest, NULL) == PEN_OK) {
        const pen_json *files = pen_json_get(manifest, "files");
        for (int64_t i = 0; i < pen_json_size(files); i++) {
            bytes += pen_json_int_or(pen_json_get(pen_json_at(files, i), "size_bytes"), 0);
        }
    }
    pen_json_free(manifest);
    return bytes;
}

static pen_json *list_unmarked(struct marks *marks)
{
    pen_json *document = pen_json_object(), *removed = pen_json_array();
    int64_t bytes = 0, n_kept = 0;
    for (int64_t i = pen_metadata_seek(marks->metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(marks->metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(marks->metadata, i), *output = NULL;
        const int64_t number = pen_metadata_number(marks->metadata, i);
        const char *port = NULL;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output); k++) {
            char folder[PEN_PATH_BYTES];
            const char *uri = text_of(output, "uri");
            if (!is_own_folder(uri) || pen_path_join(folder, marks->metadata->root, uri, NULL) != PEN_OK ||
                !pen_path_is_directory(folder)) {
                continue;
            }
            if (number <= 0 || number >= marks->n || marks->kept[number]) {
                n_kept++;
                continue;
            }
            pen_json *entry = pen_json_object();
            const int64_t size = bytes_of(folder);
            pen_json_set_string(entry, "id", text_of(output, "id"));
            pen_json_set_string(entry, "type", text_of(output, "type"));
            pen_json_set_string(entry, "run", text_of(execution, "run"));
            pen_json_set_string(entry, "uri", uri);
            pen_json_set_int(entry, "bytes", size);
            pen_json_push(removed, entry);
            bytes += size;
        }
    }
    pen_json_set_int(document, "schema", 1);
    pen_json_set(document, "removed", removed);
    pen_json_set_int(document, "bytes", bytes);
    pen_json_set_int(document, "kept", n_kept);
    return document;
}

pen_status pen_gc_choose(struct pen_metadata *metadata, const struct pen_gc_policy *policy, pen_json **document,
                         struct pen_error *err)
{
    struct marks marks = {.metadata = metadata, .n = metadata->last_execution + 1};
    *document = NULL;
    PEN_ALLOC(marks.kept, marks.n, err);
    mark_runs(&marks, policy);
    mark_newest_of_nodes(&marks);
    mark_good_models(&marks);
    mark_statistics(&marks);
    pen_json *list = list_unmarked(&marks);
    pen_free(marks.kept);
    pen_status status = pen_metadata_check(metadata, err); /* what cannot be read might be what keeps another one */
    if (status != PEN_OK) {
        pen_json_free(list);
        return status;
    }
    *document = list;
    return PEN_OK;
}

/* ---- taking away ---- */

static pen_status put_away(const char *root, const char *trash, const pen_json *entry, struct pen_error *err)
{
    char from[PEN_PATH_BYTES], to[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(from, root, text_of(entry, "uri"), err));
    PEN_TRY(pen_path_join(to, trash, text_of(entry, "id"), err));
    if (rename(from, to) != 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot move it to %s: %s", from, trash, strerror(number));
    }
    return pen_directory_remove(to, err);
}

pen_status pen_gc_remove(struct pen_metadata *metadata, const pen_json *document, struct pen_error *err)
{
    char trash[PEN_PATH_BYTES];
    const pen_json *removed = pen_json_get(document, "removed");
    PEN_TRY(pen_path_join(trash, metadata->root, "trash", err));
    if (pen_path_is_directory(trash)) {
        PEN_TRY(pen_directory_remove(trash, err));
    }
    if (pen_json_size(removed) == 0) {
        return PEN_OK;
    }
    PEN_TRY(pen_directory_create(trash, err));
    for (int64_t i = 0; i < pen_json_size(removed); i++) {
        PEN_TRY(pen_cancel_check(err));
        PEN_TRY(put_away(metadata->root, trash, pen_json_at(removed, i), err));
    }
    return pen_directory_remove(trash, err);
}
