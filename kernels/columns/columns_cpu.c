/* Column arithmetic on the CPU: plain loops that the compiler turns into vector code, one a map.
 *
 * Callers hand over tiles that fit the cache and split rows among threads, so nothing here is parallel. */
#include "kernels/columns/columns.h"
#include "kernels/simd.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double python_mod(double a, double b)
{
    if (b == 0) {
        return NAN;
    }
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

#define EACH(expression)                 \
    for (int64_t i = 0; i < m->n; i++) { \
        double a = m->a[i];              \
        y[i] = (expression);             \
    }                                    \
    break
#define EACH_PAIR(expression)            \
    for (int64_t i = 0; i < m->n; i++) { \
        double a = m->a[i], b = m->b[i]; \
        y[i] = (expression);             \
    }                                    \
    break

static PEN_SIMD void map(const struct pen_columns_map *m)
{
    double *y = m->y;
    double s = m->s, t = m->t;
    switch (m->map) {
    case PEN_MAP_ADD:
        EACH_PAIR(a + b);
    case PEN_MAP_SUB:
        EACH_PAIR(a - b);
    case PEN_MAP_MUL:
        EACH_PAIR(a * b);
    case PEN_MAP_DIV:
        EACH_PAIR(b == 0 ? (double)NAN : a / b);
    case PEN_MAP_MOD:
        EACH_PAIR(python_mod(a, b));
    case PEN_MAP_MIN:
        EACH_PAIR(a != a || a < b ? a : b);
    case PEN_MAP_MAX:
        EACH_PAIR(a != a || a > b ? a : b);
    case PEN_MAP_NEG:
        EACH(-a);
    case PEN_MAP_ABS:
        EACH(fabs(a));
    case PEN_MAP_LOG:
        EACH(log(a));
    case PEN_MAP_LOG1P:
        EACH(log(1.0 + a));
    case PEN_MAP_EXP:
        EACH(exp(a));
    case PEN_MAP_SQRT:
        EACH(sqrt(a));
    case PEN_MAP_ROUND:
        EACH(rint(a));
    case PEN_MAP_FLOOR:
        EACH(floor(a));
    case PEN_MAP_CEIL:
        EACH(ceil(a));
    case PEN_MAP_CLIP:
        EACH(a < s ? s : a > t ? t : a);
    case PEN_MAP_AFFINE:
        EACH((a - s) * t);
    case PEN_MAP_SIGMOID:
        EACH(1.0 / (1.0 + exp(-a)));
    case PEN_MAP_COUNT:
        break;
    }
}

pen_status pen_columns_map_cpu(struct pen_exec *exec, const struct pen_columns_map *m, struct pen_error *err)
{
    if (m->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_map: expected n >= 0, found %lld", (long long)m->n);
    }
    map(m);
    return PEN_OK;
}

void pen_column_moments_merge(struct pen_column_moments *a, const struct pen_column_moments *b)
{
    a->n_other += b->n_other;
    if (b->n == 0) {
        return;
    }
    double n = (double)(a->n + b->n);
    double delta = b->mean - a->mean;
    a->m2 = a->n == 0 ? b->m2 : a->m2 + b->m2 + delta * delta * ((double)a->n * (double)b->n / n);
    a->mean = a->n == 0 ? b->mean : a->mean + delta * ((double)b->n / n);
    a->n += b->n;
    a->min = b->min < a->min ? b->min : a->min;
    a->max = b->max > a->max ? b->max : a->max;
}

enum { LANES = 8 };

/* Sums of eight interleaved lanes, folded in a fixed order, so that vectors of any width give the same bits. */
static double fold_lanes(const double *lanes)
{
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t lane_mask __attribute__((vector_size(LANES * sizeof(int64_t))));

struct block_sums {
    double sum[LANES], low[LANES], high[LANES];
    int64_t count[LANES];
};

/* finite: all ones where |value| is finite: its bits without the sign lie below those of infinity. */
static inline __attribute__((always_inline)) void load_lanes(lanes *value, lane_mask *finite, const double *x)
{
    lane_mask bits;
    memcpy(value, x, sizeof *value);
    memcpy(&bits, x, sizeof bits);
    *finite = (bits & INT64_MAX) < 0x7FF0000000000000;
}

/* Lane k takes the values k, k + LANES, ... of the block: what is not finite counts as 0 in the sums. */
static PEN_SIMD void sum_lanes(struct block_sums *to, const double *x, int64_t n)
{
    lanes sum, low, high, value;
    lane_mask count;
    memcpy(&sum, to->sum, sizeof sum);
    memcpy(&low, to->low, sizeof low);
    memcpy(&high, to->high, sizeof high);
    memcpy(&count, to->count, sizeof count);
    for (int64_t i = 0; i < n; i += LANES) {
        lane_mask finite;
        load_lanes(&value, &finite, x + i);
        lane_mask less = finite & (value < low), more = finite & (value > high);
        sum += (lanes)((lane_mask)value & finite);
        count -= finite; /* true is -1 */
        low = (lanes)((less & (lane_mask)value) | (~less & (lane_mask)low));
        high = (lanes)((more & (lane_mask)value) | (~more & (lane_mask)high));
    }
    memcpy(to->sum, &sum, sizeof sum);
    memcpy(to->low, &low, sizeof low);
    memcpy(to->high, &high, sizeof high);
    memcpy(to->count, &count, sizeof count);
}

static PEN_SIMD void square_lanes(double *squares, const double *x, int64_t n, double mean)
{
    lanes sum, value;
    memcpy(&sum, squares, sizeof sum);
    for (int64_t i = 0; i < n; i += LANES) {
        lane_mask finite;
        load_lanes(&value, &finite, x + i);
        lanes d = (lanes)((lane_mask)(value - mean) & finite);
        sum += d * d;
    }
    memcpy(squares, &sum, sizeof sum);
}

/* Two passes over a block that stays in the cache. */
static struct pen_column_moments block_moments(const double *x, int64_t n)
{
    struct pen_column_moments out = PEN_COLUMN_MOMENTS_INIT;
    struct block_sums sums = {0};
    double squares[LANES] = {0}, rest[LANES];
    int64_t whole = n / LANES * LANES;
    for (int k = 0; k < LANES; k++) {
        sums.low[k] = (double)INFINITY;
        sums.high[k] = -(double)INFINITY;
        rest[k] = whole + k < n ? x[whole + k] : (double)NAN;
    }
    sum_lanes(&sums, x, whole);
    sum_lanes(&sums, rest, LANES);
    for (int k = 0; k < LANES; k++) {
        out.n += sums.count[k];
    }
    out.n_other = n - out.n;
    if (out.n == 0) {
        return out;
    }
    out.mean = fold_lanes(sums.sum) / (double)out.n;
    square_lanes(squares, x, whole, out.mean);
    square_lanes(squares, rest, LANES, out.mean);
    out.m2 = fold_lanes(squares);
    for (int k = 0; k < LANES; k++) {
        out.min = sums.low[k] < out.min ? sums.low[k] : out.min;
        out.max = sums.high[k] > out.max ? sums.high[k] : out.max;
    }
    return out;
}

pen_status pen_columns_moments_cpu(struct pen_exec *exec, const struct pen_columns_moments *m, struct pen_error *err)
{
    enum { BLOCK = 1024 };
    if (m->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_moments: expected n >= 0, found %lld", (long long)m->n);
    }
    *m->out = (struct pen_column_moments)PEN_COLUMN_MOMENTS_INIT;
    for (int64_t first = 0; first < m->n; first += BLOCK) {
        struct pen_column_moments part = block_moments(m->x + first, m->n - first < BLOCK ? m->n - first : BLOCK);
        pen_column_moments_merge(m->out, &part);
    }
    return PEN_OK;
}

pen_status pen_columns_store_cpu(struct pen_exec *exec, const struct pen_columns_store *s, struct pen_error *err)
{
    if (s->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_store: expected n >= 0, found %lld", (long long)s->n);
    }
    int64_t replaced = 0;
    for (int64_t i = 0; i < s->n; i++) {
        double x = s->x[i];
        bool finite = fabs(x) <= DBL_MAX;
        double clipped = x > (double)FLT_MAX ? (double)FLT_MAX : x < -(double)FLT_MAX ? -(double)FLT_MAX : x;
        s->y[i * s->stride] = finite ? (float)clipped : 0.0F;
        replaced += !finite;
    }
    *s->n_replaced += replaced;
    return PEN_OK;
}

static int32_t count_edges_up_to(const double *edges, int64_t n_edges, double x)
{
    int64_t low = 0, left = n_edges;
    while (left > 0) {
        int64_t half = left / 2;
        bool right = edges[low + half] <= x;
        low = right ? low + half + 1 : low;
        left = right ? left - half - 1 : half;
    }
    return (int32_t)low;
}

pen_status pen_columns_bucketize_cpu(struct pen_exec *exec, const struct pen_columns_bucketize *b,
                                     struct pen_error *err)
{
    enum { FEW = 32 };
    if (b->n < 0 || b->n_edges < 0 || b->n_edges > INT32_MAX) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_bucketize: expected n >= 0 and 0 <= n_edges < 2^31, found %lld and %lld",
                 (long long)b->n, (long long)b->n_edges);
    }
    if (b->n_edges <= FEW) {
        /* Counting is branch-free and runs in vector registers: edges outside, values inside. */
        for (int64_t i = 0; i < b->n; i++) {
            b->ids[i] = b->x[i] != b->x[i] ? -1 : 0;
        }
        for (int64_t k = 0; k < b->n_edges; k++) {
            double edge = b->edges[k];
            for (int64_t i = 0; i < b->n; i++) {
                b->ids[i] += b->x[i] >= edge;
            }
        }
        return PEN_OK;
    }
    for (int64_t i = 0; i < b->n; i++) {
        b->ids[i] = b->x[i] != b->x[i] ? -1 : count_edges_up_to(b->edges, b->n_edges, b->x[i]);
    }
    return PEN_OK;
}

#define LOOKUP(type)                                               \
    do {                                                           \
        const type *table = l->table;                              \
        type *y = l->y;                                            \
        type missing;                                              \
        memcpy(&missing, l->missing, sizeof missing);              \
        for (int64_t i = 0; i < l->n; i++) {                       \
            y[i] = l->codes[i] < 0 ? missing : table[l->codes[i]]; \
        }                                                          \
    } while (0)

pen_status pen_columns_lookup_cpu(struct pen_exec *exec, const struct pen_columns_lookup *l, struct pen_error *err)
{
    if (l->n < 0 || (l->item_bytes != 1 && l->item_bytes != 4 && l->item_bytes != 8)) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_lookup: expected n >= 0 and items of 1, 4 or 8 bytes, found %lld and %zu",
                 (long long)l->n, l->item_bytes);
    }
    if (l->item_bytes == 8) {
        LOOKUP(uint64_t);
    } else if (l->item_bytes == 4) {
        LOOKUP(uint32_t);
    } else {
        LOOKUP(uint8_t);
    }
    return PEN_OK;
}

pen_status pen_columns_onehot_cpu(struct pen_exec *exec, const struct pen_columns_onehot *o, struct pen_error *err)
{
    if (o->n < 0 || o->width < 0 || o->stride < o->width) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_onehot: expected n >= 0 and stride >= width >= 0, found %lld, %lld, %lld",
                 (long long)o->n, (long long)o->stride, (long long)o->width);
    }
    for (int64_t i = 0; i < o->n; i++) {
        float *row = o->y + i * o->stride;
        memset(row, 0, (size_t)o->width * sizeof *row);
        if (o->ids[i] >= 0 && o->ids[i] < o->width) {
            row[o->ids[i]] = 1.0F;
        }
    }
    return PEN_OK;
}
