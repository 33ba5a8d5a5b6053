/* Activations over a matrix: a thread keeps its columns and walks down rows, so bias and column sums stay in registers
 * and no index is divided. 1, 2, 4 ... 32 threads lie along a row's columns, as many as there are (four columns each
 * where rows are whole, aligned 16 bytes), the rest of the block along rows; a block takes one strip of columns of one
 * stretch of rows. 8 bytes a value forward, 12 backward.
 *
 * Column sums: each thread over its rows in order, a block's threads by halves, the stretches in a second kernel the
 * same way: shapes alone fix the order. */
#include "kernels/activation/activation.cuh"

static constexpr int STRETCH_ROWS = 64, LONG_STRETCH_ROWS = 256, MANY_ROWS = 16384, SUM_BLOCK = 1024;

static __device__ __forceinline__ float value(enum pen_activation activation, float z)
{
    switch (activation) {
    case PEN_ACTIVATION_RELU:
        return z < 0.0f ? 0.0f : z;
    case PEN_ACTIVATION_LEAKY_RELU:
        return z < 0.0f ? 0.01f * z : z;
    case PEN_ACTIVATION_ELU:
        return z < 0.0f ? expm1f(z) : z;
    case PEN_ACTIVATION_SIGMOID:
        return 1.0f / (1.0f + expf(-z));
    case PEN_ACTIVATION_TANH:
        return tanhf(z);
    case PEN_ACTIVATION_NONE:
    case PEN_ACTIVATION_COUNT:
        break;
    }
    return z;
}

/* dy * dy/dz, from y. */
static __device__ __forceinline__ float slope(enum pen_activation activation, float dy, float y)
{
    switch (activation) {
    case PEN_ACTIVATION_RELU:
        return y > 0.0f ? dy : 0.0f;
    case PEN_ACTIVATION_LEAKY_RELU:
        return y > 0.0f ? dy : 0.01f * dy;
    case PEN_ACTIVATION_ELU:
        return y > 0.0f ? dy : (y + 1.0f) * dy;
    case PEN_ACTIVATION_SIGMOID:
        return dy * (y * (1.0f - y));
    case PEN_ACTIVATION_TANH:
        return dy * (1.0f - y * y);
    case PEN_ACTIVATION_NONE:
    case PEN_ACTIVATION_COUNT:
        break;
    }
    return dy;
}

/* Four columns at once. */
static __device__ __forceinline__ float4 value(enum pen_activation a, float4 z)
{
    return make_float4(value(a, z.x), value(a, z.y), value(a, z.z), value(a, z.w));
}

static __device__ __forceinline__ float4 slope(enum pen_activation a, float4 dy, float4 y)
{
    return make_float4(slope(a, dy.x, y.x), slope(a, dy.y, y.y), slope(a, dy.z, y.z), slope(a, dy.w, y.w));
}

static __device__ __forceinline__ float add(float a, float b)
{
    return a + b;
}

static __device__ __forceinline__ float4 add(float4 a, float4 b)
{
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

/* How a matrix of n columns (of V) is cut: n_strips strips of `lanes` columns, stretches of `rows` rows. */
struct cut {
    int lanes;
    int64_t rows, n_strips, n_stretches;
};

/* Where a thread of a cut matrix works. */
struct place {
    int64_t column, first_row, end_row, stretch;
    int step;
};

static __device__ __forceinline__ place take_place(const cut &c, int64_t n_rows)
{
    int t = (int)threadIdx.x;
    int64_t strip = blockIdx.x % c.n_strips, stretch = blockIdx.x / c.n_strips;
    int64_t first = stretch * c.rows, end = first + c.rows < n_rows ? first + c.rows : n_rows;
    return {strip * c.lanes + t % c.lanes, first + t / c.lanes, end, stretch, (int)blockDim.x / c.lanes};
}

/* Sum over the threads of the block that lie `lanes` apart, in the first `lanes` threads. all: shared, blockDim.x of
 * V. Every thread of the block comes. */
template <class V> static __device__ V sum_down(V value, int lanes, V *all)
{
    int t = (int)threadIdx.x;
    all[t] = value;
    __syncthreads();
    for (int half = (int)blockDim.x / 2; half >= lanes; half /= 2) {
        if (t < half) {
            all[t] = add(all[t], all[t + half]);
        }
        __syncthreads();
    }
    return all[t];
}

template <class V>
static __global__ void apply_k(enum pen_activation activation, V *y, int64_t ld, const V *bias, int64_t n_rows,
                               int64_t n, cut c)
{
    place at = take_place(c, n_rows);
    if (at.column >= n) {
        return;
    }
    V by = bias != NULL ? bias[at.column] : V{};
    for (int64_t row = at.first_row; row < at.end_row; row += at.step) {
        V z = y[row * ld + at.column];
        y[row * ld + at.column] = value(activation, bias != NULL ? add(z, by) : z);
    }
}

/* parts: [n_stretches, n], NULL: not wanted. */
template <class V>
static __global__ void backward_k(enum pen_activation activation, V *dy, int64_t ld_dy, V *parts, const V *y,
                                  int64_t ld_y, int64_t n_rows, int64_t n, cut c)
{
    PEN_SHARED(V, all, [PEN_CUDA_BLOCK]);
    place at = take_place(c, n_rows);
    V sum = {};
    for (int64_t row = at.first_row; at.column < n && row < at.end_row; row += at.step) {
        V d = dy[row * ld_dy + at.column];
        if (activation != PEN_ACTIVATION_NONE) {
            d = slope(activation, d, y[row * ld_y + at.column]);
            dy[row * ld_dy + at.column] = d;
        }
        sum = add(sum, d);
    }
    if (parts == NULL) {
        return;
    }
    sum = sum_down(sum, c.lanes, all);
    if ((int)threadIdx.x < c.lanes && at.column < n) {
        parts[at.stretch * n + at.column] = sum;
    }
}

/* sums[n]: columns of parts [n_parts, n]; a block a strip. */
static __global__ void sums_k(float *sums, const float *parts, int64_t n_parts, int64_t n, int lanes)
{
    PEN_SHARED(float, all, [SUM_BLOCK]);
    int t = (int)threadIdx.x;
    int64_t column = (int64_t)blockIdx.x * lanes + t % lanes;
    float sum = 0;
    for (int64_t part = t / lanes; column < n && part < n_parts; part += SUM_BLOCK / lanes) {
        sum += parts[part * n + column];
    }
    sum = sum_down(sum, lanes, all);
    if (t < lanes && column < n) {
        sums[column] = sum;
    }
}

static int lanes_for(int64_t n)
{
    int lanes = 1;
    while (lanes < 32 && lanes < n) {
        lanes *= 2;
    }
    return lanes;
}

static cut cut_for(int64_t n_rows, int64_t n)
{
    cut c = {lanes_for(n), n_rows < MANY_ROWS ? STRETCH_ROWS : LONG_STRETCH_ROWS, 0, 0};
    c.n_strips = pen_ceil_div(n, c.lanes);
    c.n_stretches = pen_ceil_div(n_rows, c.rows);
    return c;
}

/* Whether rows of n floats, ld apart, are whole float4s. */
static bool is_wide(const void *at, int64_t ld, int64_t n)
{
    return (uintptr_t)at % sizeof(float4) == 0 && ld % 4 == 0 && n % 4 == 0;
}

template <class V>
static pen_status apply(struct pen_exec *exec, enum pen_activation activation, float *y, int64_t ld, const float *bias,
                        int64_t n_rows, int64_t n, const char *op, struct pen_error *err)
{
    constexpr int64_t width = sizeof(V) / sizeof(float);
    cut c = cut_for(n_rows, n / width);
    PEN_LAUNCH((apply_k<V>), (unsigned)(c.n_strips * c.n_stretches), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
               activation, reinterpret_cast<V *>(y), ld / width, reinterpret_cast<const V *>(bias), n_rows, n / width,
               c);
    PEN_CUDA_LAUNCHED(op, err);
    return PEN_OK;
}

pen_status pen_activation_apply_cuda(struct pen_exec *exec, enum pen_activation activation, float *y, int64_t ld,
                                     const float *bias, int64_t n_rows, int64_t n, const char *op,
                                     struct pen_error *err)
{
    if (n_rows == 0 || n == 0 || (activation == PEN_ACTIVATION_NONE && bias == NULL)) {
        return PEN_OK;
    }
    bool wide = is_wide(y, ld, n) && is_wide(bias, n, n);
    return wide ? apply<float4>(exec, activation, y, ld, bias, n_rows, n, op, err)
                : apply<float>(exec, activation, y, ld, bias, n_rows, n, op, err);
}

template <class V>
static pen_status backward(struct pen_exec *exec, enum pen_activation activation, float *dy, int64_t ld_dy,
                           float *parts, const float *y, int64_t ld_y, int64_t n_rows, int64_t n, const char *op,
                           struct pen_error *err)
{
    constexpr int64_t width = sizeof(V) / sizeof(float);
    cut c = cut_for(n_rows, n / width);
    PEN_LAUNCH((backward_k<V>), (unsigned)(c.n_strips * c.n_stretches), PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec),
               activation, reinterpret_cast<V *>(dy), ld_dy / width, reinterpret_cast<V *>(parts),
               reinterpret_cast<const V *>(y), ld_y / width, n_rows, n / width, c);
    PEN_CUDA_LAUNCHED(op, err);
    return PEN_OK;
}

pen_status pen_activation_backward_cuda(struct pen_exec *exec, enum pen_activation activation, float *dy, int64_t ld_dy,
                                        float *sums, float *parts, const float *y, int64_t ld_y, int64_t n_rows,
                                        int64_t n, const char *op, struct pen_error *err)
{
    if (n == 0 || (activation == PEN_ACTIVATION_NONE && sums == NULL)) {
        return PEN_OK;
    }
    float *wanted = sums != NULL ? parts : NULL;
    if (n_rows > 0) {
        bool wide = is_wide(dy, ld_dy, n) && is_wide(y, ld_y, n) && is_wide(wanted, n, n);
        PEN_TRY(wide ? backward<float4>(exec, activation, dy, ld_dy, wanted, y, ld_y, n_rows, n, op, err)
                     : backward<float>(exec, activation, dy, ld_dy, wanted, y, ld_y, n_rows, n, op, err));
    }
    if (sums != NULL) {
        int lanes = lanes_for(n);
        PEN_LAUNCH(sums_k, (unsigned)pen_ceil_div(n, lanes), SUM_BLOCK, 0, pen_cuda_stream(exec), sums, parts,
                   cut_for(n_rows, n).n_stretches, n, lanes);
        PEN_CUDA_LAUNCHED(op, err);
    }
    return PEN_OK;
}
