/* The growing list of findings. */
#include "components/example_validator/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pen_findings_init(struct pen_findings *findings, struct pen_arena *arena, const char *split,
                       const char *environment, int64_t n_rows)
{
    memset(findings, 0, sizeof *findings);
    findings->arena = arena;
    findings->split = split;
    findings->environment = environment;
    findings->n_rows = n_rows;
}

void pen_findings_deinit(struct pen_findings *findings)
{
    pen_free(findings->items);
    pen_free(findings->distances);
    memset(findings, 0, sizeof *findings);
}

pen_status pen_findings_check(const struct pen_findings *findings, struct pen_error *err)
{
    if (findings->failed) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: listing the anomalies of split %s", findings->split);
    }
    return PEN_OK;
}

int64_t pen_findings_n_errors(const struct pen_findings *findings)
{
    int64_t n = 0;
    for (int64_t i = 0; i < findings->n_items; i++) {
        n += findings->items[i].severity == PEN_SEVERITY_ERROR;
    }
    return n;
}

struct pen_finding *pen_findings_add(struct pen_findings *findings, const struct pen_schema *schema,
                                     const struct pen_schema_feature *feature, enum pen_anomaly type, const char *rule,
                                     const char *expected, const char *seen)
{
    static struct pen_finding nowhere; /* written, never read: `failed` is set */
    struct pen_finding *item = &nowhere;
    if (pen_grow((void **)&findings->items, &findings->capacity, findings->n_items + 1, sizeof *item, NULL) != PEN_OK) {
        findings->failed = true;
    } else {
        item = &findings->items[findings->n_items++];
    }
    *item = (struct pen_finding){.type = type,
                                 .severity = pen_schema_severity(schema, feature, type),
                                 .feature = feature == NULL ? NULL : feature->name,
                                 .rule = rule,
                                 .expected = expected,
                                 .seen = seen,
                                 .n_rows = -1,
                                 .share = -1.0};
    return item;
}

void pen_findings_add_distance(struct pen_findings *findings, const struct pen_distance_finding *distance)
{
    if (pen_grow((void **)&findings->distances, &findings->distances_capacity, findings->n_distances + 1,
                 sizeof *distance, NULL) != PEN_OK) {
        findings->failed = true;
        return;
    }
    findings->distances[findings->n_distances++] = *distance;
}

const char *pen_findings_text(struct pen_findings *findings, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = pen_arena_strdup(findings->arena, text);
    if (copy == NULL) {
        findings->failed = true;
        return "";
    }
    return copy;
}
