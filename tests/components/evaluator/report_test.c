/* A slice's metrics as JSON, and the interval of the change against the baseline.
 *
 * Provenance of the constants: NumPy 2 and SciPy's t.ppf on the lanes below. change c = candidate - baseline; jackknife
 * q = 4 c[0] - 3 c[1:], mean(q) +- t.ppf(0.975, 3) std(q, ddof=1) / 2; bootstrap mean(c[1:]) +- t.ppf(0.975, 3)
 * std(c[1:], ddof=1). */
#include "components/evaluator/report.h"

#include "tests/pen_test.h"

enum { LANES = 5 };

static double at(const pen_json *slice, const char *member)
{
    const pen_json *metric = pen_json_get(pen_json_get(slice, "metrics"), "accuracy");
    return pen_json_number_or(pen_json_get(metric, member), (double)NAN);
}

static pen_json *report(enum pen_resample kind, double *candidate, double *baseline)
{
    struct pen_metric_choice choice = {pen_metric_find("accuracy", PEN_TASK_BINARY), "accuracy", 0};
    struct pen_evaluator_plan plan = {.confidence = {(int)kind, 0.95, LANES - 1, 1},
                                      .metrics = {&choice, 1, NULL, 0, 1}};
    struct pen_eval_rows rows = {.n = 40, .task = PEN_TASK_REGRESSION, .resampling = {kind, LANES, NULL, NULL}};
    struct pen_slice_spec spec = {.n_columns = 0};
    struct pen_slice overall = {&spec, NULL, NULL, "overall", 40};
    const char *why = NULL;
    double sums = 0;
    struct pen_slice_values mine = {candidate, &why, &sums, 1}, before = {baseline, &why, &sums, 1};
    return pen_report_slice(&plan, &rows, &overall, 0, &mine, baseline != NULL ? &before : NULL);
}

static double candidate[LANES] = {0.80, 0.81, 0.79, 0.805, 0.795};
static double baseline[LANES] = {0.78, 0.80, 0.76, 0.79, 0.77};

static void the_interval_of_a_change_is_paired(void)
{
    static const struct {
        enum pen_resample kind;
        double low, high;
    } cases[] = {{PEN_RESAMPLE_LEAVE_OUT, -0.023577440736321502, 0.06357744073632154},
                 {PEN_RESAMPLE_COUNTS, -0.009051627157547659, 0.0490516271575477}};
    for (int i = 0; i < 2; i++) {
        pen_json *slice = report(cases[i].kind, candidate, baseline);
        PEN_CHECK_NEAR(at(slice, "baseline"), 0.78, 1e-15);
        PEN_CHECK_NEAR(at(slice, "change"), 0.02, 1e-15);
        PEN_CHECK_NEAR(at(slice, "change_low"), cases[i].low, 1e-10);
        PEN_CHECK_NEAR(at(slice, "change_high"), cases[i].high, 1e-10);
        pen_json_free(slice);
    }
}

static void a_model_against_itself_changes_nothing(void)
{
    pen_json *slice = report(PEN_RESAMPLE_LEAVE_OUT, candidate, candidate);
    PEN_CHECK(at(slice, "low") < at(slice, "value") && at(slice, "value") < at(slice, "high"));
    PEN_CHECK_NEAR(at(slice, "change_low"), 0, 0);
    PEN_CHECK_NEAR(at(slice, "change_high"), 0, 0);
    pen_json_free(slice);
}

static void without_a_baseline_there_is_no_change(void)
{
    pen_json *slice = report(PEN_RESAMPLE_LEAVE_OUT, candidate, NULL);
    PEN_CHECK(isnan(at(slice, "baseline")) && isnan(at(slice, "change")) && isnan(at(slice, "change_low")));
    pen_json_free(slice);
}

PEN_SUITE(report, PEN_CASE(the_interval_of_a_change_is_paired), PEN_CASE(a_model_against_itself_changes_nothing),
          PEN_CASE(without_a_baseline_there_is_no_change));
