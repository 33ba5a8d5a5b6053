/* What each feature of a whole split tells about the label (compute_internal.h): both columns in groups (cut.h),
 * counted against each other in one sweep. Columns are shared by the threads, each is counted in order by one of them.
 */
#include "core/log.h"
#include "core/memory.h"
#include "datasets/statistics/compute_internal.h"
#include "datasets/statistics/cut.h"

#include <math.h>
#include <string.h>

/* Sums over rows that have both as finite numbers, as distances from some middle of each. */
struct products {
    double x_middle, y_middle;
    double n, x, y, xx, yy, xy;
};

struct joint {
    struct pen_cut feature, label;
    int64_t n_rows; /* that have a label */
    double *counts; /* [groups of the feature][groups of the label], sums of weights */
    int32_t *feature_groups, *label_groups;
    struct products products;
};

static pen_status joint_init(struct joint *joint, const struct plan *plan, const struct pen_feature_statistics *feature,
                             const struct pen_feature_statistics *label, struct pen_error *err)
{
    *joint = (struct joint){.products = {.x_middle = feature->numeric.median, .y_middle = label->numeric.median}};
    pen_cut_init(&joint->feature, feature);
    pen_cut_init(&joint->label, label);
    PEN_ALLOC(joint->counts, (int64_t)pen_cut_size(&joint->feature) * pen_cut_size(&joint->label), err);
    PEN_ALLOC(joint->feature_groups, plan->most_rows + 1, err);
    PEN_ALLOC(joint->label_groups, plan->most_rows + 1, err);
    return PEN_OK;
}

static void joint_deinit(struct joint *joint)
{
    pen_cut_deinit(&joint->feature);
    pen_cut_deinit(&joint->label);
    pen_free(joint->counts);
    pen_free(joint->feature_groups);
    pen_free(joint->label_groups);
}

/* ---- the sweep ---- */

static void add_product(struct products *products, double x, double y, double weight)
{
    x -= products->x_middle;
    y -= products->y_middle;
    if (isfinite(x) && isfinite(y)) {
        products->n += weight;
        products->x += weight * x;
        products->y += weight * y;
        products->xx += weight * x * x;
        products->yy += weight * y * y;
        products->xy += weight * x * y;
    }
}

static void count_rows(const struct plan *plan, struct joint *joint, int64_t chunk, const struct pen_column *feature,
                       const struct pen_column *label, const double *weights)
{
    int missing = pen_cut_missing(&joint->feature), no_label = pen_cut_missing(&joint->label);
    bool sampled = plan->options->sample_rate < 1.0;
    for (int64_t row = 0; row < feature->n_rows; row++) {
        int x = joint->feature_groups[row], y = joint->label_groups[row];
        if (y == no_label || (sampled && !pen_plan_in_sample(plan, chunk, row))) {
            continue;
        }
        double weight = weights == NULL ? 1.0 : weights[row];
        joint->counts[x * pen_cut_size(&joint->label) + y] += weight;
        joint->n_rows++;
        if (x != missing) {
            add_product(&joint->products, pen_cut_number(feature, row), pen_cut_number(label, row), weight);
        }
    }
}

static pen_status count_chunk(const struct plan *plan, struct scratch *scratch, struct pen_store_buffer *label_buffer,
                              struct joint *joint, int64_t column, int64_t chunk, struct pen_error *err)
{
    const struct pen_statistics_source *source = plan->source;
    struct pen_column feature, label;
    PEN_TRY(pen_plan_read_chunk(plan, scratch, column, chunk, &feature, err));
    PEN_TRY(source->read(source->user, plan->label_column, chunk, label_buffer, &label, err));
    PEN_TRY(pen_cut_rows(&joint->feature, joint->feature_groups, &feature, err));
    PEN_TRY(pen_cut_rows(&joint->label, joint->label_groups, &label, err));
    count_rows(plan, joint, chunk, &feature, &label, pen_plan_weights(plan, scratch, column));
    return PEN_OK;
}

/* ---- results ---- */

struct margins {
    double total, features[PEN_CUT_MOST + 2], labels[PEN_CUT_MOST + 2];
};

static struct margins margins_of(const struct joint *joint)
{
    struct margins margins = {0};
    int n = pen_cut_size(&joint->feature), m = pen_cut_size(&joint->label);
    for (int x = 0; x < n; x++) {
        for (int y = 0; y < m; y++) {
            margins.features[x] += joint->counts[x * m + y];
            margins.labels[y] += joint->counts[x * m + y];
        }
        margins.total += margins.features[x];
    }
    return margins;
}

/* Of shares that are there, and how many they are. */
static double entropy(const double *counts, int n, double total, int *n_there)
{
    double bits = 0;
    *n_there = 0;
    for (int i = 0; i < n; i++) {
        if (counts[i] > 0) {
            bits -= counts[i] / total * log2(counts[i] / total);
            (*n_there)++;
        }
    }
    return bits;
}

static void tell_information(struct pen_label_statistics *out, const struct joint *joint, const struct margins *margins)
{
    int n = pen_cut_size(&joint->feature), m = pen_cut_size(&joint->label), n_there = 0, m_there = 0, unused = 0;
    double of_feature = entropy(margins->features, n, margins->total, &n_there);
    double of_label = entropy(margins->labels, m, margins->total, &m_there);
    double bits = of_feature + of_label - entropy(joint->counts, n * m, margins->total, &unused);
    double chance = joint->n_rows == 0 ? 0 : (n_there - 1.0) * (m_there - 1.0) / (2 * log(2) * (double)joint->n_rows);
    double share = of_label > chance ? (bits - chance) / (of_label - chance) : 0;
    out->mutual_information = bits > 0 ? bits : 0;
    out->share = share > 1 ? 1 : share > 0 ? share : 0;
}

static double correlation(const struct products *p)
{
    double xx = p->xx - p->x * (p->x / p->n), yy = p->yy - p->y * (p->y / p->n), xy = p->xy - p->x * (p->y / p->n);
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

/* The pairs of values that stand out most: by (count - expected)^2 / expected. */
static pen_status list_lifts(struct pen_label_statistics *out, const struct joint *joint, const struct margins *margins,
                             struct pen_arena *arena, struct pen_error *err)
{
    struct {
        double surprise;
        int x, y;
    } best[PEN_MOST_LIFTS];
    int n_best = 0, m = pen_cut_size(&joint->label);
    for (int pair = 0; pair < joint->feature.n_groups * m; pair++) {
        int x = pair / m, y = pair % m, at = n_best;
        double expected = margins->features[x] * (margins->labels[y] / margins->total);
        double more = joint->counts[pair] - expected, surprise = more * (more / expected);
        if (y >= joint->label.n_groups || !(surprise > 0)) {
            continue;
        }
        for (; at > 0 && best[at - 1].surprise < surprise; at--) {
            if (at < PEN_MOST_LIFTS) {
                best[at] = best[at - 1];
            }
        }
        if (at < PEN_MOST_LIFTS) {
            best[at].surprise = surprise;
            best[at].x = x;
            best[at].y = y;
            n_best += n_best < PEN_MOST_LIFTS;
        }
    }
    struct pen_lift *lifts = pen_arena_alloc(arena, n_best + 1, sizeof *lifts);
    for (int i = 0; lifts != NULL && i < n_best; i++) {
        int x = best[i].x, y = best[i].y;
        double count = joint->counts[x * m + y];
        double expected = margins->features[x] * (margins->labels[y] / margins->total);
        lifts[i] = (struct pen_lift){pen_cut_name(&joint->feature, x, arena), pen_cut_name(&joint->label, y, arena),
                                     count / expected, count};
        if (lifts[i].value == NULL || lifts[i].label == NULL) {
            lifts = NULL;
        }
    }
    if (lifts == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: lifts of a feature");
    }
    out->n_lifts = n_best;
    out->lifts = lifts;
    return PEN_OK;
}

static pen_status tell(const struct joint *joint, struct pen_arena *arena, struct pen_feature_statistics *feature,
                       struct pen_error *err)
{
    struct margins margins = margins_of(joint);
    feature->has_label = true;
    feature->label = (struct pen_label_statistics){.correlation = correlation(&joint->products)};
    if (margins.total > 0) {
        tell_information(&feature->label, joint, &margins);
    }
    if (margins.total > 0 && joint->feature.by_text) {
        return list_lifts(&feature->label, joint, &margins, arena, err);
    }
    return PEN_OK;
}

/* ---- columns ---- */

static pen_status one_column(const struct plan *plan, int64_t column, const struct pen_feature_statistics *label,
                             struct pen_arena *arena, struct pen_feature_statistics *feature, struct pen_error *err)
{
    struct joint joint = {0};
    struct scratch scratch = {0};
    struct pen_store_buffer label_buffer = {0};
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_scratch_init(&scratch, plan, NULL, err));
    PEN_TRY_GOTO(cleanup, joint_init(&joint, plan, feature, label, err));
    for (int64_t chunk = 0; chunk < plan->source->n_chunks; chunk++) {
        PEN_TRY_GOTO(cleanup, count_chunk(plan, &scratch, &label_buffer, &joint, column, chunk, err));
    }
#pragma omp critical(pen_statistics_finish)
    status = tell(&joint, arena, feature, err);
cleanup:
    joint_deinit(&joint);
    pen_store_buffer_deinit(&label_buffer);
    pen_scratch_deinit(&scratch);
    return status;
}

pen_status pen_plan_label(const struct plan *plan, struct pen_arena *arena, struct pen_feature_statistics *features,
                          struct pen_error *err)
{
    struct failure failure = {0};
    const struct pen_feature_statistics *label = NULL;
    for (int64_t i = 0; i < plan->n_columns; i++) {
        label = plan->columns[i] == plan->label_column ? &features[i] : label;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->n_threads)
    for (int64_t i = 0; i < plan->n_columns; i++) {
        struct pen_error local = PEN_ERROR_INIT;
        if (label != NULL && label != &features[i] && failure.status == PEN_OK) {
            pen_failure_note(&failure, i, one_column(plan, plan->columns[i], label, arena, &features[i], &local),
                             &local);
        }
    }
    return pen_failure_report(&failure, err);
}
