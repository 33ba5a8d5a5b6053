/* One model trained by several ranks: the same weights on all of them, the same bits for as many ranks, and the weights
 * of one rank but for the order of sums. */
#include "core/files.h"
#include "tests/components/trainer/attempts.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>

static const struct dying none = {DEATH_NONE, 0};

enum { HEAD_BYTES = 24 }; /* steps, best step, validation loss: weights follow */

/* Largest difference between two files' weights. */
static double distance(const char *one, const char *other)
{
    struct pen_text a = {0}, b = {0};
    double most = 0;
    attempt_read(one, &a);
    attempt_read(other, &b);
    PEN_CHECK(a.size_bytes == b.size_bytes && a.size_bytes > HEAD_BYTES);
    for (size_t at = HEAD_BYTES; at + sizeof(float) <= a.size_bytes && at + sizeof(float) <= b.size_bytes;
         at += sizeof(float)) {
        float x = 0, y = 0;
        memcpy(&x, a.data + at, sizeof x);
        memcpy(&y, b.data + at, sizeof y);
        most = fmax(most, fabs((double)x - (double)y));
    }
    pen_text_deinit(&a);
    pen_text_deinit(&b);
    return most;
}

/* Plain gradient descent: K steps of rate r with gradients whose terms are below 1 and whose sums of B parts are put
 * together in another order differ by less than K r B eps from those of one rank, as far as the loss does not pull them
 * apart; twice that is allowed for. */
static void compare_with_one_rank(int64_t first_width, int64_t second_width, int64_t steps)
{
    enum { BATCH = 64 };
    struct bench b;
    bench_init(&b, 700, steps);
    b.options.architecture.hidden[0] = first_width;
    b.options.architecture.hidden[1] = second_width;
    b.options.update.rule.kind = PEN_OPTIMISER_SGD;
    b.options.update.rule.momentum = 0;
    b.options.update.clip_norm = 0.5;
    b.options.learning_rate = 0.05;
    b.options.batch_size = BATCH;
    b.options.dropout = 0;
    b.options.architecture.norm = PEN_NORM_NONE; /* its batches are those of a rank */
    b.options.validation_fraction = 0;
    b.options.average = false;
    PEN_CHECK_EQ_I64(attempt_once(&b, none, "one"), PEN_OK);
    for (int n = 1; n <= 4; n *= 2) {
        PEN_CHECK_EQ_I64(attempt_on_ranks(&b, n, none, "some"), PEN_OK);
        double most = distance("one", "some.0");
        PEN_CHECK_MSG(most <= 2 * (double)steps * 0.05 * BATCH * 6e-8, "%d ranks: weights differ by %g", n, most);
        PEN_CHECK(n > 1 || most == 0);
        if (n > 1) {
            attempts_agree("some.0", "some.1");
        }
    }
    bench_deinit(&b);
}

static void the_batches_are_those_of_one_rank(void)
{
    compare_with_one_rank(8, 5, 30);
    compare_with_one_rank(600, 500,
                          6); /* gradients of the second layer are on their way before the first's are there */
}

/* With all that has a state, and batches that have fewer rows than there are ranks. */
static void all_ranks_keep_the_same_weights(void)
{
    static const int64_t batches[] = {64, 3};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        struct bench b;
        bench_init(&b, 700, 40);
        b.options.batch_size = batches[i];
        b.options.patience = 3;
        for (int n = 2; n <= 4; n *= 2) {
            PEN_CHECK_EQ_I64(attempt_on_ranks(&b, n, none, "first"), PEN_OK);
            PEN_CHECK_EQ_I64(attempt_on_ranks(&b, n, none, "second"), PEN_OK);
            for (int r = 0; r < n; r++) {
                char first[32], second[32];
                (void)snprintf(first, sizeof first, "first.%d", r);
                (void)snprintf(second, sizeof second, "second.%d", r);
                attempts_agree("first.0", first);
                attempts_agree(first, second);
            }
        }
        bench_deinit(&b);
    }
}

static void killed_ranks_go_on_to_the_same_bits(void)
{
    struct bench b;
    int code = -SIGKILL;
    bench_init(&b, 700, 40);
    PEN_CHECK_EQ_I64(attempt_on_ranks(&b, 2, none, "whole"), PEN_OK);
    b.options.checkpoints = &b.checkpoints;
    for (int64_t i = 0; i < 100 && code != PEN_OK; i++) {
        enum death death = i % 2 == 0 ? DEATH_KILL : DEATH_STOP;
        code = attempt_on_ranks(&b, 2, (struct dying){death, 2 + i % 3}, "parts");
        PEN_TEST_BASE(code == PEN_OK || code == (death == DEATH_KILL ? -SIGKILL : PEN_ERR_CANCELLED), return,
                      "attempt %lld ended with %d", (long long)i, code);
    }
    PEN_CHECK_EQ_I64(code, PEN_OK);
    attempts_agree("whole.0", "parts.0");
    attempts_agree("whole.0", "parts.1");
    bench_deinit(&b);
}

PEN_SUITE(trainer_ranks, PEN_CASE(the_batches_are_those_of_one_rank), PEN_CASE(all_ranks_keep_the_same_weights),
          PEN_CASE(killed_ranks_go_on_to_the_same_bits));
