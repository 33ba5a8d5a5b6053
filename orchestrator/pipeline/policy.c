/* Reading a policy, key by key. */
#include "orchestrator/pipeline/policy.h"

#include <string.h>

enum { N_SHARED = 6 };

const char *const pen_policy_keys[] = {
    "retries", "retry_delay", "retry_backoff", "max_retry_delay", "timeout", "grace", "when", "skip_for_export", NULL};

bool pen_policy_has_key(const char *name)
{
    for (int i = 0; pen_policy_keys[i] != NULL; i++) {
        if (strcmp(pen_policy_keys[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static pen_status read_count(const struct pen_config_node *node, int64_t *count, struct pen_error *err)
{
    PEN_TRY(pen_config_int(node, "retries", count, err));
    if (*count < 0 || *count > PEN_RETRIES_MAX) {
        return pen_config_error(node, err, "option retries: expected 0 to %d, found %s", PEN_RETRIES_MAX, node->scalar);
    }
    return PEN_OK;
}

static pen_status read_retries(struct pen_policy *policy, const struct pen_config_node *node, struct pen_error *err)
{
    if (node->kind == PEN_CONFIG_MAP) {
        struct by_class {
            const struct pen_config_node *counts[PEN_FAILURE_CLASSES];
        } given;
        struct pen_option table[PEN_FAILURE_CLASSES + 1] = {{.name = NULL}};
        for (int i = 0; i < PEN_FAILURE_CLASSES; i++) {
            table[i] = (struct pen_option){
                .name = pen_failure_names[i], .type = PEN_OPTION_NODE, .offset = (size_t)i * sizeof given.counts[0]};
        }
        PEN_TRY(pen_config_options(NULL, &given, sizeof given, table, node, "retries", err));
        for (int i = 0; i < PEN_FAILURE_CLASSES; i++) {
            policy->retries[i] = 0;
            if (given.counts[i] != NULL) {
                PEN_TRY(read_count(given.counts[i], &policy->retries[i], err));
            }
        }
        return PEN_OK;
    }
    int64_t count = 0;
    PEN_TRY(read_count(node, &count, err));
    for (int i = 0; i < PEN_FAILURE_CLASSES; i++) {
        policy->retries[i] = pen_failure_may_pass((enum pen_failure)i) ? count : 0;
    }
    return PEN_OK;
}

static pen_status read_backoff(const struct pen_config_node *node, double *factor, struct pen_error *err)
{
    PEN_TRY(pen_config_double(node, "retry_backoff", factor, err));
    if (!(*factor >= 1 && *factor <= 100)) {
        return pen_config_error(node, err, "option retry_backoff: expected 1 to 100, found %s", node->scalar);
    }
    return PEN_OK;
}

static pen_status read_key(struct pen_policy *policy, const char *key, const struct pen_config_node *value,
                           struct pen_error *err)
{
    const char *text = NULL;
    if (strcmp(key, "retries") == 0) {
        return read_retries(policy, value, err);
    }
    if (strcmp(key, "retry_backoff") == 0) {
        return read_backoff(value, &policy->retry_backoff, err);
    }
    if (strcmp(key, "when") == 0) {
        policy->when = value;
        return pen_config_string(value, key, &text, err);
    }
    if (strcmp(key, "skip_for_export") == 0) {
        return pen_config_bool(value, key, &policy->skip_for_export, err);
    }
    double *seconds = strcmp(key, "retry_delay") == 0       ? &policy->retry_delay_s
                      : strcmp(key, "max_retry_delay") == 0 ? &policy->max_retry_delay_s
                      : strcmp(key, "timeout") == 0         ? &policy->timeout_s
                                                            : &policy->grace_s;
    return pen_config_seconds(value, key, seconds, err);
}

static pen_status check_defaults(const struct pen_config_node *map, struct pen_error *err)
{
    struct {
        const struct pen_config_node *given[N_SHARED];
    } ignored;
    struct pen_option table[N_SHARED + 1] = {{.name = NULL}};
    for (int i = 0; i < N_SHARED; i++) {
        table[i] = (struct pen_option){
            .name = pen_policy_keys[i], .type = PEN_OPTION_NODE, .offset = (size_t)i * sizeof ignored.given[0]};
    }
    return pen_config_options(NULL, &ignored, sizeof ignored, table, map, "defaults", err);
}

pen_status pen_policy_read(struct pen_policy *policy, const struct pen_config_node *map, bool for_all,
                           struct pen_error *err)
{
    if (for_all) {
        PEN_TRY(check_defaults(map, err));
    }
    for (int i = 0; pen_policy_keys[i] != NULL; i++) {
        const struct pen_config_node *value = pen_config_get(map, pen_policy_keys[i]);
        if (value != NULL && value->kind != PEN_CONFIG_NULL) {
            PEN_TRY(read_key(policy, pen_policy_keys[i], value, err));
        }
    }
    return PEN_OK;
}

int64_t pen_policy_most_retries(const struct pen_policy *policy)
{
    int64_t most = 0;
    for (int i = 0; i < PEN_FAILURE_CLASSES; i++) {
        most = policy->retries[i] > most ? policy->retries[i] : most;
    }
    return most;
}

double pen_policy_delay_s(const struct pen_policy *policy, int64_t attempt)
{
    double delay = policy->retry_delay_s;
    for (int64_t i = 2; i < attempt && delay < policy->max_retry_delay_s; i++) {
        delay *= policy->retry_backoff;
    }
    return delay < policy->max_retry_delay_s ? delay : policy->max_retry_delay_s;
}
