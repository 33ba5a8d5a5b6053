/* Where values lie and where nodes run.
 *
 * A node that is an op of the kernels runs on the exec's device; every other node runs on the host, and so do functions
 * of strings, whose dictionaries are the host's, with the CPU's ops. On the CPU the two places are one and nothing
 * here copies. Elsewhere a value has a slot on the host and one on the device, and is copied when somebody at the other
 * place asks for it. Uploads are read from the host's slot while the host goes on; a slot that may still be read is
 * waited for before it is written again. */
#include "components/transform/evaluate.h"

#include "core/log.h"

#include <string.h>

enum { DENSE_VALUES = 4 << 20 }; /* of a segment, or of a tile on a device: 16 MiB */

bool pen_exec_is_apart(const struct pen_exec *exec)
{
    return exec->device != pen_exec_cpu()->device;
}

int64_t pen_transform_segment_rows(int64_t n_dense)
{
    int64_t fitting = DENSE_VALUES / (n_dense + 1) / 8 * 8;
    return fitting < 64 ? 64 : fitting < PEN_TRANSFORM_SEGMENT ? fitting : PEN_TRANSFORM_SEGMENT;
}

int64_t pen_transform_tile_rows(const struct pen_exec *exec, int64_t n_dense)
{
    return pen_exec_is_apart(exec) ? pen_transform_segment_rows(n_dense) : PEN_TRANSFORM_TILE;
}

bool pen_node_is_kernel(enum pen_transform_op op)
{
    switch ((int)op) {
    case PEN_NODE_MAP:
    case PEN_NODE_ZSCORE:
    case PEN_NODE_MINMAX:
    case PEN_NODE_ROBUST:
    case PEN_NODE_BUCKETIZE:
    case PEN_NODE_BUCKETS:
    case PEN_NODE_STATISTIC_BY:
        return true;
    default:
        return false;
    }
}

void pen_transform_log_places(const struct pen_transform_graph *graph, const struct pen_exec *exec)
{
    const struct pen_program *program = &graph->apply[1];
    int64_t n = 0, n_there = 0;
    for (int64_t s = 0; s < program->n_steps; s++) {
        enum pen_transform_op op = graph->nodes[program->steps[s].node].op;
        bool computes = program->steps[s].sink < 0 && op != PEN_NODE_COLUMN && !pen_node_is_constant(op);
        n += computes;
        n_there += computes && pen_node_is_kernel(op);
    }
    if (pen_exec_is_apart(exec)) {
        pen_log(PEN_LOG_INFO, "transform: %lld of %lld functions run on %s, the others on the host", (long long)n_there,
                (long long)n, exec->name);
    }
}

pen_status pen_queue_open(struct pen_exec **queue, struct pen_exec *exec, int thread, struct pen_error *err)
{
    if (thread > 0 && pen_exec_is_apart(exec)) {
        return pen_exec_create(queue, exec->name, err);
    }
    *queue = exec;
    return PEN_OK;
}

void pen_queue_close(struct pen_exec *queue, struct pen_exec *exec)
{
    if (queue != exec) {
        pen_exec_destroy(queue);
    }
}

bool pen_evaluator_runs_apart(const struct pen_evaluator *e, int32_t node)
{
    return pen_evaluator_is_apart(e) && pen_node_is_kernel(e->graph->nodes[node].op);
}

static int64_t slot_bytes(const struct pen_evaluator *e)
{
    return e->tile_rows * PEN_SLOT_ITEM_BYTES;
}

/* A view of another node's values (DENSE) has that node's slot. */
static int32_t slot_of(const struct pen_evaluator *e, int32_t node)
{
    int32_t own = e->program->slots[node];
    return own >= 0 ? own : e->program->slots[e->graph->nodes[node].arguments[0]];
}

static int64_t item_bytes(enum pen_value_type type)
{
    return type == PEN_VALUE_INT || type == PEN_VALUE_FLOAT ? 8 : type == PEN_VALUE_BOOL ? 1 : 4;
}

void *pen_evaluator_slot(const struct pen_evaluator *e, int32_t node)
{
    return (pen_evaluator_runs_apart(e, node) ? e->device_slots : e->slots) + slot_of(e, node) * slot_bytes(e);
}

const void *pen_evaluator_argument(const struct pen_evaluator *e, int32_t node, int argument)
{
    const struct pen_node *n = &e->graph->nodes[node];
    if (argument >= n->n_arguments) {
        return NULL;
    }
    const struct pen_value *value = &e->values[n->arguments[argument]];
    return pen_evaluator_runs_apart(e, node) ? value->device : value->data;
}

pen_status pen_evaluator_settle(struct pen_evaluator *e, struct pen_error *err)
{
    if (e->any_uploading) {
        PEN_TRY(pen_device_synchronise(e->exec, err));
        memset(e->uploading, 0, (size_t)e->program->n_slots);
        e->any_uploading = false;
    }
    return PEN_OK;
}

pen_status pen_evaluator_bring(struct pen_evaluator *e, int32_t node, bool to_device, int64_t n, struct pen_error *err)
{
    struct pen_value *value = &e->values[node];
    if (!pen_evaluator_is_apart(e) || (to_device ? value->device : value->data) != NULL) {
        return PEN_OK;
    }
    const struct pen_node *of = &e->graph->nodes[node];
    int32_t slot = slot_of(e, node);
    PEN_ASSERT(slot >= 0);
    /* A constant's values are written once, for all tiles. */
    int64_t n_items = pen_node_is_constant(of->op) ? e->tile_rows : n;
    size_t bytes = (size_t)(n_items * item_bytes(of->type));
    char *there = e->device_slots + slot * slot_bytes(e), *here = e->slots + slot * slot_bytes(e);
    if (to_device) {
        PEN_TRY(pen_device_upload(e->exec, there, value->data, bytes, err));
        e->uploading[slot] = 1;
        e->any_uploading = true;
        value->device = there;
        return PEN_OK;
    }
    PEN_TRY(pen_device_download(e->exec, here, value->device, bytes, err)); /* waits for uploads before it, too */
    value->data = here;
    return PEN_OK;
}

pen_status pen_evaluator_table(struct pen_evaluator *e, int32_t node, const double *host, int64_t n,
                               const double **table, struct pen_error *err)
{
    *table = host;
    if (!pen_evaluator_is_apart(e) || n == 0) {
        return PEN_OK;
    }
    if (e->tables[node] == NULL) {
        PEN_DEVICE_ALLOC(e->exec, e->tables[node], n, "a table of a transform", err);
        PEN_TRY(pen_device_upload(e->exec, e->tables[node], host, (size_t)n * sizeof *host, err));
        e->any_uploading = true;
    }
    *table = e->tables[node];
    return PEN_OK;
}
