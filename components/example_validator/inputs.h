/* What validation reads before it starts, and checks for names that nothing has: splits, environments. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_INPUTS_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_INPUTS_H

#include "components/component.h"
#include "datasets/schema/schema.h"
#include "datasets/statistics/statistics.h"

enum { PEN_ON_ANOMALY_STOP, PEN_ON_ANOMALY_WARN };
enum { PEN_PREVIOUS_SPAN, PEN_PREVIOUS_VERSION };

struct pen_validator_options {
    int on_anomaly, previous;
    const char *environment, *serving_statistics;
    const struct pen_config_node *environments, *drift, *skew;
    struct pen_config_strings exclude_splits;
};

extern const struct pen_option pen_validator_option_table[];

struct pen_validator_inputs {
    struct pen_component_context *context;
    struct pen_error *err;
    struct pen_validator_options options;
    struct pen_schema schema;
    struct pen_statistics statistics, previous, serving;
    bool has_previous, has_serving;
    struct pen_schema_comparator drift, skew;
    const char *reference, *treatment; /* skew between splits; NULL: none */
};

/* Fills inputs, which may hold some of it on failure: deinit in any case. */
PEN_MUST_USE pen_status pen_validator_inputs_read(struct pen_validator_inputs *inputs,
                                                  struct pen_component_context *context, struct pen_error *err);
void pen_validator_inputs_deinit(struct pen_validator_inputs *inputs);

#endif
