/* Hash buckets against the published values of MurmurHash3_x86_32. */
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

PEN_OP_CASE(hash_strings, hash_strings);

/* Entries 0 .. n_entries - 1 are described; bytes: how many there are. */
static pen_status run(struct pen_hash_strings *job, int64_t n_entries, int64_t n_bytes, struct pen_error *err)
{
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job->which, job->n);
    PEN_MIRROR_IN(&m, job->starts, n_entries + (job->sizes == NULL));
    PEN_MIRROR_IN(&m, job->sizes, n_entries);
    PEN_MIRROR_IN(&m, job->bytes, n_bytes);
    PEN_MIRROR_INOUT(&m, job->ids, n_entries);
    pen_status status = m.exec->kernels->hash_strings(m.exec, job, err);
    pen_mirror_end(&m);
    return status;
}

static void buckets_are_the_published_hashes_modulo(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    static const char bytes[] = "abcHello, world!\xc3\xbc\xe6\x9d\xb1\xe4\xba\xac";
    const int64_t starts[] = {0, 0, 3, 16, 18, 24};
    const uint32_t expected[] = {0, 0xb3dd93faU, 0xc0363e43U, 0x7840e6aaU, 0x96bf1142U};
    const int64_t buckets[] = {1, 2, 1000, INT32_MAX};
    for (int k = 0; k < 4; k++) {
        int32_t ids[6] = {-7, -7, -7, -7, -7, -7};
        struct pen_hash_strings hash = {.n = 5, .starts = starts, .bytes = bytes, .n_buckets = buckets[k], .ids = ids};
        PEN_CHECK_OK(run(&hash, 5, sizeof bytes - 1, &err), &err);
        for (int i = 0; i < 5; i++) {
            PEN_CHECK_EQ_I64(ids[i], expected[i] % (uint64_t)buckets[k]);
        }
        PEN_CHECK_EQ_I64(ids[5], -7);
    }
}

static void only_the_chosen_are_written(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    const int64_t starts[] = {0, 1, 0};
    const int32_t sizes[] = {4, 2, 0}, which[] = {2, 0};
    int32_t ids[3] = {-7, -7, -7};
    struct pen_hash_strings hash = {.n = 2,
                                    .which = which,
                                    .starts = starts,
                                    .sizes = sizes,
                                    .bytes = "aaaa",
                                    .seed = 0x9747b28cU,
                                    .n_buckets = INT32_MAX,
                                    .ids = ids};
    PEN_CHECK_OK(run(&hash, 3, 4, &err), &err);
    PEN_CHECK_EQ_I64(ids[0], 0x5a97808aU % (uint64_t)INT32_MAX);
    PEN_CHECK_EQ_I64(ids[1], -7);
    PEN_CHECK(ids[2] >= 0);
}

static void wrong_sizes_are_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    const struct pen_hash_strings negative = {.n = -1, .n_buckets = 1}, none = {.n = 0, .n_buckets = 0};
    const struct pen_hash_strings empty = {.n = 0, .n_buckets = 1};
    PEN_CHECK_STATUS(exec->kernels->hash_strings(exec, &negative, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->hash_strings(exec, &none, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->hash_strings(exec, &empty, NULL), PEN_OK);
}

PEN_SUITE(hash_strings, PEN_CASE(buckets_are_the_published_hashes_modulo), PEN_CASE(only_the_chosen_are_written),
          PEN_CASE(wrong_sizes_are_refused));
