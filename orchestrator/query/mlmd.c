/* ML Metadata: every message gets a number in the order it is first met, from 1. */
#include "core/files.h"
#include "core/log.h"
#include "orchestrator/query/exchange.h"

#include <string.h>

enum context { PIPELINE, PIPELINE_RUN, NODE, CONTEXTS };

static const char *const context_types[CONTEXTS] = {"pipeline", "pipeline_run", "node"};

struct graph {
    struct pen_metadata *metadata;
    struct pen_exchange_root root;
    pen_json *ids; /* {"artifact_types/Model": 3, ...} */
    pen_json *artifact_types, *execution_types, *context_types, *artifacts, *executions, *contexts;
    pen_json *events, *attributions, *associations, *parent_contexts;
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static int64_t milliseconds(const char *time)
{
    const double seconds = pen_clock_utc_seconds(time);
    return seconds == seconds ? (int64_t)(seconds * 1000 + 0.5) : 0;
}

/* The number of the message of this kind and name in its list; a new one is appended, *fresh, for the caller to fill.
 */
static int64_t find_or_add(struct graph *graph, pen_json *list, const char *kind, const char *name, pen_json **fresh)
{
    struct pen_text key = {0};
    pen_text_printf(&key, "%s/%s", kind, name);
    int64_t id = pen_json_int_or(pen_json_get(graph->ids, pen_text_view(&key)), 0);
    *fresh = NULL;
    if (id == 0) {
        id = pen_json_size(list) + 1;
        pen_json_set_int(graph->ids, pen_text_view(&key), id);
        *fresh = pen_json_object();
        pen_json_set_int(*fresh, "id", id);
        pen_json_set_string(*fresh, "name", name);
        pen_json_push(list, *fresh);
    }
    pen_text_deinit(&key);
    return id;
}

/* ---- properties ---- */

static void add_property(pen_json *properties, const char *name, const pen_json *value)
{
    pen_json *property = pen_json_object();
    struct pen_text text = {0};
    if (pen_json_is_bool(value)) {
        pen_json_set(property, "boolValue", pen_json_copy(value));
    } else if (pen_json_is_int(value)) {
        pen_json_set(property, "intValue", pen_json_copy(value));
    } else if (pen_json_is_number(value)) {
        pen_json_set(property, "doubleValue", pen_json_copy(value));
    } else if (pen_json_is_string(value)) {
        pen_json_set(property, "stringValue", pen_json_copy(value));
    } else if (pen_json_is_object(value)) {
        pen_json_set(property, "structValue", pen_json_copy(value));
    } else if (pen_json_is_array(value) && pen_json_print(value, PEN_JSON_COMPACT, &text, NULL) == PEN_OK) {
        pen_json_set_string(property, "stringValue", pen_text_view(&text));
    } else { /* null: there is none */
        pen_json_free(property);
        return;
    }
    pen_text_deinit(&text);
    pen_json_set(properties, name, property);
}

static pen_json *properties_of(const pen_json *object)
{
    pen_json *properties = pen_json_object();
    const char *name = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; pen_json_member(object, i, &name, &value); i++) {
        add_property(properties, name, value);
    }
    return properties;
}

/* ---- contexts ---- */

static int64_t add_context(struct graph *graph, enum context type, const char *name)
{
    pen_json *fresh = NULL;
    const int64_t type_id = find_or_add(graph, graph->context_types, "context type", context_types[type], &fresh);
    struct pen_text kind = {0};
    pen_text_printf(&kind, "context %s", context_types[type]);
    const int64_t id = find_or_add(graph, graph->contexts, pen_text_view(&kind), name, &fresh);
    pen_text_deinit(&kind);
    if (fresh != NULL) {
        pen_json_set_int(fresh, "typeId", type_id);
        pen_json_set_string(fresh, "type", context_types[type]);
    }
    return id;
}

static void add_contexts(struct graph *graph, const pen_json *run, const char *node, int64_t ids[CONTEXTS])
{
    struct pen_text name = {0};
    const int64_t n = pen_json_size(graph->contexts);
    ids[PIPELINE] = add_context(graph, PIPELINE, text_of(run, "pipeline"));
    pen_text_printf(&name, "%s.%s", text_of(run, "pipeline"), node);
    ids[NODE] = add_context(graph, NODE, pen_text_view(&name));
    pen_text_reset(&name);
    pen_text_printf(&name, "%s.%s", text_of(run, "pipeline"), text_of(run, "run"));
    ids[PIPELINE_RUN] = add_context(graph, PIPELINE_RUN, pen_text_view(&name));
    pen_text_deinit(&name);
    if (ids[PIPELINE_RUN] > n) { /* new */
        pen_json *parent = pen_json_object();
        pen_json_set_int(parent, "childId", ids[PIPELINE_RUN]);
        pen_json_set_int(parent, "parentId", ids[PIPELINE]);
        pen_json_push(graph->parent_contexts, parent);
    }
}

/* Puts an artifact or execution into its contexts. */
static void tie(pen_json *list, const char *key, int64_t id, const int64_t contexts[CONTEXTS])
{
    for (int c = 0; c < CONTEXTS; c++) {
        pen_json *tied = pen_json_object();
        pen_json_set_int(tied, key, id);
        pen_json_set_int(tied, "contextId", contexts[c]);
        pen_json_push(list, tied);
    }
}

/* ---- artifacts ---- */

static int64_t add_artifact(struct graph *graph, const pen_json *output, const pen_json *producer)
{
    pen_json *fresh = NULL;
    const char *type = text_of(output, "type"), *uri = text_of(output, "uri");
    const int64_t id = find_or_add(graph, graph->artifacts, "artifact", text_of(output, "id"), &fresh);
    if (fresh == NULL) {
        return id;
    }
    pen_json *artifact = fresh, *custom = properties_of(pen_json_get(output, "properties"));
    char path[PEN_PATH_BYTES] = "";
    const bool is_there = pen_path_join(path, graph->root.path, uri, NULL) == PEN_OK && pen_path_is_directory(path);
    const int64_t type_id = find_or_add(graph, graph->artifact_types, "artifact type", type, &fresh);
    const pen_json *hash = pen_json_get(output, "hash");
    if (hash != NULL) {
        add_property(custom, "content_hash", hash);
    }
    pen_json_set_int(artifact, "typeId", type_id);
    pen_json_set_string(artifact, "type", type);
    pen_json_set_string(artifact, "uri", path);
    pen_json_set_string(artifact, "state", is_there ? "LIVE" : "DELETED");
    pen_json_set(artifact, "customProperties", custom);
    pen_json_set_int(artifact, "createTimeSinceEpoch", milliseconds(text_of(producer, "time")));
    pen_json_set_int(artifact, "lastUpdateTimeSinceEpoch", milliseconds(text_of(producer, "time")));
    return id;
}

static void add_event(struct graph *graph, int64_t artifact, int64_t execution, const char *type, const char *port,
                      const char *time)
{
    pen_json *event = pen_json_object(), *path = pen_json_object(), *steps = pen_json_array();
    pen_json *key = pen_json_object(), *index = pen_json_object();
    pen_json_set_string(key, "key", port);
    pen_json_set_int(index, "index", 0);
    pen_json_push(steps, key);
    pen_json_push(steps, index);
    pen_json_set(path, "steps", steps);
    pen_json_set_int(event, "artifactId", artifact);
    pen_json_set_int(event, "executionId", execution);
    pen_json_set(event, "path", path);
    pen_json_set_string(event, "type", type);
    pen_json_set_int(event, "millisecondsSinceEpoch", milliseconds(time));
    pen_json_push(graph->events, event);
}

/* ---- executions ---- */

static const char *state_of(const char *status)
{
    return strcmp(status, "succeeded") == 0 ? "COMPLETE"
           : strcmp(status, "cached") == 0  ? "CACHED"
           : strcmp(status, "failed") == 0  ? "FAILED"
           : strcmp(status, "running") == 0 ? "RUNNING"
                                            : "CANCELED";
}

static pen_json *describe_execution(struct graph *graph, const pen_json *execution)
{
    static const char *const told[] = {"seconds", "attempt", "message", "failure", "key"};
    const pen_json *parts = pen_metadata_member(graph->metadata, execution, "parts");
    pen_json *custom = properties_of(NULL);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        add_property(custom, told[i], pen_json_get(execution, told[i]));
    }
    add_property(custom, "options", pen_json_get(parts, "options"));
    return custom;
}

static void add_ports(struct graph *graph, const pen_json *execution, int64_t id, const int64_t contexts[CONTEXTS])
{
    const char *port = NULL, *time = text_of(execution, "time");
    const pen_json *value = NULL, *producer = NULL;
    for (int64_t k = 0; pen_json_member(pen_json_get(execution, "inputs"), k, &port, &value); k++) {
        const char *name = pen_json_string_or(value, "");
        const pen_json *output = name[0] == '\0' ? NULL : pen_metadata_find_artifact(graph->metadata, name, &producer);
        if (output != NULL) {
            add_event(graph, add_artifact(graph, output, producer), id, "INPUT", port, time);
        }
    }
    const pen_json *outputs = pen_metadata_member(graph->metadata, execution, "outputs");
    for (int64_t k = 0; pen_json_member(outputs, k, &port, &value); k++) {
        const int64_t n = pen_json_size(graph->artifacts);
        (void)pen_metadata_find_artifact(graph->metadata, text_of(value, "id"), &producer);
        const int64_t artifact = add_artifact(graph, value, producer);
        add_event(graph, artifact, id, "OUTPUT", port, time);
        if (artifact > n) {
            tie(graph->attributions, "artifactId", artifact, contexts);
        }
    }
}

static void add_execution(struct graph *graph, const pen_json *execution)
{
    const pen_json *run = pen_metadata_find_run(graph->metadata, text_of(execution, "run"));
    const char *component = text_of(execution, "component"), *node = text_of(execution, "node");
    const int64_t end = milliseconds(text_of(execution, "time"));
    const double seconds = pen_json_number_or(pen_json_get(execution, "seconds"), 0);
    pen_json *fresh = NULL, *it = pen_json_object();
    int64_t contexts[CONTEXTS];
    const int64_t id = pen_json_size(graph->executions) + 1;
    const int64_t type_id =
        find_or_add(graph, graph->execution_types, "execution type", component[0] == '\0' ? node : component, &fresh);
    struct pen_text name = {0};
    pen_text_printf(&name, "%s.%s.%lld", text_of(execution, "run"), node, (long long)id);
    pen_json_set_int(it, "id", id);
    pen_json_set_string(it, "name", pen_text_view(&name));
    pen_text_deinit(&name);
    pen_json_set_int(it, "typeId", type_id);
    pen_json_set_string(it, "type", component[0] == '\0' ? node : component);
    pen_json_set_string(it, "lastKnownState", state_of(text_of(execution, "status")));
    pen_json_set(it, "customProperties", describe_execution(graph, execution));
    pen_json_set_int(it, "createTimeSinceEpoch", end - (int64_t)(seconds * 1000));
    pen_json_set_int(it, "lastUpdateTimeSinceEpoch", end);
    pen_json_push(graph->executions, it);
    add_contexts(graph, run, node, contexts);
    tie(graph->associations, "executionId", id, contexts);
    add_ports(graph, execution, id, contexts);
}

pen_status pen_exchange_mlmd(struct pen_metadata *metadata, const char *run, struct pen_text *out,
                             struct pen_error *err)
{
    struct graph graph = {.metadata = metadata};
    const struct pen_metadata_query query = {.run = run};
    PEN_TRY(pen_exchange_root(&graph.root, metadata, err));
    pen_json *document = pen_json_object();
    const struct {
        const char *name;
        pen_json **list;
    } lists[] = {{"artifactTypes", &graph.artifact_types},
                 {"executionTypes", &graph.execution_types},
                 {"contextTypes", &graph.context_types},
                 {"artifacts", &graph.artifacts},
                 {"executions", &graph.executions},
                 {"contexts", &graph.contexts},
                 {"events", &graph.events},
                 {"attributions", &graph.attributions},
                 {"associations", &graph.associations},
                 {"parentContexts", &graph.parent_contexts}};
    graph.ids = pen_json_object();
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        *lists[i].list = pen_json_array();
        pen_json_set(document, lists[i].name, *lists[i].list);
    }
    for (int64_t i = pen_metadata_seek(metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(metadata, i);
        if (strcmp(text_of(execution, "status"), "skipped") != 0) {
            add_execution(&graph, execution);
        }
    }
    pen_status status = pen_metadata_check(metadata, err);
    if (status == PEN_OK) {
        status = pen_json_print(document, PEN_JSON_INDENT, out, err);
    }
    pen_text_append_char(out, '\n');
    pen_json_free(graph.ids);
    pen_json_free(document);
    return status;
}
