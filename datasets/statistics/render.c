/* Tables of statistics (render.h). Widths are counted in characters, control bytes are never passed on. */
#include "datasets/statistics/render.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 22, NUMBER = 10, BARS = 10, LEAST_WIDTH = 60 };

struct page {
    struct pen_text *out;
    int width;
    bool ascii;
};

/* At most `columns` characters of text, padded to that when `pad`; longer ones end in "~". */
static void put(const struct page *page, const char *text, int columns, bool pad)
{
    int n = 0;
    const char *end = text, *last = text;
    for (; *end != '\0' && n < columns; n++) {
        last = end++;
        while (((unsigned char)*end & 0xC0) == 0x80) {
            end++;
        }
    }
    bool longer = *end != '\0' && columns > 0;
    end = longer ? last : end;
    for (const char *c = text; c < end; c++) {
        pen_text_append_char(page->out, (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c);
    }
    if (longer) {
        pen_text_append_char(page->out, '~');
    }
    for (; pad && n < columns; n++) {
        pen_text_append_char(page->out, ' ');
    }
}

/* Six digits at most, ten columns, right-aligned. */
static void put_number(const struct page *page, double value)
{
    char text[64];
    if (value == floor(value) && fabs(value) < 1e9) {
        (void)snprintf(text, sizeof text, "%.0f", value);
    } else {
        (void)snprintf(text, sizeof text, "%.5g", value);
    }
    pen_text_printf(page->out, " %*s", NUMBER, text);
}

/* One character a bucket, its height relative to the fullest. */
static void put_bars(const struct page *page, const struct pen_histogram *histogram)
{
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
    double most = 0;
    int64_t n = histogram->n_buckets, n_drawn = n < BARS + 2 ? n : BARS + 2;
    for (int64_t i = 0; i < n; i++) {
        most = histogram->buckets[i].count > most ? histogram->buckets[i].count : most;
    }
    for (int64_t i = 0; i < n_drawn; i++) {
        double count = histogram->buckets[i * n / n_drawn].count;
        int level = most > 0 && count > 0 ? (int)ceil(8 * count / most) : 0;
        pen_text_append(page->out, (page->ascii ? letters : blocks)[level < 0 ? 0 : level > 8 ? 8 : level]);
    }
}

static void put_start(const struct page *page, const struct pen_feature_statistics *feature)
{
    char missing[32];
    put(page, feature->name, NAME, true);
    pen_text_append_char(page->out, ' ');
    put(page, pen_type_name(feature->type), 7, true);
    double share = feature->n_rows == 0 ? 0 : 100.0 * (double)feature->n_missing / (double)feature->n_rows;
    (void)snprintf(missing, sizeof missing, share > 0 && share < 0.05 ? "<0.1%%" : "%.1f%%", share);
    pen_text_printf(page->out, " %7s", feature->n_missing == 0 ? "-" : missing);
}

/* Which of mean, std, min, median, max: a narrow terminal keeps the mean, then the ends. */
static const int *figures_that_fit(const struct page *page, int *n_figures)
{
    static const int order[5][5] = {{0}, {0, 1}, {0, 2, 4}, {0, 1, 2, 4}, {0, 1, 2, 3, 4}};
    int n = (page->width - NAME - 16 - BARS - 3) / (NUMBER + 1);
    *n_figures = n < 1 ? 1 : n > 5 ? 5 : n;
    return order[*n_figures - 1];
}

static void put_numbers(const struct page *page, const struct pen_feature_statistics *feature)
{
    const struct pen_numeric_statistics *numeric = &feature->numeric;
    const double figures[] = {numeric->mean, numeric->std, numeric->min, numeric->median, numeric->max};
    int n_figures = 0;
    const int *order = figures_that_fit(page, &n_figures);
    put_start(page, feature);
    for (int i = 0; i < n_figures; i++) {
        put_number(page, figures[order[i]]);
    }
    pen_text_append(page->out, "  ");
    put_bars(page, &numeric->standard);
    if (numeric->n_nan > 0) {
        pen_text_printf(page->out, " %lld NaN", (long long)numeric->n_nan);
    }
    pen_text_append_char(page->out, '\n');
}

static void put_strings(const struct page *page, const struct pen_feature_statistics *feature)
{
    const struct pen_string_statistics *string = &feature->string;
    char text[64];
    put_start(page, feature);
    (void)snprintf(text, sizeof text, "%s%lld", string->exact_unique ? "" : "~", (long long)string->n_unique);
    pen_text_printf(page->out, " %*s distinct  ", NUMBER, text);
    int left = page->width - NAME - 16 - NUMBER - 12;
    for (int64_t i = 0; i < string->top.n_items && left > 12; i++) {
        double count = string->top.items[i].count;
        double share = feature->n_present == 0 ? 0 : 100.0 * count / (double)feature->n_present;
        (void)snprintf(text, sizeof text, share >= 0.5 ? " %.0f%%" : " %.0f", share >= 0.5 ? share : count);
        int columns = 0;
        for (const char *c = string->top.items[i].value; *c != '\0'; c++) {
            columns += ((unsigned char)*c & 0xC0) != 0x80;
        }
        int room = left - (int)strlen(text) - 2;
        columns = columns < room ? columns : room;
        if (i > 0) {
            pen_text_append(page->out, ", ");
        }
        put(page, string->top.items[i].value, columns, false);
        pen_text_append(page->out, text);
        left -= columns + (int)strlen(text) + 2;
    }
    pen_text_append_char(page->out, '\n');
}

static void put_heading(const struct page *page, const char *kind, bool numbers)
{
    put(page, kind, NAME, true);
    pen_text_printf(page->out, " %-7s %7s", "type", "missing");
    if (numbers) {
        static const char *const names[5] = {"mean", "std", "min", "median", "max"};
        int n_figures = 0;
        const int *order = figures_that_fit(page, &n_figures);
        for (int i = 0; i < n_figures; i++) {
            pen_text_printf(page->out, " %*s", NUMBER, names[order[i]]);
        }
        pen_text_append(page->out, "  histogram\n");
    } else {
        pen_text_printf(page->out, " %*s           most frequent\n", NUMBER, "");
    }
}

static void render_split(const struct page *page, const struct pen_split_statistics *split)
{
    pen_text_printf(page->out, "split %s", split->split);
    if (split->slice[0] != '\0') {
        pen_text_append(page->out, ", slice ");
        put(page, split->slice, page->width - NAME, false);
    }
    pen_text_printf(page->out, ": %lld rows, %lld features\n", (long long)split->n_rows, (long long)split->n_features);
    for (int kind = 0; kind < 3; kind++) {
        bool headed = false;
        for (int64_t i = 0; i < split->n_features; i++) {
            const struct pen_feature_statistics *feature = &split->features[i];
            int own = feature->has_string ? 1 : feature->has_numeric ? 0 : 2;
            if (own != kind) {
                continue;
            }
            if (!headed) {
                static const char *const kinds[] = {"numbers", "strings", "never present"};
                pen_text_append_char(page->out, '\n');
                put_heading(page, kinds[kind], kind == 0);
                headed = true;
            }
            if (kind == 0) {
                put_numbers(page, feature);
            } else if (kind == 1) {
                put_strings(page, feature);
            } else {
                put_start(page, feature);
                pen_text_append_char(page->out, '\n');
            }
        }
    }
}

static void render(const struct pen_statistics *statistics, struct pen_text *out, int width, bool ascii)
{
    struct page page = {out, width < LEAST_WIDTH ? LEAST_WIDTH : width, ascii};
    for (int64_t i = 0; i < statistics->n_splits; i++) {
        if (i > 0) {
            pen_text_append_char(out, '\n');
        }
        render_split(&page, &statistics->splits[i]);
    }
}

void pen_statistics_render(const struct pen_statistics *statistics, struct pen_text *out, int width)
{
    render(statistics, out, width, false);
}

void pen_statistics_render_ascii(const struct pen_statistics *statistics, struct pen_text *out, int width)
{
    render(statistics, out, width, true);
}
