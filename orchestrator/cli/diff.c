/* penstock diff: two runs beside each other. */
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/notes.h"
#include "orchestrator/query/compare.h"

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void tell_run(const pen_json *run, struct pen_text *out)
{
    const char *name = pen_json_string_or(pen_json_get(run, "name"), NULL);
    pen_text_printf(out, "%-10s %-10s %s %9.3f s  %s", text_of(run, "run"), text_of(run, "status"),
                    text_of(run, "time"), pen_json_number_or(pen_json_get(run, "seconds"), 0), text_of(run, "device"));
    if (name != NULL) {
        pen_text_printf(out, "  \"%s\"", name);
    }
    pen_text_append_char(out, '\n');
}

/* A change has a sign, unless there is none. */
static void tell_number(const pen_json *value, bool is_change, struct pen_text *out)
{
    const double number = pen_json_number_or(value, 0);
    if (!pen_json_is_number(value)) {
        pen_text_printf(out, "  %12s", "-");
    } else if (is_change && number != 0) {
        pen_text_printf(out, "  %+12.4g", number);
    } else {
        pen_text_printf(out, "  %12.5g", number);
    }
}

static void tell_metrics(const pen_json *document, struct pen_text *out)
{
    const pen_json *metrics = pen_json_get(document, "metrics");
    if (pen_json_size(metrics) == 0) {
        return;
    }
    pen_text_printf(out, "\n  %-24s  %12s  %12s  %12s\n", "metric", text_of(pen_json_get(document, "a"), "run"),
                    text_of(pen_json_get(document, "b"), "run"), "change");
    for (int64_t i = 0; i < pen_json_size(metrics); i++) {
        const pen_json *metric = pen_json_at(metrics, i);
        pen_text_printf(out, "  %-24s", text_of(metric, "metric"));
        tell_number(pen_json_get(metric, "a"), false, out);
        tell_number(pen_json_get(metric, "b"), false, out);
        tell_number(pen_json_get(metric, "change"), true, out);
        pen_text_append_char(out, '\n');
    }
}

static void tell_changes(const pen_json *changes, struct pen_text *out)
{
    pen_text_append(out, pen_json_size(changes) == 0 ? "\nnothing that a node was made of differs\n" : "\n");
    for (int64_t i = 0; i < pen_json_size(changes); i++) {
        const pen_json *differences = pen_json_get(pen_json_at(changes, i), "differences");
        pen_text_printf(out, "%s\n", text_of(pen_json_at(changes, i), "node"));
        for (int64_t k = 0; k < pen_json_size(differences); k++) {
            pen_text_printf(out, "  %s\n", pen_json_string_or(pen_json_at(differences, k), ""));
        }
    }
}

static void tell_node(const pen_json *node, bool is_last, struct pen_text *out)
{
    if (pen_json_is_object(node)) {
        pen_text_printf(out, "  %-10s %9.3f s", text_of(node, "status"),
                        pen_json_number_or(pen_json_get(node, "seconds"), 0));
    } else {
        pen_text_printf(out, "  %*s", is_last ? 0 : -22, "not run");
    }
}

static void tell(const pen_json *document, struct pen_text *out)
{
    const pen_json *nodes = pen_json_get(document, "nodes");
    tell_run(pen_json_get(document, "a"), out);
    tell_run(pen_json_get(document, "b"), out);
    tell_metrics(document, out);
    tell_changes(pen_json_get(document, "changes"), out);
    pen_text_append_char(out, '\n');
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        pen_text_printf(out, "%-20s", text_of(node, "node"));
        tell_node(pen_json_get(node, "a"), false, out);
        tell_node(pen_json_get(node, "b"), true, out);
        pen_text_append_char(out, '\n');
    }
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const char *const *given = cli->args.positionals.items;
    struct pen_metadata metadata;
    const pen_json *runs[2] = {NULL, NULL};
    struct pen_text text = {0};
    pen_json *document = NULL;
    PEN_TRY(pen_cli_open_root(cli, &metadata, err));
    pen_status status = pen_metadata_choose_run(&metadata, given[0], &runs[0], err);
    status = status == PEN_OK ? pen_metadata_choose_run(&metadata, given[1], &runs[1], err) : status;
    if (status == PEN_OK) {
        const struct pen_compared a = {&metadata, text_of(runs[0], "run")}, b = {&metadata, text_of(runs[1], "run")};
        status = pen_runs_compare(&a, &b, &document, err);
    }
    if (status == PEN_OK) {
        tell(document, &text);
    }
    return pen_cli_finish(cli, &metadata, status, document, &text, err);
}

const struct pen_verb pen_verb_diff = {
    .name = "diff",
    .arguments = "RUN RUN",
    .summary = "two runs beside each other: metrics, what they were made of, what their nodes did",
    .examples = "  penstock diff run-11 run-12\n"
                "  penstock diff baseline last\n",
    .n_positionals_min = 2,
    .n_positionals_max = 2,
    .run = run,
};
