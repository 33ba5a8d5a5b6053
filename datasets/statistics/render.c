/* The table of statistics (render.h): numbers, strings, and what is never present, a line a feature. */
#include "datasets/statistics/render.h"

#include "datasets/statistics/render_internal.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_WIDTH = 60, LEAST_NAME = 13, NAME_AT_120 = 22, TYPE = 7, SHARE = 7, ZEROS = 6, UNIQUE = 7, BARS = 10 };

enum { MEAN, STD, MIN, MEDIAN, MAX, N_FIGURES };

struct page {
    struct pen_text *out;
    int width, name;
    int n_figures;           /* how many of the five there is room for */
    bool figures[N_FIGURES]; /* which */
    bool zeros, unique;
};

/* What a narrow terminal does without: first the number of different values, then zeros, the median, deviation, ends.
 */
static void choose_columns(struct page *page)
{
    static const bool levels[5][N_FIGURES] = {{[MEAN] = true},
                                              {[MEAN] = true, [STD] = true},
                                              {[MEAN] = true, [MIN] = true, [MAX] = true},
                                              {[MEAN] = true, [STD] = true, [MIN] = true, [MAX] = true},
                                              {true, true, true, true, true}};
    int left = page->width - page->name - 1 - TYPE - 1 - SHARE - 2 - BARS;
    int n = left / (PEN_RENDER_NUMBER + 1);
    page->n_figures = n < 1 ? 1 : n > N_FIGURES ? N_FIGURES : n;
    memcpy(page->figures, levels[page->n_figures - 1], sizeof page->figures);
    left -= page->n_figures * (PEN_RENDER_NUMBER + 1);
    page->zeros = left >= ZEROS + 1;
    page->unique = left >= ZEROS + 1 + UNIQUE + 1;
}

static struct page page_of(const struct pen_statistics *statistics, struct pen_text *out, int width)
{
    struct page page = {.out = out, .width = width < LEAST_WIDTH ? LEAST_WIDTH : width, .name = LEAST_NAME};
    int most = NAME_AT_120 + (page.width > 120 ? page.width - 120 : 0);
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        for (int64_t k = 0; k < statistics->splits[i].n_features; k++) {
            int columns = pen_render_columns(statistics->splits[i].features[k].name);
            page.name = columns > page.name ? columns : page.name;
        }
    }
    page.name = page.name > most ? most : page.name;
    choose_columns(&page);
    return page;
}

/* One character a bucket, its height relative to the fullest. */
static void put_bars(const struct page *page, const struct pen_histogram *histogram)
{
    double most = 0;
    int64_t n = histogram->n_buckets, n_drawn = n < BARS + 2 ? n : BARS + 2;
    for (int64_t i = 0; i < n; i++) {
        most = histogram->buckets[i].count > most ? histogram->buckets[i].count : most;
    }
    for (int64_t i = 0; i < n_drawn; i++) {
        pen_text_append(page->out, pen_render_block(histogram->buckets[i * n / n_drawn].count, most));
    }
}

static void put_start(const struct page *page, const char *name, const char *type, double missing, double rows)
{
    char share[16];
    pen_render_put(page->out, name, page->name, true);
    pen_text_append_char(page->out, ' ');
    pen_render_put(page->out, type, TYPE, true);
    pen_text_printf(page->out, " %*s", SHARE, pen_render_share(share, missing, rows));
}

static void put_unique(const struct page *page, int64_t n, bool exact)
{
    char text[32];
    const char *about = exact ? "" : "~";
    if (n < 1000000) {
        (void)snprintf(text, sizeof text, "%s%lld", about, (long long)n);
    } else {
        (void)snprintf(text, sizeof text, "%s%.3g%s", about, (double)n / (n < 1000000000 ? 1e6 : 1e9),
                       n < 1000000000 ? "M" : "G");
    }
    pen_text_printf(page->out, " %*s", UNIQUE, text);
}

static void put_figures(const struct page *page, const struct pen_numeric_statistics *numeric)
{
    const double figures[N_FIGURES] = {numeric->mean, numeric->std, numeric->min, numeric->median, numeric->max};
    for (int i = 0; i < N_FIGURES; i++) {
        if (page->figures[i]) {
            pen_render_number(page->out, figures[i]);
        }
    }
    pen_text_append(page->out, "  ");
    put_bars(page, &numeric->standard);
}

/* What few features have, behind the line. */
static void put_remarks(const struct page *page, const struct pen_feature_statistics *feature)
{
    const struct pen_numeric_statistics *numeric = &feature->numeric;
    int64_t n_infinite = numeric->n_positive_inf + numeric->n_negative_inf;
    if (feature->has_numeric && numeric->n_nan > 0) {
        pen_text_printf(page->out, " %lld NaN", (long long)numeric->n_nan);
    }
    if (feature->has_numeric && n_infinite > 0) {
        pen_text_printf(page->out, " %lld infinite", (long long)n_infinite);
    }
    if (feature->has_string && feature->string.n_invalid_utf8 > 0) {
        pen_text_printf(page->out, " %lld not UTF-8", (long long)feature->string.n_invalid_utf8);
    }
    if (feature->n_present > 0 && (feature->min_values != 1 || feature->max_values != 1)) {
        pen_text_printf(page->out, " %lld to %lld a cell", (long long)feature->min_values,
                        (long long)feature->max_values);
    }
    pen_text_append_char(page->out, '\n');
}

static void put_numbers(const struct page *page, const struct pen_feature_statistics *feature)
{
    char share[16];
    put_start(page, feature->name, pen_type_name(feature->type), (double)feature->n_missing, (double)feature->n_rows);
    if (page->zeros) {
        pen_text_printf(page->out, " %*s", ZEROS,
                        pen_render_share(share, (double)feature->numeric.n_zeros, (double)feature->n_present));
    }
    if (page->unique) {
        put_unique(page, feature->numeric.n_unique, feature->numeric.exact_unique);
    }
    put_figures(page, &feature->numeric);
    put_remarks(page, feature);
    if (feature->has_weighted) {
        double weight = feature->weighted_present + feature->weighted_missing;
        put_start(page, "  weighted", "", feature->weighted_missing, weight);
        pen_text_printf(page->out, "%*s", (page->zeros ? ZEROS + 1 : 0) + (page->unique ? UNIQUE + 1 : 0), "");
        put_figures(page, &feature->weighted_numeric);
        pen_text_append_char(page->out, '\n');
    }
}

/* As many as fit, each with its share of the present. */
static void put_top(const struct page *page, const struct pen_value_counts *top, double present, int left)
{
    for (int64_t i = 0; i < top->n_items && left > 12; i++) {
        char text[16];
        const char *share = pen_render_share(text, top->items[i].count, present);
        int room = left - (int)strlen(share) - 3, columns = pen_render_columns(top->items[i].value);
        columns = columns < room ? columns : room;
        pen_text_append(page->out, i > 0 ? ", " : "");
        pen_render_put(page->out, top->items[i].value, columns, false);
        pen_text_printf(page->out, " %s", share);
        left -= columns + (int)strlen(share) + 3;
    }
}

static void put_strings(const struct page *page, const struct pen_feature_statistics *feature)
{
    int left = page->width - page->name - 1 - TYPE - 1 - SHARE - 1 - UNIQUE - 1 - SHARE - 2;
    put_start(page, feature->name, pen_type_name(feature->type), (double)feature->n_missing, (double)feature->n_rows);
    put_unique(page, feature->string.n_unique, feature->string.exact_unique);
    pen_text_printf(page->out, " %*.1f  ", SHARE, feature->n_present > 0 ? feature->string.avg_length : 0.0);
    put_top(page, &feature->string.top, (double)feature->n_present, left);
    put_remarks(page, feature);
    if (feature->has_weighted) {
        double weight = feature->weighted_present + feature->weighted_missing;
        put_start(page, "  weighted", "", feature->weighted_missing, weight);
        pen_text_printf(page->out, " %*s %*.1f  ", UNIQUE, "", SHARE,
                        feature->weighted_present > 0 ? feature->weighted_string.avg_length : 0.0);
        put_top(page, &feature->weighted_string.top, feature->weighted_present, left);
        pen_text_append_char(page->out, '\n');
    }
}

static void put_never(const struct page *page, const struct pen_feature_statistics *feature)
{
    put_start(page, feature->name, pen_type_name(feature->type), (double)feature->n_missing, (double)feature->n_rows);
    pen_text_append_char(page->out, '\n');
}

enum kind { NUMBERS, STRINGS, NEVER, N_KINDS };

static void put_heading(const struct page *page, enum kind kind)
{
    static const char *const kinds[] = {"numbers", "strings", "never present"};
    static const char *const figures[] = {"mean", "std", "min", "median", "max"};
    pen_text_append_char(page->out, '\n');
    pen_render_put(page->out, kinds[kind], page->name, true);
    pen_text_printf(page->out, " %-*s %*s", TYPE, "type", SHARE, "missing");
    if (kind == NUMBERS) {
        if (page->zeros) {
            pen_text_printf(page->out, " %*s", ZEROS, "zeros");
        }
        if (page->unique) {
            pen_text_printf(page->out, " %*s", UNIQUE, "unique");
        }
        for (int i = 0; i < N_FIGURES; i++) {
            if (page->figures[i]) {
                pen_text_printf(page->out, " %*s", PEN_RENDER_NUMBER, figures[i]);
            }
        }
        pen_text_append(page->out, "  histogram");
    } else if (kind == STRINGS) {
        pen_text_printf(page->out, " %*s %*s  most frequent", UNIQUE, "unique", SHARE, "length");
    }
    pen_text_append_char(page->out, '\n');
}

/* The more telling one; the first of equals. */
static bool is_before(const struct pen_feature_statistics *a, const struct pen_feature_statistics *b)
{
    return a->label.share != b->label.share ? a->label.share > b->label.share : a < b;
}

static const struct pen_feature_statistics *next_telling(const struct pen_split_statistics *split,
                                                         const struct pen_feature_statistics *last)
{
    const struct pen_feature_statistics *next = NULL;
    for (int64_t i = 0; i < split->n_features; i++) {
        const struct pen_feature_statistics *feature = &split->features[i];
        if (feature->has_label && (last == NULL || is_before(last, feature)) &&
            (next == NULL || is_before(feature, next))) {
            next = feature;
        }
    }
    return next;
}

static void put_label(const struct page *page, const struct pen_split_statistics *split)
{
    pen_text_append(page->out, "\ntells of ");
    pen_render_put(page->out, split->label, page->width - 20, false);
    pen_text_printf(page->out, "\n%-*s %7s %*s %*s\n", page->name, "", "share", PEN_RENDER_NUMBER, "bits",
                    PEN_RENDER_NUMBER, "correlated");
    for (const struct pen_feature_statistics *f = next_telling(split, NULL); f != NULL; f = next_telling(split, f)) {
        char share[16];
        pen_render_put(page->out, f->name, page->name, true);
        pen_text_printf(page->out, " %7s", pen_render_share(share, f->label.share, 1));
        pen_render_number(page->out, f->label.mutual_information);
        pen_render_number(page->out, f->label.correlation);
        pen_text_append_char(page->out, '\n');
    }
}

static void render_split(const struct page *page, const struct pen_split_statistics *split)
{
    static void (*const put[])(const struct page *, const struct pen_feature_statistics *) = {put_numbers, put_strings,
                                                                                              put_never};
    pen_text_printf(page->out, "split %s", split->split);
    if (split->slice[0] != '\0') {
        pen_text_append(page->out, ", slice ");
        pen_render_put(page->out, split->slice, page->width - 40, false);
    }
    pen_text_printf(page->out, ": %lld rows, %lld features", (long long)split->n_rows, (long long)split->n_features);
    if (split->weighted_rows >= 0) {
        pen_text_printf(page->out, ", weight of the rows %.6g", split->weighted_rows);
    }
    pen_text_append_char(page->out, '\n');
    for (enum kind kind = NUMBERS; kind < N_KINDS; kind++) {
        bool headed = false;
        for (int64_t i = 0; i < split->n_features; i++) {
            const struct pen_feature_statistics *feature = &split->features[i];
            enum kind own = feature->n_present == 0 ? NEVER : feature->has_string ? STRINGS : NUMBERS;
            if (own != kind) {
                continue;
            }
            if (!headed) {
                put_heading(page, kind);
                headed = true;
            }
            put[kind](page, feature);
        }
    }
    if (split->label != NULL) {
        put_label(page, split);
    }
}

void pen_statistics_render(const struct pen_statistics *statistics, struct pen_text *out, int width)
{
    struct page page = page_of(statistics, out, width);
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        if (i > 0) {
            pen_text_append_char(out, '\n');
        }
        render_split(&page, &statistics->splits[i]);
    }
}
