/* A training that is killed, at any step or while it writes a checkpoint, as often as may be, ends with the bits of one
 * that ran through. Each attempt is a process of its own; it leaves in a file what it came
 * to: steps, best step, loss and weights. */
#include "core/files.h"
#include "core/log.h"
#include "core/rng.h"
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum death { DEATH_NONE, DEATH_KILL, DEATH_STOP };

/* Dies after some steps of this process; each step is a line of the log. */
struct dying {
    enum death death;
    int64_t after;
};

static void count_down(void *user, enum pen_log_level level, const char *text)
{
    struct dying *dying = user;
    (void)level;
    if (strncmp(text, "step ", 5) != 0 || --dying->after > 0) {
        return;
    }
    if (dying->death == DEATH_KILL) {
        (void)raise(SIGKILL);
    } else if (dying->death == DEATH_STOP) {
        pen_cancel_request();
    }
}

static void path_of(char path[PEN_PATH_BYTES], const char *name)
{
    PEN_CHECK_EQ_I64(pen_path_join(path, pen_test_directory(), name, NULL), PEN_OK);
}

static int train_once(struct arrays *a, struct pen_training_options *options, struct dying dying, const char *to)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_log_sink sink = {&dying, PEN_LOG_INFO, count_down, NULL};
    struct pen_examples_source source = arrays_source(a);
    struct pen_network *network = NULL;
    struct pen_training_result result;
    char path[PEN_PATH_BYTES];
    pen_json *curves = pen_json_array();
    pen_log_install(&sink);
    pen_status status = pen_training_run(&network, &result, curves, &source, options, NULL, pen_exec_cpu(), &err);
    if (status == PEN_OK) {
        struct pen_text all = {0};
        path_of(path, to);
        pen_text_append_bytes(&all, (const char *)&result.steps, sizeof result.steps);
        pen_text_append_bytes(&all, (const char *)&result.best_step, sizeof result.best_step);
        pen_text_append_bytes(&all, (const char *)&result.validation_loss, sizeof result.validation_loss);
        pen_text_append_bytes(&all, (const char *)network->values, (size_t)network->n_total * sizeof(float));
        status = pen_file_write_atomic(path, all.data, all.size_bytes, &err);
    }
    if (status != PEN_OK && status != PEN_ERR_CANCELLED) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return (int)status;
}

static pid_t start(struct arrays *a, struct pen_training_options *options, struct dying dying, const char *to)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        omp_set_num_threads(1); /* a team does not survive a fork */
        _exit(train_once(a, options, dying, to));
    }
    return child;
}

/* The exit status, or minus the signal. */
static int finish(pid_t child)
{
    int state = 0;
    if (child <= 0 || waitpid(child, &state, 0) != child) {
        return 255;
    }
    return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
}

static void same_files(const char *one, const char *other)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text texts[2] = {{0}, {0}};
    char path[PEN_PATH_BYTES];
    path_of(path, one);
    PEN_CHECK_OK(pen_file_read(path, 1 << 24, &texts[0], &err), &err);
    path_of(path, other);
    PEN_CHECK_OK(pen_file_read(path, 1 << 24, &texts[1], &err), &err);
    PEN_CHECK(texts[0].size_bytes > 0);
    PEN_CHECK(texts[0].size_bytes == texts[1].size_bytes &&
              memcmp(texts[0].data, texts[1].data, texts[0].size_bytes) == 0);
    pen_text_deinit(&texts[0]);
    pen_text_deinit(&texts[1]);
}

struct bench {
    struct arrays arrays;
    struct pen_training_options options;
    struct pen_training_checkpoints checkpoints;
    char folder[PEN_PATH_BYTES];
    pen_json *configuration;
};

/* Dropout, averaged weights, validation and early stopping: everything that has a state. */
static void bench_init(struct bench *b, int64_t n_rows, int64_t steps)
{
    arrays_init(&b->arrays, n_rows, PEN_TASK_MULTICLASS, 3);
    path_of(b->folder, "checkpoints");
    b->configuration = pen_json_object();
    b->checkpoints = (struct pen_training_checkpoints){.where = {b->folder, b->configuration, 2, false}, .steps = 1};
    b->options = arrays_options(PEN_MODEL_WIDE_DEEP, steps);
    b->options.dropout = 0.2;
    b->options.average = true;
    b->options.validation_fraction = -1;
    b->options.eval_every = 7;
    b->options.early_stopping = true;
    b->options.patience = 1000;
    b->options.threads = 1;
    b->options.log_every = 1;
}

static void bench_deinit(struct bench *b)
{
    arrays_deinit(&b->arrays);
    pen_json_free(b->configuration);
}

static void run_through(struct bench *b)
{
    b->options.checkpoints = NULL;
    PEN_CHECK_EQ_I64(finish(start(&b->arrays, &b->options, (struct dying){DEATH_NONE, 0}, "whole")), PEN_OK);
    b->options.checkpoints = &b->checkpoints;
}

/* Each process dies after `least` steps, or one or two more. */
static void die_again_and_again(struct bench *b, enum death death, int64_t least)
{
    int code = -SIGKILL;
    for (int64_t i = 0; i < 200 && code != PEN_OK; i++) {
        code = finish(start(&b->arrays, &b->options, (struct dying){death, least + i % 3}, "parts"));
        PEN_TEST_BASE(code == PEN_OK || code == (death == DEATH_KILL ? -SIGKILL : PEN_ERR_CANCELLED), return,
                      "attempt %lld ended with %d", (long long)i, code);
    }
    PEN_CHECK_EQ_I64(code, PEN_OK);
    same_files("whole", "parts");
}

static void killed_at_every_step_it_ends_with_the_same_bits(void)
{
    static const enum pen_optimiser_kind kinds[] = {PEN_OPTIMISER_SGD, PEN_OPTIMISER_ADAM, PEN_OPTIMISER_FTRL};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct bench b;
        bench_init(&b, 700, 40);
        b.options.update.rule.kind = kinds[i];
        PEN_REQUIRE(pen_directory_remove(b.folder, NULL) == PEN_OK);
        b.checkpoints.steps = 1 + (int64_t)i;
        run_through(&b);
        die_again_and_again(&b, DEATH_KILL, b.checkpoints.steps + 1); /* it gets past a checkpoint every time */
        bench_deinit(&b);
    }
}

static void it_stops_early_at_the_same_step(void)
{
    struct bench b;
    struct pen_text whole = {0};
    char path[PEN_PATH_BYTES];
    int64_t steps[2] = {0, 0}; /* all, best */
    bench_init(&b, 700, 400);
    b.options.learning_rate = 0.2;
    b.options.dropout = 0;
    b.options.patience = 4;
    b.checkpoints.steps = 3;
    run_through(&b);
    path_of(path, "whole");
    PEN_REQUIRE(pen_file_read(path, 1 << 24, &whole, NULL) == PEN_OK && whole.size_bytes > sizeof steps);
    memcpy(steps, whole.data, sizeof steps);
    pen_text_deinit(&whole);
    PEN_CHECK_MSG(steps[1] > 0 && steps[1] < steps[0] && steps[0] < 400,
                  "expected to stop early, ended at %lld, best %lld", (long long)steps[0], (long long)steps[1]);
    die_again_and_again(&b, DEATH_KILL, 8);
    bench_deinit(&b);
}

static void asked_to_stop_it_goes_on_from_that_step(void)
{
    struct bench b;
    bench_init(&b, 700, 40);
    run_through(&b);
    b.checkpoints.epochs = true;
    die_again_and_again(&b, DEATH_STOP,
                        1000); /* never by itself within a process: what is kept is what stopping kept */
    bench_deinit(&b);
}

static void a_checkpoint_at_the_end_of_an_epoch_will_do(void)
{
    struct bench b;
    bench_init(&b, 700, 40); /* 9 steps an epoch */
    run_through(&b);
    b.checkpoints.steps = 0;
    b.checkpoints.epochs = true;
    die_again_and_again(&b, DEATH_KILL, 11);
    bench_deinit(&b);
}

static void a_window_at_a_time_too(void)
{
    struct bench b;
    bench_init(&b, 2 * PEN_EXAMPLES_BLOCK_ROWS + 5000, 30);
    b.options.memory_bytes = 1; /* a block at a time: three windows an epoch */
    b.options.batch_size = 8192;
    b.checkpoints.steps = 2;
    run_through(&b);
    die_again_and_again(&b, DEATH_KILL, 3);
    bench_deinit(&b);
}

/* Most of the time here goes into writing checkpoints, so most kills fall there. */
static void killed_at_any_moment_it_ends_with_the_same_bits(void)
{
    enum { KILLS = 40, SEED = 5501 };
    struct bench b;
    int killed = 0, code = -SIGKILL;
    bench_init(&b, 700, 300);
    run_through(&b);
    double window = 0.04;
    for (uint64_t i = 0; i < KILLS && code != PEN_OK; i++) {
        struct timespec pause = {0, (long)(window * 1e9 * pen_rng_uniform(SEED, 1, i))};
        pid_t child = start(&b.arrays, &b.options, (struct dying){DEATH_NONE, 0}, "parts");
        (void)nanosleep(&pause, NULL);
        (void)kill(child, SIGKILL);
        code = finish(child);
        killed += code == -SIGKILL;
        PEN_REQUIRE(code == PEN_OK || code == -SIGKILL);
    }
    if (code != PEN_OK) {
        code = finish(start(&b.arrays, &b.options, (struct dying){DEATH_NONE, 0}, "parts"));
    }
    PEN_CHECK_EQ_I64(code, PEN_OK);
    same_files("whole", "parts");
    printf("resume test: seed %d, killed %d times\n", SEED, killed);
    bench_deinit(&b);
}

PEN_SUITE(trainer_resume, PEN_CASE(killed_at_every_step_it_ends_with_the_same_bits),
          PEN_CASE(it_stops_early_at_the_same_step), PEN_CASE(asked_to_stop_it_goes_on_from_that_step),
          PEN_CASE(a_checkpoint_at_the_end_of_an_epoch_will_do), PEN_CASE(a_window_at_a_time_too),
          PEN_CASE(killed_at_any_moment_it_ends_with_the_same_bits));
