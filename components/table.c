/* The components, in pipeline order. */
#include "components/component.h"

#include "components/evaluator/evaluator.h"
#include "components/example_gen/example_gen.h"
#include "components/example_validator/example_validator.h"
#include "components/pusher/pusher.h"
#include "components/resolver/resolver.h"
#include "components/schema_gen/schema_gen.h"
#include "components/statistics_gen/statistics_gen.h"
#include "components/trainer/trainer.h"
#include "components/transform/transform.h"

const struct pen_component *const pen_components[] = {
    &pen_example_gen, &pen_statistics_gen,
    &pen_schema_gen,  &pen_example_validator,
    &pen_transform,   &pen_trainer,
    &pen_resolver,    &pen_evaluator,
    &pen_pusher,      NULL,
};
