/* Transform on a device that runs out of memory, at every allocation there is: an error that says what was wanted
 * where, and nothing left behind. */
#include "tests/components/transform/rows.h"
#include "tests/kernels/mirror.h"
#include "tests/shim/shim.h"

static pen_status analyze_and_apply(struct pen_error *err)
{
    static const char *const features[] = {"zscore(x)", "mean(x, by: s)", "bucketize(x * 2 + 1, 3)", "onehot(s)",
                                           "multihot(tokens(t))"};
    struct pen_transform_graph *graph = NULL;
    struct pen_transform_scratch *scratch = NULL;
    struct pen_tensor_batch out;
    PEN_TRY(pen_test_compile_rows(&graph, features, 5, pen_test_rows(), 1, err));
    pen_status status = pen_transform_scratch_create(&scratch, graph, err);
    if (status == PEN_OK) {
        status = pen_transform_apply(graph, pen_test_exec(), pen_test_rows(), false, scratch, &out, err);
    }
    pen_transform_scratch_destroy(scratch);
    pen_transform_destroy(graph);
    return status;
}

static void every_shortage_is_told_and_leaves_nothing(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    int n_failed = 0;
    pen_status status = PEN_ERR_MEMORY;
    PEN_REQUIRE_OK(analyze_and_apply(&err), &err); /* what the exec keeps is there now */
    size_t before = pen_shim_live_bytes();
    int64_t n_buffers = pen_shim_live_buffers();
    for (size_t bytes = before; status != PEN_OK && n_failed < 1000;
         bytes += bytes == before ? 16 : (bytes - before) / 8 + 16) {
        struct pen_error own = PEN_ERROR_INIT;
        pen_shim_set_memory(bytes);
        status = analyze_and_apply(&own);
        PEN_CHECK(status == PEN_OK || status == PEN_ERR_MEMORY);
        PEN_CHECK_MSG(status == PEN_OK || strstr(own.message, "out of memory on cuda:0: ") != NULL, "%s", own.message);
        PEN_CHECK_EQ_I64(pen_shim_live_buffers(), n_buffers);
        n_failed += status != PEN_OK;
    }
    pen_shim_set_memory((size_t)8 << 30);
    PEN_CHECK(status == PEN_OK && n_failed > 10);
}

PEN_SUITE(transform_memory, PEN_CASE(every_shortage_is_told_and_leaves_nothing));
