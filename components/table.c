/* The components, in pipeline order. */
#include "components/component.h"

#include "components/pusher/pusher.h"
#include "components/resolver/resolver.h"

const struct pen_component *const pen_components[] = {
    &pen_resolver,
    &pen_pusher,
    NULL,
};
