/* Documents of artifacts, in two passes over the executions: what was found of each, then each with that. */
#include "orchestrator/query/artifacts.h"

#include "core/files.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 512, NAMES_BYTES = 700 };

static const struct pen_metadata_query made = {.has_outputs = true, .is_first_hand = true};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* ---- verdicts ---- */

/* An output of this type speaks of the artifact that its execution took at this port. */
static const struct {
    const char *port, *type;
} verdicts[] = {{"model", "ModelEvaluation"},
                {"model", "ModelBlessing"},
                {"model", "InfraBlessing"},
                {"model", "PushedModel"},
                {"statistics", "ExampleAnomalies"}};

static bool is_push(const pen_json *properties)
{
    return pen_json_bool_or(pen_json_get(properties, "pushed"), false);
}

/* What was pushed once stays so, whatever a later run decided not to push. */
static void add_verdict(pen_json *about, const char *id, const pen_json *properties)
{
    const char *key = NULL;
    const pen_json *value = NULL;
    pen_json *known = pen_json_edit(about, id);
    if (known == NULL) {
        known = pen_json_object();
        pen_json_set(about, id, known);
    }
    if (is_push(known) && !is_push(properties) && pen_json_get(properties, "pushed") != NULL) {
        return;
    }
    for (int64_t i = 0; pen_json_member(properties, i, &key, &value); i++) {
        pen_json_set(known, key, pen_json_copy(value));
    }
}

/* id -> what was found of it */
static pen_json *gather_verdicts(struct pen_metadata *metadata)
{
    pen_json *about = pen_json_object();
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &made); i >= 0;
         i = pen_metadata_seek(metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(metadata, i), *output = NULL;
        const char *port = NULL;
        for (int64_t k = 0; pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output); k++) {
            for (size_t v = 0; v < sizeof verdicts / sizeof verdicts[0]; v++) {
                const char *id = text_of(pen_json_get(execution, "inputs"), verdicts[v].port);
                if (id[0] != '\0' && strcmp(text_of(output, "type"), verdicts[v].type) == 0) {
                    add_verdict(about, id, pen_json_get(output, "properties"));
                }
            }
        }
    }
    return about;
}

/* ---- documents and their names ---- */

static const char *state_of(const struct pen_metadata *metadata, const pen_json *output)
{
    char path[PEN_PATH_BYTES];
    return pen_path_join(path, metadata->root, text_of(output, "uri"), NULL) == PEN_OK && pen_path_is_directory(path)
               ? "live"
               : "missing";
}

static pen_json *describe(const struct pen_metadata *metadata, const pen_json *execution, const pen_json *output,
                          const pen_json *about)
{
    pen_json *artifact = pen_json_copy(output);
    const pen_json *found = pen_json_get(about, text_of(output, "id"));
    pen_json_set_string(artifact, "node", text_of(execution, "node"));
    pen_json_set_string(artifact, "run", text_of(execution, "run"));
    pen_json_set_string(artifact, "created", text_of(execution, "time"));
    pen_json_set_string(artifact, "state", state_of(metadata, output));
    if (found != NULL) {
        pen_json_set(artifact, "verdicts", pen_json_copy(found));
    }
    return artifact;
}

/* Keys may hold dots themselves: the whole rest first, then what stands before each dot. */
static const pen_json *value_below(const pen_json *object, const char *name)
{
    char key[128];
    const pen_json *value = pen_json_get(object, name);
    for (const char *dot = strchr(name, '.'); value == NULL && dot != NULL; dot = strchr(dot + 1, '.')) {
        size_t size = (size_t)(dot - name);
        if (size < sizeof key) {
            memcpy(key, name, size);
            key[size] = '\0';
            value = value_below(pen_json_get(object, key), dot + 1);
        }
    }
    return value;
}

const pen_json *pen_artifact_value(const pen_json *artifact, const char *name)
{
    const pen_json *value = value_below(artifact, name);
    value = value != NULL ? value : value_below(pen_json_get(artifact, "properties"), name);
    return value != NULL ? value : value_below(pen_json_get(artifact, "verdicts"), name);
}

static const pen_json *look_up(void *user, const char *name)
{
    return pen_artifact_value(user, name);
}

/* ---- names that nothing has ---- */

/* Adds the names of what has a value to the object, as members. */
static void add_names(pen_json *names, const pen_json *object, const char *prefix)
{
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(object, i, &key, &value); i++) {
        struct pen_text name = {0};
        bool is_room = strcmp(key, "properties") == 0 || strcmp(key, "verdicts") == 0;
        pen_text_printf(&name, "%s%s", prefix, key);
        if (pen_json_is_object(value)) {
            pen_text_append_char(&name, '.');
            add_names(names, value, is_room && prefix[0] == '\0' ? "" : pen_text_view(&name));
        } else if (!pen_json_is_array(value) && pen_json_size(names) < MOST_NAMES) {
            pen_json_set_bool(names, pen_text_view(&name), true);
        }
        pen_text_deinit(&name);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static pen_status no_such_name(const struct pen_artifact_filter *filter, int64_t n, const pen_json *names,
                               struct pen_error *err)
{
    const char *known[MOST_NAMES], *wanted = filter->condition->names[n];
    const pen_json *value = NULL;
    struct pen_text list = {0};
    int64_t n_known = 0;
    while (n_known < MOST_NAMES && pen_json_member(names, n_known, &known[n_known], &value)) {
        n_known++;
    }
    qsort(known, (size_t)n_known, sizeof known[0], by_text);
    for (int64_t i = 0; i < n_known && list.size_bytes < NAMES_BYTES; i++) {
        pen_text_printf(&list, "%s%s", i == 0 ? "" : ", ", known[i]);
    }
    const char *near = pen_nearest_name(wanted, known, n_known);
    pen_status status = pen_error_set(
        err, __FILE__, __LINE__, PEN_ERR_CONFIG,
        "condition '%.80s': no %s here has '%.80s', at character %lld%s%s%s; there are %s%s", filter->condition->text,
        filter->type == NULL ? "artifact" : filter->type, wanted, (long long)filter->condition->name_at[n],
        near == NULL ? "" : " (did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?)",
        pen_text_view(&list), list.size_bytes < NAMES_BYTES ? "" : ", ...");
    pen_text_deinit(&list);
    return status;
}

/* ---- selecting ---- */

struct selection {
    const struct pen_artifact_filter *filter;
    pen_json *list;
    pen_json *names;                    /* of all artifacts of the type */
    bool is_known[PEN_CONDITION_NAMES]; /* some artifact has it, be it null */
};

/* Takes the artifact over. */
static pen_status consider(struct selection *selection, pen_json *artifact, struct pen_error *err)
{
    const struct pen_condition *condition = selection->filter->condition;
    struct pen_error problem = PEN_ERROR_INIT;
    bool fits = condition == NULL;
    pen_status status = PEN_OK;
    if (condition != NULL) {
        add_names(selection->names, artifact, "");
        for (int64_t n = 0; n < condition->n_names; n++) {
            selection->is_known[n] =
                selection->is_known[n] || pen_artifact_value(artifact, condition->names[n]) != NULL;
        }
        status = pen_condition_holds(condition, look_up, artifact, &fits, &problem);
    }
    if (status == PEN_OK && fits) {
        pen_json_push(selection->list, artifact);
        return PEN_OK;
    }
    if (status == PEN_ERR_NOT_FOUND) { /* it lacks a name that decides */
        status = PEN_OK;
    } else if (status != PEN_OK && err != NULL) {
        *err = problem;
        pen_error_prefix(err, "%s: ", text_of(artifact, "id"));
    }
    pen_json_free(artifact);
    return status;
}

static pen_status select_all(struct pen_metadata *metadata, struct selection *selection, struct pen_error *err)
{
    const char *type = selection->filter->type;
    pen_json *about = gather_verdicts(metadata);
    pen_status status = PEN_OK;
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &made); i >= 0 && status == PEN_OK;
         i = pen_metadata_seek(metadata, i + 1, 1, &made)) {
        const pen_json *execution = pen_metadata_execution(metadata, i), *output = NULL;
        const char *port = NULL;
        for (int64_t k = 0; status == PEN_OK && pen_json_member(pen_json_get(execution, "outputs"), k, &port, &output);
             k++) {
            if (type == NULL || strcmp(type, text_of(output, "type")) == 0) {
                status = consider(selection, describe(metadata, execution, output, about), err);
            }
        }
    }
    pen_json_free(about);
    return status == PEN_OK ? pen_metadata_check(metadata, err) : status;
}

pen_status pen_artifacts_select(struct pen_metadata *metadata, const struct pen_artifact_filter *filter,
                                pen_json **list, struct pen_error *err)
{
    struct selection selection = {.filter = filter, .list = pen_json_array(), .names = pen_json_object()};
    pen_status status = select_all(metadata, &selection, err);
    const int64_t n_names = filter->condition == NULL ? 0 : filter->condition->n_names;
    for (int64_t n = 0; status == PEN_OK && pen_json_size(selection.names) > 0 && n < n_names; n++) {
        if (!selection.is_known[n]) {
            status = no_such_name(filter, n, selection.names, err);
        }
    }
    pen_json_free(selection.names);
    if (status != PEN_OK) {
        pen_json_free(selection.list);
        selection.list = NULL;
    }
    *list = selection.list;
    return status;
}
