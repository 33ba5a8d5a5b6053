/* SchemaGen: what the data must be like from now on, inferred from statistics or brought in after somebody edited it.
 *
 * does         infers a schema (datasets/schema/infer.h: TFX's rules, each with its reason as a comment), or imports
 *              one (TFX's ImportSchemaGen)
 * consumes     statistics (ExampleStatistics)
 * produces     schema (Schema): schema.yaml; properties features, origin (inferred | imported), digest
 * options      import, infer_feature_shape, max_string_domain_size, exclude_splits
 * fingerprint  the content of the imported file
 * resume       from the start
 * limits       memory grows with features and their listed values, not with rows
 * errors       import: PEN_ERR_CONFIG with file, line and column; the file is copied as it is, comments and all.
 *              Columns only one side knows are a warning here, and ExampleValidator's business */
#ifndef PEN_COMPONENTS_SCHEMA_GEN_SCHEMA_GEN_H
#define PEN_COMPONENTS_SCHEMA_GEN_SCHEMA_GEN_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_schema_gen;

#ifdef __cplusplus
}
#endif

#endif
