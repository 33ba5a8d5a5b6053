/* Dense parameters: a thread steps four neighbours at a time, all arrays read and written once, 4 n (3 + 2 states)
 * bytes. At most BLOCKS blocks, because each first computes the step's constants, about a microsecond. */
#include "kernels/optimiser/update.cuh"

namespace
{

constexpr int64_t BLOCKS = 2048;

template <int RULE> __global__ void optimiser_k(pen_optimiser o, bool aligned)
{
    const pen_update::constants c = pen_update::constants_of(o.rule, o.step, o.sums);
    const pen_update::arrays a = {o.param, o.state1, o.state2};
    for (int64_t i = 4 * pen_cuda_first(); i < o.n; i += 4 * pen_cuda_step()) {
        pen_update::step_quad<RULE>(c, a, i, o.grad + i, o.n - i, aligned);
    }
}

struct launch {
    struct pen_exec *exec;
    const struct pen_optimiser *o;
    struct pen_error *err;

    template <int RULE> pen_status run(void) const
    {
        int64_t blocks = pen_ceil_div(o->n, 4 * PEN_CUDA_BLOCK);
        bool aligned = pen_cuda_aligned(o->grad, 16) && pen_update::are_aligned({o->param, o->state1, o->state2});
        PEN_LAUNCH((optimiser_k<RULE>), (unsigned)(blocks < BLOCKS ? blocks : BLOCKS), PEN_CUDA_BLOCK, 0,
                   pen_cuda_stream(exec), *o, aligned);
        PEN_CUDA_LAUNCHED("optimiser", err);
        return PEN_OK;
    }
};

} // namespace

extern "C" pen_status pen_optimiser_cuda(struct pen_exec *exec, const struct pen_optimiser *o, struct pen_error *err)
{
    if (o->n < 0) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "optimiser: expected n >= 0, found %lld", (long long)o->n);
    }
    return o->n == 0 ? PEN_OK : pen_update::dispatch(o->rule.kind, o->state1, launch{exec, o, err});
}
