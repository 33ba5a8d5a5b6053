/* Work that is the same every time, as a CUDA graph.
 *
 * The first run is an ordinary one: it sizes the workspace, lets the libraries choose their algorithms and counts what
 * is staged. The second is captured, and launched from then on. A workspace that has moved since (an op outside of the
 * recording wanted more) makes the next run a first one again. */
#include "kernels/cuda/exec.cuh"

#include "core/memory.h"

struct pen_recording {
    size_t staged_bytes;
    struct pen_cuda_stage_area stage; /* what the replays copy */
    void *workspace;                  /* where it was in the run before */
    bool has_run;
    cudaGraphExec_t graph; /* NULL: not captured */
};

static pen_status run_first(struct pen_cuda_exec *own, struct pen_recording *r, pen_repeated_fn *work, void *context,
                            struct pen_error *err)
{
    size_t before = own->staged_bytes;
    PEN_TRY(work(context, err));
    r->staged_bytes = own->staged_bytes - before;
    r->workspace = own->workspace;
    r->has_run = true;
    return PEN_OK;
}

static pen_status instantiate(struct pen_recording *r, cudaGraph_t graph, struct pen_error *err)
{
    PEN_CUDA(err, cudaGraphInstantiate(&r->graph, graph, 0));
    return PEN_OK;
}

static pen_status capture(struct pen_cuda_exec *own, struct pen_recording *r, pen_repeated_fn *work, void *context,
                          struct pen_error *err)
{
    void *memory = NULL;
    if (r->stage.memory == NULL && r->staged_bytes > 0) {
        PEN_CUDA(err, cudaMallocHost(&memory, r->staged_bytes));
        r->stage = {static_cast<char *>(memory), r->staged_bytes, 0};
    }
    PEN_CUDA(err, cudaStreamBeginCapture(own->stream, cudaStreamCaptureModeThreadLocal));
    own->recorded_stage = &r->stage;
    pen_status status = work(context, err);
    own->recorded_stage = NULL;
    cudaGraph_t graph = NULL;
    cudaError_t ended = cudaStreamEndCapture(own->stream, &graph); /* in any case: the stream must leave the capture */
    if (status == PEN_OK && ended != cudaSuccess) {
        PEN_FAIL(err, PEN_ERR_DEVICE, "%s: cannot record a step: %s", own->name, cudaGetErrorString(ended));
    }
    if (status == PEN_OK) {
        status = instantiate(r, graph, err);
    }
    if (graph != NULL) {
        (void)cudaGraphDestroy(graph);
    }
    return status;
}

static void drop_graph(struct pen_recording *r)
{
    if (r->graph != NULL) {
        (void)cudaGraphExecDestroy(r->graph);
    }
    (void)cudaFreeHost(r->stage.memory);
    r->stage = {NULL, 0, 0};
    r->graph = NULL;
    r->has_run = false;
}

pen_status pen_cuda_repeat(struct pen_exec *exec, struct pen_recording **recording, pen_repeated_fn *work,
                           void *context, struct pen_error *err)
{
    struct pen_cuda_exec *own = pen_cuda_exec_of(exec);
    if (*recording == NULL) {
        *recording = static_cast<struct pen_recording *>(pen_calloc(1, sizeof(struct pen_recording)));
        if (*recording == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: recording a step");
        }
    }
    struct pen_recording *r = *recording;
    if (r->has_run && r->workspace != own->workspace) {
        PEN_TRY(pen_cuda_wait(exec, err));
        drop_graph(r);
    }
    if (!r->has_run) {
        return run_first(own, r, work, context, err);
    }
    if (r->graph == NULL) {
        PEN_TRY(capture(own, r, work, context, err));
    }
    PEN_CUDA(err, cudaGraphLaunch(r->graph, own->stream));
    return PEN_OK;
}

void pen_cuda_forget(struct pen_exec *exec, struct pen_recording *recording)
{
    (void)cudaStreamSynchronize(pen_cuda_stream(exec)); /* a launch may still read what it stages */
    drop_graph(recording);
    pen_free(recording);
}
