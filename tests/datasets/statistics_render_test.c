/* Statistics on a terminal: what a person looks for is there, in lines no wider than asked. */
#include "datasets/statistics/render.h"
#include "tests/pen_test.h"

static const struct pen_histogram_bucket bars[] = {{0, 5, 8}, {5, 10, 2}}, heavy[] = {{0, 5, 1}, {5, 10, 3}},
                                         edges[] = {{0, 2.5, 5}, {2.5, 10, 5}}, heavy_edges[] = {{0, 7, 2}, {7, 10, 2}},
                                         cells[] = {{1, 2, 5}, {2, 3, 5}};
static const struct pen_value_count top[] = {{"C\xc3\xa4sh\x1b[1m", 6}, {"Card", 2}}, heavy_top[] = {{"Card", 3.5}};

/* 12 rows: fare in 10 of them, 2 of these 0, one infinite and one NaN; payment in 8, of one to three texts. */
static const struct pen_feature_statistics features[] = {
    {.name = "fare",
     .type = PEN_TYPE_FLOAT64,
     .n_rows = 12,
     .n_present = 10,
     .n_missing = 2,
     .min_values = 1,
     .max_values = 1,
     .avg_values = 1,
     .n_values_total = 10,
     .weighted_present = 4,
     .weighted_missing = 1,
     .weighted_avg_values = 1,
     .weighted_values_total = 4,
     .has_numeric = true,
     .has_weighted = true,
     .numeric = {.mean = 3.25,
                 .std = 1.0 / 3,
                 .min = 0,
                 .median = 2.5,
                 .max = 10,
                 .n_zeros = 2,
                 .n_nan = 1,
                 .n_positive_inf = 1,
                 .n_unique = 2345678,
                 .standard = {2, bars, 1},
                 .quantiles = {2, edges, 1}},
     .weighted_numeric = {.mean = 6.5,
                          .std = 2,
                          .min = 0,
                          .median = 7,
                          .max = 10,
                          .standard = {2, heavy, 0},
                          .quantiles = {2, heavy_edges, 0}}},
    {.name = "payment",
     .type = PEN_TYPE_CODES,
     .n_rows = 12,
     .n_present = 8,
     .n_missing = 4,
     .min_values = 1,
     .max_values = 3,
     .avg_values = 1.75,
     .n_values_total = 14,
     .value_counts = {2, cells, 0},
     .weighted_present = 4,
     .weighted_missing = 1,
     .has_string = true,
     .has_weighted = true,
     .string = {.n_unique = 2,
                .exact_unique = true,
                .avg_length = 4.5,
                .min_length = 4,
                .max_length = 9,
                .n_invalid_utf8 = 3,
                .top = {2, top}},
     .weighted_string = {.avg_length = 4.25, .top = {1, heavy_top}}},
    {.name = "empty", .type = PEN_TYPE_NONE, .n_rows = 12, .n_missing = 12},
};
static const struct pen_split_statistics splits[] = {{"train", "", 12, 5, 3, features, NULL},
                                                     {"train", "payment_type=Card", 12, 5, 2, features, NULL}};
static const struct pen_statistics statistics = {.n_splits = 2, .splits = splits};

static void check_lines(const struct pen_text *page, const char *const *lines, int n)
{
    for (int i = 0; i < n; i++) {
        PEN_CHECK_CONTAINS(pen_text_view(page), lines[i]);
    }
}

/* The longest line, in characters. */
static int width_of(const char *text)
{
    int most = 0, n = 0;
    for (const char *c = text; *c != '\0'; c++) {
        n = *c == '\n' ? 0 : n + (((unsigned char)*c & 0xC0) != 0x80);
        most = n > most ? n : most;
    }
    return most;
}

static void the_table_has_a_line_a_feature(void)
{
    static const char *const lines[] = {
        "split train: 12 rows, 3 features, weight of the rows 5\n",
        "split train, slice payment_type=Card: 12 rows, 2 features",
        "numbers       type    missing  zeros  unique       mean        std        min     median        max  "
        "histogram\n",
        "fare          float64   16.7%  20.0%  ~2.35M       3.25    0.33333          0        2.5         10  █▂ 1 NaN "
        "1 "
        "infinite\n",
        "  weighted              20.0%                       6.5          2          0          7         10  ▃█\n",
        "strings       type    missing  unique  length  most frequent\n",
        "payment       string    33.3%       2     4.5  Cäsh [1m 75.0%, Card 25.0% 3 not UTF-8 1 to 3 a cell\n",
        "  weighted              20.0%             4.2  Card 87.5%\n",
        "never present type    missing\nempty         none     100.0%\n",
    };
    struct pen_text page = {0};
    pen_statistics_render(&statistics, &page, 120);
    check_lines(&page, lines, sizeof lines / sizeof lines[0]);
    pen_text_deinit(&page);
}

static void a_narrow_table_leaves_figures_out(void)
{
    static const char *const headings[] = {"  mean  histogram\n", "  mean        min        max  histogram\n",
                                           "  median        max  histogram\n", " zeros       mean "};
    static const int widths[] = {60, 75, 98, 103};
    struct pen_feature_statistics plain[2] = {features[0], features[1]}; /* without remarks behind the line */
    const struct pen_split_statistics split = {"train", "", 12, NAN, 2, plain, NULL};
    const struct pen_statistics one = {.n_splits = 1, .splits = &split};
    plain[0].numeric.n_nan = plain[0].numeric.n_positive_inf = 0;
    plain[1].string.n_invalid_utf8 = 0;
    plain[1].max_values = 1;
    for (int i = 0; i < 4; i++) {
        struct pen_text page = {0};
        pen_statistics_render(&one, &page, widths[i]);
        PEN_CHECK_CONTAINS(pen_text_view(&page), headings[i]);
        PEN_CHECK(width_of(pen_text_view(&page)) <= widths[i]);
        pen_text_deinit(&page);
    }
}

static void the_page_of_a_number_has_all_its_figures(void)
{
    static const char *const lines[] = {
        "fare: float64\n",
        "                           train           train           train           train\n"
        "                                                 ~ment_type=Card ~ment_type=Card\n"
        "                                        weighted                        weighted\n"
        "rows                          12               5              12               5\n"
        "present                       10               4              10               4\n"
        "missing                  2 16.7%         1 20.0%         2 16.7%         1 20.0%\n"
        "values a cell                  1               1               1               1\n"
        "unique                  ~2345678                        ~2345678                \n"
        "zeros                    2 20.0%                         2 20.0%                \n"
        "NaN                      1 10.0%                         1 10.0%                \n"
        "infinite                 1 10.0%                         1 10.0%                \n"
        "mean                        3.25             6.5            3.25             6.5\n"
        "std                    0.3333333               2       0.3333333               2\n"
        "median                       2.5               7             2.5               7\n"
        "min                            0               0               0               0\n"
        "50%                          2.5               7             2.5               7\n"
        "max                           10              10              10              10\n",
        "histogram, split train\n"
        "             0 .. 5                         8   80.0%  ████████████████████████\n"
        "             5 .. 10                        2   20.0%  ██████\n",
        "histogram, split train, by weight\n"
        "             0 .. 5                         1   25.0%  ████████\n",
    };
    struct pen_text page = {0};
    PEN_CHECK(pen_statistics_render_feature(&statistics, "fare", &page, 80));
    check_lines(&page, lines, sizeof lines / sizeof lines[0]);
    PEN_CHECK(width_of(pen_text_view(&page)) <= 80);
    pen_text_deinit(&page);
}

static void the_page_of_a_string_has_all_its_figures(void)
{
    static const char *const lines[] = {
        "values                        14 ",
        "values a cell             1 to 3 ",
        "  on average                1.75 ",
        "unique                         2 ",
        "length                       4.5            4.25\n",
        "lengths                   4 to 9 ",
        "not UTF-8                3 37.5% ",
        "most frequent, split train\n"
        "  C\u00e4sh [1m                                          6   75.0%  ████████████████████████\n"
        "  Card                                              2   25.0%  ████████\n",
        "most frequent, split train, by weight\n"
        "  Card                                            3.5   87.5%  ████████████████████████\n",
        "values a cell, split train\n"
        "             1 .. 2                         5   62.5%  ████████████████████████\n",
    };
    struct pen_text page = {0};
    PEN_CHECK(pen_statistics_render_feature(&statistics, "payment", &page, 60));
    check_lines(&page, lines, sizeof lines / sizeof lines[0]);
    pen_text_deinit(&page);
    PEN_CHECK(pen_statistics_render_feature(&statistics, "empty", &page, 60));
    PEN_CHECK_CONTAINS(pen_text_view(&page), "missing                12 100.0%\n");
    pen_text_deinit(&page);
    PEN_CHECK(!pen_statistics_render_feature(&statistics, "fair", &page, 60));
    PEN_CHECK_EQ_I64((int64_t)page.size_bytes, 0);
}

PEN_SUITE(statistics_render, PEN_CASE(the_table_has_a_line_a_feature), PEN_CASE(a_narrow_table_leaves_figures_out),
          PEN_CASE(the_page_of_a_number_has_all_its_figures), PEN_CASE(the_page_of_a_string_has_all_its_figures));
