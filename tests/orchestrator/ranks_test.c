/* Nodes on several ranks, with the real program: forked or under mpirun the bits are the same, and figures that several
 * ranks put together are those of one. */
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int run(const char *line)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    if (result.exit_code != 0) {
        printf("%s: %s", line, pen_text_view(&result.err));
    }
    program_deinit(&result);
    return result.exit_code;
}

static bool prepare_rows(int64_t n_rows)
{
    char line[128];
    (void)snprintf(line, sizeof line, "generate taxi --rows %lld --seed 1 -o t.csv", (long long)n_rows);
    return access(pen_test_program(), X_OK) == 0 && run(line) == 0 &&
           run("init t.csv --label 'tips > 0.2 * fare'") == 0;
}

static bool prepare(void)
{
    return prepare_rows(2000);
}

#define OPTIONS \
    "--set trainer.steps=60 --set evaluator.thresholds={} --set 'statistics_gen.slices=[[payment_type], [company]]' "
#define MPIRUN "--set 'launcher.command=[mpirun, --oversubscribe, --bind-to, none]' "

/* A file of the newest execution of a port. */
static void read_output(const char *root, const char *port, const char *name, struct pen_text *bytes)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    char **names = NULL;
    int64_t n_names = 0;
    const char *folder = pen_arena_printf(&arena, "%s/%s/%s", pen_test_directory(), root, port);
    PEN_CHECK_OK(pen_directory_list(&arena, folder, &names, &n_names, &err), &err);
    long newest = 0;
    for (int64_t i = 0; i < n_names; i++) {
        long number = strtol(names[i], NULL, 10);
        newest = number > newest ? number : newest;
    }
    if (n_names > 0) {
        const char *path = pen_arena_printf(&arena, "%s/%ld/%s", folder, newest, name);
        PEN_CHECK_OK(pen_file_read(path, 1 << 26, bytes, &err), &err);
    }
    pen_arena_deinit(&arena);
}

static void expect_same(const char *one, const char *other, const char *port, const char *name)
{
    struct pen_text a = {0}, b = {0};
    read_output(one, port, name, &a);
    read_output(other, port, name, &b);
    PEN_CHECK_MSG(a.size_bytes > 0 && a.size_bytes == b.size_bytes && memcmp(a.data, b.data, a.size_bytes) == 0,
                  "%s and %s differ in %s/%s", one, other, port, name);
    pen_text_deinit(&a);
    pen_text_deinit(&b);
}

/* Every kind of analyzer, some over others, on fewer and more ranks than there are. */
static void graphs_of_several_ranks_are_those_of_one(void)
{
    static const char file[] = "pipeline: t\nexample_gen:\n  csv: t.csv\ntransform:\n  features:\n"
                               "    m: zscore(log1p(fill(trip_miles, 0)))\n    f: minmax(fare)\n"
                               "    b: bucketize(trip_seconds, 10)\n    v: vocab(company, top_k: 20)\n"
                               "    r: rank(trip_miles)\n    d: robust(fill(tips, 0))\n    w: vocab(payment_type)\n"
                               "    z: bucketize(zscore(fare), 4)\n    p: zscore(fill(tips, 0), by: payment_type)\n"
                               "  label: payment_type\n";
    struct pen_text graph = {0};
    char line[256], path[PEN_PATH_BYTES];
    if (!prepare()) {
        PEN_SKIP("the program is not built");
    }
    chore_write(chore_path(path, "graph.yaml"), file);
    for (int n = 1; n <= 16; n *= 4) {
        (void)snprintf(line, sizeof line, "run graph.yaml --to transform --root g%d --set launcher.ranks=%d", n, n);
        PEN_REQUIRE_EQ_I64(run(line), 0);
    }
    read_output("g1", "transform/transform_graph", "graph.json", &graph);
    expect_same("g1", "g4", "transform/transform_graph", "graph.json");
    expect_same("g1", "g16", "transform/transform_graph", "graph.json");
    expect_same("g1", "g16", "transform/transformed_examples", "split-train.h5");
    int n_vocabularies = 0;
    for (int a = 0; a < 32; a++) {
        char name[32];
        (void)snprintf(name, sizeof name, "vocabulary-%d.txt", a);
        if (strstr(pen_text_view(&graph), name) != NULL) {
            n_vocabularies++;
            expect_same("g1", "g4", "transform/transform_graph", name);
        }
    }
    PEN_CHECK(n_vocabularies >= 2);
    pen_text_deinit(&graph);
}

static void figures_of_several_ranks_are_those_of_one(void)
{
    if (!prepare()) {
        PEN_SKIP("the program is not built");
    }
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root one " OPTIONS), 0);
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root two --set launcher.ranks=2 " OPTIONS), 0);
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root four --set launcher.ranks=4 " OPTIONS), 0);
    expect_same("one", "two", "statistics_gen/statistics", "statistics.json");
    expect_same("one", "four", "statistics_gen/statistics", "statistics.json");
    /* More ranks than features, and an allowlist. */
    static const char few[] = "run pipeline.yaml --to statistics_gen --set 'statistics_gen.feature_allowlist=[fare, "
                              "company, tips]' --set statistics_gen.label_feature=tips "
                              "--set 'statistics_gen.vocabularies=[company]' --set "
                              "'statistics_gen.per_feature_weight_override={fare: trip_miles}' ";
    char line[512];
    (void)snprintf(line, sizeof line, "%s --root few1", few);
    PEN_REQUIRE_EQ_I64(run(line), 0);
    (void)snprintf(line, sizeof line, "%s --root few5 --set launcher.ranks=5", few);
    PEN_REQUIRE_EQ_I64(run(line), 0);
    expect_same("few1", "few5", "statistics_gen/statistics", "statistics.json");
    expect_same("few1", "few5", "statistics_gen/statistics", "vocabularies/train/company.txt");
    PEN_CHECK(run("run pipeline.yaml --to statistics_gen --set launcher.ranks=2 --root few2 --set "
                  "'statistics_gen.feature_allowlist=[fare, tips]' --set 'statistics_gen.vocabularies=[company]'") !=
              0);
}

/* Three batches of rows to score, on fewer and more ranks. */
static void an_evaluation_by_several_ranks_is_that_of_one(void)
{
    struct pen_text one = {0};
    if (!prepare_rows(60000)) {
        PEN_SKIP("the program is not built");
    }
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root one --to evaluator " OPTIONS), 0);
    read_output("one", "evaluator/evaluation", "evaluation.json", &one);
    PEN_CHECK(one.size_bytes > 0);
    for (int n = 2; n <= 4; n++) {
        struct pen_text some = {0};
        char line[512];
        (void)snprintf(line, sizeof line,
                       "run pipeline.yaml --root one --only evaluator --no-cache --set launcher.ranks=%d " OPTIONS, n);
        PEN_REQUIRE_EQ_I64(run(line), 0);
        read_output("one", "evaluator/evaluation", "evaluation.json", &some);
        PEN_CHECK_MSG(strcmp(pen_text_view(&one), pen_text_view(&some)) == 0, "%d ranks evaluate otherwise", n);
        pen_text_deinit(&some);
    }
    pen_text_deinit(&one);
}

static void mpirun_gives_the_bits_of_forked_ranks(void)
{
    if (!program_has_mpirun() || !prepare()) {
        PEN_SKIP("OpenMPI is not installed (libopenmpi-dev, openmpi-bin)");
    }
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root forked --set launcher.ranks=3 " OPTIONS), 0);
    PEN_REQUIRE_EQ_I64(run("run pipeline.yaml --root started --set launcher.ranks=3 " MPIRUN OPTIONS), 0);
    expect_same("forked", "started", "trainer/model", "weights.bin");
    expect_same("forked", "started", "statistics_gen/statistics", "statistics.json");
    (void)unsetenv("ASAN_OPTIONS");
}

/* Does the file of a process hold the words? Its parts end with NUL. */
static bool process_says(const char *process, const char *file, const char *words)
{
    char path[128], bytes[65536];
    (void)snprintf(path, sizeof path, "/proc/%.20s/%s", process, file);
    FILE *stream = fopen(path, "r");
    size_t size = stream == NULL ? 0 : fread(bytes, 1, sizeof bytes, stream);
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return memmem(bytes, size, words, strlen(words)) != NULL;
}

/* The process of rank 1 that works below this case's folder; 0: there is none. */
static pid_t find_rank_1(void)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    pid_t found = 0;
    PEN_CHECK_EQ_I64(pen_directory_list(&arena, "/proc", &names, &n_names, NULL), PEN_OK);
    for (int64_t i = 0; i < n_names; i++) {
        if (names[i][0] >= '1' && names[i][0] <= '9' && process_says(names[i], "cmdline", pen_test_directory()) &&
            process_says(names[i], "environ", "OMPI_COMM_WORLD_RANK=1")) {
            found = (pid_t)strtol(names[i], NULL, 10);
        }
    }
    pen_arena_deinit(&arena);
    return found;
}

static void a_rank_that_dies_under_mpirun_is_named(void)
{
    struct program_result result;
    char checkpoints[PEN_PATH_BYTES];
    if (!program_has_mpirun() || !prepare()) {
        PEN_SKIP("OpenMPI is not installed (libopenmpi-dev, openmpi-bin)");
    }
    chore_path(checkpoints, "root/checkpoints/trainer");
    pid_t program =
        program_start(pen_test_directory(), "run pipeline.yaml --root root --set launcher.ranks=2 " MPIRUN
                                            "--set trainer.steps=100000000 --set trainer.early_stopping=false "
                                            "--set trainer.checkpoint.steps=10");
    for (int i = 0; i < 6000 && !pen_path_is_directory(checkpoints); i++) {
        (void)usleep(10000);
    }
    pid_t rank = find_rank_1();
    PEN_CHECK(rank > 0 && kill(rank, SIGKILL) == 0);
    program_finish(pen_test_directory(), program, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 1);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "trainer              failed");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "rank 0 of 2: waited ");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "for rank 1");
    program_deinit(&result);
    (void)unsetenv("ASAN_OPTIONS");
}

static void a_launcher_that_is_not_there_is_told(void)
{
    struct program_result result;
    if (!prepare()) {
        PEN_SKIP("the program is not built");
    }
    program_run(pen_test_directory(), "run pipeline.yaml --set launcher.ranks=2 --set launcher.command=no_such_mpirun",
                &result);
    PEN_CHECK_EQ_I64(result.exit_code, 1);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "launcher no_such_mpirun: cannot start: No such file");
    program_deinit(&result);
    program_run(pen_test_directory(), "run pipeline.yaml --set launcher.ranks=40", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 3);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err),
                       "expected at most 16 on one machine, found 40; give launcher.command");
    program_deinit(&result);
}

PEN_SUITE(ranks, PEN_CASE(an_evaluation_by_several_ranks_is_that_of_one),
          PEN_CASE(graphs_of_several_ranks_are_those_of_one), PEN_CASE(figures_of_several_ranks_are_those_of_one),
          PEN_CASE(mpirun_gives_the_bits_of_forked_ranks), PEN_CASE(a_rank_that_dies_under_mpirun_is_named),
          PEN_CASE(a_launcher_that_is_not_there_is_told));
