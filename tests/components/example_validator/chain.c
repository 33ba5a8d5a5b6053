/* See chain.h. */
#include "tests/components/example_validator/chain.h"

#include "components/example_gen/example_gen.h"
#include "components/example_validator/example_validator.h"
#include "components/statistics_gen/statistics_gen.h"
#include "core/files.h"
#include "tests/pen_test.h"

const char *chain_below(struct pen_arena *arena, const char *name)
{
    return pen_arena_printf(arena, "%s/%s", pen_test_directory(), name);
}

pen_status chain_run(struct pen_arena *arena, struct chain_step *step, struct pen_error *err)
{
    struct pen_config_node *node = NULL;
    PEN_TRY(pen_config_parse(arena, step->options, strlen(step->options), "pipeline.yaml", &node, err));
    if (pen_path_exists(step->output)) {
        PEN_TRY(pen_directory_remove(step->output, err));
    }
    PEN_TRY(pen_directory_create(step->output, err));
    struct pen_component_output outputs[] = {{step->output_key, step->output, pen_json_object()}};
    struct pen_component_context context = {.pipeline = "chain",
                                            .node = step->component->name,
                                            .arena = arena,
                                            .options = node,
                                            .base_directory = pen_arena_strdup(arena, pen_test_directory()),
                                            .device = "cpu",
                                            .n_inputs = step->n_inputs,
                                            .inputs = step->inputs,
                                            .n_outputs = 1,
                                            .outputs = outputs};
    pen_status status = step->component->run(&context, err);
    step->blessed = pen_json_bool_or(pen_json_get(outputs[0].properties, "blessed"), false);
    pen_json_free(outputs[0].properties);
    return status;
}

static pen_status count(struct pen_arena *arena, const char *name, struct pen_error *err)
{
    const struct pen_component_input inputs[] = {
        {"examples", chain_below(arena, pen_arena_printf(arena, "%s-examples", name))}};
    struct chain_step step = {&pen_statistics_gen, "{}", inputs, 1, "statistics", NULL, false};
    step.output = chain_below(arena, pen_arena_printf(arena, "%s-statistics", name));
    return chain_run(arena, &step, err);
}

static pen_status ingest(struct pen_arena *arena, const char *name, const char *options, struct pen_error *err)
{
    struct chain_step step = {&pen_example_gen, options, NULL, 0, "examples", NULL, false};
    step.output = chain_below(arena, pen_arena_printf(arena, "%s-examples", name));
    return chain_run(arena, &step, err);
}

pen_status chain_prepare(struct pen_arena *arena, const char *name, const char *options, struct pen_error *err)
{
    PEN_TRY(ingest(arena, name, options, err));
    return count(arena, name, err);
}

pen_status chain_prepare_text(struct pen_arena *arena, const char *name, const char *csv, struct pen_error *err)
{
    const char *path = chain_below(arena, pen_arena_printf(arena, "%s.csv", name));
    PEN_TRY(pen_file_write_atomic(path, csv, strlen(csv), err));
    PEN_TRY(ingest(arena, name, pen_arena_printf(arena, "csv: %s\nheader: true\nsplit: {train: 1}\n", path), err));
    return count(arena, name, err);
}

pen_status chain_validate(struct pen_arena *arena, const char *name, const char *schema, const char *previous,
                          const char *options, bool with_examples, pen_json **anomalies, struct pen_error *err)
{
    const struct pen_component_input inputs[] = {
        {"statistics", chain_below(arena, pen_arena_printf(arena, "%s-statistics", name))},
        {"schema", schema},
        {"examples", with_examples ? chain_below(arena, pen_arena_printf(arena, "%s-examples", name)) : NULL},
        {"previous_statistics", previous},
    };
    struct chain_step step = {&pen_example_validator, options, inputs, 4, "anomalies", NULL, false};
    step.output = chain_below(arena, pen_arena_printf(arena, "%s-anomalies", name));
    *anomalies = NULL;
    pen_status status = chain_run(arena, &step, err);
    const char *path = pen_arena_printf(arena, "%s/anomalies.json", step.output);
    if (pen_path_exists(path)) {
        PEN_TRY(pen_json_read_file(path, anomalies, status == PEN_OK ? err : NULL));
    }
    return status;
}

pen_status chain_write_schema(const char *folder, const char *yaml, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_directory_create(folder, err));
    PEN_TRY(pen_path_join(path, folder, "schema.yaml", err));
    return pen_file_write_atomic(path, yaml, strlen(yaml), err);
}
