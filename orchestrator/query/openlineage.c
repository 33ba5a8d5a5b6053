/* OpenLineage: events with the facets that what we know has in its registry. */
#include "core/hash.h"
#include "core/log.h"
#include "orchestrator/query/exchange.h"

#include <stdio.h>
#include <string.h>

enum { UUID_BYTES = 37 };

static const char producer[] = "urn:penstock:" PEN_VERSION;

struct lineage {
    struct pen_metadata *metadata;
    struct pen_exchange_root root;
    struct pen_text *out;
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Of our own making (RFC 9562, version 8): the hash of what names it. */
static void make_uuid(char uuid[UUID_BYTES], const struct lineage *lineage, const char *run, const char *execution)
{
    char hex[PEN_SHA256_HEX_BYTES];
    struct pen_text name = {0};
    pen_text_printf(&name, "%s\n%s\n%s", lineage->root.id, run, execution);
    pen_sha256_of(pen_text_view(&name), name.size_bytes, hex);
    pen_text_deinit(&name);
    hex[12] = '8';
    hex[16] = "89ab"[(hex[16] <= '9' ? hex[16] - '0' : hex[16] - 'a' + 10) % 4];
    (void)snprintf(uuid, UUID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* ---- facets ---- */

static pen_json *facet(const char *schema)
{
    pen_json *json = pen_json_object();
    struct pen_text url = {0};
    pen_text_printf(&url, "https://openlineage.io/spec/facets/%s", schema);
    pen_json_set_string(json, "_producer", producer);
    pen_json_set_string(json, "_schemaURL", pen_text_view(&url));
    pen_text_deinit(&url);
    return json;
}

static pen_json *job_of(const char *pipeline, const char *node)
{
    pen_json *job = pen_json_object();
    struct pen_text name = {0};
    pen_text_printf(&name, "%s%s%s", pipeline, node == NULL ? "" : ".", node == NULL ? "" : node);
    pen_json_set_string(job, "namespace", "penstock");
    pen_json_set_string(job, "name", pen_text_view(&name));
    pen_text_deinit(&name);
    return job;
}

static pen_json *parent_facet(const struct lineage *lineage, const pen_json *run)
{
    char uuid[UUID_BYTES];
    pen_json *parent = facet("1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"), *of = pen_json_object();
    make_uuid(uuid, lineage, text_of(run, "run"), "");
    pen_json_set_string(of, "runId", uuid);
    pen_json_set(parent, "run", of);
    pen_json_set(parent, "job", job_of(text_of(run, "pipeline"), NULL));
    return parent;
}

static pen_json *error_facet(const char *message)
{
    pen_json *error = facet("1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet");
    pen_json_set_string(error, "message", message);
    pen_json_set_string(error, "programmingLanguage", "C");
    return error;
}

static pen_json *dataset_of(const struct lineage *lineage, const pen_json *output)
{
    pen_json *dataset = pen_json_object(), *facets = pen_json_object();
    pen_json *version = facet("1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
    pen_json *type = facet("1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet");
    struct pen_text name = {0};
    pen_text_printf(&name, "%s/%s", lineage->root.path, text_of(output, "uri"));
    pen_json_set_string(dataset, "namespace", "file");
    pen_json_set_string(dataset, "name", pen_text_view(&name));
    pen_json_set_string(version, "datasetVersion", text_of(output, "hash"));
    pen_json_set_string(type, "datasetType", text_of(output, "type"));
    pen_json_set(facets, "version", version);
    pen_json_set(facets, "datasetType", type);
    pen_json_set(dataset, "facets", facets);
    pen_text_deinit(&name);
    return dataset;
}

/* ---- events ---- */

/* Takes the facets and the job over. */
static pen_json *event_of(const char *type, double time, const char *uuid, pen_json *run_facets, pen_json *job)
{
    char text[PEN_TIME_BYTES];
    pen_json *event = pen_json_object(), *run = pen_json_object();
    pen_json_set_string(run, "runId", uuid);
    pen_json_set(run, "facets", run_facets);
    pen_json_set_string(event, "eventType", type);
    pen_json_set_string(event, "eventTime", pen_clock_utc_text(text, time));
    pen_json_set(event, "run", run);
    pen_json_set(event, "job", job);
    pen_json_set(event, "inputs", pen_json_array());
    pen_json_set(event, "outputs", pen_json_array());
    pen_json_set_string(event, "producer", producer);
    pen_json_set_string(event, "schemaURL", "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    return event;
}

static pen_status emit(struct lineage *lineage, pen_json *event, struct pen_error *err)
{
    pen_status status = pen_json_print(event, PEN_JSON_COMPACT, lineage->out, err);
    pen_text_append_char(lineage->out, '\n');
    pen_json_free(event);
    return status;
}

static const char *end_of(const char *status)
{
    return strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0 ? "COMPLETE"
           : strcmp(status, "failed") == 0                                   ? "FAIL"
                                                                             : "ABORT";
}

static void add_datasets(const struct lineage *lineage, const pen_json *execution, pen_json *event, bool with_outputs)
{
    pen_json *inputs = pen_json_array(), *outputs = pen_json_array();
    const char *port = NULL;
    const pen_json *value = NULL, *maker = NULL;
    for (int64_t k = 0; pen_json_member(pen_json_get(execution, "inputs"), k, &port, &value); k++) {
        const char *id = pen_json_string_or(value, "");
        const pen_json *output = id[0] == '\0' ? NULL : pen_metadata_find_artifact(lineage->metadata, id, &maker);
        if (output != NULL) {
            pen_json_push(inputs, dataset_of(lineage, output));
        }
    }
    const pen_json *made = with_outputs ? pen_metadata_member(lineage->metadata, execution, "outputs") : NULL;
    for (int64_t k = 0; pen_json_member(made, k, &port, &value); k++) {
        pen_json_push(outputs, dataset_of(lineage, value));
    }
    pen_json_set(event, "inputs", inputs);
    pen_json_set(event, "outputs", outputs);
}

static pen_status add_execution(struct lineage *lineage, const pen_json *run, const pen_json *execution, int64_t index,
                                struct pen_error *err)
{
    char uuid[UUID_BYTES], name[256];
    const char *status = text_of(execution, "status"), *message = text_of(execution, "message");
    const double end = pen_clock_utc_seconds(text_of(execution, "time"));
    const double seconds = pen_json_number_or(pen_json_get(execution, "seconds"), 0);
    (void)snprintf(name, sizeof name, "%.200s %lld", text_of(execution, "node"), (long long)index);
    make_uuid(uuid, lineage, text_of(run, "run"), name);
    for (int is_end = 0; is_end < 2; is_end++) {
        pen_json *facets = pen_json_object();
        pen_json_set(facets, "parent", parent_facet(lineage, run));
        if (is_end && message[0] != '\0' && strcmp(status, "failed") == 0) {
            pen_json_set(facets, "errorMessage", error_facet(message));
        }
        pen_json *event = event_of(is_end ? end_of(status) : "START", is_end ? end : end - seconds, uuid, facets,
                                   job_of(text_of(run, "pipeline"), text_of(execution, "node")));
        add_datasets(lineage, execution, event, is_end);
        PEN_TRY(emit(lineage, event, err));
    }
    return PEN_OK;
}

/* A run that goes on has no end yet. */
static pen_status add_run(struct lineage *lineage, const pen_json *run, struct pen_error *err)
{
    const struct pen_metadata_query query = {.run = text_of(run, "run")};
    const double begin = pen_clock_utc_seconds(text_of(run, "time"));
    const pen_json *seconds = pen_json_get(run, "seconds");
    const char *pipeline = text_of(run, "pipeline");
    char uuid[UUID_BYTES];
    int64_t n = 0;
    make_uuid(uuid, lineage, query.run, "");
    PEN_TRY(emit(lineage, event_of("START", begin, uuid, pen_json_object(), job_of(pipeline, NULL)), err));
    for (int64_t i = pen_metadata_seek(lineage->metadata, 0, 1, &query); i >= 0;
         i = pen_metadata_seek(lineage->metadata, i + 1, 1, &query)) {
        const pen_json *execution = pen_metadata_execution(lineage->metadata, i);
        if (strcmp(text_of(execution, "status"), "skipped") != 0) {
            PEN_TRY(add_execution(lineage, run, execution, n++, err));
        }
    }
    if (!pen_json_is_number(seconds)) {
        return PEN_OK;
    }
    return emit(lineage,
                event_of(end_of(text_of(run, "status")), begin + pen_json_number_or(seconds, 0), uuid,
                         pen_json_object(), job_of(pipeline, NULL)),
                err);
}

pen_status pen_exchange_openlineage(struct pen_metadata *metadata, const char *run, struct pen_text *out,
                                    struct pen_error *err)
{
    struct lineage lineage = {.metadata = metadata, .out = out};
    PEN_TRY(pen_exchange_root(&lineage.root, metadata, err));
    for (int64_t i = 0; i < metadata->n_runs; i++) {
        const pen_json *record = pen_metadata_run(metadata, i);
        if (run == NULL || strcmp(text_of(record, "run"), run) == 0) {
            PEN_TRY(add_run(&lineage, record, err));
        }
    }
    return pen_metadata_check(metadata, err);
}
