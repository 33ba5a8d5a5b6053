/* StatisticsGen: what is in the data, per feature, for every split and slice.
 *
 * does         TFX's StatisticsGen: numeric, string and common statistics of each feature, weighted twins, slices,
 *              what each tells about a label (TFX's mutual information and lift generators).
 *              Differences: an empty cell is missing; quantiles and histograms are exact, not sketched;
 *              weighted_frequency_threshold begins at 0, for TFX's 1 empties every list of weights that are shares
 * consumes     examples
 * produces     statistics: statistics.json (its names: datasets/statistics/json.c), vocabularies/SPLIT/FEATURE.txt
 *              (vocabulary.h); properties splits, rows, features
 * options      exclude_splits feature_allowlist categorical vocabularies weight_feature per_feature_weight_override
 *              label_feature slices max_slices sample_rate seed num_top_values num_rank_histogram_buckets
 *              frequency_threshold weighted_frequency_threshold num_histogram_buckets num_quantile_buckets
 *              num_values_histogram_buckets exact memory_mb
 * fingerprint  input content and options
 * resume       from the start
 * ranks        each takes some of the features; the file is the same for any number
 * limits       memory_mb for distinct strings, a few MiB a thread; nothing grows with rows. exact: always lifts that
 *              bound; exact: auto counts distinct values exactly while they fit, then within the errors the file states
 *              (datasets/statistics/compute.h has them)
 * errors       a split, feature or weight that the data does not have; a weight that is missing or negative */
#ifndef PEN_COMPONENTS_STATISTICS_GEN_STATISTICS_GEN_H
#define PEN_COMPONENTS_STATISTICS_GEN_STATISTICS_GEN_H

#include "components/component.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_API extern const struct pen_component pen_statistics_gen;

#ifdef __cplusplus
}
#endif

#endif
