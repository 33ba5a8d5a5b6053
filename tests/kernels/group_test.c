/* A group of one rank on the exec under test: what it gives is what was there, by NCCL itself on a GPU that has it.
 * Groups of several: tests/shim/group_test.cc, components/trainer/ranks_test.c, tests/device/ranks_test.c. */
#include "kernels/group.h"

#include "core/memory.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/pen_test.h"

enum { N = 1000 };

struct job {
    float *values, *gathered;
};

static void expect_same(const float *found, const float *expected)
{
    int64_t n_wrong = 0;
    for (int64_t i = 0; i < N; i++) {
        n_wrong += found[i] != expected[i];
    }
    PEN_CHECK_EQ_I64(n_wrong, 0);
}

static pen_status call(struct pen_group *group, const struct job *job, struct pen_error *err)
{
    const struct pen_group_piece piece = {job->gathered, job->values, N * (int64_t)sizeof(float)};
    PEN_TRY(pen_group_sum(group, job->values, N, err));
    PEN_TRY(pen_group_mean(group, job->values, N, err));
    PEN_TRY(pen_group_gather(group, &piece, 1, err));
    PEN_TRY(pen_group_join(group, err));
    return pen_group_finish(group, err);
}

static void one_rank_keeps_what_it_has(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_group *group = NULL;
    pen_status status = pen_group_open(&group, pen_test_exec(), pen_communicator_one(), false, &err);
    if (status == PEN_ERR_UNSUPPORTED) {
        PEN_SKIP(err.message);
    }
    PEN_REQUIRE_OK(status, &err);
    float *values = pen_test_floats(N, 1, -1, 1), *expected = pen_test_floats(N, 1, -1, 1);
    float *gathered = pen_test_floats(N, 2, -1, 1);
    struct job job = {values, gathered};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_INOUT(&m, job.values, N);
    PEN_MIRROR_INOUT(&m, job.gathered, N);
    PEN_CHECK_OK(call(group, &job, &err), &err);
    pen_mirror_end(&m);
    pen_group_close(group);
    expect_same(values, expected);
    expect_same(gathered, expected);
    pen_free(values);
    pen_free(expected);
    pen_free(gathered);
}

PEN_SUITE(group_of_one, PEN_CASE(one_rank_keeps_what_it_has));
