/* A thread maps two neighbouring values, read and written as 16 bytes where all arrays allow it: 16 to 24 bytes of
 * memory a value against a few dozen instructions at most, so memory is what it waits for. One kernel a map, because a
 * branch over all of them would give every map the registers of the dearest. */
#include "kernels/columns/columns.h"
#include "kernels/cuda/exec.cuh"

#include "core/memory.h"

#include <math.h>

static __device__ __forceinline__ double python_mod(double a, double b)
{
    double r = fmod(a, b); /* by 0: NaN */
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <enum pen_map MAP> static __device__ __forceinline__ double mapped(double a, double b, double s, double t)
{
    switch (MAP) {
    case PEN_MAP_ADD:
        return a + b;
    case PEN_MAP_SUB:
        return a - b;
    case PEN_MAP_MUL:
        return a * b;
    case PEN_MAP_DIV:
        return b == 0 ? (double)NAN : a / b;
    case PEN_MAP_MOD:
        return python_mod(a, b);
    case PEN_MAP_MIN:
        return a != a || a < b ? a : b;
    case PEN_MAP_MAX:
        return a != a || a > b ? a : b;
    case PEN_MAP_NEG:
        return -a;
    case PEN_MAP_ABS:
        return fabs(a);
    case PEN_MAP_LOG:
        return log(a);
    case PEN_MAP_LOG1P:
        return log(1.0 + a);
    case PEN_MAP_EXP:
        return exp(a);
    case PEN_MAP_SQRT:
        return sqrt(a);
    case PEN_MAP_ROUND:
        return rint(a);
    case PEN_MAP_FLOOR:
        return floor(a);
    case PEN_MAP_CEIL:
        return ceil(a);
    case PEN_MAP_CLIP:
        return a < s ? s : a > t ? t : a;
    case PEN_MAP_AFFINE:
        return (a - s) * t;
    case PEN_MAP_SIGMOID:
        return 1.0 / (1.0 + exp(-a));
    case PEN_MAP_COUNT:
        break;
    }
    return 0;
}

/* y may be a or b: a thread reads its values before it writes them, and no other's. */
template <enum pen_map MAP>
static __global__ void map_k(double *y, const double *a, const double *b, double s, double t, int64_t n, bool wide)
{
    constexpr bool TWO_SIDED = MAP <= PEN_MAP_MAX;
    for (int64_t i = 2 * pen_cuda_first(); i < n; i += 2 * pen_cuda_step()) {
        if (wide && i + 1 < n) {
            double2 u = *reinterpret_cast<const double2 *>(a + i);
            double2 v = TWO_SIDED ? *reinterpret_cast<const double2 *>(b + i) : u;
            double2 w = {mapped<MAP>(u.x, v.x, s, t), mapped<MAP>(u.y, v.y, s, t)};
            *reinterpret_cast<double2 *>(y + i) = w;
            continue;
        }
        y[i] = mapped<MAP>(a[i], TWO_SIDED ? b[i] : 0, s, t);
        if (i + 1 < n) {
            y[i + 1] = mapped<MAP>(a[i + 1], TWO_SIDED ? b[i + 1] : 0, s, t);
        }
    }
}

typedef void map_kernel(double *y, const double *a, const double *b, double s, double t, int64_t n, bool wide);

/* In the order of enum pen_map. */
static map_kernel *const kernels[] = {
    map_k<PEN_MAP_ADD>,   map_k<PEN_MAP_SUB>,  map_k<PEN_MAP_MUL>,    map_k<PEN_MAP_DIV>,    map_k<PEN_MAP_MOD>,
    map_k<PEN_MAP_MIN>,   map_k<PEN_MAP_MAX>,  map_k<PEN_MAP_NEG>,    map_k<PEN_MAP_ABS>,    map_k<PEN_MAP_LOG>,
    map_k<PEN_MAP_LOG1P>, map_k<PEN_MAP_EXP>,  map_k<PEN_MAP_SQRT>,   map_k<PEN_MAP_ROUND>,  map_k<PEN_MAP_FLOOR>,
    map_k<PEN_MAP_CEIL>,  map_k<PEN_MAP_CLIP>, map_k<PEN_MAP_AFFINE>, map_k<PEN_MAP_SIGMOID>};
static_assert(sizeof kernels / sizeof kernels[0] == PEN_MAP_COUNT, "a kernel for each map");

extern "C" pen_status pen_columns_map_cuda(struct pen_exec *exec, const struct pen_columns_map *m,
                                           struct pen_error *err)
{
    if (m->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "columns_map: expected n >= 0, found %lld", (long long)m->n);
    }
    if (m->n == 0) {
        return PEN_OK;
    }
    const double *b = m->map <= PEN_MAP_MAX ? m->b : m->a;
    bool wide = pen_cuda_aligned(m->y, 16) && pen_cuda_aligned(m->a, 16) && pen_cuda_aligned(b, 16);
    PEN_LAUNCH(kernels[m->map], pen_cuda_grid(m->n, 2 * PEN_CUDA_BLOCK), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), m->y,
               m->a, b, m->s, m->t, m->n, wide);
    PEN_CUDA_LAUNCHED("columns_map", err);
    return PEN_OK;
}
