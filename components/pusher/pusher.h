/* Pusher: publishes a blessed model where a server, or `penstock predict`, finds it.
 *
 * does         one atomic versioned push (TFX's Pusher to a file system); unlike TFX's, versions are 1, 2, 3, ...,
 *              never clock times, the same model is never pushed twice in a row, and old versions are pruned
 * consumes     model (Model); blessing (ModelBlessing, optional: absent pushes); evaluation (ModelEvaluation,
 *              optional: its overall metrics go into the manifest)
 * produces     pushed (PushedModel): pushed.json {schema, pushed, path, version, digest, reason}
 *              <directory>/<version>/{model.json, weights.bin, transform/, manifest.json} and the link
 *              <directory>/current -> <version>
 * options      directory, keep
 * fingerprint  directory, and what its `current` holds: a destination removed or changed by hand is pushed again.
 *              Pushing changes the fingerprint, so the key to remember is the one taken after run
 * resume       from the start: what a killed push left (.tmp-*) is removed by the next one
 * limits       memory does not grow with the model
 * errors       not blessed is no error; a link or device in the model: PEN_ERR_DATA; `current` not a link:
 *              PEN_ERR_EXISTS; another push for longer than a minute: PEN_ERR_BUSY */
#ifndef PEN_COMPONENTS_PUSHER_PUSHER_H
#define PEN_COMPONENTS_PUSHER_PUSHER_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_pusher;

#ifdef __cplusplus
}
#endif

#endif
