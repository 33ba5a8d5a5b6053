/* Slips that only the whole program meets, between its steps: each line is run in one folder, in this order. */
#include "core/files.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void make_rows(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_text names = {0}, numbers = {0}, twice = {0};
    pen_text_append(&names, "id,name,y\n");
    pen_text_append(&numbers, "x,f,y\n");
    for (int i = 0; i < 400; i++) {
        pen_text_printf(&names, "%d,user%d,%d\n", i, i, i % 2);
        pen_text_printf(&numbers, "%d,%d.5,%d\n", i * 7919 % 1000, i, i * 7919 % 1000 > 500);
    }
    pen_text_append(&twice, "a,a,y\n");
    for (int i = 0; i < 400; i++) {
        pen_text_printf(&twice, "%d,%d,%d\n", i * 31 % 17, i * 7919 % 1000, i % 2);
    }
    chore_write(chore_path(path, "twice.csv"), pen_text_view(&twice));
    chore_write(chore_path(path, "names.csv"), pen_text_view(&names));
    chore_write(chore_path(path, "numbers.csv"), pen_text_view(&numbers));
    pen_text_deinit(&names);
    pen_text_deinit(&numbers);
    pen_text_deinit(&twice);
}

static int times(const char *text, const char *wanted)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        n++;
    }
    return n;
}

static void each_is_told_in_these_words(void)
{
    static const struct {
        const char *line;
        int exit_code;
        const char *says; /* once, on standard error */
    } cases[] = {
        {"init twice.csv --label y -o twice.yaml", 0,
         "warning: twice.csv: two columns are named 'a'; the second one is called 'a_2'\n"},
        {"train names.csv --label y", 3,
         "penstock: transform: expected features, and no column makes one by itself (name: nearly every row has its "
         "own "
         "value: an identifier); write features: name: expression\n"},
        {"train numbers.csv --label y --force", 0, "  auc "},
        {"run pipeline.yaml --set 'transform.weight=x - 500'", 0,
         "warning: split train: the weight is negative in 116 rows, which do not count\n"},
        {"run pipeline.yaml --set 'transform.label=x > 5000'", 65,
         "split-train.h5: expected rows of both classes of label 'x > 5000', found only 'false' in all 231\n"},
        {"run pipeline.yaml --set 'example_gen.split={train: 1}'", 3,
         "penstock: evaluator: option split: expected a split of the examples, such as 'train', found 'eval'\n"},
        {"run pipeline.yaml --set evaluator.split=evil", 3,
         "penstock: --set:1:8: option split: expected a split of the examples, such as 'eval', found 'evil'\n"},
        {"run pipeline.yaml --set trainer.split=tran", 3,
         "penstock: --set:1:8: option split: expected a split of the examples, such as 'train', found 'tran'\n"},
        {"run pipeline.yaml --set statistics_gen.label_feature=z", 3,
         "penstock: --set:1:8: option label_feature: expected a feature of split train, found z; did you mean x?\n"},
        {"run pipeline.yaml --set statistics_gen.categorical=[f]", 3,
         "penstock: --set:1:8: option categorical: expected a feature of integers, found f, which is float64\n"},
        {"predict serving/numbers --csv numbers.csv", 66,
         "penstock: serving/numbers: expected a model's folder, found no model.json in it; did you mean "
         "'serving/numbers/current'?\n"},
        {"predict out --csv numbers.csv", 66,
         "penstock: out: expected a model's folder, found no model.json in it; a pushed one lies in "
         "serving/NAME/current\n"},
    };
    if (access(PEN_TEST_PROGRAM, X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_rows();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct program_result result = {0};
        program_run(pen_test_directory(), cases[i].line, &result);
        PEN_CHECK_EQ_I64(result.exit_code, cases[i].exit_code);
        PEN_CHECK_MSG(times(pen_text_view(&result.err), cases[i].says) == 1, "%s: expected once '%s', found %s",
                      cases[i].line, cases[i].says, pen_text_view(&result.err));
        program_deinit(&result);
    }
}

/* As `penstock runs | head -1` when head was quick: no message, and the code of a write that failed. */
static void a_reader_that_left_is_no_news(void)
{
    int ends[2], state = 0;
    if (access(PEN_TEST_PROGRAM, X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    char path[PEN_PATH_BYTES];
    struct pen_text said = {0};
    chore_path(path, "left.err");
    PEN_REQUIRE(pipe(ends) == 0);
    (void)close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        int log = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(log, STDERR_FILENO);
        (void)execl(PEN_TEST_PROGRAM, "penstock", "doctor", (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    PEN_REQUIRE(waitpid(child, &state, 0) == child);
    PEN_CHECK_EQ_I64(WIFEXITED(state) ? WEXITSTATUS(state) : -1, 74);
    chore_read(path, &said);
    PEN_CHECK_EQ_STR(pen_text_view(&said), "");
    pen_text_deinit(&said);
}

PEN_SUITE(slips, PEN_CASE(each_is_told_in_these_words), PEN_CASE(a_reader_that_left_is_no_news));
