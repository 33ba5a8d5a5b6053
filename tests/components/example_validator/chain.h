/* A CSV text on its way through ExampleGen, StatisticsGen, SchemaGen and ExampleValidator, each run as a component, in
 * folders below the test's own. */
#ifndef PEN_TESTS_COMPONENTS_EXAMPLE_VALIDATOR_CHAIN_H
#define PEN_TESTS_COMPONENTS_EXAMPLE_VALIDATOR_CHAIN_H

#include "components/component.h"
#include "core/json.h"

/* A path below the test's folder, in the arena. */
const char *chain_below(struct pen_arena *arena, const char *name);

struct chain_step {
    const struct pen_component *component;
    const char *options; /* YAML */
    const struct pen_component_input *inputs;
    int64_t n_inputs;
    const char *output_key, *output;
    bool blessed; /* out: the property of that name */
};

PEN_MUST_USE pen_status chain_run(struct pen_arena *arena, struct chain_step *step, struct pen_error *err);

/* Examples and statistics in NAME-examples and NAME-statistics; options of ExampleGen say where the CSV is and how it
 * is split: "csv: /path/data.csv\nsplit: {train: 1}". */
PEN_MUST_USE pen_status chain_prepare(struct pen_arena *arena, const char *name, const char *options,
                                      struct pen_error *err);
/* The same of a text, as split train. */
PEN_MUST_USE pen_status chain_prepare_text(struct pen_arena *arena, const char *name, const char *csv,
                                           struct pen_error *err);

/* Validates NAME against folder `schema`; previous: a folder of statistics, or NULL. The document of anomalies.json
 * comes back where it was written, to be freed. */
PEN_MUST_USE pen_status chain_validate(struct pen_arena *arena, const char *name, const char *schema,
                                       const char *previous, const char *options, bool with_examples,
                                       pen_json **anomalies, struct pen_error *err);

/* A folder with this text as schema.yaml, for inputs. */
PEN_MUST_USE pen_status chain_write_schema(const char *folder, const char *yaml, struct pen_error *err);

#endif
