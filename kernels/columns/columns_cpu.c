/* Column arithmetic on the CPU: plain loops that the compiler turns into vector code, one a map.
 *
 * Callers hand over tiles that fit the cache and split rows among threads, so nothing here is parallel. */
#include "kernels/columns/columns.h"

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

pen_status pen_columns_map_cpu(struct pen_exec *exec, const struct pen_columns_map *m, struct pen_error *err)
{
    if (m->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_map: expected n >= 0, found %lld", (long long)m->n);
    }
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

/* Two passes over a block that stays in the cache; four interleaved sums, folded in a fixed order. */
static struct pen_column_moments block_moments(const double *x, int64_t n)
{
    struct pen_column_moments out = PEN_COLUMN_MOMENTS_INIT;
    double sum[4] = {0, 0, 0, 0}, low[4], high[4];
    int64_t count[4] = {0, 0, 0, 0};
    for (int k = 0; k < 4; k++) {
        low[k] = (double)INFINITY;
        high[k] = -(double)INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        int k = (int)(i & 3);
        bool finite = fabs(x[i]) <= DBL_MAX;
        sum[k] += finite ? x[i] : 0;
        count[k] += finite;
        low[k] = finite && x[i] < low[k] ? x[i] : low[k];
        high[k] = finite && x[i] > high[k] ? x[i] : high[k];
    }
    out.n = count[0] + count[1] + count[2] + count[3];
    out.n_other = n - out.n;
    if (out.n == 0) {
        return out;
    }
    out.mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / (double)out.n;
    double squares[4] = {0, 0, 0, 0};
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(x[i]) <= DBL_MAX ? x[i] - out.mean : 0;
        squares[i & 3] += d * d;
    }
    out.m2 = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    for (int k = 0; k < 4; k++) {
        out.min = low[k] < out.min ? low[k] : out.min;
        out.max = high[k] > out.max ? high[k] : out.max;
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
