/* Work that is repeated: the same bits as calling its ops, whatever lies in the arrays by then. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/pen_test.h"

#include <string.h>

enum { ROWS = 3000, LARGE_ROWS = 300000, THRESHOLDS = 3, SUMS = PEN_BINARY_THRESHOLDS + 2 * THRESHOLDS, RUNS = 7 };

/* A job with arrays of the host's (thresholds, segments), which every run needs again. */
struct work {
    struct pen_exec *exec;
    struct pen_binary_sums job;
    float *scores, *labels; /* device memory */
    int32_t *classes;
    double *sums;
};

static const int64_t all_rows[] = {0, ROWS};

static pen_status call(void *context, struct pen_error *err)
{
    struct work *w = context;
    const double thresholds[THRESHOLDS] = {0.25, 0.5, 0.75}; /* gone when the call returns */
    struct pen_binary_sums job = w->job;
    job.thresholds = thresholds;
    return w->exec->kernels->binary_sums(w->exec, &job, err);
}

static void begin_work(struct work *w)
{
    struct pen_error err = PEN_ERROR_INIT;
    void *memory[4] = {NULL};
    const size_t bytes[4] = {sizeof(float), sizeof(float), sizeof(int32_t), sizeof(double)};
    w->exec = pen_test_exec();
    for (int i = 0; i < 4; i++) {
        PEN_REQUIRE_OK(pen_device_allocate(w->exec, &memory[i], i < 3 ? ROWS : SUMS, bytes[i], "a test", &err), &err);
    }
    w->scores = memory[0];
    w->labels = memory[1];
    w->classes = memory[2];
    w->sums = memory[3];
    w->job = (struct pen_binary_sums){.segments = {1, all_rows, NULL},
                                      .predictions = w->scores,
                                      .labels = w->labels,
                                      .classes = w->classes,
                                      .n_thresholds = THRESHOLDS,
                                      .resampling = {.n_lanes = 1},
                                      .sums = w->sums};
}

static void end_work(struct work *w)
{
    pen_device_release(w->exec, w->scores);
    pen_device_release(w->exec, w->labels);
    pen_device_release(w->exec, w->classes);
    pen_device_release(w->exec, w->sums);
}

static void put_rows(const struct work *w, uint64_t seed)
{
    struct pen_error err = PEN_ERROR_INIT;
    float *scores = pen_test_floats(ROWS, seed, 0, 1), *labels = pen_test_floats(ROWS, seed + 100, 0, 1);
    int32_t *classes = pen_test_ints(ROWS, seed + 200, 0, 2);
    PEN_CHECK_OK(pen_device_upload(w->exec, w->scores, scores, ROWS * sizeof *scores, &err), &err);
    PEN_CHECK_OK(pen_device_upload(w->exec, w->labels, labels, ROWS * sizeof *labels, &err), &err);
    PEN_CHECK_OK(pen_device_upload(w->exec, w->classes, classes, ROWS * sizeof *classes, &err), &err);
    PEN_CHECK_OK(pen_device_synchronise(w->exec, &err), &err);
    pen_free(scores);
    pen_free(labels);
    pen_free(classes);
}

static void take_sums(const struct work *w, double *sums)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_device_download(w->exec, sums, w->sums, SUMS * sizeof *sums, &err), &err);
    PEN_CHECK_OK(pen_device_fill(w->exec, w->sums, 0xff, SUMS * sizeof *sums, &err), &err);
}

/* An op that asks for more of the device than the work does, and copies enough to come by the same staging memory. */
static void do_other_things(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    enum { PIECE = 1024, PIECES = 600 };
    const int64_t begin[] = {0, LARGE_ROWS};
    int32_t *segment = pen_calloc(LARGE_ROWS, sizeof *segment);
    uint32_t *rows = pen_calloc(LARGE_ROWS, sizeof *rows);
    float *noise = pen_test_floats(PIECE, 9, 5, 6);
    struct pen_deal_rows job = {LARGE_ROWS, segment, 1, begin, rows};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.segment, LARGE_ROWS);
    PEN_MIRROR_INOUT(&m, job.rows, LARGE_ROWS);
    PEN_CHECK_OK(m.exec->kernels->deal_rows(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
    void *place = NULL;
    PEN_CHECK_OK(pen_device_allocate(m.exec, &place, PIECE, sizeof *noise, "a test", &err), &err);
    for (int i = 0; i < PIECES; i++) {
        PEN_CHECK_OK(pen_device_upload(m.exec, place, noise, PIECE * sizeof *noise, &err), &err);
    }
    PEN_CHECK_OK(pen_device_synchronise(m.exec, &err), &err);
    pen_device_release(m.exec, place);
    pen_free(segment);
    pen_free(rows);
    pen_free(noise);
}

static void a_repeated_op_gives_what_its_call_gives(void)
{
    struct work w = {.exec = NULL};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_recording *recording = NULL;
    double called[SUMS], repeated[SUMS];
    begin_work(&w);
    for (int run = 0; run < RUNS; run++) {
        put_rows(&w, (uint64_t)run + 1);
        PEN_CHECK_OK(pen_device_repeat(w.exec, &recording, call, &w, &err), &err);
        take_sums(&w, repeated);
        PEN_CHECK_OK(call(&w, &err), &err);
        take_sums(&w, called);
        PEN_CHECK_MSG(memcmp(called, repeated, sizeof called) == 0, "run %d", run);
        PEN_CHECK(called[PEN_BINARY_ROWS] == ROWS);
        if (run == 3) {
            do_other_things();
        }
    }
    pen_device_forget(w.exec, &recording);
    PEN_CHECK(recording == NULL);
    pen_device_forget(w.exec, &recording);
    end_work(&w);
}

static pen_status refuse(void *context, struct pen_error *err)
{
    int *runs_left = context;
    if ((*runs_left)-- > 0) {
        return PEN_OK;
    }
    PEN_FAIL(err, PEN_ERR_DATA, "no more");
}

static void a_failure_comes_back_and_leaves_the_device_usable(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = pen_test_exec();
    for (int good = 0; good < 2; good++) {
        struct pen_recording *recording = NULL;
        int runs_left = good;
        for (int run = 0; run < good; run++) {
            PEN_CHECK_OK(pen_device_repeat(exec, &recording, refuse, &runs_left, &err), &err);
        }
        PEN_CHECK_STATUS(pen_device_repeat(exec, &recording, refuse, &runs_left, &err), PEN_ERR_DATA);
        pen_device_forget(exec, &recording);
    }
    a_repeated_op_gives_what_its_call_gives();
}

PEN_SUITE(repeat, PEN_CASE(a_repeated_op_gives_what_its_call_gives),
          PEN_CASE(a_failure_comes_back_and_leaves_the_device_usable));
