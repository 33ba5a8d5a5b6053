/* Arithmetic on columns: what Transform does to numbers, codes and ids.
 *
 * A number that is missing is NaN, an int32 code or id that is missing is -1. All ops: arrays do not overlap unless
 * said, n >= 0 (0: nothing written), workspace none, bit-identical for equal input on every device but for log, log1p,
 * exp and sigmoid, errors PEN_ERR_SHAPE for n < 0. All pointers but columns_lookup's `missing` are arrays of the
 * device.
 *
 * columns_map      y[i] = f(a[i], b[i]) in float64, y may be exactly a or b. log1p is log(1 + x), because an ONNX
 *                  graph can do the same; affine is (a - s) * t; mod has the sign of the divisor; round goes to even.
 *                  NaN in, NaN out (min, max too). A division or mod by zero gives NaN.
 *                  error bound: add, sub, mul, div, sqrt, round, floor, ceil exact to half an ulp; log, exp 2 ulp
 *                  cost 16 to 24 bytes a value
 * columns_moments  count, mean and sum of squared deviations (float64, biased variance = m2 / n), minimum and maximum
 *                  of the finite values; NaN and infinities are counted apart; out is written for n = 0 too. Blocks
 *                  of 1024 values, merged left to right: the result depends on n and x alone, and one call over
 *                  rows gives the bits of calls over blocks of 1024 that are merged left to right.
 *                  error bound: mean (n + 2) eps mean|x|
 * columns_store    y[i * stride] = (float) x[i]; a value that is not finite becomes 0 and is counted, one beyond
 *                  float32 the largest float32 of its sign
 * columns_bucketize id[i] = number of edges <= x[i] (edges ascending), NaN: -1.  cost about log2(n_edges) steps
 * columns_lookup   y[i] = codes[i] < 0 ? missing : table[codes[i]], items of 1, 4 or 8 bytes; codes are in range
 * columns_onehot   y[i * stride + k] = (k == id[i]), 0 <= k < width; an id outside gives a row of zeros */
#ifndef PEN_KERNELS_COLUMNS_COLUMNS_H
#define PEN_KERNELS_COLUMNS_COLUMNS_H

#include "core/status.h"
#include "kernels/exec.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_map {
    PEN_MAP_ADD,
    PEN_MAP_SUB,
    PEN_MAP_MUL,
    PEN_MAP_DIV,
    PEN_MAP_MOD,
    PEN_MAP_MIN,
    PEN_MAP_MAX,
    PEN_MAP_NEG,
    PEN_MAP_ABS,
    PEN_MAP_LOG,
    PEN_MAP_LOG1P,
    PEN_MAP_EXP,
    PEN_MAP_SQRT,
    PEN_MAP_ROUND,
    PEN_MAP_FLOOR,
    PEN_MAP_CEIL,
    PEN_MAP_CLIP,    /* min(max(a, s), t) */
    PEN_MAP_AFFINE,  /* (a - s) * t */
    PEN_MAP_SIGMOID, /* 1 / (1 + exp(-a)) */
    PEN_MAP_COUNT
};

struct pen_columns_map {
    enum pen_map map;
    int64_t n;
    const double *a, *b; /* b: the two-sided maps only */
    double s, t;
    double *y;
};
typedef pen_status pen_columns_map_fn(struct pen_exec *exec, const struct pen_columns_map *map, struct pen_error *err);
pen_columns_map_fn pen_columns_map_cpu, pen_columns_map_cuda;

struct pen_column_moments {
    int64_t n; /* finite values */
    int64_t n_other;
    double mean, m2, min, max; /* n = 0: 0, 0, +inf, -inf */
};
#define PEN_COLUMN_MOMENTS_INIT                       \
    {                                                 \
        0, 0, 0, 0, __builtin_inf(), -__builtin_inf() \
    }
/* a takes in b (Chan, Golub and LeVeque): the order of merging is the caller's. */
PEN_API void pen_column_moments_merge(struct pen_column_moments *a, const struct pen_column_moments *b);

struct pen_columns_moments {
    int64_t n;
    const double *x;
    struct pen_column_moments *out; /* [1], overwritten */
};
typedef pen_status pen_columns_moments_fn(struct pen_exec *exec, const struct pen_columns_moments *moments,
                                          struct pen_error *err);
pen_columns_moments_fn pen_columns_moments_cpu, pen_columns_moments_cuda;

struct pen_columns_store {
    int64_t n;
    const double *x;
    float *y;
    int64_t stride;
    int64_t *n_replaced; /* [1], added to */
};
typedef pen_status pen_columns_store_fn(struct pen_exec *exec, const struct pen_columns_store *store,
                                        struct pen_error *err);
pen_columns_store_fn pen_columns_store_cpu, pen_columns_store_cuda;

struct pen_columns_bucketize {
    int64_t n;
    const double *x;
    const double *edges;
    int64_t n_edges;
    int32_t *ids;
};
typedef pen_status pen_columns_bucketize_fn(struct pen_exec *exec, const struct pen_columns_bucketize *bucketize,
                                            struct pen_error *err);
pen_columns_bucketize_fn pen_columns_bucketize_cpu, pen_columns_bucketize_cuda;

struct pen_columns_lookup {
    int64_t n;
    const int32_t *codes;
    const void *table;
    size_t item_bytes;   /* 1, 4 or 8 */
    const void *missing; /* one item, the host's, read before the call returns */
    void *y;
};
typedef pen_status pen_columns_lookup_fn(struct pen_exec *exec, const struct pen_columns_lookup *lookup,
                                         struct pen_error *err);
pen_columns_lookup_fn pen_columns_lookup_cpu, pen_columns_lookup_cuda;

struct pen_columns_onehot {
    int64_t n;
    const int32_t *ids;
    int64_t width;
    float *y;
    int64_t stride;
};
typedef pen_status pen_columns_onehot_fn(struct pen_exec *exec, const struct pen_columns_onehot *onehot,
                                         struct pen_error *err);
pen_columns_onehot_fn pen_columns_onehot_cpu, pen_columns_onehot_cuda;

#ifdef __cplusplus
}
#endif

#endif
