/* The change of the schema that would accept a feature's data.
 *
 * It is found by running the checks again on the feature as changed so far, until nothing is found any more: what is
 * suggested has been tried. */
#include "components/example_validator/check.h"

#include <string.h>

enum { MOST_ROUNDS = 8 };

/* The schema with one shared domain replaced, for the next round; borrowed parts stay the original's. */
static bool with_domain(struct pen_check *check, struct pen_schema *changed)
{
    struct pen_schema_shared_domain *domains =
        pen_arena_alloc(check->findings->arena, check->schema->n_domains + 1, sizeof *domains);
    if (domains == NULL) {
        check->findings->failed = true;
        return false;
    }
    *changed = *check->schema;
    for (int64_t i = 0; i < changed->n_domains; i++) {
        domains[i] = check->schema->domains[i];
        if (strcmp(domains[i].name, check->feature->domain_name) == 0) {
            domains[i].values = check->shared_values;
        }
    }
    changed->domains = domains;
    return true;
}

/* Repeats the checks on check->fixed until they find nothing. */
pen_status pen_check_settle(struct pen_check *check, struct pen_error *err)
{
    struct pen_findings ignored;
    struct pen_schema schemas[MOST_ROUNDS];
    pen_status status = PEN_OK;
    pen_findings_init(&ignored, check->findings->arena, check->findings->split, check->findings->environment,
                      check->findings->n_rows);
    for (int round = 0; round < MOST_ROUNDS && status == PEN_OK && !check->removed; round++) {
        struct pen_check again = *check;
        struct pen_schema_feature feature = check->fixed;
        again.findings = &ignored;
        again.feature = &feature;
        if (check->domain_changed && feature.domain_name != NULL && with_domain(check, &schemas[round])) {
            again.schema = &schemas[round];
        }
        int64_t before = ignored.n_items;
        if (pen_schema_is_checked(&feature)) {
            status = pen_check_once(&again, err);
        }
        bool settled = ignored.n_items == before;
        check->fixed = again.fixed;
        check->removed = again.removed;
        check->domain_changed = again.domain_changed;
        check->shared_values = again.shared_values;
        if (settled) {
            break;
        }
    }
    check->findings->failed = check->findings->failed || ignored.failed;
    pen_findings_deinit(&ignored);
    return status;
}

const char *pen_check_change(struct pen_check *check)
{
    struct pen_text text = {0};
    if (check->domain_changed && check->fixed.domain_name != NULL) {
        pen_text_append(&text, "domains:\n  ");
        pen_schema_print_scalar(check->fixed.domain_name, &text);
        pen_text_append(&text, ": [");
        for (int64_t i = 0; i < check->shared_values.n_items; i++) {
            pen_text_append(&text, i > 0 ? ", " : "");
            pen_schema_print_scalar(check->shared_values.items[i], &text);
        }
        pen_text_append(&text, "]\n");
    }
    pen_text_append(&text, "features:\n");
    if (check->removed) {
        pen_text_append(&text, "  ");
        pen_schema_print_scalar(check->feature->name, &text);
        pen_text_append(&text, ": null  # remove it\n");
    } else {
        pen_schema_print_feature(&check->fixed, 2, false, &text);
    }
    char *copy = pen_arena_strdup(check->findings->arena, pen_text_view(&text));
    check->findings->failed = check->findings->failed || text.failed || copy == NULL;
    pen_text_deinit(&text);
    return copy;
}
