/* One input (all its files) read into the stores of its splits. */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_READING_H
#define PEN_COMPONENTS_EXAMPLE_GEN_READING_H

#include "components/example_gen/inputs.h"
#include "components/example_gen/rejects.h"
#include "components/example_gen/route.h"
#include "components/example_gen/split_rule.h"
#include "components/example_gen/strip.h"

/* What is the same for all inputs. */
struct pen_reading_plan {
    const struct pen_component_context *context;
    const char *examples; /* folder of the artifact */
    struct pen_split_rule *rule;
    const struct pen_config_node *strip;
    struct pen_rejects *rejects; /* NULL: a bad row stops */
    bool float32;
    int64_t span;
    const struct pen_csv_column_type *types; /* asked for by the user */
    int64_t n_types;
};

/* Strings and arrays in the arena; route is owned until finished or abandoned. */
struct pen_reading {
    struct pen_route *route;
    const char *const *splits;
    int64_t n_splits;
    const char **names;
    enum pen_type *types;
    int64_t n_columns;
    int64_t *file_rows; /* [input->n_paths] */
    struct pen_csv_counts counts;
};

/* forced (n_forced = 0: none): types that other inputs turned out to need. */
PEN_MUST_USE pen_status pen_reading_run(const struct pen_reading_plan *plan, const struct pen_example_input *input,
                                        const struct pen_csv_column_type *forced, int64_t n_forced,
                                        struct pen_reading *reading, struct pen_error *err);

#endif
