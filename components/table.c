/* The components, in pipeline order. */
#include "components/component.h"

const struct pen_component *const pen_components[] = {
    NULL,
};
