/* Stands for cuDNN: one convolution of include/cudnn.h's graph API, in the order of the stream.
 *
 * A descriptor holds attributes of its kind, each of a type and a number of values; it is used once it is whole and
 * final, and says no otherwise, as the library does. Five engines are proposed, only the last of which is fit:
 * the first is without tensor cores, the second not the same twice, the third mixes windows (all three give NaN here),
 * of the fourth no plan can be made. Where filters are no multiple of eight there is none at all. Sums are float64,
 * factors rounded to tf32. */
#include "tests/shim/doubles/rounded.h"
#include "tests/shim/shim.h"

#include <cudnn.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

struct cudnnContext {
    cudaStream_t stream;
};

namespace
{

constexpr int64_t SCRATCH_BYTES = 768, ANY = -1;
enum engine : int {
    ENGINE_NONE = -1,
    ENGINE_PLAIN,
    ENGINE_NOISY,
    ENGINE_WINOGRAD,
    ENGINE_WITHOUT_PLAN,
    ENGINE_FIT,
    N_ENGINES
};

/* What an operation comes to; copied along from it to the plan. */
struct convolution {
    int64_t n_positions, dim, width, n_filters;
    int64_t id_x, id_filters, id_y;
};

struct descriptor {
    cudnnBackendDescriptorType_t kind;
    bool final;
    std::map<int, std::vector<char>> values;
    convolution what;
    int engine;
};

struct attribute {
    cudnnBackendDescriptorType_t kind;
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t n;
};

/* All that a user sets: each is required. */
constexpr attribute attributes[] = {
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2},
    {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
     CUDNN_TYPE_FLOAT, 1},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
     CUDNN_TYPE_FLOAT, 1},
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1},
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1},
    {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1},
    {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1},
    {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
     1},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ANY},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, ANY},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1}};

size_t size_of(cudnnBackendAttributeType_t type)
{
    bool narrow = type == CUDNN_TYPE_DATA_TYPE || type == CUDNN_TYPE_FLOAT || type == CUDNN_TYPE_CONVOLUTION_MODE ||
                  type == CUDNN_TYPE_HEUR_MODE;
    return narrow ? 4 : 8;
}

descriptor *of(cudnnBackendDescriptor_t d)
{
    return static_cast<descriptor *>(d);
}

/* The i-th value; the attribute is there. */
template <class T> T value(const descriptor *d, cudnnBackendAttributeName_t name, size_t i = 0)
{
    T found;
    std::memcpy(&found, d->values.at(name).data() + i * sizeof found, sizeof found);
    return found;
}

size_t count(const descriptor *d, cudnnBackendAttributeName_t name)
{
    return d->values.at(name).size() / sizeof(int64_t);
}

/* Another descriptor; NULL where it is of another kind or not final. */
const descriptor *part(const descriptor *d, cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t kind)
{
    const descriptor *found = of(value<cudnnBackendDescriptor_t>(d, name));
    return found != nullptr && found->kind == kind && found->final ? found : nullptr;
}

bool is_whole(const descriptor *d)
{
    bool whole = true;
    for (const attribute &a : attributes) {
        whole = whole && (a.kind != d->kind || d->values.count(a.name) == 1);
    }
    return whole;
}

int64_t dimension(const descriptor *tensor, size_t i)
{
    return value<int64_t>(tensor, CUDNN_ATTR_TENSOR_DIMENSIONS, i);
}

/* Floats in channels-last order, aligned to 16 bytes. */
bool is_tensor(const descriptor *d)
{
    const int64_t dims[] = {dimension(d, 0), dimension(d, 1), dimension(d, 2), dimension(d, 3)};
    const int64_t strides[] = {dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]};
    bool right = value<int>(d, CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_FLOAT &&
                 value<int64_t>(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) == 16 && dims[0] * strides[0] <= INT32_MAX;
    for (size_t i = 0; i < 4; i++) {
        right = right && dims[i] > 0 && value<int64_t>(d, CUDNN_ATTR_TENSOR_STRIDES, i) == strides[i];
    }
    return right;
}

bool is_plain_convolution(const descriptor *d)
{
    bool right = value<int>(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE) == CUDNN_DATA_FLOAT &&
                 value<int>(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION &&
                 value<int64_t>(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) == 2;
    for (size_t i = 0; i < 2; i++) {
        right = right && value<int64_t>(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, i) == 1 &&
                value<int64_t>(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, i) == 1 &&
                value<int64_t>(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, i) == 0 &&
                value<int64_t>(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, i) == 0;
    }
    return right;
}

bool take_operation(descriptor *d)
{
    const descriptor *kind =
        part(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const descriptor *x = part(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const descriptor *w = part(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const descriptor *y = part(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    if (kind == nullptr || x == nullptr || w == nullptr || y == nullptr) {
        return false;
    }
    d->what = {dimension(x, 2),
               dimension(x, 1),
               dimension(w, 2),
               dimension(w, 0),
               value<int64_t>(x, CUDNN_ATTR_TENSOR_UNIQUE_ID),
               value<int64_t>(w, CUDNN_ATTR_TENSOR_UNIQUE_ID),
               value<int64_t>(y, CUDNN_ATTR_TENSOR_UNIQUE_ID)};
    return dimension(x, 0) == 1 && dimension(x, 3) == 1 && dimension(w, 1) == d->what.dim && dimension(w, 3) == 1 &&
           dimension(y, 0) == 1 && dimension(y, 1) == d->what.n_filters &&
           dimension(y, 2) == d->what.n_positions - d->what.width + 1 && dimension(y, 3) == 1 &&
           value<float>(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA) == 1.0f &&
           value<float>(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA) == 0.0f;
}

/* From a part that has it. */
bool take_along(descriptor *d, cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t kind)
{
    const descriptor *from = part(d, name, kind);
    if (from != nullptr) {
        d->what = from->what;
        d->engine = from->engine;
    }
    return from != nullptr;
}

cudnnStatus_t finish(descriptor *d)
{
    bool right = true;
    switch (d->kind) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        right = is_tensor(d);
        break;
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
        right = is_plain_convolution(d);
        break;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        right = take_operation(d);
        break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        right = take_along(d, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
        break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        right = take_along(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
        if (right && (d->what.n_filters % 8 != 0)) {
            return CUDNN_STATUS_NOT_SUPPORTED;
        }
        break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        right = take_along(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (right && d->engine == ENGINE_WITHOUT_PLAN) {
            return CUDNN_STATUS_NOT_SUPPORTED;
        }
        break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        right = count(d, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS) == count(d, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
        break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        right = false; /* the library's to make */
        break;
    }
    d->final = right;
    return right ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

/* Descriptors that the library fills in, one an engine from `first` on. */
cudnnStatus_t fill(const descriptor *from, cudnnBackendDescriptorType_t kind, int first, int64_t n, void *values)
{
    for (int64_t i = 0; i < n; i++) {
        descriptor *d = of(static_cast<cudnnBackendDescriptor_t *>(values)[i]);
        if (d == nullptr || d->kind != kind || d->final) {
            return CUDNN_STATUS_BAD_PARAM;
        }
        d->what = from->what;
        d->engine = first + static_cast<int>(i);
        d->final = true;
    }
    return CUDNN_STATUS_SUCCESS;
}

std::vector<cudnnBackendNumericalNote_t> notes_of(int engine)
{
    switch (engine) {
    case ENGINE_PLAIN:
        return {};
    case ENGINE_NOISY:
        return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
    case ENGINE_WINOGRAD:
        return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_WINOGRAD};
    default:
        return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP};
    }
}

struct run {
    convolution what;
    int engine;
    const float *x, *filters;
    float *y;
};

/* What is not fit comes out as what nobody can miss. */
void compute(const run &r)
{
    pen_shim::open_memory open;
    const convolution &c = r.what;
    for (int64_t p = 0; p + c.width <= c.n_positions; p++) {
        for (int64_t f = 0; f < c.n_filters; f++) {
            double sum = 0;
            for (int64_t i = 0; i < c.width * c.dim; i++) {
                sum += rounded(r.x[p * c.dim + i], TF32_DROPPED_BITS) *
                       rounded(r.filters[f * c.width * c.dim + i], TF32_DROPPED_BITS);
            }
            r.y[p * c.n_filters + f] = r.engine == ENGINE_FIT ? static_cast<float>(sum) : NAN;
        }
    }
}

/* Where a tensor lies; NULL: not in the pack, not all of it device memory, or not aligned. */
float *place(const descriptor *pack, int64_t id, int64_t n)
{
    for (size_t i = 0; i < count(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS); i++) {
        auto *at = value<float *>(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, i);
        if (value<int64_t>(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, i) == id &&
            reinterpret_cast<uintptr_t>(at) % 16 == 0 && pen_shim::is_device(at, static_cast<size_t>(n) * sizeof *at)) {
            return at;
        }
    }
    return nullptr;
}

} // namespace

size_t cudnnGetVersion(void)
{
    return 90000;
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS         ? "CUDNN_STATUS_SUCCESS"
           : status == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                  : "CUDNN_STATUS_BAD_PARAM";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    *handle = new cudnnContext{nullptr};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    delete handle;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *made)
{
    *made = new descriptor{type, false, {}, {}, ENGINE_NONE};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d)
{
    delete of(d);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n, const void *values)
{
    for (const attribute &a : attributes) {
        bool right = a.kind == of(d)->kind && a.name == name && a.type == type && (a.n == n || (a.n == ANY && n > 0));
        if (right && !of(d)->final && values != nullptr) {
            const char *bytes = static_cast<const char *>(values);
            of(d)->values[name].assign(bytes, bytes + static_cast<size_t>(n) * size_of(type));
            return CUDNN_STATUS_SUCCESS;
        }
    }
    return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d)
{
    return of(d)->final || !is_whole(of(d)) ? CUDNN_STATUS_BAD_PARAM : finish(of(d));
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n_wanted, int64_t *n, void *values)
{
    const descriptor *from = of(d);
    bool descriptors = type == CUDNN_TYPE_BACKEND_DESCRIPTOR;
    if (!from->final) {
        return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    }
    if (from->kind == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR && name == CUDNN_ATTR_ENGINEHEUR_RESULTS && descriptors) {
        *n = n_wanted < N_ENGINES ? n_wanted : static_cast<int64_t>(N_ENGINES);
        return fill(from, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, ENGINE_PLAIN, *n, values);
    }
    if (from->kind == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR && name == CUDNN_ATTR_ENGINECFG_ENGINE && descriptors &&
        n_wanted == 1) {
        *n = 1;
        return fill(from, CUDNN_BACKEND_ENGINE_DESCRIPTOR, from->engine, 1, values);
    }
    if (from->kind == CUDNN_BACKEND_ENGINE_DESCRIPTOR && name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE &&
        type == CUDNN_TYPE_NUMERICAL_NOTE) {
        auto notes = notes_of(from->engine);
        *n = static_cast<int64_t>(notes.size());
        if (n_wanted < *n) {
            return CUDNN_STATUS_BAD_PARAM;
        }
        std::copy(notes.begin(), notes.end(), static_cast<cudnnBackendNumericalNote_t *>(values));
        return CUDNN_STATUS_SUCCESS;
    }
    if (from->kind == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR && name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE &&
        type == CUDNN_TYPE_INT64 && n_wanted == 1) {
        *n = 1;
        std::memcpy(values, &SCRATCH_BYTES, sizeof SCRATCH_BYTES);
        return CUDNN_STATUS_SUCCESS;
    }
    return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack)
{
    const descriptor *p = of(plan), *places = of(pack);
    if (handle == nullptr || handle->stream == nullptr || p->kind != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ||
        places->kind != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR || !p->final || !places->final) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    const convolution &c = p->what;
    run r = {c, p->engine, place(places, c.id_x, c.n_positions * c.dim),
             place(places, c.id_filters, c.n_filters * c.width * c.dim),
             place(places, c.id_y, (c.n_positions - c.width + 1) * c.n_filters)};
    if (r.x == nullptr || r.filters == nullptr || r.y == nullptr ||
        !pen_shim::is_device(value<void *>(places, CUDNN_ATTR_VARIANT_PACK_WORKSPACE), SCRATCH_BYTES)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    pen_shim::enqueue_call(handle->stream, [=]() { compute(r); });
    return CUDNN_STATUS_SUCCESS;
}
