/* Every anomaly as people meet it: a CSV file through ExampleGen, StatisticsGen and ExampleValidator, the whole of what
 * is shown, and a second validation with the shown change put into the schema, which finds nothing. The cases are in
 * anomalies.txt. */
#include "components/example_validator/render.h"
#include "core/files.h"
#include "core/text.h"
#include "datasets/schema/schema.h"
#include "tests/components/example_validator/chain.h"
#include "tests/pen_test.h"

enum { MOST_CASES = 128 };

struct shown_case {
    const char *type, *feature; /* feature "": the data set, or a feature without a name */
    const char *csv, *schema, *shown;
    const char *options, *previous; /* NULL: none */
    bool without_examples;
};

/* ---- the file ---- */

/* Cuts the next line out of *rest; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (line == NULL || *line == '\0') {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *rest = end == NULL ? NULL : end + 1;
    if (end != NULL) {
        *end = '\0';
    }
    return line;
}

static const char **part_named(struct shown_case *c, const char *name)
{
    return strcmp(name, "csv") == 0        ? &c->csv
           : strcmp(name, "schema") == 0   ? &c->schema
           : strcmp(name, "shown") == 0    ? &c->shown
           : strcmp(name, "options") == 0  ? &c->options
           : strcmp(name, "previous") == 0 ? &c->previous
                                           : NULL;
}

/* "\xff" in place of the byte, so that the file itself is text. */
static void put_byte(char *csv)
{
    char *at = strstr(csv, "\\xff");
    if (at != NULL) {
        at[0] = (char)0xFF;
        memmove(at + 1, at + 4, strlen(at + 4) + 1);
    }
}

static int64_t read_cases(struct pen_arena *arena, char *text, struct shown_case *cases)
{
    int64_t n = 0;
    const char **part = NULL;
    for (char *line = next_line(&text); line != NULL && n < MOST_CASES; line = next_line(&text)) {
        if (strncmp(line, "== ", 3) == 0) {
            char *space = strchr(line + 3, ' ');
            cases[n] = (struct shown_case){.type = line + 3, .feature = space == NULL ? "" : space + 1};
            if (space != NULL) {
                *space = '\0';
            }
            n++;
            part = NULL;
        } else if (n > 0 && strcmp(line, "-- without examples") == 0) {
            cases[n - 1].without_examples = true;
        } else if (n > 0 && strncmp(line, "-- ", 3) == 0) {
            part = part_named(&cases[n - 1], line + 3);
        } else if (part != NULL && line[0] != '\0') {
            *part = pen_arena_printf(arena, "%s%s\n", *part == NULL ? "" : *part, line);
        }
    }
    return n;
}

/* ---- a case ---- */

static const pen_json *list_of(const pen_json *anomalies)
{
    return pen_json_get(pen_json_get(pen_json_get(anomalies, "splits"), "train"), "anomalies");
}

static void check_shown(const struct shown_case *c, const pen_json *anomalies)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    const pen_json *first = pen_json_at(list_of(anomalies), 0);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(first, "type"), ""), c->type);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(first, "feature"), ""), c->feature);
    PEN_CHECK_OK(pen_anomalies_render(anomalies, &text, &err), &err);
    const char *below = strchr(pen_text_view(&text), '\n'); /* after the split's own line */
    PEN_CHECK_MSG(below != NULL && strcmp(below + 1, c->shown) == 0, "%s: expected\n%s\nfound\n%s", c->type, c->shown,
                  below == NULL ? "" : below + 1);
    pen_text_deinit(&text);
}

static void check_change(struct pen_arena *arena, const struct shown_case *c, const char *previous, const char *options,
                         const char *change)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_schema schema;
    struct pen_schema patched;
    struct pen_text text = {0};
    pen_json *anomalies = NULL;
    PEN_REQUIRE_OK(pen_schema_parse(c->schema, strlen(c->schema), "schema.yaml", &schema, &err), &err);
    pen_status status = pen_schema_patch(&schema, change, strlen(change), "change", &patched, &err);
    pen_schema_deinit(&schema);
    PEN_CHECK_MSG(status == PEN_OK, "%s: %s in\n%s", c->type, err.message, change);
    if (status != PEN_OK) {
        return;
    }
    PEN_CHECK_OK(pen_schema_print(&patched, true, &text, &err), &err);
    pen_schema_deinit(&patched);
    const char *folder = chain_below(arena, "changed");
    PEN_CHECK_OK(chain_write_schema(folder, pen_text_view(&text), &err), &err);
    status = chain_validate(arena, "data", folder, previous, options, !c->without_examples, &anomalies, &err);
    PEN_CHECK_MSG(status == PEN_OK, "%s: %s after\n%s", c->type, err.message, change);
    PEN_CHECK_EQ_I64(pen_json_size(list_of(anomalies)), 0);
    pen_json_free(anomalies);
    pen_text_deinit(&text);
}

static void one_case(const struct shown_case *c)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    pen_json *anomalies = NULL;
    const char *previous = NULL;
    const char *options = c->options == NULL ? "{}" : c->options;
    const char *schema = chain_below(&arena, "schema");
    PEN_REQUIRE(c->csv != NULL && c->schema != NULL && c->shown != NULL);
    char *csv = pen_arena_strdup(&arena, c->csv);
    put_byte(csv);
    PEN_REQUIRE_OK(chain_prepare_text(&arena, "data", csv, &err), &err);
    if (c->previous != NULL) {
        PEN_REQUIRE_OK(chain_prepare_text(&arena, "before", c->previous, &err), &err);
        previous = chain_below(&arena, "before-statistics");
    }
    PEN_REQUIRE_OK(chain_write_schema(schema, c->schema, &err), &err);
    pen_status status =
        chain_validate(&arena, "data", schema, previous, options, !c->without_examples, &anomalies, &err);
    PEN_CHECK_MSG(status == PEN_ERR_ANOMALY, "%s: %s", c->type, status == PEN_OK ? "no anomaly" : err.message);
    if (status == PEN_ERR_ANOMALY) {
        PEN_CHECK_CONTAINS(err.message, c->type);
        check_shown(c, anomalies);
        const pen_json *change = pen_json_get(pen_json_at(list_of(anomalies), 0), "change");
        check_change(&arena, c, previous, options, pen_json_string_or(pen_json_get(change, "yaml"), ""));
    }
    pen_json_free(anomalies);
    pen_arena_deinit(&arena);
}

static void every_anomaly_is_shown_and_its_change_settles_it(void)
{
    static struct shown_case cases[MOST_CASES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_text text = {0};
    PEN_REQUIRE_OK(
        pen_file_read(PEN_TEST_SOURCE "/tests/components/example_validator/anomalies.txt", 1 << 20, &text, &err), &err);
    int64_t n = read_cases(&arena, text.data, cases);
    for (int64_t i = 0; i < n; i++) {
        one_case(&cases[i]);
    }
    /* What no file can have is in validate_test.c. */
    for (int type = 0; type < PEN_ANOMALY_COUNT; type++) {
        bool covered = type == PEN_ANOMALY_DATA_MISSING || type == PEN_ANOMALY_MULTIPLE_REASONS;
        for (int64_t i = 0; i < n; i++) {
            covered = covered || strcmp(cases[i].type, pen_anomaly_types[type].name) == 0;
        }
        PEN_CHECK_MSG(covered, "no case for %s", pen_anomaly_types[type].name);
    }
    pen_text_deinit(&text);
    pen_arena_deinit(&arena);
}

PEN_SUITE(anomalies, PEN_CASE(every_anomaly_is_shown_and_its_change_settles_it));
