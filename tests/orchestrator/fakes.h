/* Small components for the runner's tests: source -> twice -> sink. `source.value` is the data; `mode` makes a node
 * fail, crash or wait to be cancelled. */
#ifndef PEN_TESTS_ORCHESTRATOR_FAKES_H
#define PEN_TESTS_ORCHESTRATOR_FAKES_H

#include "components/component.h"

extern const struct pen_component *const fake_components[];

#endif
