/* Sums to the last bit, broadcasts, gathers: each rank works out by itself what all of them must come to. */
#include "tests/core/ranks.h"

#include "core/memory.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 61 };

static int wrong(const struct pen_communicator *c, bool right, const char *what, int64_t n)
{
    if (!right) {
        (void)fprintf(stderr, "rank %d of %d: wrong: %s of %lld\n", c->rank, c->size, what, (long long)n);
    }
    return !right;
}

static int worked(const struct pen_communicator *c, pen_status status, const struct pen_error *err)
{
    if (status != PEN_OK) {
        (void)fprintf(stderr, "rank %d of %d: %s\n", c->rank, c->size, err->message);
    }
    return status != PEN_OK;
}

/* Values whose sum depends on the order they are added in. */
static double value_of(int rank, int64_t i)
{
    double exponent = 40 * pen_rng_uniform(SEED, (uint64_t)rank, (uint64_t)(2 * i)) - 20;
    return exp2(exponent) * pen_rng_normal(SEED, (uint64_t)rank, (uint64_t)(2 * i + 1));
}

static int check_sums(struct pen_communicator *c, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    double *f64 = pen_calloc(n, sizeof *f64);
    float *f32 = pen_calloc(n, sizeof *f32);
    int64_t *i64 = pen_calloc(n, sizeof *i64);
    int bad = 0;
    for (int64_t i = 0; i < n; i++) {
        f64[i] = value_of(c->rank, i);
        f32[i] = (float)f64[i];
        i64[i] = (int64_t)((uint64_t)(INT64_MAX / 3) * (uint64_t)(c->rank + 1) - (uint64_t)i); /* the sums wrap */
    }
    bad += worked(c, pen_communicator_sum_f64(c, f64, n, &err), &err);
    bad += worked(c, pen_communicator_sum_f32(c, f32, n, &err), &err);
    bad += worked(c, pen_communicator_sum_i64(c, i64, n, &err), &err);
    bool right = true;
    for (int64_t i = 0; i < n && right; i++) {
        double sum = value_of(0, i);
        float sum32 = (float)sum;
        uint64_t whole = (uint64_t)(INT64_MAX / 3 - i);
        for (int r = 1; r < c->size; r++) {
            sum += value_of(r, i);
            sum32 += (float)value_of(r, i);
            whole += (uint64_t)(INT64_MAX / 3) * (uint64_t)(r + 1) - (uint64_t)i;
        }
        right = f64[i] == sum && f32[i] == sum32 && (uint64_t)i64[i] == whole;
    }
    bad += wrong(c, right, "sums", n);
    pen_free(f64);
    pen_free(f32);
    pen_free(i64);
    return bad;
}

static int check_broadcast(struct pen_communicator *c, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    char *bytes = pen_calloc(n, 1);
    int bad = 0;
    for (int root = 0; root < c->size; root++) {
        memset(bytes, c->rank == root ? root + 1 : 0, (size_t)n);
        bad += worked(c, pen_communicator_broadcast(c, bytes, n, root, &err), &err);
        bool right = true;
        for (int64_t i = 0; i < n && right; i++) {
            right = bytes[i] == root + 1;
        }
        bad += wrong(c, right, "broadcast", n);
    }
    pen_free(bytes);
    return bad;
}

/* Rank r has r * n items, each its rank. */
static int check_gathers(struct pen_communicator *c, int64_t n)
{
    struct pen_error err = PEN_ERROR_INIT;
    int64_t *own = pen_calloc(c->size * n, sizeof *own), *all = pen_calloc(c->size * n, sizeof *all);
    int64_t *offsets = pen_calloc(c->size + 1, sizeof *offsets);
    char *out = NULL;
    int bad = 0;
    for (int64_t i = 0; i < c->size * n; i++) {
        own[i] = c->rank;
    }
    bad += worked(c, pen_communicator_gather(c, all, own, n * (int64_t)sizeof *own, &err), &err);
    bool right = true;
    for (int64_t i = 0; i < c->size * n; i++) {
        right = right && all[i] == i / n;
    }
    bad += wrong(c, right, "gather", n);
    bad +=
        worked(c, pen_communicator_gather_all(c, &out, offsets, own, c->rank * n * (int64_t)sizeof *own, &err), &err);
    right = out != NULL;
    for (int r = 0; r < c->size && right; r++) {
        right = offsets[r + 1] - offsets[r] == r * n * (int64_t)sizeof *own;
        for (int64_t i = offsets[r]; i < offsets[r + 1] && right; i += (int64_t)sizeof *own) {
            int64_t value = 0;
            memcpy(&value, out + i, sizeof value);
            right = value == r;
        }
    }
    bad += wrong(c, right, "gather of sizes of their own", n);
    pen_free(own);
    pen_free(all);
    pen_free(offsets);
    pen_free(out);
    return bad;
}

/* The parts follow each other and differ by one at most. */
static int check_share(const struct pen_communicator *c, int64_t n)
{
    struct pen_communicator other = *c;
    int64_t end_before = 0;
    bool right = true;
    for (other.rank = 0; other.rank < c->size; other.rank++) {
        int64_t first = -1, end = -1;
        pen_communicator_share(&other, n, &first, &end);
        right = right && first == end_before && end - first >= n / c->size && end - first <= n / c->size + 1;
        end_before = end;
    }
    return wrong(c, right && end_before == n, "share", n);
}

int ranks_check(struct pen_communicator *c)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 31, 511, 512, 513, 1000, 70001};
    struct pen_error err = PEN_ERROR_INIT;
    int bad = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bad += check_sums(c, sizes[i]);
        bad += check_broadcast(c, sizes[i]);
        bad += check_gathers(c, sizes[i]);
        bad += check_share(c, sizes[i]);
        bad += worked(c, pen_communicator_barrier(c, &err), &err);
    }
    return bad;
}
