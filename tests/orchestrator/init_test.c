/* What `penstock init` makes of data: the whole file for a table with a column of every kind, and lines for real ones.
 */
#include "orchestrator/pipeline/init.h"

#include "core/files.h"
#include "tests/orchestrator/chores.h"
#include "tests/pen_test.h"

#include <stdio.h>

enum { N_ROWS = 12000 };

/* Row r of a table with a column of every kind; values come in patterns, so that counts are known. */
static void write_row(FILE *file, int r)
{
    static const char *const words[] = {"red", "green", "blue", "old", "new", "slow", "fast", "small"};
    static const char *const colours[] = {"red", "green", "blue"};
    uint32_t mixed = (uint32_t)(r % 8400) * 2654435761U; /* 70 % of the values are distinct */
    (void)fprintf(file, "%d,u%07d,%08x,%s,town%02d,2024-%02d-%02d,2024-%02d-%02d %02d:15:00,", r + 1, r * 37, mixed,
                  colours[r % 3], r % 40, 1 + r % 12, 1 + r % 28, 1 + r % 12, 1 + r % 28, r % 24);
    (void)fprintf(file, "%s %s %s %s number %d,", words[r % 8], words[r / 8 % 8], words[r / 64 % 8], words[r / 512 % 8],
                  r);
    (void)fprintf(file, "%d,%g,%s,always,,%d,%d\n", r % 7, r % 1000 == 0 ? 5000.0 : (double)(r % 50) / 4,
                  r % 10 == 0 ? "NA" : "1.5", r * 1000, r % 2);
}

static const char *write_table(char path[PEN_PATH_BYTES], const char *name)
{
    (void)snprintf(path, PEN_PATH_BYTES, "%s/%s", pen_test_directory(), name);
    FILE *file = fopen(path, "w");
    PEN_TEST_BASE(file != NULL, return path, "cannot write %s", path);
    (void)fprintf(file, "row,user,hex,colour,town,day,moment,remark,grade,amount,level,same,nothing,clock,label\n");
    for (int r = 0; r < N_ROWS; r++) {
        write_row(file, r);
    }
    (void)fclose(file);
    return path;
}

static void every_kind_of_column_is_guessed(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    struct pen_text wanted = {0};
    const struct pen_init_request request = {.csv = write_table(path, "kinds.csv"), .label = "label"};
    PEN_REQUIRE_OK(pen_init_pipeline(&request, &text, &err), &err);
    pen_text_printf(&wanted,
                    "# Written by penstock init after a look at 12000 rows and 15 columns of\n# %s\n"
                    "# Edit what you like; a section or option left out means its default.\n"
                    "pipeline: kinds\nroot: out/kinds\n\nexample_gen:\n  csv: %s\n  nulls: ['NA']\n",
                    path, path);
    pen_text_append(&wanted,
                    "  split: {train: 2, eval: 1}   # hash buckets of the row; or by a column, time, files, row\n\n"
                    "example_validator:\n  on_anomaly: stop   # or warn\n\n"
                    "transform:\n  label: label\n  features:\n"
                    "    # row: every row has its own number: an identifier\n"
                    "    # user: nearly every row has its own value: an identifier\n"
                    "    hex: hash(hex, 131072)   # too many values to list\n"
                    "    colour: onehot(colour)\n"
                    "    town: vocab(town, top_k: 10000, oov: 10)\n"
                    "    day_month: onehot(month(day))   # a date\n"
                    "    day_weekday: onehot(weekday(day))\n"
                    "    moment_month: onehot(month(moment))   # a date\n"
                    "    moment_weekday: onehot(weekday(moment))\n"
                    "    moment_hour: onehot(hour(moment))\n"
                    "    remark: hash(ngrams(tokens(lower(remark)), [1, 2]), 131072)   # free text\n"
                    "    remark_length: zscore(log1p(length(remark)))\n"
                    "    grade: zscore(grade)\n"
                    "    grade_is: onehot(grade)   # few values\n"
                    "    amount: zscore(log1p(amount))   # long tail\n"
                    "    # level: one value only\n"
                    "    # same: one value only\n"
                    "    # nothing: never present\n"
                    "    clock: zscore(clock)\n\n"
                    "trainer:\n  model: wide_deep   # or linear, dnn\n  hidden: [128, 64]\n"
                    "  l2: 0.001   # there are more different words than rows\n\n"
                    "evaluator:\n  slices: [[], [colour]]\n\npusher:\n  directory: serving/kinds\n");
    PEN_CHECK_EQ_STR(pen_text_view(&text), pen_text_view(&wanted));
    pen_text_deinit(&text);
    pen_text_deinit(&wanted);
}

static void labels_and_choices_of_columns(void)
{
    static const struct {
        const char *label, *features[3], *message; /* message NULL: accepted */
        const char *holds;
    } cases[] = {
        {"amount > 5 and grade == 2", {NULL}, NULL, "    # amount: zscore(log1p(amount))   # the label reads it"},
        {"amount > 5 and grade == 2", {NULL}, NULL, "  label: amount > 5 and grade == 2\n"},
        {"label", {"colour", "town"}, NULL, "  features:\n    colour: onehot(colour)\n    town: vocab("},
        {"lable", {NULL}, "--label: the data have no column 'lable'; did you mean 'label'?", NULL},
        {"lab", {NULL}, "--label: the data have no column 'lab'; did you mean 'label'?", NULL},
        {"zzzzzz",
         {NULL},
         "--label: the data have no column 'zzzzzz'; they have row, user, hex, colour, town, day, moment, remark, ...",
         NULL},
        {"user",
         {NULL},
         "--label: expected classes or numbers, found 12000 texts in the 12000 rows of 'user' that have one",
         NULL},
        {"label", {"color"}, "--features: the data have no column 'color'; did you mean 'colour'?", NULL},
    };
    char path[PEN_PATH_BYTES];
    write_table(path, "kinds.csv");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_text text = {0};
        struct pen_init_request request = {.csv = path, .label = cases[i].label};
        while (request.features.n_items < 3 && cases[i].features[request.features.n_items] != NULL) {
            request.features.n_items++;
        }
        request.features.items = cases[i].features;
        pen_status status = pen_init_pipeline(&request, &text, &err);
        if (cases[i].message == NULL) {
            PEN_CHECK_MSG(status == PEN_OK, "%s: %s", cases[i].label, err.message);
            PEN_CHECK_CONTAINS(pen_text_view(&text), cases[i].holds);
        } else {
            PEN_CHECK_STATUS(status, PEN_ERR_CONFIG);
            PEN_CHECK_EQ_STR(err.message, cases[i].message);
        }
        pen_text_deinit(&text);
    }
}

/* What comes out of a spreadsheet, in two countries. */
static void numbers_and_dates_as_people_write_them(void)
{
    static const struct {
        const char *file, *label, *holds[6];
    } cases[] = {
        {"sold.csv",
         "Paid?",
         {"  label: `Paid?`\n", "    Growth: zscore(number(`Growth %`))   # a number, as people write it\n",
          "    Price_EUR: zscore(fill(number(`Price (EUR)`), 'median'))   # a number, as people write it\n",
          "    Price_EUR_missing: is_missing(number(`Price (EUR)`))\n", "    code: zscore(code)\n"}},
        {"sold.csv", "Price (EUR)", {"  label: number(`Price (EUR)`)\n"}},
        {"sold.csv",
         "`Price (EUR)` == '1,000'",
         {"    # Price_EUR: zscore(fill(number(`Price (EUR)`), 'median'))   # the label reads it; take"}},
        {"verkauft.csv",
         "y",
         {"  delimiter: ';'\n", "    Preis: zscore(number(Preis, decimal: ','))   # a number, as people write it\n",
          "    share: onehot(share)\n", "    Tag_month: onehot(month(Tag, order: 'dmy'))   # a date, days first\n",
          "    seen_hour: onehot(hour(seen, order: 'mdy'))\n"}},
        {"verkauft.csv", "Preis", {"  label: number(Preis, decimal: ',')\n"}},
    };
    char sold[PEN_PATH_BYTES], verkauft[PEN_PATH_BYTES];
    struct pen_text points = {0}, commas = {0};
    pen_text_append(&points, "Price (EUR),Growth %,code,Paid?\n");
    pen_text_append(&commas, "Preis;share;Tag;seen;y\n");
    for (int i = 0; i < 300; i++) {
        pen_text_printf(&points, "%s,%d.5%%,%d,%s\n",
                        i % 7 == 0   ? ""
                        : i % 2 == 0 ? "\"1,234.50\""
                                     : "EUR 99",
                        i, i * 7, i % 2 == 0 ? "yes" : "no");
        pen_text_printf(&commas, "%d.%03d,50 \xE2\x82\xAC;%d %%;%02d.%02d.2024;%d/%d/23 %d:30 PM;%d\n", i % 9 + 1, i,
                        i % 3, i % 28 + 1, i % 12 + 1, i % 12 + 1, i % 28 + 1, i % 11 + 1, i % 2);
    }
    for (int i = 0; i < 40; i++) {
        pen_text_printf(&points, "\"%d,%03d\",1.5%%,%d,no\n", i + 1, i, 9000 + i * 13);
    }
    chore_write(chore_path(sold, "sold.csv"), pen_text_view(&points));
    chore_write(chore_path(verkauft, "verkauft.csv"), pen_text_view(&commas));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        const struct pen_init_request request = {.csv = chore_path(path, cases[i].file), .label = cases[i].label};
        PEN_CHECK_OK(pen_init_pipeline(&request, &text, &err), &err);
        for (int line = 0; line < 6 && cases[i].holds[line] != NULL; line++) {
            PEN_CHECK_CONTAINS(pen_text_view(&text), cases[i].holds[line]);
        }
        pen_text_deinit(&text);
    }
    pen_text_deinit(&points);
    pen_text_deinit(&commas);
}

static void a_file_called_data_takes_its_folders_name(void)
{
    static const struct {
        const char *file, *name;
    } cases[] = {{"harbour/data.csv", "pipeline: harbour\n"}, {"harbour/ships-2024.csv", "pipeline: ships_2024\n"}};
    char folder[PEN_PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s/harbour", pen_test_directory());
    PEN_REQUIRE(pen_directory_create(folder, NULL) == PEN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        const struct pen_init_request request = {.csv = write_table(path, cases[i].file), .label = "label"};
        PEN_CHECK_OK(pen_init_pipeline(&request, &text, &err), &err);
        PEN_CHECK_CONTAINS(pen_text_view(&text), cases[i].name);
        pen_text_deinit(&text);
    }
}

static void lines_above_the_header_are_skipped(void)
{
    static const struct {
        const char *rows, *skip; /* "": none */
    } cases[] = {
        {"Report 2024\nmade by x\n\na;b;y\n1;x;0\n2;y;1\n3;x;0\n4;y;1\n", "  skip_lines: 2   # above the header\n"},
        {"a title\na,b,y\n1,2,0\n2,3,1\n3,3,1\n", "  skip_lines: 1   # above the header\n"},
        {"\"a\ntitle\",\na,b,y\n1,2,0\n2,3,1\n3,3,1\n", "  skip_lines: 2   # above the header\n"},
        {"a,b,y\n1,2,0\n2,1\n3,4,1\n5,6,0\n", ""},
        {"a,b,y\n1,2,0\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        (void)snprintf(path, sizeof path, "%s/above%d.csv", pen_test_directory(), (int)i);
        PEN_REQUIRE_OK(pen_file_write_atomic(path, cases[i].rows, strlen(cases[i].rows), &err), &err);
        const struct pen_init_request request = {.csv = path, .label = "y"};
        PEN_CHECK_OK(pen_init_pipeline(&request, &text, &err), &err);
        PEN_CHECK_CONTAINS(pen_text_view(&text), cases[i].skip);
        PEN_CHECK((strstr(pen_text_view(&text), "skip_lines") != NULL) == (cases[i].skip[0] != '\0'));
        pen_text_deinit(&text);
    }
}

static void real_data_read_as_a_person_would_write_them(void)
{
    static const struct {
        const char *file, *label, *lines[4];
    } cases[] = {
        {"titanic/titanic.csv",
         "Survived",
         {"    # PassengerId: every row has its own number: an identifier\n", "    Sex: onehot(Sex)\n",
          "    # Ticket: nearly every row has its own value: an identifier\n", "# free text\n"}},
        {"nycflights13/weather.csv",
         "temp",
         {"  nulls: ['NA']\n", "    time_hour_hour: onehot(hour(time_hour))\n", "    origin: onehot(origin)\n"}},
        {"ames_housing/houseprice.csv", "SalePrice", {"    # Id: every row has its own number: an identifier\n"}},
        {"chicago_taxi/data.csv",
         "tips > 0.2 * fare",
         {"pipeline: chicago_taxi\n", "    company: vocab(company, top_k: 10000, oov: 10)\n",
          "    # pickup_census_tract: one value only\n", "slices: [[], [payment_type]]"}},
        {"sms_spam/spam.csv", "v1 == 'spam'", {"    v2: hash(ngrams(tokens(lower(v2)), [1, 2]), 131072)"}},
    };
    if (pen_test_datasets() == NULL) {
        PEN_SKIP("the data sets are not here");
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[PEN_PATH_BYTES];
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        (void)snprintf(path, sizeof path, "%s/%s", pen_test_datasets(), cases[i].file);
        const struct pen_init_request request = {.csv = path, .label = cases[i].label};
        PEN_CHECK_OK(pen_init_pipeline(&request, &text, &err), &err);
        for (int line = 0; line < 4 && cases[i].lines[line] != NULL; line++) {
            PEN_CHECK_CONTAINS(pen_text_view(&text), cases[i].lines[line]);
        }
        pen_text_deinit(&text);
    }
}

PEN_SUITE(init, PEN_CASE(every_kind_of_column_is_guessed), PEN_CASE(labels_and_choices_of_columns),
          PEN_CASE(numbers_and_dates_as_people_write_them), PEN_CASE(a_file_called_data_takes_its_folders_name),
          PEN_CASE(lines_above_the_header_are_skipped), PEN_CASE(real_data_read_as_a_person_would_write_them));
