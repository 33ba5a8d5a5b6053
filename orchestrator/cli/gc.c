/* penstock gc: old artifacts taken away, by policy. */
#include "orchestrator/metadata/gc.h"
#include "core/log.h"
#include "orchestrator/cli/verbs.h"

#include <string.h>

struct values {
    const char *keep_runs, *older_than;
    bool dry_run;
};

static const struct pen_arg args[] = {
    {"keep-runs", 0, PEN_ARG_TEXT, offsetof(struct values, keep_runs), "N", "keep what the newest N runs used"},
    {"older-than", 0, PEN_ARG_TEXT, offsetof(struct values, older_than), "AGE",
     "keep what runs of the last AGE used: 12h, 30d"},
    {"dry-run", 0, PEN_ARG_FLAG, offsetof(struct values, dry_run), NULL, "say what would go, change nothing"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static pen_status read_policy(const struct values *values, struct pen_gc_policy *policy, struct pen_error *err)
{
    char now[PEN_TIME_BYTES];
    *policy = (struct pen_gc_policy){.now_s = pen_clock_utc_seconds(pen_clock_utc(now))};
    if (values->keep_runs == NULL && values->older_than == NULL) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected --keep-runs N, --older-than AGE or both: what is to stay");
    }
    if (values->keep_runs != NULL &&
        (!pen_parse_int64(values->keep_runs, strlen(values->keep_runs), &policy->keep_runs) || policy->keep_runs < 0)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --keep-runs: expected 0 or more, found '%.40s'", values->keep_runs);
    }
    if (values->older_than != NULL &&
        !pen_parse_duration(values->older_than, strlen(values->older_than), &policy->younger_than_s)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "option --older-than: expected a time such as 12h or 30d, found '%.40s'",
                 values->older_than);
    }
    return PEN_OK;
}

static void tell_bytes(struct pen_text *out, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 999.5 && unit < 4; unit++) {
        value /= 1000;
    }
    pen_text_printf(out, unit == 0 ? "%.0f %s" : "%.3g %s", value, units[unit]);
}

static void tell(const pen_json *document, bool dry_run, struct pen_text *out)
{
    const pen_json *removed = pen_json_get(document, "removed");
    for (int64_t i = 0; i < pen_json_size(removed); i++) {
        const pen_json *entry = pen_json_at(removed, i);
        pen_text_printf(out, "%-36s %-18s %-10s ", text_of(entry, "id"), text_of(entry, "type"), text_of(entry, "run"));
        tell_bytes(out, pen_json_int_or(pen_json_get(entry, "bytes"), 0));
        pen_text_append_char(out, '\n');
    }
    pen_text_printf(out, "%s %lld artifacts, ", dry_run ? "would remove" : "removed",
                    (long long)pen_json_size(removed));
    tell_bytes(out, pen_json_int_or(pen_json_get(document, "bytes"), 0));
    pen_text_printf(out, "; %lld stay\n", (long long)pen_json_int_or(pen_json_get(document, "kept"), 0));
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    const struct values *values = cli->values;
    struct pen_gc_policy policy;
    struct pen_metadata metadata;
    struct pen_text text = {0};
    pen_json *document = NULL;
    const char *root = NULL;
    PEN_TRY(read_policy(values, &policy, err));
    PEN_TRY(pen_cli_open_root(cli, &metadata, err)); /* a root that is not there is not made */
    pen_metadata_close(&metadata);
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(pen_metadata_open(&metadata, root, !values->dry_run, err));
    pen_status status = pen_gc_choose(&metadata, &policy, &document, err);
    if (status == PEN_OK && !values->dry_run) {
        status = pen_gc_remove(&metadata, document, err);
    }
    if (status == PEN_OK) {
        pen_json_set_bool(document, "dry_run", values->dry_run);
        tell(document, values->dry_run, &text);
    }
    return pen_cli_finish(cli, &metadata, status, document, &text, err);
}

const struct pen_verb pen_verb_gc = {
    .name = "gc",
    .arguments = "",
    .summary = "take old artifacts away; never what is blessed, pushed, or used by a run that is kept",
    .examples = "  penstock gc --keep-runs 20 --dry-run\n"
                "  penstock gc --keep-runs 5 --older-than 30d\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .run = run,
};
