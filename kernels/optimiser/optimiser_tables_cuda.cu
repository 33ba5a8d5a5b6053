/* Touched rows of all tables in one launch (touched.cuh): a warp steps a piece of 512 values, its lanes four neighbours
 * of a row each, or one where rows are not made of fours. 4 (3 + 2 states) bytes a value, 4 more a row, and whole
 * sectors of 32 bytes where rows are narrower than eight values. */
#include "kernels/optimiser/touched.cuh"
#include "kernels/optimiser/update.cuh"

namespace
{

template <int RULE> struct stepper {
    const pen_update::constants &c;
    pen_update::arrays a;
    bool aligned;

    /* Where value i of a table's gradient belongs: i is `within` values behind row `row`. */
    __device__ __forceinline__ int64_t place(const pen_embedding_feature &f, int64_t row, uint32_t within) const
    {
        auto dim = (uint32_t)f.dim;
        return f.offset + f.touched[row + within / dim] * f.dim + within % dim;
    }

    __device__ void operator()(const pen_embedding_feature &f, int64_t first, int64_t n) const
    {
        int64_t row = first / f.dim;
        uint32_t lane = threadIdx.x % 32, ahead = (uint32_t)(first % f.dim);
        if (f.dim % 4 == 0) {
            bool quads = aligned && f.offset % 4 == 0 && pen_cuda_aligned(f.grad, 16);
            for (uint32_t i = 4 * lane; i < n; i += 128) {
                pen_update::step_quad<RULE>(c, a, place(f, row, ahead + i), f.grad + first + i, 4, quads);
            }
            return;
        }
        for (uint32_t i = lane; i < n; i += 32) {
            int64_t at = place(f, row, ahead + i);
            float none1 = 0, none2 = 0;
            pen_update::step_value<RULE>(c, f.grad[first + i], a.param[at],
                                         pen_update::HAS_ONE<RULE> ? a.state1[at] : none1,
                                         pen_update::HAS_TWO<RULE> ? a.state2[at] : none2);
        }
    }
};

template <int RULE> __global__ void tables_k(pen_optimiser_tables o, bool aligned)
{
    const pen_update::constants c = pen_update::constants_of(o.rule, o.step, o.sums);
    const stepper<RULE> step = {c, {o.values, o.state1, o.state2}, aligned};
    pen_visit_touched(o.features, o.n_features, step);
}

struct launch {
    struct pen_exec *exec;
    const struct pen_optimiser_tables *o;
    struct pen_error *err;

    template <int RULE> pen_status run(void) const
    {
        PEN_LAUNCH((tables_k<RULE>), PEN_TOUCHED_BLOCKS, PEN_CUDA_BLOCK, 0, pen_cuda_stream(exec), *o,
                   pen_update::are_aligned({o->values, o->state1, o->state2}));
        PEN_CUDA_LAUNCHED("optimiser_tables", err);
        return PEN_OK;
    }
};

} // namespace

extern "C" pen_status pen_optimiser_tables_cuda(struct pen_exec *exec, const struct pen_optimiser_tables *o,
                                                struct pen_error *err)
{
    if (o->n_features < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "optimiser_tables: expected features >= 0, found %lld", (long long)o->n_features);
    }
    return o->n_features == 0 ? PEN_OK : pen_update::dispatch(o->rule.kind, o->state1, launch{exec, o, err});
}
