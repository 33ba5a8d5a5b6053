/* The evaluator: buffers, constants, binding of columns, the loop over tiles. */
#include "components/transform/evaluate.h"

#include <math.h>
#include <string.h>

static pen_status make_device_slots(struct pen_evaluator *e, struct pen_error *err)
{
    PEN_DEVICE_ALLOC(e->exec, e->device_slots, (e->program->n_slots + 1) * e->tile_rows * PEN_SLOT_ITEM_BYTES,
                     "values of a transform", err);
    return PEN_OK;
}

pen_status pen_evaluator_init(struct pen_evaluator *e, const struct pen_transform_graph *graph,
                              const struct pen_program *program, struct pen_exec *exec, int64_t tile_rows,
                              struct pen_error *err)
{
    *e = (struct pen_evaluator){.graph = graph, .program = program, .exec = exec, .tile_rows = tile_rows};
    e->values = pen_calloc(graph->n_nodes + 1, sizeof *e->values);
    e->caches = pen_calloc(graph->n_nodes + 1, sizeof *e->caches);
    e->slots = pen_malloc(program->n_slots + 1, (size_t)tile_rows * PEN_SLOT_ITEM_BYTES);
    e->tables = pen_calloc(graph->n_nodes + 1, sizeof(*e->tables));
    e->uploading = pen_calloc(program->n_slots + 1, sizeof *e->uploading);
    e->columns = pen_calloc(graph->n_inputs + 1, sizeof *e->columns);
    e->column_entries = pen_calloc(graph->n_inputs + 1, sizeof *e->column_entries);
    if (e->values == NULL || e->caches == NULL || e->slots == NULL || e->columns == NULL || e->column_entries == NULL ||
        e->tables == NULL || e->uploading == NULL) {
        pen_evaluator_deinit(e);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: evaluating a transform of %lld nodes", (long long)graph->n_nodes);
    }
    pen_status status = pen_exec_is_apart(exec) ? make_device_slots(e, err) : PEN_OK;
    if (status != PEN_OK) {
        pen_evaluator_deinit(e);
    }
    return status;
}

static void free_cache(struct pen_cache *cache)
{
    if (cache != NULL) {
        pen_free(cache->known);
        pen_free(cache->table);
        pen_free(cache->starts);
        pen_free(cache->sizes);
        pen_free(cache->bytes);
        pen_free(cache->item_starts);
        pen_free(cache->item_sizes);
        pen_free(cache->ids);
        pen_free(cache->places);
        pen_free(cache->todo);
        pen_key_map_deinit(&cache->keys);
        pen_free(cache);
    }
}

void pen_evaluator_deinit(struct pen_evaluator *e)
{
    for (int64_t i = 0; e->caches != NULL && i < e->graph->n_nodes; i++) {
        free_cache(e->caches[i]);
    }
    for (int64_t i = 0; e->tables != NULL && i < e->graph->n_nodes; i++) {
        pen_device_release(e->exec, e->tables[i]);
    }
    pen_device_release(e->exec, e->device_slots);
    pen_free(e->tables);
    pen_free(e->uploading);
    pen_free(e->values);
    pen_free(e->caches);
    pen_free(e->slots);
    pen_free(e->columns);
    pen_free(e->column_entries);
    *e = (struct pen_evaluator){0};
}

pen_status pen_evaluator_cache(struct pen_evaluator *e, int32_t node, struct pen_cache **cache, struct pen_error *err)
{
    if (e->caches[node] == NULL) {
        PEN_ALLOC(e->caches[node], 1, err);
        e->caches[node]->source_generation[0] = -1;
    }
    *cache = e->caches[node];
    return PEN_OK;
}

void pen_cache_refresh(struct pen_evaluator *e, struct pen_cache *cache, int64_t generation_a, int64_t generation_b)
{
    int64_t held = cache->n_bytes + 12 * cache->n_items + 24 * cache->keys.n_keys;
    if (cache->source_generation[0] == generation_a && cache->source_generation[1] == generation_b &&
        held <= PEN_EVALUATOR_CACHE_BYTES) {
        return;
    }
    cache->source_generation[0] = generation_a;
    cache->source_generation[1] = generation_b;
    if (cache->known != NULL) {
        memset(cache->known, 0, (size_t)cache->n_clear);
    }
    cache->n_clear = 0;
    cache->n_bytes = 0;
    cache->n_items = 0;
    pen_key_map_clear(&cache->keys);
    cache->entries.n_entries = 0;
    cache->entries.generation = ++e->generation;
    cache->lists.generation = e->generation;
}

/* ---- constants ---- */

static pen_status constant_string(struct pen_evaluator *e, int32_t index, const char *text, size_t size,
                                  struct pen_error *err)
{
    struct pen_cache *cache = NULL;
    PEN_TRY(pen_evaluator_cache(e, index, &cache, err));
    PEN_TRY(pen_grow((void **)&cache->starts, &cache->starts_capacity, 2, sizeof *cache->starts, err));
    cache->starts[0] = 0;
    cache->starts[1] = (int64_t)size;
    cache->entries = (struct pen_entries){
        .n_entries = 1, .starts = cache->starts, .bytes = text == NULL ? "" : text, .generation = ++e->generation};
    int32_t *codes = pen_evaluator_slot(e, index);
    for (int64_t i = 0; i < e->tile_rows; i++) {
        codes[i] = text == NULL ? -1 : 0;
    }
    e->values[index].entries = &cache->entries;
    return PEN_OK;
}

static pen_status write_constant(struct pen_evaluator *e, int32_t index, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    const struct pen_analysis *found = node->analysis >= 0 ? &e->graph->analyses[node->analysis] : NULL;
    void *slot = pen_evaluator_slot(e, index);
    e->values[index].data = slot;
    int64_t integer = found != NULL ? found->integer : node->integer[0];
    double number = found != NULL ? found->number[0] : node->number[0];
    switch ((int)node->type) {
    case PEN_VALUE_INT:
        for (int64_t i = 0; i < e->tile_rows; i++) {
            ((int64_t *)slot)[i] = integer;
        }
        return PEN_OK;
    case PEN_VALUE_FLOAT:
        for (int64_t i = 0; i < e->tile_rows; i++) {
            ((double *)slot)[i] = number;
        }
        return PEN_OK;
    case PEN_VALUE_BOOL:
        memset(slot, (int)integer, (size_t)e->tile_rows);
        return PEN_OK;
    default: {
        const char *text = found != NULL ? found->text : node->text;
        size_t size = found == NULL ? node->text_bytes : found->text == NULL ? 0 : strlen(found->text);
        return constant_string(e, index, text, size, err);
    }
    }
}

/* ---- running ---- */

/* The arguments where the node runs, and its slot ready there. */
static pen_status bring_arguments(struct pen_evaluator *e, int32_t index, int64_t n, struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    int32_t slot = e->program->slots[index];
    bool on_device = pen_evaluator_runs_apart(e, index);
    for (int i = 0; i < node->n_arguments; i++) {
        PEN_TRY(pen_evaluator_bring(e, node->arguments[i], on_device, n, err));
    }
    if (slot < 0) {
        return PEN_OK;
    }
    if (!on_device && e->uploading[slot]) {
        PEN_TRY(pen_evaluator_settle(e, err));
    }
    void *values = pen_evaluator_slot(e, index);
    e->values[index].data = on_device ? NULL : values;
    e->values[index].device = on_device ? values : NULL;
    return PEN_OK;
}

static pen_status evaluate_step(struct pen_evaluator *e, int32_t index, int64_t first_row, int64_t n,
                                struct pen_error *err)
{
    const struct pen_node *node = &e->graph->nodes[index];
    if (pen_node_is_constant(node->op)) {
        return PEN_OK;
    }
    if (node->type == PEN_VALUE_DENSE) {
        e->values[index] = e->values[node->arguments[0]];
        return PEN_OK;
    }
    PEN_TRY(bring_arguments(e, index, n, err));
    switch ((int)node->op) {
    case PEN_NODE_COLUMN:
        return pen_evaluate_column(e, index, first_row, n, err);
    case PEN_NODE_TO_STRING:
    case PEN_NODE_JOIN:
        return pen_evaluate_made_string(e, index, n, err);
    case PEN_NODE_IF:
    case PEN_NODE_FILL:
        return node->type == PEN_VALUE_STRING ? pen_evaluate_made_string(e, index, n, err)
                                              : pen_evaluate_number(e, index, n, err);
    default:
        break;
    }
    enum pen_value_type first = e->graph->nodes[node->arguments[0]].type;
    bool entrywise =
        (first == PEN_VALUE_STRING && node->op != PEN_NODE_IS_MISSING && node->op != PEN_NODE_COMPARE_STRING) ||
        first == PEN_VALUE_TOKENS;
    return entrywise ? pen_evaluate_string(e, index, n, err) : pen_evaluate_number(e, index, n, err);
}

static pen_status bind(struct pen_evaluator *e, const struct pen_batch *batch, struct pen_error *err)
{
    const struct pen_transform_graph *graph = e->graph;
    for (int64_t s = 0; s < e->program->n_steps; s++) {
        const struct pen_node *node = &graph->nodes[e->program->steps[s].node];
        if (node->op != PEN_NODE_COLUMN || e->program->steps[s].sink >= 0) {
            continue;
        }
        const struct pen_transform_input *input = &graph->inputs[node->input];
        int64_t at = pen_batch_find(batch, input->name);
        if (at < 0 && !input->fillable) {
            PEN_FAIL(err, PEN_ERR_DATA, "transform: expected a column '%.100s' of type %s, found none by that name",
                     input->name, pen_type_name(input->type));
        }
        const struct pen_column *column = at < 0 ? NULL : &batch->columns[at];
        e->columns[node->input] = column;
        struct pen_entries *entries = &e->column_entries[node->input];
        if (column != NULL && column->type == PEN_TYPE_CODES) {
            int64_t generation =
                entries->generation > 0 && e->keep_dictionaries ? entries->generation : ++e->generation;
            *entries = (struct pen_entries){.n_entries = column->dictionary->n_entries,
                                            .starts = column->dictionary->offsets,
                                            .bytes = column->dictionary->bytes,
                                            .generation = generation};
        }
    }
    return PEN_OK;
}

static pen_status run_tile(struct pen_evaluator *e, int64_t first, int64_t n, struct pen_error *err)
{
    for (int64_t s = 0; s < e->program->n_steps; s++) {
        const struct pen_step *step = &e->program->steps[s];
        if (step->sink >= 0) {
            PEN_TRY(e->sink(e, step->sink, step->node, first, n, err));
        } else {
            PEN_TRY(evaluate_step(e, step->node, first, n, err));
        }
    }
    return e->tile_done == NULL ? PEN_OK : e->tile_done(e, first, n, err);
}

pen_status pen_evaluator_run(struct pen_evaluator *e, const struct pen_batch *batch, struct pen_error *err)
{
    if (!e->constants_ready) {
        for (int64_t s = 0; s < e->program->n_steps; s++) {
            int32_t node = e->program->steps[s].node;
            if (e->program->steps[s].sink < 0 && pen_node_is_constant(e->graph->nodes[node].op)) {
                PEN_TRY(write_constant(e, node, err));
            }
        }
        e->constants_ready = true;
    }
    PEN_TRY(bind(e, batch, err));
    pen_status status = PEN_OK;
    for (int64_t first = 0; first < batch->n_rows && status == PEN_OK; first += e->tile_rows) {
        status = run_tile(e, first, batch->n_rows - first < e->tile_rows ? batch->n_rows - first : e->tile_rows, err);
    }
    pen_status settled = pen_evaluator_settle(e, status == PEN_OK ? err : NULL); /* the batch is the caller's again */
    return status != PEN_OK ? status : settled;
}

void pen_transform_slice(const struct pen_batch *batch, int64_t first, int64_t n, struct pen_column *columns,
                         struct pen_batch *out)
{
    for (int64_t i = 0; i < batch->n_columns; i++) {
        struct pen_column c = batch->columns[i];
        c.n_rows = n;
        c.values = c.values == NULL ? NULL : (const char *)c.values + (size_t)first * pen_type_size(c.type);
        c.validity = c.validity == NULL ? NULL : c.validity + first / 8;
        c.offsets = c.offsets == NULL ? NULL : c.offsets + first;
        columns[i] = c;
    }
    *out = *batch;
    out->n_rows = n;
    out->first_row = batch->first_row + first;
    out->columns = columns;
}
