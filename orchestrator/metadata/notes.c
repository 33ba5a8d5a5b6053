/* Sayings: checked, recorded, added up. */
#include "orchestrator/metadata/notes.h"

#include "orchestrator/metadata/metadata_internal.h"

#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* ---- what may be said ---- */

/* allowed: a control byte that may stand in it; 0: none. */
static const char *refusal_of(const char *text, size_t most_bytes, char allowed)
{
    const size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)text[i] < ' ' && text[i] != allowed) || text[i] == 0x7f) {
            return "it holds control bytes";
        }
    }
    return size == 0                                  ? "it is empty"
           : size > most_bytes                        ? "it is too long"
           : pen_utf8_valid_prefix(text, size) < size ? "it is not UTF-8"
                                                      : NULL;
}

static bool has_form_of_id(const char *name)
{
    static const char digits[] = "0123456789";
    return strncmp(name, "run-", 4) == 0 && name[4] != '\0' && name[4 + strspn(name + 4, digits)] == '\0';
}

const char *pen_run_tag_refusal(const char *tag)
{
    return refusal_of(tag, PEN_RUN_WORD_BYTES, '\0');
}

static pen_status check(const char *what, const char *text, const char *refusal, struct pen_error *err)
{
    char quoted[PEN_QUOTE_BYTES];
    if (refusal != NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "%s: found '%s': %s", what, pen_quote(quoted, text, strlen(text)), refusal);
    }
    return PEN_OK;
}

static pen_status check_tags(const char *what, const struct pen_config_strings *tags, struct pen_error *err)
{
    for (int64_t i = 0; i < tags->n_items; i++) {
        PEN_TRY(check(what, tags->items[i], pen_run_tag_refusal(tags->items[i]), err));
    }
    return PEN_OK;
}

pen_status pen_run_note_check(const struct pen_run_note *note, struct pen_error *err)
{
    if (note->name != NULL) {
        const char *refusal = refusal_of(note->name, PEN_RUN_WORD_BYTES, '\0');
        bool is_taken = has_form_of_id(note->name) || strcmp(note->name, "last") == 0;
        PEN_TRY(check("the name of a run", note->name,
                      refusal == NULL && is_taken ? "penstock itself gives such names; use another" : refusal, err));
    }
    if (note->text != NULL) {
        PEN_TRY(check("a note", note->text, refusal_of(note->text, PEN_RUN_TEXT_BYTES, '\n'), err));
    }
    PEN_TRY(check_tags("a tag", &note->tags, err));
    return check_tags("a tag to take away", &note->untags, err);
}

/* ---- records ---- */

static void push_all(pen_json *list, const struct pen_config_strings *texts)
{
    for (int64_t i = 0; i < texts->n_items; i++) {
        pen_json_push(list, pen_json_string(texts->items[i]));
    }
}

static void set_list(pen_json *record, const char *key, pen_json *list)
{
    if (pen_json_size(list) > 0) {
        pen_json_set(record, key, list);
    } else {
        pen_json_free(list);
    }
}

pen_status pen_metadata_note_run(struct pen_metadata *metadata, const char *run, const struct pen_run_note *note,
                                 const struct pen_config_strings *tags, struct pen_error *err)
{
    static const struct pen_run_note silence;
    note = note == NULL ? &silence : note;
    pen_json *record = pen_json_object(), *added = pen_json_array(), *removed = pen_json_array();
    push_all(added, tags);
    push_all(added, &note->tags);
    push_all(removed, &note->untags);
    set_list(record, "tags", added);
    set_list(record, "untags", removed);
    if (note->name != NULL) {
        pen_json_set_string(record, "name", note->name);
    }
    if (note->text != NULL) {
        pen_json_set_string(record, "text", note->text);
    }
    if (pen_json_size(record) == 0) {
        pen_json_free(record);
        return PEN_OK;
    }
    pen_json_set_string(record, "run", run);
    return pen_metadata_record(metadata, "run_note", record, err);
}

/* ---- what they come to ---- */

static bool holds(const pen_json *list, const char *text)
{
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        if (strcmp(pen_json_string_or(pen_json_at(list, i), ""), text) == 0) {
            return true;
        }
    }
    return false;
}

static void change_tags(pen_json *run, const pen_json *added, const pen_json *removed)
{
    const pen_json *lists[] = {pen_json_get(run, "tags"), added};
    pen_json *tags = pen_json_array();
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < pen_json_size(lists[k]); i++) {
            const char *tag = pen_json_string_or(pen_json_at(lists[k], i), "");
            if (!holds(tags, tag) && !holds(removed, tag)) {
                pen_json_push(tags, pen_json_string(tag));
            }
        }
    }
    pen_json_set(run, "tags", tags);
}

void pen_run_note_apply(pen_json *run, const pen_json *record)
{
    const pen_json *name = pen_json_get(record, "name"), *text = pen_json_get(record, "text");
    const pen_json *tags = pen_json_get(record, "tags"), *untags = pen_json_get(record, "untags");
    if (name != NULL) {
        pen_json_set(run, "name", pen_json_copy(name));
    }
    if (text != NULL) {
        pen_json *note = pen_json_object();
        pen_json_set_string(note, "time", text_of(record, "time"));
        pen_json_set(note, "text", pen_json_copy(text));
        if (pen_json_get(run, "notes") == NULL) {
            pen_json_set(run, "notes", pen_json_array());
        }
        pen_json_push(pen_json_edit(run, "notes"), note);
    }
    if (tags != NULL || untags != NULL) {
        change_tags(run, tags, untags);
    }
}

bool pen_run_has_tags(const pen_json *run, const struct pen_config_strings *tags)
{
    for (int64_t i = 0; i < tags->n_items; i++) {
        if (!holds(pen_json_get(run, "tags"), tags->items[i])) {
            return false;
        }
    }
    return true;
}

/* ---- by id or name ---- */

pen_status pen_metadata_choose_run(struct pen_metadata *metadata, const char *id_or_name, const pen_json **run,
                                   struct pen_error *err)
{
    const pen_json *other = NULL;
    if (id_or_name != NULL && strcmp(id_or_name, "last") == 0) {
        id_or_name = NULL;
    }
    *run = pen_metadata_find_run(metadata, id_or_name);
    if (*run == NULL && id_or_name != NULL) {
        const uint64_t title = pen_record_name(id_or_name, strlen(id_or_name));
        for (int64_t i = metadata->n_runs - 1; i >= 0 && other == NULL; i--) {
            if (metadata->runs[i].title == title &&
                strcmp(text_of(pen_metadata_run(metadata, i), "name"), id_or_name) == 0) {
                other = *run;
                *run = pen_metadata_run(metadata, i);
            }
        }
    }
    PEN_TRY(pen_metadata_check(metadata, err));
    if (*run == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s has no run '%.80s'; penstock runs lists them", metadata->root,
                 id_or_name == NULL ? "(any)" : id_or_name);
    }
    if (other != NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE,
                 "%s: several runs are named '%.80s', among them %s and %s: expected one of these ids", metadata->root,
                 id_or_name, text_of(*run, "run"), text_of(other, "run"));
    }
    return PEN_OK;
}
