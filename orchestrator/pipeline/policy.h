/* How a node is run, apart from what it computes: none of it enters its cache key. Keys of a standard node's section,
 * beside the component's options, and of an entry in `nodes:`; `defaults:` gives all nodes those of the first group.
 *
 *   retries          0     more attempts: a number, for failures that may pass by themselves, or one a class
 *                          {crash: 2, memory: 1}; classes: failure.h
 *   retry_delay      10s   before the second attempt
 *   retry_backoff    2     each further delay is so many times the one before
 *   max_retry_delay  1h    no delay is longer
 *   timeout          none  of one attempt: then the node is told to stop (a training writes a checkpoint)
 *   grace            10s   after which a node that was told to stop is killed
 *
 *   when             a condition (condition.h) over what other nodes made, `evaluator.blessed`: else the node is
 * skipped skip_for_export  true: the node is left out of exports */
#ifndef PEN_ORCHESTRATOR_PIPELINE_POLICY_H
#define PEN_ORCHESTRATOR_PIPELINE_POLICY_H

#include "core/config.h"
#include "orchestrator/pipeline/failure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_RETRIES_MAX = 1000 };

struct pen_policy {
    int64_t retries[PEN_FAILURE_CLASSES];
    double retry_delay_s, retry_backoff, max_retry_delay_s;
    double timeout_s; /* 0: none */
    double grace_s;
    const struct pen_config_node *when; /* a text; NULL: always */
    bool skip_for_export;
};

#define PEN_POLICY_DEFAULT                                                                \
    {                                                                                     \
        .retry_delay_s = 10, .retry_backoff = 2, .max_retry_delay_s = 3600, .grace_s = 10 \
    }

extern const char *const pen_policy_keys[]; /* ends with NULL */
bool pen_policy_has_key(const char *name);

/* Takes what the map says over what stands in policy; keys that are no policy's are left to others. for_all: the map is
 * `defaults:`, which has the first group of keys alone. */
PEN_MUST_USE pen_status pen_policy_read(struct pen_policy *policy, const struct pen_config_node *map, bool for_all,
                                        struct pen_error *err);

/* The most attempts of any class beside the first: what a runner gets that counts them together. */
int64_t pen_policy_most_retries(const struct pen_policy *policy);
/* Before attempt `attempt` (from 2 on). */
double pen_policy_delay_s(const struct pen_policy *policy, int64_t attempt);

#ifdef __cplusplus
}
#endif

#endif
