/* Warm start through the whole pipeline: the first run has no blessed model, the next one begins with it. */
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <string.h>
#include <unistd.h>

static void check_line(const char *line)
{
    struct program_result result = {0};
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_MSG(result.exit_code == 0, "%s: exit %d: %s", line, result.exit_code, pen_text_view(&result.err));
    program_deinit(&result);
}

static void check_log(const char *log, const char *says)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    chore_read(chore_path(path, log), &text);
    PEN_CHECK_CONTAINS(pen_text_view(&text), says);
    pen_text_deinit(&text);
}

/* Is the newest model made of another? */
static bool has_base(void)
{
    struct program_result result = {0};
    program_run(pen_test_directory(), "lineage model", &result);
    const char *model = strstr(pen_text_view(&result.out), "\n  trainer.model.");
    bool has = model != NULL && strstr(model, "\n    trainer.model.") != NULL;
    program_deinit(&result);
    return has;
}

static void the_next_model_begins_with_the_last_blessed_one(void)
{
    if (access(PEN_TEST_PROGRAM, X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    check_line("generate taxi --rows 600 --seed 1 -o t.csv");
    check_line("init t.csv --label 'tips > 0.2 * fare'");
    check_line("run pipeline.yaml --set trainer.steps=40 --set trainer.warm_start=true");
    check_log("out/t/runs/run-1/trainer.log", "warm start: no model was blessed yet");
    PEN_CHECK(!has_base());
    check_line("run pipeline.yaml --set trainer.steps=41 --set trainer.warm_start=true");
    check_log("out/t/runs/run-2/trainer.log", "parameters begin as in the base model");
    PEN_CHECK(has_base());
    check_line("run pipeline.yaml --set trainer.steps=42");
    PEN_CHECK(!has_base());
}

PEN_SUITE(warm_start, PEN_CASE(the_next_model_begins_with_the_last_blessed_one));
