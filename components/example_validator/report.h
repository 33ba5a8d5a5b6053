/* Findings as JSON: one entry of "splits" in anomalies.json.
 *
 *   {environment, rows, blessed,
 *    anomalies: [{feature, type, severity, description, rule, expected, seen, rows, share,
 *                 examples: [{row, value}], change: {yaml, schema}}],
 *    features: {fare: "MULTIPLE_REASONS"},
 *    drift_skew: [{kind, feature, measure, value, threshold, crossed, worst, note}]}
 *
 * feature null: the data set. rows, share null: not known. row counts from 0 in the split's store; value null: an
 * empty cell. change.yaml is a fragment to put into schema.yaml, change.schema the same as JSON. */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_REPORT_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_REPORT_H

#include "components/example_validator/findings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new root, to be put into a tree or freed by the caller; NULL when memory is short. */
PEN_API pen_json *pen_findings_to_json(const struct pen_findings *findings);

#ifdef __cplusplus
}
#endif

#endif
