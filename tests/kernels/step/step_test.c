/* The scale of a clipped gradient, worked out by hand. */
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/op_cases.h"
#include "tests/pen_test.h"

#include <math.h>

PEN_OP_CASE(clip_norm, step);

static void a_gradient_is_scaled_to_the_limit_or_left(void)
{
    static const struct {
        double squared_norm, limit, scale;
    } cases[] = {{25, 2, 0.4}, {25, 5, 1}, {25, 7, 1}, {0, 1, 1}, {(double)INFINITY, 1, 1}, {(double)NAN, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_step_sums sums = {.loss = 3, .n_diverged = 2, .squared_norm = cases[i].squared_norm};
        struct pen_clip_norm clip = {cases[i].limit, &sums};
        struct pen_mirror m = PEN_MIRROR_INIT;
        PEN_MIRROR_INOUT(&m, clip.sums, 1);
        PEN_CHECK_OK(m.exec->kernels->clip_norm(m.exec, &clip, &err), &err);
        pen_mirror_end(&m);
        PEN_CHECK_NEAR(sums.grad_scale, cases[i].scale, 4e-16 * cases[i].scale);
        PEN_CHECK_EQ_F64(sums.squared_norm, 0);
        PEN_CHECK_EQ_F64(sums.loss, 3);
        PEN_CHECK_EQ_I64(sums.n_diverged, 2);
    }
}

static void a_limit_of_nothing_is_refused(void)
{
    struct pen_exec *exec = pen_test_exec();
    struct pen_clip_norm none = {.limit = 0}, odd = {.limit = (double)NAN};
    PEN_CHECK_STATUS(exec->kernels->clip_norm(exec, &none, NULL), PEN_ERR_SHAPE);
    PEN_CHECK_STATUS(exec->kernels->clip_norm(exec, &odd, NULL), PEN_ERR_SHAPE);
}

PEN_SUITE(step, PEN_CASE(a_gradient_is_scaled_to_the_limit_or_left), PEN_CASE(a_limit_of_nothing_is_refused));
