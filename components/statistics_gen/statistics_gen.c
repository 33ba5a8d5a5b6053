/* Opens the stores of the splits, has the statistics computed and writes them (statistics_gen.h). */
#include "components/statistics_gen/statistics_gen.h"

#include "components/statistics_gen/share.h"
#include "components/statistics_gen/slicing.h"
#include "components/statistics_gen/vocabulary.h"
#include "components/statistics_gen/weight_override.h"
#include "core/files.h"
#include "core/log.h"
#include "datasets/statistics/compute.h"
#include "datasets/statistics/json.h"

#include <string.h>

struct statistics_gen_options {
    struct pen_config_strings exclude_splits, feature_allowlist, categorical, vocabularies;
    const char *weight_feature, *label_feature;
    const struct pen_config_node *weight_overrides;
    const struct pen_config_node *slices;
    int64_t max_slices;
    double sample_rate;
    int64_t seed;
    int64_t n_top_values, n_rank_buckets, n_histogram_buckets, n_quantile_buckets, n_value_count_buckets;
    int64_t least_count;
    double least_weight;
    int exact;
    int64_t memory_mb;
};

static const char *const exact_choices[] = {"auto", "always", "sketch", NULL};

#define FIELD(field) offsetof(struct statistics_gen_options, field)
static const struct pen_option option_table[] = {
    {"exclude_splits", PEN_OPTION_STRINGS, FIELD(exclude_splits), NULL, 0, 0, NULL, "splits to leave out"},
    {"feature_allowlist", PEN_OPTION_STRINGS, FIELD(feature_allowlist), NULL, 0, 0, NULL,
     "only these features; none given: all"},
    {"categorical", PEN_OPTION_STRINGS, FIELD(categorical), NULL, 0, 0, NULL,
     "integer features that are names: they get string statistics too"},
    {"vocabularies", PEN_OPTION_STRINGS, FIELD(vocabularies), NULL, 0, 0, NULL,
     "string features whose values are all written, a file of each split: vocabularies/SPLIT/FEATURE.txt"},
    {"weight_feature", PEN_OPTION_STRING, FIELD(weight_feature), NULL, 0, 0, NULL,
     "a feature of weights: every figure gets a weighted twin"},
    {"per_feature_weight_override", PEN_OPTION_NODE, FIELD(weight_overrides), NULL, 0, 0, NULL,
     "features with weights of their own, in place of weight_feature: {fare: trip_weight}"},
    {"label_feature", PEN_OPTION_STRING, FIELD(label_feature), NULL, 0, 0, NULL,
     "a feature that the others tell about: mutual information, correlation, lift of each"},
    {"slices", PEN_OPTION_NODE, FIELD(slices), NULL, 0, 0, NULL,
     "a list of slicings, each a list of features or feature=value: [[payment_type], [hour, \"company=Flash Cab\"]]"},
    {"max_slices", PEN_OPTION_INT, FIELD(max_slices), "1000", 1, 100000, NULL,
     "of one slicing, at most so many slices: the most frequent"},
    {"sample_rate", PEN_OPTION_DOUBLE, FIELD(sample_rate), "1", 1e-9, 1, NULL, "share of the rows to look at"},
    {"seed", PEN_OPTION_INT, FIELD(seed), "0", 0, 9e15, NULL, "of the sample"},
    {"num_top_values", PEN_OPTION_INT, FIELD(n_top_values), "20", 1, 1000000, NULL, "most frequent values listed"},
    {"num_rank_histogram_buckets", PEN_OPTION_INT, FIELD(n_rank_buckets), "1000", 1, 1000000, NULL,
     "ranks in the rank histogram; a schema's domain comes from it"},
    {"frequency_threshold", PEN_OPTION_INT, FIELD(least_count), "1", 1, 9e15, NULL,
     "values seen in fewer rows are left out of top values and ranks"},
    {"weighted_frequency_threshold", PEN_OPTION_DOUBLE, FIELD(least_weight), "0", 0, 1e300, NULL,
     "the same of weighted lists, in sums of weights"},
    {"num_histogram_buckets", PEN_OPTION_INT, FIELD(n_histogram_buckets), "10", 1, PEN_PROFILE_MAX_BUCKETS, NULL,
     "buckets of the equal-width histogram"},
    {"num_quantile_buckets", PEN_OPTION_INT, FIELD(n_quantile_buckets), "10", 1, PEN_PROFILE_MAX_BUCKETS, NULL,
     "buckets of the quantile histogram"},
    {"num_values_histogram_buckets", PEN_OPTION_INT, FIELD(n_value_count_buckets), "10", 1, PEN_PROFILE_MAX_BUCKETS,
     NULL, "buckets of the histogram of values a cell"},
    {"exact", PEN_OPTION_ENUM, FIELD(exact), "auto", 0, 0, exact_choices,
     "distinct values: exact while memory_mb (numbers: 16384 of them) holds them, always exact, or sketched early"},
    {"memory_mb", PEN_OPTION_INT, FIELD(memory_mb), "256", 1, 1 << 20, NULL, "memory for distinct texts, MiB"},
    {.name = NULL},
};
#undef FIELD

static bool excluded(const struct statistics_gen_options *options, const char *split)
{
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        if (strcmp(options->exclude_splits.items[i], split) == 0) {
            return true;
        }
    }
    return false;
}

static pen_status check_excluded(const struct statistics_gen_options *options, const char *const *splits,
                                 int64_t n_splits, struct pen_error *err)
{
    for (int64_t i = 0; i < options->exclude_splits.n_items; i++) {
        bool known = false;
        for (int64_t k = 0; k < n_splits; k++) {
            known = known || strcmp(splits[k], options->exclude_splits.items[i]) == 0;
        }
        if (!known) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "option exclude_splits: expected names of splits (such as '%s'), found '%s'",
                     n_splits > 0 ? splits[0] : "train", options->exclude_splits.items[i]);
        }
    }
    return PEN_OK;
}

/* What is wrong with an option is told by datasets, which begin with its name and know no pipeline file. */
static pen_status placed(const struct pen_component_context *context, pen_status status, struct pen_error *err)
{
    for (const struct pen_option *row = option_table; status == PEN_ERR_CONFIG && row->name != NULL; row++) {
        const struct pen_config_node *node = pen_config_get(context->options, row->name);
        const size_t length = strlen(row->name);
        if (node != NULL && strncmp(err->message, row->name, length) == 0 && err->message[length] == ':') {
            pen_error_prefix(err, "%s:%d:%d: option ", node->file, node->line, node->column);
            break;
        }
    }
    return status;
}

/* The statistics of this rank's features, and the files of their vocabularies. */
static pen_status compute(struct pen_component_context *context, const struct statistics_gen_options *options,
                          const struct pen_statistics_source *sources, int64_t n_sources,
                          struct pen_statistics *statistics, struct pen_error *err)
{
    struct pen_statistics_options how = PEN_STATISTICS_OPTIONS_DEFAULT;
    how.n_top_values = options->n_top_values;
    how.n_rank_buckets = options->n_rank_buckets;
    how.least_count = options->least_count;
    how.least_weight = options->least_weight;
    how.n_histogram_buckets = options->n_histogram_buckets;
    how.n_quantile_buckets = options->n_quantile_buckets;
    how.n_value_count_buckets = options->n_value_count_buckets;
    how.weight_feature = options->weight_feature;
    how.label_feature = options->label_feature;
    how.sample_rate = options->sample_rate;
    how.seed = (uint64_t)options->seed;
    how.n_allowed = options->feature_allowlist.n_items;
    how.allowed = options->feature_allowlist.items;
    how.n_categorical = options->categorical.n_items;
    how.categorical = options->categorical.items;
    how.n_vocabularies = options->vocabularies.n_items;
    how.vocabularies = options->vocabularies.items;
    how.max_slices = options->max_slices;
    how.exact = (enum pen_statistics_exact)options->exact;
    how.memory_bytes = options->memory_mb << 20;
    PEN_TRY(pen_weight_overrides_parse(context->arena, options->weight_overrides, &how.weight_overrides,
                                       &how.n_weight_overrides, err));
    PEN_TRY(pen_slicings_parse(context->arena, options->slices, &how.slicings, &how.n_slicings, err));
    struct pen_communicator *ranks = pen_component_ranks(context);
    bool none = false;
    if (ranks->size > 1 && n_sources > 0) {
        PEN_TRY(placed(context, pen_statistics_share(context->arena, ranks, &sources[0], &how, &none, err), err));
    }
    PEN_TRY(placed(context, pen_statistics_compute(statistics, sources, none ? 0 : n_sources, &how, err), err));
    const struct pen_config_strings vocabularies = {how.vocabularies, how.n_vocabularies};
    pen_status status =
        pen_vocabularies_write(pen_component_output(context, "statistics"), statistics, &vocabularies, err);
    if (status != PEN_OK) {
        pen_statistics_deinit(statistics);
    }
    return status;
}

static pen_status write(struct pen_component_context *context, const pen_json *document, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, pen_component_output(context, "statistics"), "statistics.json", err));
    PEN_TRY(pen_json_write_file(document, path, err));
    pen_json *properties = pen_component_properties(context, "statistics");
    pen_json *rows = pen_json_object();
    const pen_json *splits = pen_json_get(document, "splits"), *split = NULL;
    const char *name = NULL;
    int64_t n_features = 0;
    for (int64_t i = 0; pen_json_member(splits, i, &name, &split); i++) {
        pen_json_set_int(rows, name, pen_json_int_or(pen_json_get(split, "rows"), 0));
        n_features = i > 0 ? n_features : pen_json_size(pen_json_get(split, "features"));
    }
    pen_json_set(properties, "splits", rows);
    pen_json_set_int(properties, "features", n_features);
    pen_json_set_int(properties, "slices", pen_json_size(pen_json_get(document, "slices")));
    return PEN_OK;
}

/* One document of all ranks' features, written by rank 0. */
static pen_status conclude(struct pen_component_context *context, const struct pen_statistics *statistics,
                           const struct pen_statistics_source *source, struct pen_error *err)
{
    struct pen_communicator *ranks = pen_component_ranks(context);
    pen_json *document = pen_statistics_to_json(statistics);
    pen_status status = pen_statistics_join(ranks, document, source, err);
    if (status == PEN_OK && ranks->rank == 0) {
        status = write(context, document, err);
    }
    pen_json_free(document);
    return status;
}

static pen_status run_splits(struct pen_component_context *context, const struct statistics_gen_options *options,
                             struct pen_store **stores, struct pen_statistics_source *sources, int64_t *n_open,
                             const char *const *splits, int64_t n_splits, struct pen_error *err)
{
    const char *examples = pen_component_input(context, "examples");
    double start = pen_clock_seconds();
    int64_t n_values = 0;
    PEN_TRY(check_excluded(options, splits, n_splits, err));
    for (int64_t i = 0; i < n_splits; i++) {
        if (excluded(options, splits[i])) {
            continue;
        }
        PEN_TRY(pen_store_open(&stores[*n_open], pen_component_split_path(context, examples, splits[i]), err));
        sources[*n_open] = pen_statistics_source_store(stores[*n_open]);
        sources[*n_open].split = splits[i];
        n_values += sources[*n_open].n_rows * sources[*n_open].n_columns;
        (*n_open)++;
    }
    struct pen_statistics statistics;
    PEN_TRY(compute(context, options, sources, *n_open, &statistics, err));
    pen_status status = conclude(context, &statistics, sources, err);
    pen_log(PEN_LOG_INFO, "statistics of %lld splits and %lld slices: %lld cells in %.3f s", (long long)*n_open,
            (long long)(statistics.n_splits - *n_open), (long long)n_values, pen_clock_seconds() - start);
    pen_statistics_deinit(&statistics);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct statistics_gen_options options;
    const char *const *splits = NULL;
    int64_t n_splits = 0, n_open = 0;
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, option_table, context->options,
                               "statistics_gen", err));
    PEN_TRY(pen_component_splits(context, pen_component_input(context, "examples"), &splits, &n_splits, err));
    struct pen_store **stores = pen_arena_alloc(context->arena, n_splits + 1, sizeof(*stores));
    struct pen_statistics_source *sources = pen_arena_alloc(context->arena, n_splits + 1, sizeof *sources);
    if (stores == NULL || sources == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld splits", (long long)n_splits);
    }
    pen_status status = run_splits(context, &options, stores, sources, &n_open, splits, n_splits, err);
    for (int64_t i = 0; i < n_splits; i++) {
        pen_store_close(stores[i]);
    }
    return status;
}

static const struct pen_component_port inputs[] = {
    {"examples", "Examples", false, "example_gen", "the rows"},
    {.key = NULL},
};

static const struct pen_component_port outputs[] = {
    {"statistics", "ExampleStatistics", false, NULL, "statistics.json; vocabularies/SPLIT/FEATURE.txt where wanted"},
    {.key = NULL},
};

const struct pen_component pen_statistics_gen = {
    .name = "statistics_gen",
    .version = 3,
    .description = "computes the statistics of every feature, split and slice",
    .options = option_table,
    .options_bytes = sizeof(struct statistics_gen_options),
    .inputs = inputs,
    .outputs = outputs,
    .over_ranks = true,
    .run = run,
};
