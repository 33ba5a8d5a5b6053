/* The command line as a person meets it: every verb's help, answers, JSON, and refusals, word by word. What is expected
 * lies in golden/NAME.txt; times, paths and measured numbers are masked. After a change that is meant,
 * PEN_GOLDEN_WRITE=1 build/test_orchestrator --gtest_filter='cli.*' writes them anew: read the difference. */
#include "core/files.h"
#include "core/json.h"
#include "orchestrator/cli/verb_list.h"
#include "tests/orchestrator/golden.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LABEL "'tips > 0.2 * fare'"

static bool program_is_built(void)
{
    return access(pen_test_program(), X_OK) == 0;
}

#define HELP_LINE(name) #name " --help",

static void help_of_every_verb(void)
{
    static const char *const lines[] = {"--help", PEN_VERB_LIST(HELP_LINE) "component schema_gen --help", "lineage -h",
                                        "version", NULL};
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    golden_compare_lines("help", lines);
}

/* No verb, a wrong one, wrong options, files and roots that are not there. */
static void what_is_refused(void)
{
    static const char *const lines[] = {"",
                                        "rnu",
                                        "run",
                                        "run a.yaml b.yaml",
                                        "run gone.yaml",
                                        "run gone.yaml --form trainer",
                                        "run gone.yaml --from",
                                        "run gone.yaml --resume",
                                        "run gone.yaml --no-cache=yes",
                                        "plan gone.yaml",
                                        "plan --detailed",
                                        "train gone.csv",
                                        "train gone.csv --label x",
                                        "init gone.csv --label x",
                                        "init gone.csv",
                                        "show",
                                        "show evaluation",
                                        "show evaluation --root gone",
                                        "predict gone",
                                        "predict gone --csv gone.csv",
                                        "predict gone --csv gone.csv --threshold 2",
                                        "predict gone --csv gone.csv --json",
                                        "runs --root gone",
                                        "runs --last none",
                                        "runs --lest 3",
                                        "runs --tag lr --root gone",
                                        "status --root gone",
                                        "note run-1 x --root gone",
                                        "note run-1",
                                        "note",
                                        "run gone.yaml --name run-5",
                                        "run gone.yaml --tag ''",
                                        "logs --root gone",
                                        "why trainer --root gone",
                                        "why",
                                        "artifacts --root gone",
                                        "lineage model --root gone",
                                        "lineage",
                                        "schedule",
                                        "schedule gone.yaml",
                                        "schedule gone.yaml --pause --unpause",
                                        "schedule a.yaml b.yaml --show",
                                        "schedule a.yaml b.yaml --root gone",
                                        "doctor now",
                                        "generate taxis",
                                        "generate taxi --rows many",
                                        "generate taxi --rows -3",
                                        "generate taxi --json",
                                        "generate taxi --rows 3 -o gone/t.csv",
                                        NULL};
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    golden_compare_lines("refusals", lines);
}

/* From data to a pushed model and all questions about it. */
static void a_tour(void)
{
    static const char *const lines[] = {"generate taxi --rows 600 --seed 1 -o t.csv",
                                        "init t.csv --label 'tips > 0.2 * fare'",
                                        "init t.csv --label 'tips > 0.2 * fare'",
                                        "plan pipeline.yaml --set trainer.steps=40",
                                        "plan pipeline.yaml --set trainer.steps=40 --detailed-exitcode",
                                        "run pipeline.yaml --set trainer.steps=40",
                                        "plan pipeline.yaml --set trainer.steps=40 --detailed-exitcode",
                                        "run pipeline.yaml --set trainer.steps=40 --resume last",
                                        "run pipeline.yaml --set trainer.steps=many",
                                        "run pipeline.yaml --set trainer.stops=3",
                                        "run pipeline.yaml --set transform.label=tipps",
                                        "run pipeline.yaml --set trainer.steps=40 --resume last",
                                        "run pipeline.yaml --set trainer.steps=41 --to transform",
                                        "run pipeline.yaml --only trainer --from trainer",
                                        "run pipeline.yaml --only trainers",
                                        "runs",
                                        "runs --last 1",
                                        "status",
                                        "status run-1",
                                        "status run-77",
                                        "note run-1 'half the rate' --tag lr --name baseline",
                                        "note baseline --tag 'two words' --tag lr",
                                        "note run-2 --name baseline --tag lr",
                                        "status baseline",
                                        "note run-2 --name other --untag lr",
                                        "status baseline",
                                        "runs",
                                        "runs --tag lr --tag 'two words' --last 1",
                                        "runs --tag none",
                                        "note run-1",
                                        "note run-77 x",
                                        "note run-1 --name run-5",
                                        "why trainer",
                                        "why trainers",
                                        "artifacts --type Model",
                                        "artifacts --type Model --where 'auc > 0.5 and not pushed'",
                                        "artifacts --where 'splits.train > 100 and node == \"example_gen\"'",
                                        "artifacts --type Model --where 'auk > 0.5'",
                                        "artifacts --type Modle",
                                        "artifacts --where 'rows >'",
                                        "artifacts --where 'type > 5'",
                                        "lineage model",
                                        "lineage schema --down",
                                        "lineage schema --up --format dot",
                                        "lineage model --format svg",
                                        "diff run-1 last",
                                        "diff run-1 run-1",
                                        "diff baseline run-99",
                                        "diff run-1",
                                        "metadata",
                                        "metadata mlflow",
                                        "metadata mlmd --run run-99",
                                        "gc",
                                        "gc --keep-runs -1",
                                        "gc --keep-runs many",
                                        "gc --older-than 5w",
                                        "gc --keep-runs 1 --root gone",
                                        "gc --older-than 1d --dry-run",
                                        "gc --keep-runs 50",
                                        "lineage modle",
                                        "show anomalies",
                                        "show anomaly",
                                        "show statistics --feature payment_type",
                                        "show statistics --feature payment_typ",
                                        "show anomalies --feature fare",
                                        "logs nothing",
                                        "train t.csv --label tips",
                                        NULL};
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    golden_compare_lines("tour", lines);
}

/* ---- JSON: the fields that scripts rely on ---- */

static bool is_of_type(const pen_json *value, const char *type)
{
    return strcmp(type, "text") == 0     ? pen_json_is_string(value)
           : strcmp(type, "number") == 0 ? pen_json_is_number(value)
           : strcmp(type, "int") == 0    ? pen_json_is_int(value)
           : strcmp(type, "bool") == 0   ? pen_json_is_bool(value)
           : strcmp(type, "list") == 0   ? pen_json_is_array(value)
           : strcmp(type, "map") == 0    ? pen_json_is_object(value)
           : strcmp(type, "text?") == 0  ? pen_json_is_string(value) || pen_json_is_null(value)
           : strcmp(type, "bool?") == 0  ? pen_json_is_bool(value) || pen_json_is_null(value)
                                         : false;
}

/* field: "nodes[0].node TYPE" */
static void check_field(const char *line, const pen_json *document, const char *field)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s", field);
    char *type = strrchr(path, ' ');
    PEN_REQUIRE(type != NULL);
    *type++ = '\0';
    const pen_json *value = document;
    char *rest = NULL;
    for (char *name = strtok_r(path, ".", &rest); name != NULL; name = strtok_r(NULL, ".", &rest)) {
        size_t size = strcspn(name, "[");
        char *index = name[size] == '[' ? name + size : NULL;
        for (name[size] = '\0', value = pen_json_get(value, name); index != NULL; index = strchr(index + 1, '[')) {
            value = pen_json_at(value, strtol(index + 1, NULL, 10));
        }
    }
    PEN_CHECK_MSG(value != NULL && is_of_type(value, type), "penstock %s: expected the field %s", line, field);
}

static const struct {
    const char *line;
    int exit_code;
    const char *fields[24];
} documents[] = {
    {"generate taxi --rows 600 --seed 1 -o t.csv --json", 0, {"sample text", "rows int", "path text", "label text"}},
    {"init t.csv --label " LABEL " --json", 0, {"path text", "text text"}},
    {"run pipeline.yaml --set trainer.steps=40 --json",
     0,
     {"run text", "status text", "seconds number", "device text", "root text", "nodes list", "nodes[0].node text",
      "nodes[8].status text", "nodes[8].seconds number", "blessed bool?", "pushed text?"}},
    {"plan pipeline.yaml --json",
     0,
     {"pipeline text", "work bool", "nodes[0].node text", "nodes[0].action text", "nodes[0].reason text",
      "nodes[5].changes list"}},
    {"runs --json",
     0,
     {"runs list", "runs[0].run text", "runs[0].status text", "runs[0].time text", "runs[0].seconds number",
      "runs[0].device text", "runs[0].pipeline text", "runs[0].blessed bool?", "runs[0].pushed text?"}},
    {"status --json",
     0,
     {"run text", "status text", "nodes[0].node text", "nodes[0].status text", "nodes[0].seconds number",
      "nodes[0].message text"}},
    {"note run-1 'half the rate' --tag lr --name baseline --json",
     0,
     {"run text", "name text", "tags[0] text", "notes[0].time text", "notes[0].text text"}},
    {"status baseline --json", 0, {"name text", "tags[0] text", "notes[0].time text", "notes[0].text text"}},
    {"runs --tag lr --json", 0, {"runs[0].name text", "runs[0].tags[0] text", "runs[0].notes[0].text text"}},
    {"logs --json",
     0,
     {"run text", "logs[0].node text", "logs[0].path text", "logs[0].lines list", "logs[0].lines[0] text"}},
    {"logs trainer --json", 0, {"run text", "logs[0].node text", "logs[0].lines[0] text"}},
    {"why trainer --json", 0, {"node text", "status text", "run text", "compared_with text?", "changes list"}},
    {"artifacts --json",
     0,
     {"artifacts list", "artifacts[0].id text", "artifacts[0].type text", "artifacts[0].uri text",
      "artifacts[0].hash text", "artifacts[0].execution int", "artifacts[0].properties map"}},
    {"lineage model --json",
     0,
     {"artifact.id text", "artifact.type text", "artifact.uri text", "artifact.run text", "artifact.made_of[0].id text",
      "used_for[0] text", "artifacts[0].id text", "artifacts[0].node text", "edges[0].from text", "edges[0].to text",
      "edges[0].execution int", "complete bool"}},
    {"artifacts --type Model --where 'auc > 0' --json",
     0,
     {"artifacts[0].id text", "artifacts[0].node text", "artifacts[0].run text", "artifacts[0].created text",
      "artifacts[0].state text", "artifacts[0].verdicts.auc number"}},
    {"metadata openlineage --json", 0, {"events[0].eventType text", "events[1].run.facets.parent.job.name text"}},
    {"gc --keep-runs 1 --json", 0, {"removed list", "bytes int", "kept int", "dry_run bool"}},
    {"diff run-1 run-1 --json",
     0,
     {"a.run text", "b.status text", "metrics[0].metric text", "metrics[0].a number", "metrics[0].change number",
      "changes list", "nodes[0].node text", "nodes[0].a.status text", "nodes[0].b.seconds number"}},
    {"show statistics --json",
     0,
     {"splits.train.rows int", "splits.train.features.fare.type text", "splits.train.features.fare.count int",
      "splits.train.features.fare.missing int", "splits.train.features.fare.mean number",
      "splits.train.features.fare.std number", "splits.train.features.fare.zeros int",
      "splits.train.features.fare.min number", "splits.train.features.fare.median number",
      "splits.train.features.fare.max number", "splits.train.features.fare.quantiles list",
      "splits.train.features.payment_type.unique int", "splits.train.features.payment_type.top[0][0] text"}},
    {"show schema --json", 0, {"features map", "features.fare map"}},
    {"show anomalies --json", 0, {"splits map"}},
    {"show curves --json", 0, {"metric text"}},
    {"show evaluation --json",
     0,
     {"model text", "baseline text?", "blessed bool", "reasons list", "slices[0].slice map", "slices[0].rows int",
      "slices[0].metrics.auc.value number"}},
    {"show blessing --json", 0, {"blessed bool"}},
    {"show examples --json", 0, {"splits map"}},
    {"show model --json", 0, {"format text"}},
    {"show transform_graph --json", 0, {"format text"}},
    {"show pushed --json", 0, {"pushed bool"}},
    {"show resolved --json", 0, {"model text?", "reason text"}},
    {"predict serving/t/current --csv t.csv -o p.csv --json", 0, {"model text", "rows int", "path text"}},
    {"doctor --json",
     0,
     {"version text", "cores int", "cpu list", "memory_bytes int", "memory_free_bytes int", "disk_free_bytes int",
      "devices[0].device text", "devices[0].ops int", "cuda text", "cuda_module text?", "cuda_versions map",
      "cuda_lacks list", "problems list"}},
    {"version --json", 0, {"version text"}},
    {"train t.csv --label " LABEL " -o two.yaml --name two --json",
     0,
     {"run text", "status text", "nodes[8].node text", "pushed text?"}},
    {"run pipeline.yaml --set trainer.steps=40 --set transform.label=tipps --json",
     -1,
     {"run text", "status text", "nodes[4].message text"}},
};

/* One document on standard output, nothing else; "schema": 1 in each. */
static void documents_have_their_fields(void)
{
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        const char *line = documents[i].line;
        struct program_result result;
        struct pen_error err = PEN_ERROR_INIT;
        pen_json *document = NULL;
        program_run(pen_test_directory(), line, &result);
        PEN_CHECK_MSG(documents[i].exit_code < 0 ? result.exit_code != 0 : result.exit_code == documents[i].exit_code,
                      "penstock %s: exit %d: %s", line, result.exit_code, pen_text_view(&result.err));
        PEN_CHECK_MSG(pen_json_parse(pen_text_view(&result.out), result.out.size_bytes, line, &document, &err) ==
                          PEN_OK,
                      "penstock %s: %s", line, err.message);
        PEN_CHECK_MSG(pen_json_int_or(pen_json_get(document, "schema"), 0) == 1, "penstock %s: expected schema 1",
                      line);
        for (const char *const *field = documents[i].fields; *field != NULL; field++) {
            check_field(line, document, *field);
        }
        pen_json_free(document);
        program_deinit(&result);
    }
}

/* ---- interruptions and company ---- */

/* A run that trains for very long, started in the case's folder; returns when its trainer has begun. */
static pid_t start_long_run(void)
{
    char log[PEN_PATH_BYTES];
    struct program_result result;
    program_run(pen_test_directory(), "generate taxi --rows 600 --seed 1 -o t.csv", &result);
    program_deinit(&result);
    program_run(pen_test_directory(), "init t.csv --label " LABEL, &result);
    program_deinit(&result);
    (void)snprintf(log, sizeof log, "%s/out/t/runs/run-1/trainer.log", pen_test_directory());
    pid_t child = program_start(pen_test_directory(),
                                "run pipeline.yaml --set trainer.steps=100000000 --set trainer.early_stopping=false");
    for (int i = 0; i < 3000 && !pen_path_exists(log); i++) {
        (void)usleep(10000);
    }
    PEN_CHECK(pen_path_exists(log));
    return child;
}

/* What a run continues from its checkpoint: resume_test.c. */
static void expect_interrupted(int number)
{
    struct program_result result;
    pid_t child = start_long_run();
    (void)kill(child, number);
    program_finish(pen_test_directory(), child, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 128 + number);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "trainer              cancelled");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "run-1: cancelled in ");
    program_deinit(&result);
    program_run(pen_test_directory(), "run pipeline.yaml --set trainer.steps=40", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "transform            cached");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "trainer              succeeded");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "run-2: succeeded in ");
    program_deinit(&result);
}

static void control_c_leaves_a_root_that_goes_on(void)
{
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    expect_interrupted(SIGINT);
}

static void a_terminated_run_leaves_a_root_that_goes_on(void)
{
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    expect_interrupted(SIGTERM);
}

static void a_second_run_is_told_who_holds_the_root(void)
{
    char wanted[64];
    struct program_result result;
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    pid_t child = start_long_run();
    program_run(pen_test_directory(), "run pipeline.yaml", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 75);
    (void)snprintf(wanted, sizeof wanted, "out/t/metadata/lock is held by pid %ld on host ", (long)child);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), wanted);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), " since 20");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "; wait for it or stop it\n");
    program_deinit(&result);
    /* Whoever only reads is not kept waiting. */
    program_run(pen_test_directory(), "status", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "run-1 running\n");
    program_deinit(&result);
    (void)kill(child, SIGTERM);
    program_finish(pen_test_directory(), child, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 128 + SIGTERM);
    program_deinit(&result);
}

/* Asks for the status until it says the words. */
static void wait_for_status(const char *words)
{
    struct program_result result = {.exit_code = -1};
    for (int i = 0; i < 1000; i++) {
        program_deinit(&result);
        program_run(pen_test_directory(), "status", &result);
        if (strstr(pen_text_view(&result.out), words) != NULL) {
            break;
        }
        (void)usleep(10000);
    }
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), words);
    program_deinit(&result);
}

/* What a node that runs has come to is there for others, until it ends; who follows the run sees its end. */
static void others_see_how_far_a_run_is(void)
{
    static const char *const fields[] = {"nodes[5].node text",
                                         "nodes[5].seconds number",
                                         "nodes[5].message text",
                                         "nodes[5].progress.phase text",
                                         "nodes[5].progress.done int",
                                         "nodes[5].progress.total int",
                                         "nodes[5].progress.unit text",
                                         "nodes[5].progress.rows int",
                                         "nodes[5].progress.percent number",
                                         "nodes[5].progress.loss number",
                                         "nodes[5].progress.epoch number"};
    char folder[PEN_PATH_BYTES];
    struct program_result result;
    pen_json *document = NULL;
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    pid_t child = start_long_run();
    wait_for_status("% of 100000000 steps, epoch ");
    program_run(pen_test_directory(), "status --json", &result);
    PEN_CHECK_EQ_I64(pen_json_parse(result.out.data, result.out.size_bytes, "status", &document, NULL), PEN_OK);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        check_field("status --json", document, fields[i]);
    }
    pen_json_free(document);
    program_deinit(&result);
    (void)snprintf(folder, sizeof folder, "%s/follower", pen_test_directory());
    PEN_CHECK_EQ_I64(pen_directory_create(folder, NULL), PEN_OK);
    pid_t follower = program_start(folder, "status run-1 --follow --root ../out/t");
    (void)kill(child, SIGTERM);
    program_finish(pen_test_directory(), child, &result);
    program_deinit(&result);
    program_finish(folder, follower, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "transform            succeeded ");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "trainer              cancelled ");
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "run-1 cancelled\n");
    program_deinit(&result);
    (void)snprintf(folder, sizeof folder, "%s/out/t/runs/run-1/trainer/progress.json", pen_test_directory());
    PEN_CHECK(!pen_path_exists(folder));
}

static void a_killed_run_does_not_seem_to_go_on(void)
{
    struct program_result result;
    if (!program_is_built()) {
        PEN_SKIP("the program is not built");
    }
    pid_t child = start_long_run();
    wait_for_status("trainer              running ");
    (void)kill(child, SIGKILL);
    program_finish(pen_test_directory(), child, &result);
    program_deinit(&result);
    wait_for_status("run-1 abandoned\n"); /* its child shares its lock until it has died too */
    program_run(pen_test_directory(), "status --follow", &result);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "transform            succeeded ");
    PEN_CHECK(strstr(pen_text_view(&result.out), "trainer") == NULL);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), "run-1 abandoned\n");
    program_deinit(&result);
}

PEN_SUITE(cli, PEN_CASE(control_c_leaves_a_root_that_goes_on), PEN_CASE(a_terminated_run_leaves_a_root_that_goes_on),
          PEN_CASE(a_second_run_is_told_who_holds_the_root), PEN_CASE(others_see_how_far_a_run_is),
          PEN_CASE(a_killed_run_does_not_seem_to_go_on), PEN_CASE(help_of_every_verb), PEN_CASE(what_is_refused),
          PEN_CASE(a_tour), PEN_CASE(documents_have_their_fields));
