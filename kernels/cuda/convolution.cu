/* Convolutions by cuDNN's graph API (its C interface): one operation, the algorithms that the library's heuristics
 * propose for it, and of these the first that is let in and that the library can make a plan of.
 *
 * The positions are an image of one column, channels last: x [1, E, P, 1], filters [F, E, w, 1], y [1, F, P - w + 1,
 * 1], with strides that leave each of them as it lies in memory. */
#include "kernels/cuda/convolution.cuh"

#include "core/memory.h"

#include <cudnn.h>

#include <string.h>
#include <type_traits>

#define PEN_CUDNN(err, call)                                                                       \
    do {                                                                                           \
        cudnnStatus_t pen_cudnn_status_ = (call);                                                  \
        if (pen_cudnn_status_ != CUDNN_STATUS_SUCCESS) {                                           \
            (void)pen_error_set((err), __FILE__, __LINE__, PEN_ERR_DEVICE, "cuDNN: %s: %s", #call, \
                                cudnnGetErrorString(pen_cudnn_status_));                           \
            return PEN_ERR_DEVICE;                                                                 \
        }                                                                                          \
    } while (0)

static constexpr int MOST_PLANS = 128, MOST_PROPOSALS = 8, MOST_OWNED = 8 + 3 * MOST_PROPOSALS;

enum tensor_id : int64_t { TENSOR_X = 1, TENSOR_FILTERS, TENSOR_Y };

/* Of one shape. */
struct plan {
    struct pen_cuda_convolution shape;
    cudnnBackendDescriptor_t execution; /* NULL: nothing that is let in */
    int64_t scratch_bytes;
    cudnnBackendDescriptor_t owned[MOST_OWNED];
    int n_owned;
};

struct pen_cuda_convolutions {
    cudnnHandle_t handle;
    struct plan plans[MOST_PLANS];
    int n_plans, oldest; /* when all are taken, the oldest makes room */
};

int pen_cuda_convolutions_version(void)
{
    return (int)cudnnGetVersion();
}

static void drop_plan(struct plan *p)
{
    while (p->n_owned > 0) {
        (void)cudnnBackendDestroyDescriptor(p->owned[--p->n_owned]);
    }
    *p = {};
}

void pen_cuda_convolutions_destroy(struct pen_cuda_convolutions *convolutions)
{
    if (convolutions == NULL) {
        return;
    }
    for (int i = 0; i < convolutions->n_plans; i++) {
        drop_plan(&convolutions->plans[i]);
    }
    if (convolutions->handle != NULL) {
        (void)cudnnDestroy(convolutions->handle);
    }
    pen_free(convolutions);
}

static pen_status convolutions_of(struct pen_cuda_convolutions **convolutions, struct pen_exec *exec,
                                  struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (own->convolutions == NULL) {
        own->convolutions = static_cast<struct pen_cuda_convolutions *>(pen_calloc(1, sizeof *own->convolutions));
        if (own->convolutions == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: convolutions on %s", exec->name);
        }
    }
    *convolutions = own->convolutions;
    if ((*convolutions)->handle == NULL) {
        PEN_CUDNN(err, cudnnCreate(&(*convolutions)->handle));
        PEN_CUDNN(err, cudnnSetStream((*convolutions)->handle, own->stream));
    }
    return PEN_OK;
}

/* ---- descriptors ---- */

/* The plan's, released with it. */
static pen_status create(struct plan *p, cudnnBackendDescriptor_t *made, cudnnBackendDescriptorType_t type,
                         struct pen_error *err)
{
    PEN_ASSERT(p->n_owned < MOST_OWNED);
    PEN_CUDNN(err, cudnnBackendCreateDescriptor(type, made));
    p->owned[p->n_owned++] = *made;
    return PEN_OK;
}

/* A value, or an array of them. */
template <class T>
static pen_status set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                      const T &value, struct pen_error *err)
{
    constexpr size_t n = std::extent<T>::value;
    PEN_CUDNN(err, cudnnBackendSetAttribute(d, name, type, n > 0 ? (int64_t)n : 1, &value));
    return PEN_OK;
}

static pen_status make_tensor(struct plan *p, cudnnBackendDescriptor_t *tensor, int64_t id, const int64_t (&dims)[4],
                              struct pen_error *err)
{
    const int64_t strides[4] = {dims[1] * dims[2], 1, dims[1], dims[1]}, alignment = 16;
    PEN_TRY(create(p, tensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR, err));
    PEN_TRY(set(*tensor, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT, err));
    PEN_TRY(set(*tensor, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dims, err));
    PEN_TRY(set(*tensor, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides, err));
    PEN_TRY(set(*tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id, err));
    PEN_TRY(set(*tensor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, alignment, err));
    PEN_CUDNN(err, cudnnBackendFinalize(*tensor));
    return PEN_OK;
}

/* What kind of convolution it is: windows at every position, none beyond the ends. */
static pen_status make_kind(struct plan *p, cudnnBackendDescriptor_t *kind, struct pen_error *err)
{
    const int64_t ones[2] = {1, 1}, zeros[2] = {0, 0}, n_axes = 2;
    PEN_TRY(create(p, kind, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, n_axes, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, ones, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, ones, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, zeros, err));
    PEN_TRY(set(*kind, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, zeros, err));
    PEN_CUDNN(err, cudnnBackendFinalize(*kind));
    return PEN_OK;
}

static pen_status make_operation(struct plan *p, cudnnBackendDescriptor_t *operation, struct pen_error *err)
{
    const struct pen_cuda_convolution *s = &p->shape;
    const int64_t of_x[4] = {1, s->dim, s->n_positions, 1}, of_filters[4] = {s->n_filters, s->dim, s->width, 1};
    const int64_t of_y[4] = {1, s->n_filters, s->n_positions - s->width + 1, 1};
    const float one = 1, zero = 0;
    cudnnBackendDescriptor_t x, filters, y, kind;
    PEN_TRY(make_tensor(p, &x, TENSOR_X, of_x, err));
    PEN_TRY(make_tensor(p, &filters, TENSOR_FILTERS, of_filters, err));
    PEN_TRY(make_tensor(p, &y, TENSOR_Y, of_y, err));
    PEN_TRY(make_kind(p, &kind, err));
    PEN_TRY(create(p, operation, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, err));
    const struct {
        cudnnBackendAttributeName_t name;
        cudnnBackendDescriptor_t value;
    } parts[] = {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, kind},
                 {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x},
                 {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, filters},
                 {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y}};
    for (const auto &part : parts) {
        PEN_TRY(set(*operation, part.name, CUDNN_TYPE_BACKEND_DESCRIPTOR, part.value, err));
    }
    PEN_TRY(set(*operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, one, err));
    PEN_TRY(set(*operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, zero, err));
    PEN_CUDNN(err, cudnnBackendFinalize(*operation));
    return PEN_OK;
}

/* ---- plans ---- */

/* On tensor cores; no noise, no rounding but to tf32, no window that another one reaches into. */
static pen_status is_let_in(bool *right, struct plan *p, cudnnBackendDescriptor_t proposal, struct pen_error *err)
{
    cudnnBackendDescriptor_t engine;
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t n_engines = 0, n_notes = 0;
    PEN_TRY(create(p, &engine, CUDNN_BACKEND_ENGINE_DESCRIPTOR, err));
    PEN_CUDNN(err, cudnnBackendGetAttribute(proposal, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                            &n_engines, &engine));
    PEN_CUDNN(err, cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                            CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n_notes, notes));
    bool fast = false, plain = true;
    for (int64_t i = 0; i < n_notes; i++) {
        fast = fast || notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
        plain =
            plain && (notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE || notes[i] == CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP);
    }
    *right = fast && plain;
    return PEN_OK;
}

/* Leaves p->execution NULL where the library can not. */
static pen_status try_proposal(struct plan *p, cudnnHandle_t handle, cudnnBackendDescriptor_t proposal,
                               struct pen_error *err)
{
    cudnnBackendDescriptor_t made;
    int64_t n = 0;
    PEN_TRY(create(p, &made, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, err));
    PEN_TRY(set(made, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle, err));
    PEN_TRY(set(made, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, proposal, err));
    if (cudnnBackendFinalize(made) == CUDNN_STATUS_SUCCESS) {
        PEN_CUDNN(err, cudnnBackendGetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
                                                &p->scratch_bytes));
        p->execution = made;
    }
    return PEN_OK;
}

static pen_status ask(struct plan *p, cudnnHandle_t handle, struct pen_error *err)
{
    cudnnBackendDescriptor_t operation, graph, heuristics, proposals[MOST_PROPOSALS];
    int64_t n = 0;
    PEN_TRY(make_operation(p, &operation, err));
    PEN_TRY(create(p, &graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, err));
    PEN_TRY(set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle, err));
    PEN_TRY(set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operation, err));
    PEN_CUDNN(err, cudnnBackendFinalize(graph));
    PEN_TRY(create(p, &heuristics, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, err));
    PEN_TRY(set(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph, err));
    PEN_TRY(set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A, err));
    if (cudnnBackendFinalize(heuristics) != CUDNN_STATUS_SUCCESS) {
        return PEN_OK; /* it knows nothing for the shape */
    }
    for (cudnnBackendDescriptor_t &proposal : proposals) {
        PEN_TRY(create(p, &proposal, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, err));
    }
    PEN_CUDNN(err, cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                            MOST_PROPOSALS, &n, proposals));
    for (int64_t i = 0; i < n && p->execution == NULL; i++) {
        bool right = false;
        PEN_TRY(is_let_in(&right, p, proposals[i], err));
        if (right) {
            PEN_TRY(try_proposal(p, handle, proposals[i], err));
        }
    }
    return PEN_OK;
}

static pen_status plan_for(struct plan **plan, struct pen_cuda_convolutions *convolutions,
                           const struct pen_cuda_convolution *shape, struct pen_error *err)
{
    for (int i = 0; i < convolutions->n_plans; i++) {
        if (memcmp(&convolutions->plans[i].shape, shape, sizeof *shape) == 0) {
            *plan = &convolutions->plans[i];
            return PEN_OK;
        }
    }
    struct plan made = {};
    made.shape = *shape;
    pen_status status = ask(&made, convolutions->handle, err);
    if (status != PEN_OK) {
        drop_plan(&made);
        return status;
    }
    int place = convolutions->n_plans;
    if (place == MOST_PLANS) {
        place = convolutions->oldest;
        convolutions->oldest = (place + 1) % MOST_PLANS;
        drop_plan(&convolutions->plans[place]);
    } else {
        convolutions->n_plans++;
    }
    convolutions->plans[place] = made;
    *plan = &convolutions->plans[place];
    return PEN_OK;
}

pen_status pen_cuda_convolution_plan(struct pen_exec *exec, int64_t *scratch_bytes,
                                     const struct pen_cuda_convolution *shape, struct pen_error *err)
{
    struct pen_cuda_convolutions *convolutions = NULL;
    struct plan *plan = NULL;
    const int64_t wider = shape->dim > shape->n_filters ? shape->dim : shape->n_filters;
    *scratch_bytes = -1;
    const bool whole = shape->dim > 0 && shape->n_filters > 0 && shape->dim % 4 == 0 && shape->n_filters % 4 == 0;
    if (!whole || shape->n_positions < shape->width || shape->n_positions > INT32_MAX / wider) {
        return PEN_OK;
    }
    PEN_TRY(convolutions_of(&convolutions, exec, err));
    PEN_TRY(plan_for(&plan, convolutions, shape, err));
    *scratch_bytes = plan->execution != NULL ? plan->scratch_bytes : -1;
    return PEN_OK;
}

static pen_status execute(cudnnHandle_t handle, const struct plan *plan, cudnnBackendDescriptor_t pack,
                          void *const (&places)[3], void *scratch, struct pen_error *err)
{
    const int64_t ids[3] = {TENSOR_X, TENSOR_FILTERS, TENSOR_Y};
    PEN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids, err));
    PEN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, places, err));
    PEN_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, scratch, err));
    PEN_CUDNN(err, cudnnBackendFinalize(pack));
    PEN_CUDNN(err, cudnnBackendExecute(handle, plan->execution, pack));
    return PEN_OK;
}

pen_status pen_cuda_convolve(struct pen_exec *exec, float *y, const float *x, const float *filters, void *scratch,
                             const struct pen_cuda_convolution *shape, struct pen_error *err)
{
    struct pen_cuda_convolutions *convolutions = NULL;
    struct plan *plan = NULL;
    cudnnBackendDescriptor_t pack = NULL;
    PEN_TRY(convolutions_of(&convolutions, exec, err));
    PEN_TRY(plan_for(&plan, convolutions, shape, err));
    PEN_ASSERT(plan->execution != NULL);
    void *const places[3] = {const_cast<float *>(x), const_cast<float *>(filters), y};
    PEN_CUDNN(err, cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    pen_status status = execute(convolutions->handle, plan, pack, places, scratch, err);
    (void)cudnnBackendDestroyDescriptor(pack);
    return status;
}
