/* What each function of the transform language gives, missing cells included: a table of expressions and rows. */
#include "components/transform/amounts.h"
#include "components/transform/dates.h"
#include "tests/components/transform/rows.h"
#include "tests/kernels/mirror.h"

struct dense_case {
    const char *expression;
    double expected[ROWS];
};

/* x: 1.5 -2 0 - 4 10;  n: 3 - 3 7 0 1;  s: Cash Card Cash (u)Quux-9 - Card;  missing numbers end as 0. */
static const struct dense_case dense_cases[] = {
    {"x", {1.5, -2, 0, 0, 4, 10}},
    {"x + 1", {2.5, -1, 1, 0, 5, 11}},
    {"1 - x * 2", {-2, 5, 1, 0, -7, -19}},
    {"x + n", {4.5, 0, 3, 0, 4, 11}},
    {"n / 2", {1.5, 0, 1.5, 3.5, 0, 0.5}},
    {"n % 2", {1, 0, 1, 1, 0, 1}},
    {"-n % 4", {1, 0, 1, 1, 0, 3}},
    {"x / n", {0.5, 0, 0, 0, 0, 10}}, /* by 0: missing */
    {"n - 1", {2, 0, 2, 6, -1, 0}},
    {"-x", {-1.5, 2, 0, 0, -4, -10}},
    {"x > 0", {1, 0, 0, 0, 1, 1}},
    {"n == 3", {1, 0, 1, 0, 0, 0}},
    {"n != 3", {0, 0, 0, 1, 1, 1}},
    {"x >= n", {0, 0, 0, 0, 1, 1}},
    {"not x > 0", {0, 1, 1, 0, 0, 0}},
    {"x > 0 and n > 0", {1, 0, 0, 0, 0, 1}},
    {"x > 0 or n > 0", {1, 0, 1, 1, 1, 1}},
    {"is_missing(x)", {0, 0, 0, 1, 0, 0}},
    {"is_missing(n)", {0, 1, 0, 0, 0, 0}},
    {"is_missing(s)", {0, 0, 0, 0, 1, 0}},
    {"is_missing(x > 0 and n > 0)", {0, 0, 0, 1, 0, 0}}, /* false and missing is false */
    {"if(x > 0, x, -1)", {1.5, -1, -1, 0, 4, 10}},
    {"if(x > 0, n, 100)", {3, 100, 100, 0, 0, 1}},
    {"fill(x, 7)", {1.5, -2, 0, 7, 4, 10}},
    {"fill(n, 5)", {3, 5, 3, 7, 0, 1}},
    {"fill(x, 'mean')", {1.5, -2, 0, 2.7, 4, 10}},
    {"fill(x, 'median')", {1.5, -2, 0, 1.5, 4, 10}},
    {"fill(n, 'mode')", {3, 3, 3, 7, 0, 1}},
    {"fill(x, n)", {1.5, -2, 0, 7, 4, 10}},
    {"clip(x, -1, 4)", {1.5, -1, 0, 0, 4, 4}},
    {"abs(x)", {1.5, 2, 0, 0, 4, 10}},
    {"abs(-n)", {3, 0, 3, 7, 0, 1}},
    {"floor(x)", {1, -2, 0, 0, 4, 10}},
    {"ceil(x)", {2, -2, 0, 0, 4, 10}},
    {"round(x)", {2, -2, 0, 0, 4, 10}},
    {"sqrt(n)", {1.7320508075688772, 0, 1.7320508075688772, 2.6457513110645907, 0, 1}},
    {"sqrt(x)", {1.224744871391589, 0, 0, 0, 2, 3.1622776601683795}},                  /* of a negative: missing */
    {"log(n)", {1.0986122886681098, 0, 1.0986122886681098, 1.9459101490553132, 0, 0}}, /* of 0: not finite */
    {"log1p(n)", {1.3862943611198906, 0, 1.3862943611198906, 2.0794415416798357, 0, 0.6931471805599453}},
    {"exp(n - 3)", {1, 0, 1, 54.598150033144236, 0.049787068367863944, 0.1353352832366127}},
    {"min(x, n)", {1.5, 0, 0, 0, 0, 1}},
    {"max(x, n)", {3, 0, 3, 0, 4, 10}},
    {"zscore(x)", {-0.289683, -1.134591, -0.651786, 0, 0.313823, 1.762236}},
    {"minmax(x)", {0.29166667, 0, 0.16666667, 0, 0.5, 1}},
    {"minmax(x, -1, 1)", {-0.41666667, -1, -0.66666667, 0, 0, 1}},
    {"minmax(n * 0)", {0.5, 0, 0.5, 0.5, 0.5, 0.5}}, /* constant: sigmoid of the value */
    {"zscore(n * 0 + 2)", {0, 0, 0, 0, 0, 0}},
    {"zscore(fill(x, 'mean'))", {-0.317332, -1.242883, -0.713996, 0, 0.343776, 1.930433}},
    {"x - mean(x)", {-1.2, -4.7, -2.7, 0, 1.3, 7.3}},
    {"robust(x)", {0, -0.875, -0.375, 0, 0.625, 2.125}},
    {"sum(x)", {13.5, 13.5, 13.5, 13.5, 13.5, 13.5}},
    {"count(x) + count(s) * 10", {55, 55, 55, 55, 55, 55}},
    {"min(x) * 100 + max(x)", {-190, -190, -190, -190, -190, -190}},
    {"var(x)", {17.16, 17.16, 17.16, 17.16, 17.16, 17.16}}, /* numpy.var: biased */
    {"std(x)", {4.14246304, 4.14246304, 4.14246304, 4.14246304, 4.14246304, 4.14246304}},
    {"quantile(x, 0.9)", {7.6, 7.6, 7.6, 7.6, 7.6, 7.6}}, /* numpy.quantile */
    {"quantile(x, 1) + quantile(x, 0)", {8, 8, 8, 8, 8, 8}},
    {"rank(x, 4)", {0.5, 0, 0.25, 0, 0.75, 1}},
    {"rank(n, 2)", {0.5, 0, 0.5, 1, 0, 0.16666667}},
    {"rank(if(n == 3, 0, n), 4)", {0, 0, 0, 1, 0, 0.75}},    /* 0 0 0 1 7: on the first quantile 0 */
    {"rank(if(n == 3, 1, n), 4)", {0.5, 0, 0.5, 1, 0, 0.5}}, /* 0 1 1 1 7: the middle of equal quantiles */
    {"interpolate(x, [0, 4, 8])", {0.1875, 0, 0, 0, 0.5, 1}},
    {"mean(x, by: s)", {0.75, 4, 0.75, 0, 0, 4}}, /* no x with that s, no s: missing */
    {"fill(mean(x, by: s), -1)", {0.75, 4, 0.75, -1, -1, 4}},
    {"mean(x, by: buckets(n, [2]))", {0.75, 0, 0.75, 0.75, 7, 7}},
    {"mean(x, by: n > 2)", {0.75, 0, 0.75, 0.75, 7, 7}},
    {"mean(x, by: vocab(s, top_k: 1, oov: 1))", {0.75, 4, 0.75, 4, 0, 4}}, /* the rest is one group */
    {"sum(x, by: s)", {1.5, 8, 1.5, 0, 0, 8}},
    {"fill(count(x, by: s), -1)", {2, 2, 2, 0, -1, 2}},
    {"min(x, by: s) * 100 + max(x, by: s)", {1.5, -190, 1.5, 0, 0, -190}},
    {"std(x, by: s)", {0.75, 6, 0.75, 0, 0, 6}},
    {"var(x, by: s)", {0.5625, 36, 0.5625, 0, 0, 36}},
    {"median(x, by: s)", {0.75, 4, 0.75, 0, 0, 4}},
    {"quantile(x, 0.25, by: s)", {0.375, 1, 0.375, 0, 0, 1}},
    {"zscore(x, by: s)", {1, -1, -1, 0, 4, 1}}, /* an unknown group: x */
    {"robust(x, by: s)", {0.5, -0.5, -0.5, 0, 4, 0.5}},
    {"minmax(x, by: s)", {1, 0, 0, 0, 0.98201379, 1}},
    {"minmax(x, -1, 1, by: s)", {1, -1, -1, 0, 0.96402758, 1}},
    {"minmax(n * 0 + 2, by: s)", {0.88079708, 0, 0.88079708, 0.88079708, 0.88079708, 0.88079708}}, /* constant */
    {"s == 'Cash'", {1, 0, 1, 0, 0, 0}},
    {"'Cash' < s", {0, 0, 0, 1, 0, 0}},
    {"s != lower(s)", {1, 1, 1, 1, 0, 1}},
    {"contains(s, 'ar')", {0, 1, 0, 0, 0, 1}},
    {"starts_with(s, 'Ca')", {1, 1, 1, 0, 0, 1}},
    {"length(s)", {4, 4, 4, 7, 0, 4}},
    {"length(concat(s, '-', n))", {6, 0, 6, 9, 0, 6}},
    {"length(fill(s, 'none'))", {4, 4, 4, 7, 4, 4}},
    {"fill(s, 'mode') == 'Cash'", {1, 0, 1, 0, 1, 0}}, /* of equals the one a vocabulary puts first */
    {"if(n == 3, s, 'else') == 'else'", {0, 0, 0, 1, 1, 1}},
    {"count_tokens(tokens(t))", {2, 0, 2, 2, 0, 4}},
    {"count_tokens(ngrams(tokens(t), [1, 2]))", {3, 0, 3, 3, 0, 7}},
    {"count_tokens(ngrams(tokens(t), [2, 3]))", {1, 0, 1, 1, 0, 5}},
    {"count_tokens(split(t, ' '))", {2, 0, 1, 2, 0, 4}},
    {"count_tokens(split(s, 'a'))", {2, 2, 2, 1, 0, 2}},
    {"count_tokens(unique(tokens(t)))", {2, 0, 2, 2, 0, 3}},
    {"length(trim(concat('  ', s, ' ')))", {4, 4, 4, 7, 0, 4}},
    {"year(when)", {2024, 1969, 2013, 0, 0, 2024}},
    {"month(when)", {2, 12, 3, 0, 0, 2}},
    {"day(when)", {29, 31, 4, 0, 0, 29}},
    {"weekday(when)", {3, 2, 0, 0, 0, 3}},
    {"hour(when)", {0, 23, 5, 0, 0, 0}},
    {"minute(when)", {0, 59, 6, 0, 0, 0}},
    {"weekday('29.02.2024', order: 'dmy') + hour('2/29/24 4:07 PM', order: 'mdy') * 100",
     {1603, 1603, 1603, 1603, 1603, 1603}},
    {"year(n * 31536000)", {1972, 0, 1972, 1976, 1970, 1971}},
    {"cast(x, int)", {1, -2, 0, 0, 4, 10}},
    {"cast(cast(n, string), float) + 0.5", {3.5, 0, 3.5, 7.5, 0.5, 1.5}},
    {"cast(true, int) + n", {4, 0, 4, 8, 1, 2}},
    {"number(x) + number(n)", {4.5, 0, 3, 0, 4, 11}},
    {"number(concat('$', n + 1, ',500.5'))", {4500.5, 0, 4500.5, 8500.5, 1500.5, 2500.5}},
    {"number(concat(n + 1, '.500,5'), decimal: ',')", {4500.5, 0, 4500.5, 8500.5, 1500.5, 2500.5}},
    {"2 < 3 and true", {1, 1, 1, 1, 1, 1}},
    {"`x` * `n`", {4.5, 0, 0, 0, 0, 10}},
};

static void dense_results(void)
{
    for (size_t c = 0; c < sizeof dense_cases / sizeof dense_cases[0]; c++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        struct pen_transform_scratch *scratch = NULL;
        struct pen_tensor_batch out;
        const struct dense_case *row = &dense_cases[c];
        pen_status status = pen_test_compile(&graph, row->expression, NULL, PEN_TASK_NONE, NULL, &err);
        PEN_CHECK_MSG(status == PEN_OK, "%s: %s", row->expression, err.message);
        if (status != PEN_OK) {
            continue;
        }
        PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
        PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), true, scratch, &out, &err), &err);
        PEN_CHECK_EQ_I64(pen_transform_spec(graph)->n_dense, 1);
        for (int i = 0; i < ROWS; i++) {
            double found = (double)out.dense[i];
            bool near = fabs(found - row->expected[i]) <= 1e-4;
            PEN_CHECK_MSG(near, "%s, row %d: expected %g, found %g", row->expression, i, row->expected[i], found);
        }
        pen_transform_scratch_destroy(scratch);
        pen_transform_destroy(graph);
    }
}

/* Seconds by Python's datetime(...).timestamp() in UTC. */
static void dates_in_other_orders(void)
{
    static const struct {
        const char *text;
        enum pen_date_order order;
        int64_t seconds; /* -1: it is none */
    } cases[] = {
        {"01.03.2024", PEN_DATE_DMY, 1709251200},
        {"1.3.2024", PEN_DATE_DMY, 1709251200},
        {"3/1/2024", PEN_DATE_MDY, 1709251200},
        {"03-01-24", PEN_DATE_MDY, 1709251200},
        {"1/3/24 9:05", PEN_DATE_DMY, 1709283900},
        {"3/1/2024 9:05 PM", PEN_DATE_MDY, 1709327100},
        {"3/1/2024 12:05am", PEN_DATE_MDY, 1709251500},
        {"3/1/2024 12:05 PM", PEN_DATE_MDY, 1709294700},
        {"01.03.2024 09:05:30", PEN_DATE_DMY, 1709283930},
        {"31/12/69", PEN_DATE_DMY, -86400},
        {"01/01/70", PEN_DATE_DMY, 0},
        {"2024-03-01", PEN_DATE_DMY, -1},
        {"01.03.2024", PEN_DATE_YMD, -1},
        {"13/1/2024", PEN_DATE_MDY, -1},
        {"31/4/2024", PEN_DATE_DMY, -1},
        {"1/3-2024", PEN_DATE_DMY, -1},
        {"1/3/024", PEN_DATE_DMY, -1},
        {"1/3/2024 13:00 PM", PEN_DATE_DMY, -1},
        {"1/3/2024 9", PEN_DATE_DMY, -1},
        {"1/3/", PEN_DATE_DMY, -1},
        {"/3/2024", PEN_DATE_DMY, -1},
        {"", PEN_DATE_MDY, -1},
        {"192.168.1.1", PEN_DATE_DMY, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = 0;
        bool found = pen_parse_seconds(cases[i].text, strlen(cases[i].text), cases[i].order, &seconds);
        PEN_CHECK_MSG(found == (cases[i].seconds != -1) && (!found || seconds == cases[i].seconds),
                      "'%s': expected %lld, found %d, %lld", cases[i].text, (long long)cases[i].seconds, found,
                      (long long)seconds);
    }
}

static void numbers_as_people_write_them(void)
{
    static const struct {
        const char *text;
        char decimal;
        double value; /* NAN: it is none */
    } cases[] = {
        {"12", '.', 12},
        {"-1.5e3", '.', -1500},
        {"1,234", '.', 1234},
        {"1,234,567.89", '.', 1234567.89},
        {"1234.5", '.', 1234.5},
        {"12.5%", '.', 12.5},
        {"-4.3 %", '.', -4.3},
        {"$1,234.50", '.', 1234.5},
        {"-$5", '.', -5},
        {"$ -5", '.', -5},
        {"(1,250)", '.', -1250},
        {"($ 99)", '.', -99},
        {"EUR 12", '.', 12},
        {"12USD", '.', 12},
        {"\xE2\x82\xAC 1.000,5", ',', 1000.5},
        {"1 234,50 \xE2\x82\xAC", ',', 1234.5},
        {"1\xC2\xA0"
         "234,5",
         ',', 1234.5},
        {"1'234'567", '.', 1234567},
        {"0,75", ',', 0.75},
        {".5 %", '.', 0.5},
        {"\xE2\x88\x92"
         "3",
         '.', -3},
        {"1,5", '.', (double)NAN}, /* the other convention */
        {"1,2345", '.', (double)NAN},
        {"1,234.567,8", '.', (double)NAN},
        {"1,234 567", '.', (double)NAN}, /* two separators */
        {"0,123", '.', (double)NAN},
        {"", '.', (double)NAN},
        {"$", '.', (double)NAN},
        {"%", '.', (double)NAN},
        {".", '.', (double)NAN},
        {"(5", '.', (double)NAN},
        {"5)", '.', (double)NAN},
        {"5 %%", '.', (double)NAN},
        {"$5 EUR", '.', (double)NAN},
        {"12 kg", '.', (double)NAN},
        {"ABC123", '.', (double)NAN},
        {"18.08.2022", ',', (double)NAN},
        {"18.08.2022", '.', (double)NAN},
        {"12:30", '.', (double)NAN},
        {"030 123 456", '.', (double)NAN},
        {"--5", '.', (double)NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = (double)NAN;
        bool is_number = pen_parse_amount(cases[i].text, strlen(cases[i].text), cases[i].decimal, &value);
        PEN_CHECK_MSG(is_number == !isnan(cases[i].value) && (!is_number || value == cases[i].value),
                      "'%s', decimal %c: expected %g, found %d, %g", cases[i].text, cases[i].decimal, cases[i].value,
                      is_number, value);
    }
    char digits[200];
    double value = 0;
    memset(digits, '7', sizeof digits);
    PEN_CHECK(!pen_parse_amount(digits, sizeof digits, ',', &value)); /* more than any number has */
}

struct ids_case {
    const char *expression;
    int64_t n_values;
    int32_t expected[ROWS];
};

static const struct ids_case ids_cases[] = {
    {"vocab(s)", 3, {0, 1, 0, 2, -1, 1}}, /* Cash and Card twice each: the larger bytes come first */
    {"vocab(s, top_k: 1)", 1, {0, -1, 0, -1, -1, -1}},
    {"vocab(n)", 4, {0, -1, 0, 1, 3, 2}}, /* as text: 3 twice, then 7, 1, 0 */
    {"vocab(s, 2, min_count: 2, oov: 1)", 3, {0, 1, 0, 2, -1, 1}},
    {"bucketize(x, 2)", 2, {1, 0, 0, -1, 1, 1}},
    {"bucketize(x, 2, by: s)", 2, {1, 0, 0, -1, -1, 1}},
    {"buckets(x, [0, 4])", 3, {1, 0, 1, -1, 2, 2}},
    {"hash(n, 1000)", 1000, {0, -1, 0, 0, 0, 0}},
};

static void ids_results(void)
{
    for (size_t c = 0; c < sizeof ids_cases / sizeof ids_cases[0]; c++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_transform_graph *graph = NULL;
        struct pen_transform_scratch *scratch = NULL;
        struct pen_tensor_batch out;
        struct ids_case row = ids_cases[c];
        if (strncmp(row.expression, "hash", 4) == 0) {
            const struct pen_hash_strings hash = {.n = 4,
                                                  .starts = (const int64_t[]){0, 1, 2, 3, 4},
                                                  .bytes = "3701",
                                                  .n_buckets = 1000,
                                                  .ids = (int32_t[4]){0}};
            PEN_CHECK_OK(pen_exec_cpu()->kernels->hash_strings(pen_exec_cpu(), &hash, &err), &err);
            const int32_t order[] = {hash.ids[0], -1, hash.ids[0], hash.ids[1], hash.ids[2], hash.ids[3]};
            memcpy(row.expected, order, sizeof order);
        }
        pen_status status = pen_test_compile(&graph, row.expression, NULL, PEN_TASK_NONE, NULL, &err);
        PEN_CHECK_MSG(status == PEN_OK, "%s: %s", row.expression, err.message);
        if (status != PEN_OK) {
            continue;
        }
        PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
        PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), true, scratch, &out, &err), &err);
        PEN_CHECK_EQ_I64(pen_transform_spec(graph)->n_ids, 1);
        PEN_CHECK_EQ_I64(pen_transform_spec(graph)->ids[0].n_values, row.n_values);
        for (int i = 0; i < ROWS; i++) {
            PEN_CHECK_MSG(out.ids[0].values[i] == row.expected[i], "%s, row %d: expected %d, found %d", row.expression,
                          i, row.expected[i], out.ids[0].values[i]);
        }
        pen_transform_scratch_destroy(scratch);
        pen_transform_destroy(graph);
    }
}

static void vectors_and_lists(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    const char *const features[] = {"onehot(s)", "onehot(n, 4)", "vocab(tokens(lower(t)))", "multihot(tokens(t))",
                                    "hash(ngrams(tokens(t), [1, 2]), 50)"};
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, features, 5, pen_test_rows(), 1, &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), false, scratch, &out, &err), &err);
    const struct pen_tensor_spec *spec = pen_transform_spec(graph);
    PEN_CHECK_EQ_I64(spec->n_dense, 3 + 4 + 7); /* Hello world a b U+6771U+4EAC x c */
    PEN_CHECK_EQ_STR(spec->dense_names[0], "f0[Cash]");
    PEN_CHECK_EQ_STR(spec->dense_names[4], "f1[1]");
    const int hot_s[ROWS] = {0, 1, 0, 2, -1, 1}, hot_n[ROWS] = {3, -1, 3, -1, 0, 1};
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < 7; k++) {
            bool hot = k < 3 ? hot_s[i] == k : hot_n[i] == k - 3;
            PEN_CHECK_EQ_F64((double)out.dense[i * spec->n_dense + k], hot ? 1 : 0);
        }
    }
    const int64_t lengths[ROWS] = {2, 0, 2, 2, 0, 4};
    for (int i = 0; i < ROWS; i++) {
        PEN_CHECK_EQ_I64(out.ids[0].row_offsets[i + 1] - out.ids[0].row_offsets[i], lengths[i]);
        PEN_CHECK_EQ_I64(out.ids[1].row_offsets[i + 1] - out.ids[1].row_offsets[i],
                         lengths[i] == 0 ? 0 : 2 * lengths[i] - 1);
    }
    PEN_CHECK_EQ_I64(out.ids[0].values[2], out.ids[0].values[8]); /* a is a */
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
}

/* TFX's formula: tf is the share of the row's tokens, idf = 1 + ln((N + 1) / (df + 1)), or 1 + ln(N / df); N counts
 * every row. Tokens b, a, U+6771U+4EAC, x, world, c, Hello in order of id. */
static void tfidf_is_tfx_formula(void)
{
    static const int counts[ROWS][7] = {
        {0, 0, 0, 0, 1, 0, 1}, {0}, {1, 1}, {0, 0, 1, 1}, {0}, {2, 1, 0, 0, 0, 1},
    };
    static const double df[7] = {2, 2, 1, 1, 1, 1, 1}, lengths[ROWS] = {2, 0, 2, 2, 0, 4};
    static const char *const features[] = {"tfidf(tokens(t))", "tfidf(tokens(t), smooth: false)",
                                           "tfidf(tokens(t), top_k: 2)"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    PEN_REQUIRE_OK(pen_test_compile_rows(&graph, features, 3, pen_test_rows(), 1, &err), &err);
    PEN_CHECK_OK(pen_transform_scratch_create(&scratch, graph, &err), &err);
    PEN_CHECK_OK(pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), false, scratch, &out, &err), &err);
    PEN_CHECK_EQ_I64(pen_transform_spec(graph)->n_dense, 7 + 7 + 2);
    PEN_CHECK_EQ_STR(pen_transform_spec(graph)->dense_names[4], "f0[world]");
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < 7; k++) {
            double tf = lengths[i] > 0 ? counts[i][k] / lengths[i] : 0;
            double smooth = tf * (1 + log(7.0 / (df[k] + 1))), plain = tf * (1 + log(6.0 / df[k]));
            PEN_CHECK_NEAR((double)out.dense[16 * i + k], smooth, 1e-7);
            PEN_CHECK_NEAR((double)out.dense[16 * i + 7 + k], plain, 1e-6);
            if (k < 2) {
                PEN_CHECK_NEAR((double)out.dense[16 * i + 14 + k], smooth, 1e-7);
            }
        }
    }
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
}

PEN_SUITE(transform_semantics, PEN_CASE(dense_results), PEN_CASE(ids_results), PEN_CASE(vectors_and_lists),
          PEN_CASE(tfidf_is_tfx_formula), PEN_CASE(numbers_as_people_write_them), PEN_CASE(dates_in_other_orders));
