/* The questions asked of a root's history. */
#include "orchestrator/metadata/metadata.h"

#include "orchestrator/metadata/metadata_internal.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

pen_status pen_metadata_check(const struct pen_metadata *metadata, struct pen_error *err)
{
    if (metadata->problem.status != PEN_OK && err != NULL) {
        *err = metadata->problem;
    }
    return metadata->problem.status;
}

static pen_json *read_record(struct pen_metadata *metadata, struct pen_journal_place place)
{
    pen_json *record = NULL;
    struct pen_text text = {0};
    struct pen_error problem = PEN_ERROR_INIT;
    pen_status status = pen_journal_read(&metadata->journal, place, &text, &problem);
    if (status == PEN_OK) {
        status = pen_json_parse(text.data, text.size_bytes, "a record of the journal", &record, &problem);
    }
    pen_text_deinit(&text);
    if (status != PEN_OK && metadata->problem.status == PEN_OK) {
        metadata->problem = problem;
    }
    return record;
}

const pen_json *pen_metadata_run(struct pen_metadata *metadata, int64_t index)
{
    struct pen_run_entry *entry = &metadata->runs[index];
    if (entry->json != NULL) {
        return entry->json;
    }
    entry->json = read_record(metadata, entry->start);
    if (entry->json != NULL && entry->status == PEN_RECORD_RUNNING) {
        pen_json_set_string(entry->json, "status", "running");
    }
    if (entry->json != NULL && entry->has_end) {
        pen_json *end = read_record(metadata, entry->end);
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t i = 0; pen_json_member(end, i, &key, &value); i++) {
            if (strcmp(key, "kind") != 0 && strcmp(key, "seq") != 0 && strcmp(key, "time") != 0) {
                pen_json_set(entry->json, key, pen_json_copy(value));
            }
        }
        pen_json_free(end);
    }
    for (int64_t i = entry->first_note; entry->json != NULL && i >= 0; i = metadata->notes[i].next) {
        pen_json *note = read_record(metadata, metadata->notes[i].place);
        pen_run_note_apply(entry->json, note);
        pen_json_free(note);
    }
    return entry->json;
}

const pen_json *pen_metadata_execution(struct pen_metadata *metadata, int64_t index)
{
    struct pen_execution_entry *entry = &metadata->executions[index];
    if (entry->json == NULL) {
        entry->json = read_record(metadata, entry->place);
    }
    return entry->json;
}

pen_json *pen_metadata_started(struct pen_metadata *metadata)
{
    return metadata->started_execution == 0 ? NULL : read_record(metadata, metadata->started);
}

int64_t pen_metadata_number(const struct pen_metadata *metadata, int64_t index)
{
    return metadata->executions[index].record.execution;
}

static bool same(const pen_json *record, const char *key, const char *wanted)
{
    return wanted == NULL || strcmp(text_of(record, key), wanted) == 0;
}

static uint64_t name_of(const char *text)
{
    return text == NULL ? 0 : pen_record_name(text, strlen(text));
}

int64_t pen_metadata_seek(struct pen_metadata *metadata, int64_t from, int step, const struct pen_metadata_query *query)
{
    uint64_t run = name_of(query->run);
    uint64_t node = name_of(query->node);
    uint64_t key = name_of(query->key);
    for (int64_t i = from; i >= 0 && i < metadata->n_executions; i += step) {
        const struct pen_record *record = &metadata->executions[i].record;
        bool has_outputs = record->status == PEN_RECORD_SUCCEEDED || record->status == PEN_RECORD_CACHED;
        bool is_second_hand = record->status == PEN_RECORD_CACHED || record->status == PEN_RECORD_SKIPPED;
        if ((query->has_outputs && !has_outputs) || (query->is_first_hand && is_second_hand) ||
            (run != 0 && record->run != run) || (node != 0 && record->node != node) ||
            (key != 0 && record->key != key)) {
            continue;
        }
        if (run == 0 && node == 0 && key == 0) {
            return i;
        }
        const pen_json *full = pen_metadata_execution(metadata, i);
        if (full != NULL && same(full, "run", query->run) && same(full, "node", query->node) &&
            same(full, "key", query->key)) {
            return i;
        }
    }
    return -1;
}

const pen_json *pen_metadata_newest(struct pen_metadata *metadata, const struct pen_metadata_query *query)
{
    int64_t index = pen_metadata_seek(metadata, metadata->n_executions - 1, -1, query);
    return index < 0 ? NULL : pen_metadata_execution(metadata, index);
}

const pen_json *pen_metadata_find_run(struct pen_metadata *metadata, const char *run)
{
    uint64_t name = name_of(run);
    for (int64_t i = metadata->n_runs - 1; i >= 0; i--) {
        if ((run == NULL || metadata->runs[i].name == name) && same(pen_metadata_run(metadata, i), "run", run)) {
            return pen_metadata_run(metadata, i);
        }
    }
    return NULL;
}

const pen_json *pen_metadata_find_execution(struct pen_metadata *metadata, int64_t execution)
{
    int64_t low = 0;
    int64_t high = metadata->n_first_hand;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (pen_metadata_number(metadata, metadata->first_hand[middle]) < execution) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    int64_t index = low < metadata->n_first_hand ? metadata->first_hand[low] : -1;
    return index < 0 || pen_metadata_number(metadata, index) != execution ? NULL
                                                                          : pen_metadata_execution(metadata, index);
}

const pen_json *pen_metadata_member(struct pen_metadata *metadata, const pen_json *execution, const char *key)
{
    const pen_json *own = pen_json_get(execution, key);
    if (own != NULL || strcmp(text_of(execution, "status"), "cached") != 0) {
        return own;
    }
    int64_t number = pen_json_int_or(pen_json_get(execution, "execution"), -1);
    return pen_json_get(pen_metadata_find_execution(metadata, number), key);
}

/* An id ends in the number of the execution that made it. */
static const pen_json *artifact_by_id(struct pen_metadata *metadata, const char *id, const pen_json **producer)
{
    const char *dot = strrchr(id, '.');
    int64_t number = 0;
    const char *port = NULL;
    const pen_json *output = NULL;
    if (dot == NULL || !pen_parse_int64(dot + 1, strlen(dot + 1), &number)) {
        return NULL;
    }
    const pen_json *maker = pen_metadata_find_execution(metadata, number);
    for (int64_t i = 0; pen_json_member(pen_json_get(maker, "outputs"), i, &port, &output); i++) {
        if (strcmp(text_of(output, "id"), id) == 0) {
            *producer = maker;
            return output;
        }
    }
    return NULL;
}

const pen_json *pen_metadata_find_artifact(struct pen_metadata *metadata, const char *id_or_kind,
                                           const pen_json **producer)
{
    static const struct pen_metadata_query with_outputs = {.has_outputs = true};
    const pen_json *by_id = artifact_by_id(metadata, id_or_kind, producer);
    if (by_id != NULL) {
        return by_id;
    }
    for (int64_t i = pen_metadata_seek(metadata, metadata->n_executions - 1, -1, &with_outputs); i >= 0;
         i = pen_metadata_seek(metadata, i - 1, -1, &with_outputs)) {
        const pen_json *record = pen_metadata_execution(metadata, i);
        const pen_json *outputs = pen_metadata_member(metadata, record, "outputs");
        const char *port = NULL;
        const pen_json *output = NULL;
        for (int64_t o = 0; pen_json_member(outputs, o, &port, &output); o++) {
            if (strcmp(text_of(output, "type"), id_or_kind) == 0 || strcmp(port, id_or_kind) == 0) {
                int64_t maker = pen_json_int_or(pen_json_get(output, "execution"), -1);
                const pen_json *found = pen_metadata_find_execution(metadata, maker);
                *producer = found == NULL ? record : found;
                return output;
            }
        }
    }
    return NULL;
}
