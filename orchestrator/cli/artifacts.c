/* penstock artifacts: what was made, chosen by type and condition. */
#include "orchestrator/query/artifacts.h"
#include "components/component.h"
#include "orchestrator/cli/verbs.h"

#include <string.h>

enum { MOST_TYPES = 64 };

struct values {
    const char *type, *where;
};

static const struct pen_arg args[] = {
    {"type", 0, PEN_ARG_TEXT, offsetof(struct values, type), "TYPE", "only artifacts of this type: Model, Schema, ..."},
    {"where", 0, PEN_ARG_TEXT, offsetof(struct values, where), "CONDITION",
     "only those for which it holds: auc > 0.8 and not pushed"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Some component makes artifacts of this type. */
static pen_status check_type(const char *type, struct pen_error *err)
{
    const char *known[MOST_TYPES];
    struct pen_text list = {0};
    int64_t n = 0;
    for (int64_t c = 0; pen_components[c] != NULL; c++) {
        for (const struct pen_component_port *port = pen_components[c]->outputs; port->key != NULL; port++) {
            if (strcmp(port->type, type) == 0) {
                pen_text_deinit(&list);
                return PEN_OK;
            }
            bool is_new = n < MOST_TYPES;
            for (int64_t k = 0; k < n; k++) {
                is_new = is_new && strcmp(known[k], port->type) != 0;
            }
            if (is_new) {
                pen_text_printf(&list, "%s%s", n == 0 ? "" : ", ", port->type);
                known[n++] = port->type;
            }
        }
    }
    const char *near = pen_nearest_name(type, known, n);
    (void)pen_error_set(err, __FILE__, __LINE__, PEN_ERR_USAGE,
                        "option --type: there is no type '%.80s'%s%s%s; there are %s", type,
                        near == NULL ? "" : " (did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?)",
                        pen_text_view(&list));
    pen_text_deinit(&list);
    return PEN_ERR_USAGE;
}

/* The values that decided stand behind it. */
static void tell(const pen_json *artifact, const struct pen_condition *condition, struct pen_text *text)
{
    struct pen_text value = {0};
    pen_text_printf(text, "%-36s %-18s %s  %s", text_of(artifact, "id"), text_of(artifact, "type"),
                    text_of(artifact, "created"), text_of(artifact, "uri"));
    for (int64_t n = 0; condition != NULL && n < condition->n_names; n++) {
        const pen_json *found = pen_artifact_value(artifact, condition->names[n]);
        if (found != NULL && pen_json_print(found, PEN_JSON_COMPACT, &value, NULL) == PEN_OK) {
            pen_text_printf(text, "  %s %s", condition->names[n], pen_text_view(&value));
        }
        pen_text_reset(&value);
    }
    pen_text_deinit(&value);
    pen_text_append_char(text, '\n');
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_condition condition;
    struct pen_artifact_filter filter = {.type = values->type};
    struct pen_metadata metadata;
    struct pen_text text = {0};
    pen_json *list = NULL, *document = NULL;
    if (values->type != NULL) {
        PEN_TRY(check_type(values->type, err));
    }
    if (values->where != NULL) {
        PEN_TRY(pen_condition_parse(&cli->arena, values->where, &condition, err));
        filter.condition = &condition;
    }
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
    pen_status status = pen_artifacts_select(&metadata, &filter, &list, err);
    for (int64_t i = 0; status == PEN_OK && i < pen_json_size(list); i++) {
        tell(pen_json_at(list, i), filter.condition, &text);
    }
    if (status == PEN_OK) {
        document = pen_json_object();
        pen_json_set_int(document, "schema", 1);
        pen_json_set(document, "artifacts", list);
    }
    return pen_cli_finish(cli, &metadata, status, document, &text, err);
}

const struct pen_verb pen_verb_artifacts = {
    .name = "artifacts",
    .arguments = "",
    .summary = "list what was made",
    .examples = "  penstock artifacts --type Model\n"
                "  penstock artifacts --type Model --where 'auc > 0.8 and pushed'\n"
                "  penstock artifacts --where 'node == \"trainer\" and created > \"2026-11-01\"'\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .run = run,
};
