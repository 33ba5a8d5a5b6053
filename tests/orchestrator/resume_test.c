/* A training that was interrupted, as a user meets it: killed with -9 or asked to stop, then run again. */
#include "core/log.h"
#include "core/rng.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(double milliseconds)
{
    struct timespec time = {(time_t)(milliseconds / 1e3), (long)(fmod(milliseconds, 1e3) * 1e6)};
    (void)nanosleep(&time, NULL);
}

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

/* Ends `line` by a signal some time after it began; its exit code. */
static int interrupt(const char *line, int signal_number, double after_ms)
{
    struct program_result result;
    pid_t child = program_start(pen_test_directory(), line);
    pause_ms(after_ms);
    (void)kill(child, signal_number);
    program_finish(pen_test_directory(), child, &result);
    program_deinit(&result);
    return result.exit_code;
}

static bool prepare(void)
{
    return access(pen_test_program(), X_OK) == 0 && run("generate taxi --rows 300 --seed 1 -o t.csv") == 0 &&
           run("init t.csv --label 'tips > 0.2 * fare'") == 0;
}

/* The only version of the model under a root of the case's folder. */
static void read_weights(const char *root, struct pen_text *weights)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    char **names = NULL;
    int64_t n_names = 0;
    const char *folder = pen_arena_printf(&arena, "%s/%s/trainer/model", pen_test_directory(), root);
    PEN_CHECK_OK(pen_directory_list(&arena, folder, &names, &n_names, &err), &err);
    PEN_CHECK_EQ_I64(n_names, 1);
    if (n_names == 1) {
        const char *path = pen_arena_printf(&arena, "%s/%s/weights.bin", folder, names[0]);
        PEN_CHECK_OK(pen_file_read(path, 1 << 24, weights, &err), &err);
    }
    pen_arena_deinit(&arena);
}

#define TRAINING "--set trainer.steps=300 --set trainer.early_stopping=false --set trainer.checkpoint.steps=2"

static void killed_many_times_it_ends_with_the_same_weights(void)
{
    enum { KILLS = 12, SEED = 5502 };
    static const char again[] = "run pipeline.yaml --root parts " TRAINING;
    static const char resume[] = "run pipeline.yaml --root parts --resume last " TRAINING;
    struct pen_text whole = {0}, parts = {0};
    char checkpoints[PEN_PATH_BYTES];
    int n_killed = 0, code = -1;
    if (!prepare()) {
        PEN_SKIP("the program is not built");
    }
    double began = pen_clock_seconds();
    int expected = run("run pipeline.yaml --root whole " TRAINING);
    double window_ms = fmin(1000 * (pen_clock_seconds() - began), 600);
    PEN_REQUIRE(expected == 0 || expected == 5); /* a model of 300 rows may stay unblessed */
    for (uint64_t i = 0; i < KILLS && code != expected; i++) {
        code = interrupt(i > 0 && i % 2 == 0 ? resume : again, SIGKILL, window_ms * pen_rng_uniform(SEED, 1, i));
        n_killed += code == 128 + SIGKILL;
        PEN_TEST_BASE(code == expected || code == 128 + SIGKILL || code == 66, return, "attempt %llu: exit code %d",
                      (unsigned long long)i, code); /* 66: no run had begun */
    }
    if (code != expected) {
        PEN_REQUIRE_EQ_I64(run(again), expected);
    }
    printf("resume test: seed %d, killed %d times\n", SEED, n_killed);
    read_weights("whole", &whole);
    read_weights("parts", &parts);
    PEN_CHECK(whole.size_bytes > 0 && whole.size_bytes == parts.size_bytes &&
              memcmp(whole.data, parts.data, whole.size_bytes) == 0);
    chore_path(checkpoints, "parts/checkpoints/trainer");
    PEN_CHECK(!pen_path_exists(checkpoints)); /* of no more use */
    pen_text_deinit(&whole);
    pen_text_deinit(&parts);
}

/* Far more steps than anybody waits for, asked to stop when the first checkpoint is there. */
static int stop_a_long_training(void)
{
    struct program_result result;
    char checkpoints[PEN_PATH_BYTES];
    chore_path(checkpoints, "root/checkpoints/trainer");
    pid_t child = program_start(pen_test_directory(), "run pipeline.yaml --root root --set trainer.steps=100000000 "
                                                      "--set trainer.early_stopping=false "
                                                      "--set trainer.checkpoint.steps=100");
    for (int i = 0; i < 3000 && !pen_path_is_directory(checkpoints); i++) {
        pause_ms(10);
    }
    (void)kill(child, SIGTERM);
    program_finish(pen_test_directory(), child, &result);
    program_deinit(&result);
    return result.exit_code;
}

static void a_checkpoint_of_other_options_is_named(void)
{
    static const char changed[] = "run pipeline.yaml --root root --resume last --set trainer.steps=50 "
                                  "--set trainer.early_stopping=false --set trainer.checkpoint.steps=100";
    static const char fresh[] = "run pipeline.yaml --root root --set trainer.steps=50 "
                                "--set trainer.early_stopping=false --set trainer.checkpoint.steps=100";
    struct program_result result;
    if (!prepare()) {
        PEN_SKIP("the program is not built");
    }
    PEN_REQUIRE_EQ_I64(stop_a_long_training(), 128 + SIGTERM);
    program_run(pen_test_directory(), changed, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 3);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "options.steps: 100000000 -> 50");
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "run without --resume to train from the start");
    program_deinit(&result);
    program_run(pen_test_directory(), fresh, &result);
    PEN_CHECK(result.exit_code == 0 || result.exit_code == 5);
    PEN_CHECK_CONTAINS(pen_text_view(&result.err), "checkpoints of an interrupted training are removed");
    program_deinit(&result);
}

PEN_SUITE(resume, PEN_CASE(killed_many_times_it_ends_with_the_same_weights),
          PEN_CASE(a_checkpoint_of_other_options_is_named));
