/* Versions below a serving folder: 1, 2, 3, ..., the link `current`, publishing by one rename, pruning. */
#ifndef PEN_COMPONENTS_PUSHER_PUBLISH_H
#define PEN_COMPONENTS_PUSHER_PUBLISH_H

#include "components/pusher/tree.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_push {
    int64_t version;
    bool already_there; /* `current` holds these bytes: nothing was done */
    int64_t n_pruned;
};

/* The version that directory/current names, 0 when there is none or it is not a link to a version. */
PEN_API int64_t pen_push_current(const char *directory);

/* The model digest in the manifest of that version; "" when there is none. */
PEN_API void pen_push_digest(const char *directory, int64_t version, char digest[PEN_SHA256_HEX_BYTES]);

/* Publishes model_directory as the next version and prunes to the newest `keep` of those that a push made. `facts`
 * (borrowed object) is copied into manifest.json. Pushers of one folder wait for each other, at most a minute. */
PEN_API PEN_MUST_USE pen_status pen_push_model(struct pen_arena *arena, const char *directory,
                                               const char *model_directory, int64_t keep, const pen_json *facts,
                                               struct pen_push *push, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
