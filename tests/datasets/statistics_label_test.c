/* What features tell about a label, on a table small enough for scikit-learn: mutual_info_score / ln 2, numpy's cov for
 * correlations, and (rows of both) (rows) / (rows of one) (rows of the other) for lift. Integers here are few, so that
 * each is a group of its own. */
#include "datasets/statistics/compute.h"
#include "datasets/statistics/json.h"
#include "datasets/statistics/render.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 12 };

static const int32_t color[ROWS] = {0, 1, 2, 0, 0, 1, -1, 2, 1, 0, 2, 2}; /* of r, g, b */
static const int64_t text_ends[ROWS + 1] = {0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11};
static const int64_t k[ROWS] = {0, 1, 2, 0, 0, 3, 1, 2, 3, 0, 2, 1};
static const double x[ROWS] = {0, .5, 1, 0, 0, 1.5, .5, 7, 1.5, 0, 1, .5}; /* missing in row 7 */
static const int64_t y[ROWS] = {1, 0, 0, 1, 1, 0, 1, 0, 5, 1, 1, 0};       /* missing in row 8 */
static const double w[ROWS] = {1, 2, 1, .5, 1, 2, 1, 1, 3, 1, .5, 2};
static const uint8_t no_6[] = {0xBF, 0x0F}, no_7[] = {0x7F, 0x0F}, no_8[] = {0xFF, 0x0E};
static const int64_t letters[] = {0, 1, 2, 3};
static const struct pen_dictionary dictionary = {.n_entries = 3, .offsets = letters, .bytes = "rgb"};
static const char *const names[] = {"color", "text", "k", "x", "y", "w"};
enum { N_COLUMNS = sizeof names / sizeof names[0] };

/* All rows in one batch, or each in one of its own. */
static void compute(struct pen_statistics *statistics, const struct pen_statistics_options *options, bool apart)
{
    struct pen_column columns[ROWS][N_COLUMNS];
    struct pen_batch batches[ROWS];
    uint8_t bits[ROWS][3];
    int n = apart ? ROWS : 1;
    for (int i = 0; i < n; i++) {
        int64_t n_rows = apart ? 1 : ROWS;
        bits[i][0] = i != 6;
        bits[i][1] = i != 7;
        bits[i][2] = i != 8;
        struct pen_column row[N_COLUMNS] = {
            {.type = PEN_TYPE_CODES, .values = color + i, .dictionary = &dictionary},
            {.type = PEN_TYPE_BYTES, .offsets = text_ends + i, .bytes = "rgbrrgbgrbb", .validity = no_6},
            {.type = PEN_TYPE_INT64, .values = k + i},
            {.type = PEN_TYPE_FLOAT64, .values = x + i, .validity = no_7},
            {.type = PEN_TYPE_INT64, .values = y + i, .validity = no_8},
            {.type = PEN_TYPE_FLOAT64, .values = w + i},
        };
        row[0].validity = no_6;
        for (int c = 0; c < N_COLUMNS; c++) {
            row[c].n_rows = n_rows;
        }
        if (apart) {
            row[0].validity = row[1].validity = &bits[i][0];
            row[3].validity = &bits[i][1];
            row[4].validity = &bits[i][2];
        }
        memcpy(columns[i], row, sizeof row);
        batches[i] = (struct pen_batch){n_rows, i, N_COLUMNS, names, columns[i]};
    }
    const struct pen_statistics_batches all = {"train", n, batches};
    struct pen_statistics_source source = pen_statistics_source_batches(&all);
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_statistics_compute(statistics, &source, 1, options, &err), &err);
}

static const struct expected {
    const char *label, *feature, *weights;
    double bits, share, correlation;
} expected[] = {
    {"y", "color", NULL, 0.6990199844009082, 0.6299879952861861, NAN},
    {"y", "text", NULL, 0.6990199844009082, 0.6299879952861861, NAN},
    {"y", "k", NULL, 0.4931415747199619, 0.3717681910158018, -0.65},
    {"y", "x", NULL, 0.5617677112802770, 0.4092531219948641, -0.6123724356957947},
    {"y", "color", "w", 0.7870317965313061, 0.7721339916168667, NAN},
    {"y", "k", "w", 0.5447396269032438, 0.4552073227793337, -0.6491434997263655},
    {"y", "x", "w", 0.5776147412214487, 0.4511285347537738, -0.6306697716731441},
    {"color", "k", NULL, 1.3908054820769817, 0.8458072110403919, NAN},
    {"color", "y", NULL, 0.8031333505578768, 0.4127442373775235, NAN},
    {"text", "color", NULL, 1.5726236638951638, 1, NAN},
};

static void figures_are_those_of_scikit_learn(void)
{
    for (size_t i = 0; i < 2 * sizeof expected / sizeof expected[0]; i++) {
        const struct expected *want = &expected[i / 2];
        struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
        struct pen_statistics statistics;
        options.label_feature = want->label;
        options.weight_feature = want->weights;
        compute(&statistics, &options, i % 2 == 1);
        PEN_CHECK_EQ_STR(statistics.splits[0].label, want->label);
        const struct pen_feature_statistics *found = pen_statistics_find_feature(&statistics.splits[0], want->feature);
        PEN_REQUIRE(found != NULL && found->has_label);
        PEN_CHECK_NEAR(found->label.mutual_information, want->bits, 1e-14);
        PEN_CHECK_NEAR(found->label.share, want->share, 1e-14);
        PEN_CHECK_NEAR(found->label.correlation, want->correlation, 1e-14);
        PEN_CHECK(!pen_statistics_find_feature(&statistics.splits[0], want->label)->has_label);
        pen_statistics_deinit(&statistics);
    }
}

/* Also after they were written and read, and on the terminal. */
static void lifts_are_listed_by_surprise(void)
{
    static const struct pen_lift lifts[] = {{"r", "0", 0, 0}, {"r", "1", 11.0 / 6, 4}, {"g", "0", 2.2, 2},
                                            {"g", "1", 0, 0}, {"b", "0", 1.65, 3},     {"b", "1", 11.0 / 24, 1}};
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics, read;
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text page = {0};
    char path[512];
    options.label_feature = "y";
    compute(&statistics, &options, false);
    (void)snprintf(path, sizeof path, "%s/statistics.json", pen_test_directory());
    PEN_REQUIRE_OK(pen_statistics_write(&statistics, path, &err), &err);
    pen_statistics_deinit(&statistics);
    PEN_REQUIRE_OK(pen_statistics_read(path, &read, &err), &err);
    const struct pen_feature_statistics *found = pen_statistics_find_feature(&read.splits[0], "text");
    PEN_REQUIRE(found != NULL && found->has_label);
    PEN_REQUIRE_EQ_I64(found->label.n_lifts, 6);
    for (int i = 0; i < 6; i++) {
        PEN_CHECK_EQ_STR(found->label.lifts[i].value, lifts[i].value);
        PEN_CHECK_EQ_STR(found->label.lifts[i].label, lifts[i].label);
        PEN_CHECK_NEAR(found->label.lifts[i].lift, lifts[i].lift, 1e-15);
        PEN_CHECK_EQ_F64(found->label.lifts[i].count, lifts[i].count);
    }
    pen_statistics_render(&read, &page, 100);
    PEN_CHECK_CONTAINS(pen_text_view(&page), "tells of y");
    PEN_CHECK_CONTAINS(pen_text_view(&page), "color           63.0%    0.69902          -\n"
                                             "text            63.0%    0.69902          -\n"
                                             "w               42.0%    0.49314   -0.71492\n"
                                             "x               40.9%    0.56177   -0.61237\n"
                                             "k               37.2%    0.49314      -0.65\n");
    PEN_REQUIRE(pen_statistics_render_feature(&read, "color", &page, 100));
    PEN_CHECK_CONTAINS(pen_text_view(&page), "tells 63.0% of y, split train: 0.699 bits\n"
                                             "  color                    y                     together      lift\n"
                                             "  r                        0                            0         0\n"
                                             "  r                        1                            4      1.83\n");
    pen_text_deinit(&page);
    pen_statistics_deinit(&read);
}

static void wrong_labels_are_refused(void)
{
    static const char *const allowed[] = {"k"};
    const struct pen_column column = {.type = PEN_TYPE_INT64, .n_rows = ROWS, .values = k};
    const struct pen_column both[] = {column, column};
    const char *const two[] = {"k", "label"};
    const struct pen_batch batch = {ROWS, 0, 2, two, both};
    const struct pen_statistics_batches batches = {"train", 1, &batch};
    struct pen_statistics_source source = pen_statistics_source_batches(&batches);
    struct pen_statistics_options options = PEN_STATISTICS_OPTIONS_DEFAULT;
    struct pen_statistics statistics;
    struct pen_error err = PEN_ERROR_INIT;
    options.label_feature = "lable";
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message,
                       "label_feature: expected a feature of split train, found lable; did you mean label?");
    options.label_feature = "label";
    options.allowed = allowed;
    options.n_allowed = 1;
    PEN_CHECK_STATUS(pen_statistics_compute(&statistics, &source, 1, &options, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "label_feature: expected one of the features in feature_allowlist, found label");
}

PEN_SUITE(statistics_label, PEN_CASE(figures_are_those_of_scikit_learn), PEN_CASE(lifts_are_listed_by_surprise),
          PEN_CASE(wrong_labels_are_refused));
