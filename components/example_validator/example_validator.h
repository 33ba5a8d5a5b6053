/* ExampleValidator: holds the data of each split against the schema, against other splits and against earlier data.
 *
 * does         every check of TFDV that fits tables and text (validate.h), with rows to look at and the change of
 *              schema.yaml that would accept the data; drift, skew and environments, which TFX has in its library only
 * consumes     statistics (ExampleStatistics), schema (Schema), examples (Examples, optional: rows to show, and what
 *              statistics do not hold: derived features, tokens, columns of a row together),
 *              previous_statistics (ExampleStatistics, optional: those of the previous span or run, for drift)
 * produces     anomalies (ExampleAnomalies): anomalies.json {schema: 1, splits: {NAME: ...}, blessed: {NAME: bool}}
 *              (report.h); property blessed: true when no split has an anomaly of severity error
 * options      on_anomaly, environment, environments, drift, skew, serving_statistics, previous, exclude_splits
 * fingerprint  the content of serving_statistics
 * resume       from the start
 * limits       memory grows with features and anomalies, not with rows; one sweep over the columns of derived, sparse,
 *              weighted and natural_language features of the schema
 * errors       on_anomaly: stop and an anomaly of severity error: PEN_ERR_ANOMALY, after anomalies.json is written. The
 *              output folder of a failed node is not published, but the orchestrator keeps it, so that `penstock show
 *              anomalies` can show it; the first three anomalies stand in the message and each one in the log.
 *              A threshold that fits no data, an unknown split or environment: PEN_ERR_CONFIG */
#ifndef PEN_COMPONENTS_EXAMPLE_VALIDATOR_EXAMPLE_VALIDATOR_H
#define PEN_COMPONENTS_EXAMPLE_VALIDATOR_EXAMPLE_VALIDATOR_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_example_validator;

#ifdef __cplusplus
}
#endif

#endif
