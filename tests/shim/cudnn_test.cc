/* The double of cuDNN refuses what the library refuses, and convolution.cu takes the one engine that is fit. */
#include "kernels/backend.h"
#include "kernels/cuda/convolution.cuh"
#include "tests/pen_test.h"
#include "tests/shim/shim.h"

#include <cudnn.h>

extern "C" const struct pen_test_suite pen_suite_cudnn;
extern "C" struct pen_exec *pen_test_exec(void); /* shim_exec.cc */

namespace
{

constexpr int P = 11, E = 4, W = 3, F = 8, WINDOWS = P - W + 1;
constexpr struct pen_cuda_convolution shape = {P, E, W, F};

/* x, filters, scratch and y in four buffers of the device; values are integers that tf32 holds. */
class column
{
  public:
    column(void)
    {
        for (int i = 0; i < P * E; i++) {
            x_[i] = static_cast<float>(i * 7 % 11 - 5);
        }
        for (int i = 0; i < F * W * E; i++) {
            filters_[i] = static_cast<float>(i * 5 % 13 - 6);
        }
        (void)cudaMalloc(reinterpret_cast<void **>(&x), sizeof x_ + 16);
        (void)cudaMalloc(reinterpret_cast<void **>(&filters), sizeof filters_);
        (void)cudaMalloc(reinterpret_cast<void **>(&y), WINDOWS * F * sizeof *y);
        (void)cudaMalloc(&scratch, 768);
        PEN_CHECK_EQ_I64(pen_device_upload(exec, x, x_, sizeof x_, nullptr), PEN_OK);
        PEN_CHECK_EQ_I64(pen_device_upload(exec, filters, filters_, sizeof filters_, nullptr), PEN_OK);
    }
    ~column()
    {
        PEN_CHECK_EQ_I64(pen_device_synchronise(exec, nullptr), PEN_OK);
        for (void *memory : {static_cast<void *>(x), static_cast<void *>(filters), static_cast<void *>(y), scratch}) {
            (void)cudaFree(memory);
        }
    }
    double window(int p, int f) const
    {
        double sum = 0;
        for (int i = 0; i < W * E; i++) {
            sum += static_cast<double>(x_[p * E + i]) * static_cast<double>(filters_[f * W * E + i]);
        }
        return sum;
    }
    int64_t plan(int64_t n_positions, int64_t dim, int64_t n_filters)
    {
        const struct pen_cuda_convolution other = {n_positions, dim, W, n_filters};
        int64_t scratch_bytes = 0;
        PEN_CHECK_EQ_I64(pen_cuda_convolution_plan(exec, &scratch_bytes, &other, nullptr), PEN_OK);
        return scratch_bytes;
    }
    pen_status run(const float *from, float *to, void *room)
    {
        return pen_cuda_convolve(exec, to, from, filters, room, &shape, nullptr);
    }

    struct pen_exec *exec = pen_test_exec();
    float *x = nullptr, *filters = nullptr, *y = nullptr;
    void *scratch = nullptr;

  private:
    float x_[P * E], filters_[F * W * E];
};

void the_engine_that_is_fit_is_taken(void)
{
    column c;
    float found[WINDOWS * F];
    PEN_REQUIRE(c.plan(P, E, F) == 768);
    PEN_CHECK_EQ_I64(c.run(c.x, c.y, c.scratch), PEN_OK);
    PEN_CHECK_EQ_I64(pen_device_download(c.exec, found, c.y, sizeof found, nullptr), PEN_OK);
    for (int p = 0; p < WINDOWS; p++) {
        for (int f = 0; f < F; f++) {
            PEN_CHECK_EQ_F64(static_cast<double>(found[p * F + f]), c.window(p, f));
        }
    }
}

void shapes_that_nothing_is_there_for_have_no_plan(void)
{
    column c;
    PEN_CHECK_EQ_I64(c.plan(P, 3, F), -1);
    PEN_CHECK_EQ_I64(c.plan(P, E, 5), -1);
    PEN_CHECK_EQ_I64(c.plan(P, E, F + 4), -1); /* the library's word */
    PEN_CHECK_EQ_I64(c.plan(P, 0, F), -1);
    PEN_CHECK_EQ_I64(c.plan(W - 1, E, F), -1);
    PEN_CHECK_EQ_I64(c.plan(INT64_C(1) << 30, E, F), -1);
}

void memory_that_will_not_do_is_refused(void)
{
    column c;
    float host[P * E] = {};
    PEN_REQUIRE(c.plan(P, E, F) == 768);
    PEN_CHECK_EQ_I64(c.run(c.x + 1, c.y, c.scratch), PEN_ERR_DEVICE); /* not aligned */
    PEN_CHECK_EQ_I64(c.run(c.x + 8, c.y, c.scratch), PEN_ERR_DEVICE); /* past the end of its buffer */
    PEN_CHECK_EQ_I64(c.run(host, c.y, c.scratch), PEN_ERR_DEVICE);
    PEN_CHECK_EQ_I64(c.run(c.x, c.x, c.scratch), PEN_ERR_DEVICE); /* too small */
    PEN_CHECK_EQ_I64(c.run(c.x, c.y, c.filters), PEN_ERR_DEVICE); /* too little scratch */
}

void what_is_not_whole_is_refused(void)
{
    const int64_t dims[4] = {1, E, P, 1}, strides[4] = {P * E, 1, E, E}, id = 1, alignment = 16;
    const cudnnDataType_t floats = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t tensor = nullptr, graph = nullptr;
    (void)cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &tensor);
    (void)cudnnBackendCreateDescriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, &graph);
    auto put = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n, const void *values) {
        return cudnnBackendSetAttribute(tensor, name, type, n, values);
    };
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &floats), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(cudnnBackendFinalize(tensor), CUDNN_STATUS_BAD_PARAM); /* no alignment */
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_FLOAT, 1, &alignment), CUDNN_STATUS_BAD_PARAM);
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 3, dims), CUDNN_STATUS_BAD_PARAM);
    PEN_CHECK_EQ_I64(
        cudnnBackendSetAttribute(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &tensor),
        CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(cudnnBackendFinalize(graph), CUDNN_STATUS_BAD_PARAM); /* no handle, and no operation */
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(cudnnBackendFinalize(tensor), CUDNN_STATUS_SUCCESS);
    PEN_CHECK_EQ_I64(put(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id), CUDNN_STATUS_BAD_PARAM); /* final */
    (void)cudnnBackendDestroyDescriptor(tensor);
    (void)cudnnBackendDestroyDescriptor(graph);
}

} // namespace

PEN_SUITE(cudnn, PEN_CASE(the_engine_that_is_fit_is_taken), PEN_CASE(shapes_that_nothing_is_there_for_have_no_plan),
          PEN_CASE(memory_that_will_not_do_is_refused), PEN_CASE(what_is_not_whole_is_refused));
