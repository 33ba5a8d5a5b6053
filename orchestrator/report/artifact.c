/* Which section shows an artifact, and the file it is made from. */
#include "core/files.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"

#include <string.h>

enum { FILE_LIMIT_BYTES = 1 << 30 };

typedef pen_status part_fn(struct pen_text *out, const pen_json *document, struct pen_error *err);

static pen_status statistics_part(struct pen_text *out, const pen_json *document, struct pen_error *err)
{
    pen_page_statistics(out, document);
    return pen_text_check(out, err);
}

static pen_status anomalies_part(struct pen_text *out, const pen_json *document, struct pen_error *err)
{
    pen_page_anomalies(out, document);
    return pen_text_check(out, err);
}

static pen_status document_part(struct pen_text *out, const pen_json *document, struct pen_error *err)
{
    struct pen_text text = {0};
    pen_status status = pen_json_print(document, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        pen_html_section(out, "document", "Document");
        pen_text_append(out, "<pre>");
        pen_html_text(out, pen_text_view(&text));
        pen_text_append(out, "</pre>");
        pen_html_section_end(out);
        status = pen_text_check(out, err);
    }
    pen_text_deinit(&text);
    return status;
}

static const struct kind {
    const char *type, *file;
    part_fn *part; /* NULL: the file is no JSON document */
} kinds[] = {
    {"ExampleStatistics", "statistics.json", statistics_part},
    {"Schema", "schema.yaml", NULL},
    {"ExampleAnomalies", "anomalies.json", anomalies_part},
    {"ModelRun", "curves.json", pen_page_curves},
    {"ModelEvaluation", "evaluation.json", pen_page_evaluation},
    {"ModelBlessing", "blessing.json", document_part},
    {"Examples", "examples.json", document_part},
    {"Model", "model.json", document_part},
    {"TransformGraph", "graph.json", document_part},
    {"PushedModel", "pushed.json", document_part},
    {"ResolvedModel", "resolved.json", document_part},
};

static const struct kind *find_kind(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool pen_page_has_artifact(const char *type, const char *folder)
{
    const struct kind *kind = find_kind(type);
    char path[PEN_PATH_BYTES];
    return kind != NULL && pen_path_join(path, folder, kind->file, NULL) == PEN_OK && pen_path_exists(path);
}

static pen_status schema_part(struct pen_text *out, const char *path, struct pen_error *err)
{
    struct pen_text yaml = {0};
    pen_status status = pen_file_read(path, FILE_LIMIT_BYTES, &yaml, err);
    if (status == PEN_OK) {
        pen_page_schema(out, pen_text_view(&yaml));
        status = pen_text_check(out, err);
    }
    pen_text_deinit(&yaml);
    return status;
}

pen_status pen_page_artifact(struct pen_text *out, const char *type, const char *folder, struct pen_error *err)
{
    const struct kind *kind = find_kind(type);
    char path[PEN_PATH_BYTES];
    pen_json *document = NULL;
    if (kind == NULL) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "%s: an artifact of type '%.80s' has no page", folder, type);
    }
    PEN_TRY(pen_path_join(path, folder, kind->file, err));
    if (kind->part == NULL) {
        return schema_part(out, path, err);
    }
    PEN_TRY(pen_json_read_file(path, &document, err));
    pen_status status = kind->part(out, document, err);
    pen_json_free(document);
    return status;
}
