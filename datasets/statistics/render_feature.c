/* The page of one feature (render.h): a table of its figures, a column each split, slice and weighted twin; then the
 * distribution in each whole split. */
#include "datasets/statistics/render.h"

#include "datasets/statistics/render_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LABEL = 16,
    CELL = 16,
    TEXT = 48,
    MOST_AT_ONCE = 16, /* columns side by side */
    MOST_COLUMNS = 48, /* of all tables: slices are up to thousands */
    LEAST_WIDTH = 60,
    BARS = 24,
    VALUE = 40 /* columns of a listed string */
};

enum {
    ROWS,
    PRESENT,
    MISSING,
    VALUES,
    VALUES_A_CELL,
    AVERAGE_VALUES,
    UNIQUE,
    ZEROS,
    NOT_A_NUMBER,
    INFINITE,
    MEAN,
    STD,
    MEDIAN,
    AVERAGE_LENGTH,
    LENGTHS,
    NOT_UTF8,
    N_ROWS
};
static const char *const labels[N_ROWS] = {"rows",   "present", "missing", "values",   "values a cell", "  on average",
                                           "unique", "zeros",   "NaN",     "infinite", "mean",          "std",
                                           "median", "length",  "lengths", "not UTF-8"};

/* One column of the table. */
struct view {
    const struct pen_split_statistics *split;
    const struct pen_feature_statistics *feature;
    bool weighted;
    char texts[N_ROWS][TEXT];
};

/* ---- the table ---- */

static void write_number(char text[static TEXT], double value)
{
    bool whole = value == floor(value) && fabs(value) < 1e13;
    (void)(isnan(value) ? snprintf(text, TEXT, "-") : snprintf(text, TEXT, whole ? "%.0f" : "%.7g", value));
}

/* "340 33.9%" */
static void write_part(char text[static TEXT], double part, double whole)
{
    char share[16];
    write_number(text, part);
    if (part > 0) {
        size_t n = strlen(text);
        (void)snprintf(text + n, TEXT - n, " %s", pen_render_share(share, part, whole));
    }
}

static void write_range(char text[static TEXT], int64_t least, int64_t most)
{
    (void)snprintf(text, TEXT, least == most ? "%lld" : "%lld to %lld", (long long)least, (long long)most);
}

static void fill_numeric(struct view *view)
{
    const struct pen_feature_statistics *feature = view->feature;
    const struct pen_numeric_statistics *plain = &feature->numeric;
    const struct pen_numeric_statistics *numeric = view->weighted ? &feature->weighted_numeric : plain;
    write_number(view->texts[MEAN], numeric->mean);
    write_number(view->texts[STD], numeric->std);
    write_number(view->texts[MEDIAN], numeric->median);
    if (!view->weighted) {
        double present = (double)feature->n_present;
        (void)snprintf(view->texts[UNIQUE], TEXT, "%s%lld", plain->exact_unique ? "" : "~", (long long)plain->n_unique);
        write_part(view->texts[ZEROS], (double)plain->n_zeros, present);
        if (plain->n_nan > 0) {
            write_part(view->texts[NOT_A_NUMBER], (double)plain->n_nan, present);
        }
        if (plain->n_positive_inf + plain->n_negative_inf > 0) {
            write_part(view->texts[INFINITE], (double)(plain->n_positive_inf + plain->n_negative_inf), present);
        }
    }
}

static void fill_string(struct view *view)
{
    const struct pen_feature_statistics *feature = view->feature;
    const struct pen_string_statistics *plain = &feature->string;
    write_number(view->texts[AVERAGE_LENGTH], view->weighted ? feature->weighted_string.avg_length : plain->avg_length);
    if (!view->weighted) {
        (void)snprintf(view->texts[UNIQUE], TEXT, "%s%lld", plain->exact_unique ? "" : "~", (long long)plain->n_unique);
        write_range(view->texts[LENGTHS], plain->min_length, plain->max_length);
        if (plain->n_invalid_utf8 > 0) {
            write_part(view->texts[NOT_UTF8], (double)plain->n_invalid_utf8, (double)feature->n_present);
        }
    }
}

static struct view view_of(const struct pen_split_statistics *split, const struct pen_feature_statistics *feature,
                           bool weighted)
{
    struct view view = {.split = split, .feature = feature, .weighted = weighted};
    double present = weighted ? feature->weighted_present : (double)feature->n_present;
    double missing = weighted ? feature->weighted_missing : (double)feature->n_missing;
    write_number(view.texts[ROWS], present + missing);
    write_number(view.texts[PRESENT], present);
    write_part(view.texts[MISSING], missing, present + missing);
    if (feature->n_present > 0) {
        write_range(view.texts[VALUES_A_CELL], feature->min_values, feature->max_values);
    }
    if (feature->n_present > 0 && feature->min_values != feature->max_values) {
        write_number(view.texts[VALUES], weighted ? feature->weighted_values_total : (double)feature->n_values_total);
        write_number(view.texts[AVERAGE_VALUES], weighted ? feature->weighted_avg_values : feature->avg_values);
    }
    if (feature->n_present > 0 && feature->has_numeric) {
        fill_numeric(&view);
    }
    if (feature->n_present > 0 && feature->has_string) {
        fill_string(&view);
    }
    return view;
}

static void put_right(struct pen_text *out, const char *text)
{
    int columns = pen_render_columns(text);
    pen_text_printf(out, "%*s", columns < CELL - 1 ? CELL - columns : 1, "");
    pen_render_put(out, text, CELL - 1, false);
}

/* Edges of a histogram of equal counts, those of the weighted twin for its column. */
static void put_edges(struct pen_text *out, const struct view *views, int n_views)
{
    int64_t n_buckets = 0;
    const struct pen_histogram *of[MOST_AT_ONCE];
    for (int i = 0; i < n_views; i++) {
        const struct pen_feature_statistics *feature = views[i].feature;
        of[i] = views[i].weighted ? &feature->weighted_numeric.quantiles : &feature->numeric.quantiles;
        n_buckets = of[i]->n_buckets > n_buckets ? of[i]->n_buckets : n_buckets;
    }
    for (int64_t edge = 0; n_buckets > 0 && edge <= n_buckets; edge++) {
        char text[TEXT];
        (void)snprintf(text, sizeof text, "%.4g%%", 100.0 * (double)edge / (double)n_buckets);
        pen_render_put(out, edge == 0 ? "min" : edge == n_buckets ? "max" : text, LABEL, true);
        for (int i = 0; i < n_views; i++) {
            text[0] = '\0';
            if (of[i]->n_buckets == n_buckets) {
                write_number(text, edge == n_buckets ? of[i]->buckets[edge - 1].high : of[i]->buckets[edge].low);
            }
            put_right(out, text);
        }
        pen_text_append_char(out, '\n');
    }
}

/* Too long a name of a slice loses its beginning: the value is at the end. */
static void put_slice(struct pen_text *out, const char *slice)
{
    int n_left = pen_render_columns(slice) - (CELL - 1);
    char text[4 * CELL];
    if (n_left <= 0) {
        put_right(out, slice);
        return;
    }
    for (n_left++; n_left > 0; n_left--) {
        do {
            slice++;
        } while (((unsigned char)*slice & 0xC0) == 0x80);
    }
    (void)snprintf(text, sizeof text, "~%s", slice);
    put_right(out, text);
}

static void put_heading(struct pen_text *out, const struct view *views, int n_views)
{
    bool any_slice = false;
    pen_render_put(out, "", LABEL, true);
    for (int i = 0; i < n_views; i++) {
        put_right(out, views[i].split->split);
        any_slice = any_slice || views[i].split->slice[0] != '\0';
    }
    if (any_slice) {
        pen_text_printf(out, "\n%*s", LABEL, "");
        for (int i = 0; i < n_views; i++) {
            put_slice(out, views[i].split->slice);
        }
    }
    bool any_weighted = views[0].weighted || (n_views > 1 && views[1].weighted);
    if (any_weighted) {
        pen_text_printf(out, "\n%*s", LABEL, "");
        for (int i = 0; i < n_views; i++) {
            put_right(out, views[i].weighted ? "weighted" : "");
        }
    }
    pen_text_append_char(out, '\n');
}

static void put_table(struct pen_text *out, const struct view *views, int n_views)
{
    put_heading(out, views, n_views);
    for (int row = 0; row < N_ROWS; row++) {
        bool any = false;
        for (int i = 0; i < n_views; i++) {
            any = any || views[i].texts[row][0] != '\0';
        }
        if (any) {
            pen_render_put(out, labels[row], LABEL, true);
            for (int i = 0; i < n_views; i++) {
                put_right(out, views[i].texts[row]);
            }
            pen_text_append_char(out, '\n');
        }
    }
    put_edges(out, views, n_views);
}

/* ---- distributions ---- */

static void put_bar(struct pen_text *out, double part, double most)
{
    int eighths = most > 0 ? (int)ceil(8 * BARS * part / most) : 0;
    pen_text_append(out, eighths > 0 ? "  " : "");
    for (; eighths > 0; eighths -= 8) {
        pen_text_append(out, pen_render_block(eighths < 8 ? eighths : 8, 8));
    }
    pen_text_append_char(out, '\n');
}

static void put_histogram(struct pen_text *out, const struct pen_histogram *histogram, double present)
{
    double most = 0;
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        most = histogram->buckets[i].count > most ? histogram->buckets[i].count : most;
    }
    for (int64_t i = 0; i < histogram->n_buckets; i++) {
        const struct pen_histogram_bucket *bucket = &histogram->buckets[i];
        char low[TEXT], high[TEXT], count[TEXT], share[16];
        write_number(low, bucket->low);
        write_number(high, bucket->high);
        write_number(count, bucket->count);
        pen_text_printf(out, "%*s .. %-*s %*s %7s", LABEL - 2, low, CELL - 2, high, CELL - 4, count,
                        pen_render_share(share, bucket->count, present));
        put_bar(out, bucket->count, most);
    }
}

static void put_top(struct pen_text *out, const struct pen_value_counts *top, double present)
{
    for (int64_t i = 0; i < top->n_items; i++) {
        char count[TEXT], share[16];
        write_number(count, top->items[i].count);
        pen_text_append(out, "  ");
        pen_render_put(out, top->items[i].value, VALUE, true);
        pen_text_printf(out, " %*s %7s", CELL - 6, count, pen_render_share(share, top->items[i].count, present));
        put_bar(out, top->items[i].count, top->items[0].count);
    }
}

static void put_lift(struct pen_text *out, const char *value, const char *label, const char *count, const char *lift)
{
    pen_text_append(out, "  ");
    pen_render_put(out, value, VALUE - CELL, true);
    pen_text_append_char(out, ' ');
    pen_render_put(out, label, CELL, true);
    pen_text_printf(out, " %*s %*s\n", CELL - 3, count, CELL - 7, lift);
}

static void put_label(struct pen_text *out, const struct view *view)
{
    const struct pen_label_statistics *label = &view->feature->label;
    char share[16];
    pen_text_printf(out, "\ntells %s of ", pen_render_share(share, label->share, 1));
    pen_render_put(out, view->split->label, VALUE, false);
    pen_text_printf(out, ", split %s: %.4g bits", view->split->split, label->mutual_information);
    if (!isnan(label->correlation)) {
        pen_text_printf(out, ", correlation %.4g", label->correlation);
    }
    pen_text_append_char(out, '\n');
    for (int64_t i = 0; i < label->n_lifts; i++) {
        if (i == 0) {
            put_lift(out, view->feature->name, view->split->label, "together", "lift");
        }
        char count[TEXT], lift[TEXT];
        write_number(count, label->lifts[i].count);
        (void)snprintf(lift, sizeof lift, "%.3g", label->lifts[i].lift);
        put_lift(out, label->lifts[i].value, label->lifts[i].label, count, lift);
    }
}

static void put_distribution(struct pen_text *out, const struct view *view)
{
    const struct pen_feature_statistics *feature = view->feature;
    const char *by = view->weighted ? ", by weight" : "", *split = view->split->split;
    double present = view->weighted ? feature->weighted_present : (double)feature->n_present;
    if (feature->n_present == 0) {
        return;
    }
    if (feature->has_numeric) {
        pen_text_printf(out, "\nhistogram, split %s%s\n", split, by);
        put_histogram(out, view->weighted ? &feature->weighted_numeric.standard : &feature->numeric.standard, present);
    }
    if (feature->has_string) {
        pen_text_printf(out, "\nmost frequent, split %s%s\n", split, by);
        put_top(out, view->weighted ? &feature->weighted_string.top : &feature->string.top, present);
    }
    if (!view->weighted && feature->has_label && view->split->label != NULL) {
        put_label(out, view);
    }
    if (!view->weighted && feature->min_values != feature->max_values) {
        pen_text_printf(out, "\nvalues a cell, split %s\n", split);
        put_histogram(out, &feature->value_counts, present);
    }
}

/* ---- the page ---- */

static int collect_views(struct view *views, const struct pen_statistics *statistics, const char *name, int64_t *n_left)
{
    int n = 0;
    *n_left = 0;
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        const struct pen_split_statistics *split = &statistics->splits[i];
        const struct pen_feature_statistics *feature = pen_statistics_find_feature(split, name);
        int wanted = feature == NULL ? 0 : feature->has_weighted ? 2 : 1;
        if (n + wanted > MOST_COLUMNS) {
            (*n_left)++;
            continue;
        }
        for (int k = 0; k < wanted; k++) {
            views[n++] = view_of(split, feature, k == 1);
        }
    }
    return n;
}

bool pen_statistics_render_feature(const struct pen_statistics *statistics, const char *name, struct pen_text *out,
                                   int width)
{
    struct view views[MOST_COLUMNS];
    int64_t n_left = 0;
    int n = collect_views(views, statistics, name, &n_left);
    int at_once = ((width < LEAST_WIDTH ? LEAST_WIDTH : width) - LABEL) / CELL;
    at_once = at_once > MOST_AT_ONCE ? MOST_AT_ONCE : at_once;
    if (n == 0) {
        return false;
    }
    pen_render_put(out, name, width, false);
    pen_text_printf(out, ": %s\n", pen_type_name(views[0].feature->type));
    for (int first = 0; first < n; first += at_once) {
        pen_text_append_char(out, '\n');
        put_table(out, views + first, n - first < at_once ? n - first : at_once);
    }
    if (n_left > 0) {
        pen_text_printf(out, "\n%lld more slices: --json has them all\n", (long long)n_left);
    }
    for (int i = 0; i < n; i++) {
        if (views[i].split->slice[0] == '\0') {
            put_distribution(out, &views[i]);
        }
    }
    return true;
}
