/* A training that is killed, at any step or while it writes a checkpoint, as often as may be, ends with the bits of one
 * that ran through. */
#include "core/files.h"
#include "core/rng.h"
#include "tests/components/trainer/attempts.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

static void run_through(struct bench *b)
{
    b->options.checkpoints = NULL;
    PEN_CHECK_EQ_I64(attempt_once(b, (struct dying){DEATH_NONE, 0}, "whole"), PEN_OK);
    b->options.checkpoints = &b->checkpoints;
}

/* Each process dies after `least` steps, or one or two more. */
static void die_again_and_again(struct bench *b, enum death death, int64_t least)
{
    int code = -SIGKILL;
    for (int64_t i = 0; i < 200 && code != PEN_OK; i++) {
        code = attempt_once(b, (struct dying){death, least + i % 3}, "parts");
        PEN_TEST_BASE(code == PEN_OK || code == (death == DEATH_KILL ? -SIGKILL : PEN_ERR_CANCELLED), return,
                      "attempt %lld ended with %d", (long long)i, code);
    }
    PEN_CHECK_EQ_I64(code, PEN_OK);
    attempts_agree("whole", "parts");
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
    int64_t steps[2] = {0, 0}; /* all, best */
    bench_init(&b, 700, 400);
    b.options.learning_rate = 0.2;
    b.options.dropout = 0;
    b.options.architecture.norm = PEN_NORM_NONE;
    b.options.patience = 4;
    b.checkpoints.steps = 3;
    run_through(&b);
    attempt_read("whole", &whole);
    PEN_REQUIRE(whole.size_bytes > sizeof steps);
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
        pid_t child = attempt_start(&b, (struct dying){DEATH_NONE, 0}, "parts");
        (void)nanosleep(&pause, NULL);
        (void)kill(child, SIGKILL);
        code = attempt_finish(child);
        killed += code == -SIGKILL;
        PEN_REQUIRE(code == PEN_OK || code == -SIGKILL);
    }
    if (code != PEN_OK) {
        code = attempt_once(&b, (struct dying){DEATH_NONE, 0}, "parts");
    }
    PEN_CHECK_EQ_I64(code, PEN_OK);
    attempts_agree("whole", "parts");
    printf("resume test: seed %d, killed %d times\n", SEED, killed);
    bench_deinit(&b);
}

PEN_SUITE(trainer_resume, PEN_CASE(killed_at_every_step_it_ends_with_the_same_bits),
          PEN_CASE(it_stops_early_at_the_same_step), PEN_CASE(asked_to_stop_it_goes_on_from_that_step),
          PEN_CASE(a_checkpoint_at_the_end_of_an_epoch_will_do), PEN_CASE(a_window_at_a_time_too),
          PEN_CASE(killed_at_any_moment_it_ends_with_the_same_bits));
