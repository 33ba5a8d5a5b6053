/* The sums of a tile of sorted places (places.cuh), a block's work in embedding_backward.
 *
 * Groups of lanes have a run of places each, a lane WIDTH columns of the rows: one, or four that lie aligned. A group
 * adds up its run from left to right; what an id has in more runs than one is then added up over the runs, and what it
 * has in more tiles than one is left for another kernel, in parts. Who adds what depends on places alone. */
#ifndef PEN_KERNELS_EMBEDDING_TILE_SUMS_CUH
#define PEN_KERNELS_EMBEDDING_TILE_SUMS_CUH

#include "kernels/cuda/quad.cuh"
#include "kernels/embedding/places.cuh"

namespace pen_places
{

constexpr int64_t NOTHING = -1, PASSES = -2;

/* Tables of one side, features or twins. */
struct side {
    pen_embedding_feature *features;
    const float *dout;
    int64_t ld_dout;
    bool aligned;     /* rows of dout begin at multiples of 16 bytes */
    int64_t *leaves;  /* [n_tiles] row of the gradient that begins in the tile and goes on, NOTHING; PASSES: the whole
                         tile is of an id that came and goes on */
    float *parts;     /* [n_tiles, 2, ld_parts] sum of the id that came into the tile, of that which leaves */
    int64_t ld_parts; /* multiple of 4 */
};

/* What a block knows of its tile. */
struct tile_view {
    int64_t number, feature;
    int n;          /* places with an id */
    bool goes_on;   /* the last id lies in the next tile, too */
    int64_t before; /* distinct ids of the feature in earlier tiles */
    /* shared memory */
    const int *rank;      /* [TILE] distinct ids up to the place; 0: came from the tile before */
    const uint32_t *rows; /* [TILE] */
    float *came, *left;   /* [PEN_CUDA_BLOCK * 4] a lane's sums of the id that came into its run, that left it */
};

static __device__ __forceinline__ float *part(const side &s, int64_t tile, int which)
{
    return s.parts + (2 * tile + which) * s.ld_parts;
}

/* Lanes for d columns of `width` each: the next power of two, at most a warp. */
static __device__ __forceinline__ int lanes_for(int64_t dim, int width)
{
    int lanes = 1;
    while (lanes < 32 && lanes * width < dim) {
        lanes *= 2;
    }
    return lanes;
}

template <int WIDTH> static __device__ __forceinline__ void store(float *to, const float (&v)[WIDTH])
{
    if constexpr (WIDTH == 4) {
        pen_store_quad(to, v, 4, true);
    } else {
        to[0] = v[0];
    }
}

template <int WIDTH> static __device__ __forceinline__ void load(float (&v)[WIDTH], const float *from)
{
    if constexpr (WIDTH == 4) {
        pen_load_quad(v, from, 4, true);
    } else {
        v[0] = from[0];
    }
}

template <int WIDTH> static __device__ __forceinline__ void add(float (&sum)[WIDTH], const float (&v)[WIDTH])
{
    for (int j = 0; j < WIDTH; j++) {
        sum[j] += v[j];
    }
}

template <int WIDTH> static __device__ __forceinline__ void clear(float (&sum)[WIDTH])
{
    for (int j = 0; j < WIDTH; j++) {
        sum[j] = 0;
    }
}

/* A group's run of places, for WIDTH columns of a lane from column d. */
template <int WIDTH> struct run {
    const side &s;
    const tile_view &t;
    const pen_embedding_feature &f;
    const float *scale; /* of the rows; NULL: 1 */
    int lanes, group, length, begin, end;
    int64_t d;

    __device__ __forceinline__ float *grad(int rank) const
    {
        return f.grad + (t.before + rank - 1) * f.dim + d;
    }

    __device__ __forceinline__ bool begins_at(int place) const
    {
        return t.rank[place] != (place > 0 ? t.rank[place - 1] : 0);
    }

    /* Does the id at the run's end lie behind it, too? */
    __device__ __forceinline__ bool goes_on(void) const
    {
        return end < t.n ? t.rank[end] == t.rank[end - 1] : t.goes_on;
    }

    __device__ __forceinline__ void put(int rank, bool began, bool ended, const float (&sum)[WIDTH]) const
    {
        store<WIDTH>(!began ? t.came + threadIdx.x * WIDTH : ended ? grad(rank) : t.left + threadIdx.x * WIDTH, sum);
    }

    __device__ void take(float (&x)[WIDTH], int place) const
    {
        const int64_t row = t.rows[place];
        load<WIDTH>(x, s.dout + row * s.ld_dout + f.column + d);
        const float times = scale != NULL ? scale[row] : 1.0f;
        for (int j = 0; j < WIDTH; j++) {
            x[j] *= times;
        }
    }

    /* Four rows are on their way at a time. */
    __device__ void add_up(void) const
    {
        float sum[WIDTH] = {};
        int rank = t.rank[begin];
        bool began = begins_at(begin);
        for (int i = begin; i < end; i += 4) {
            float x[4][WIDTH];
            for (int u = 0; u < 4; u++) {
                take(x[u], i + u < end ? i + u : i);
            }
            for (int u = 0; u < 4; u++) {
                const bool there = i + u < end;
                if (there && t.rank[i + u] != rank) {
                    put(rank, began, true, sum);
                    rank = t.rank[i + u];
                    began = true;
                    clear(sum);
                }
                if (there) {
                    add<WIDTH>(sum, x[u]);
                }
            }
        }
        put(rank, began, !goes_on(), sum);
    }

    /* Adds what the runs from `next` on hold of the id. */
    __device__ void follow(float (&sum)[WIDTH], int rank, int next) const
    {
        for (int g = next; g * length < t.n && t.rank[g * length] == rank; g++) {
            float x[WIDTH];
            load<WIDTH>(x, t.came + ((int)threadIdx.x + (g - group) * lanes) * WIDTH);
            add<WIDTH>(sum, x);
        }
    }

    /* The sums of ids that lie in more than one run. */
    __device__ void join(void) const
    {
        const int last = t.rank[end - 1];
        float sum[WIDTH];
        if (group == 0 && t.rank[0] == 0) {
            load<WIDTH>(sum, t.came + threadIdx.x * WIDTH);
            follow(sum, 0, 1);
            store<WIDTH>(part(s, t.number, 0) + d, sum);
        }
        if (goes_on() && (t.rank[begin] != last || begins_at(begin))) {
            load<WIDTH>(sum, t.left + threadIdx.x * WIDTH);
            follow(sum, last, group + 1);
            store<WIDTH>(t.goes_on && last == t.rank[t.n - 1] ? part(s, t.number, 1) + d : grad(last), sum);
        }
    }
};

template <int WIDTH>
static __device__ void sum_tile(const side &s, const tile_view &t, const pen_embedding_feature &f, const float *scale)
{
    const int lanes = lanes_for(f.dim, WIDTH), group = (int)threadIdx.x / lanes, length = TILE / PEN_CUDA_BLOCK * lanes;
    const int begin = group * length, end = begin + length < t.n ? begin + length : t.n;
    for (int64_t first = 0; first < f.dim; first += lanes * WIDTH) {
        const int64_t d = first + (int)threadIdx.x % lanes * WIDTH;
        const run<WIDTH> r = {s, t, f, scale, lanes, group, length, begin, end, d};
        const bool here = d < f.dim && begin < end;
        if (here) {
            r.add_up();
        }
        __syncthreads();
        if (here) {
            r.join();
        }
        __syncthreads();
    }
}

} // namespace pen_places

#endif
