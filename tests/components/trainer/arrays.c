/* Training data in arrays. */
#include "tests/components/trainer/arrays.h"

#include "core/rng.h"

#include <math.h>

static const struct pen_tensor_ids_spec ids_spec[ARRAYS_IDS] = {{"colour", ARRAYS_SINGLE, false},
                                                                {"words", ARRAYS_MANY, true}};
static const char *const dense_names[ARRAYS_DENSE] = {"a", "b", "c"};

static float label_of(enum pen_task task, double z, double noise)
{
    if (task == PEN_TASK_BINARY) {
        return z + 0.5 * noise > 0 ? 1.0f : 0.0f;
    }
    if (task == PEN_TASK_MULTICLASS) {
        return z < -0.7 ? 0.0f : z < 0.7 ? 1.0f : 2.0f;
    }
    return (float)(100 + 20 * z + noise);
}

void arrays_init(struct arrays *a, int64_t n, enum pen_task task, uint64_t seed)
{
    static const double pull[ARRAYS_DENSE] = {1, -0.7, 0.2};
    *a = (struct arrays){.n = n};
    a->dense = pen_calloc(n * ARRAYS_DENSE, sizeof(float));
    a->label = pen_calloc(n, sizeof(float));
    a->weight = pen_calloc(n, sizeof(float));
    a->single = pen_calloc(n, sizeof(int32_t));
    a->many = pen_calloc(n * 3, sizeof(int32_t));
    a->offsets = pen_calloc(n + 1, sizeof(int64_t));
    a->part_offsets = pen_calloc(n + 1, sizeof(int64_t));
    for (int64_t r = 0; r < n; r++) {
        double z = 0;
        for (int64_t j = 0; j < ARRAYS_DENSE; j++) {
            double v = pen_rng_normal(seed, 1, (uint64_t)(r * ARRAYS_DENSE + j));
            a->dense[r * ARRAYS_DENSE + j] = (float)v;
            z += pull[j] * v;
        }
        a->single[r] = (int32_t)pen_rng_below(seed, 2, (uint64_t)r, ARRAYS_SINGLE + 1) - 1;
        z += a->single[r] == 2 ? 1 : 0;
        a->offsets[r + 1] = a->offsets[r] + r % 4;
        for (int64_t i = a->offsets[r]; i < a->offsets[r + 1]; i++) {
            a->many[i] = (int32_t)pen_rng_below(seed, 3, (uint64_t)i, ARRAYS_MANY);
            z += a->many[i] == 4 ? -1 : 0;
        }
        a->label[r] = label_of(task, z, pen_rng_normal(seed, 4, (uint64_t)r));
        a->weight[r] = (float)(0.5 + pen_rng_uniform(seed, 5, (uint64_t)r));
    }
    a->ids[0] = (struct pen_tensor_ids){a->single, NULL};
    a->ids[1] = (struct pen_tensor_ids){a->many, a->offsets};
    a->spec = (struct pen_tensor_spec){.task = task,
                                       .label = "y",
                                       .n_classes = task == PEN_TASK_BINARY       ? 2
                                                    : task == PEN_TASK_MULTICLASS ? ARRAYS_CLASSES
                                                                                  : 0,
                                       .has_weight = true,
                                       .n_dense = ARRAYS_DENSE,
                                       .dense_names = dense_names,
                                       .n_ids = ARRAYS_IDS,
                                       .ids = ids_spec};
}

void arrays_deinit(struct arrays *a)
{
    pen_free(a->dense);
    pen_free(a->label);
    pen_free(a->weight);
    pen_free(a->single);
    pen_free(a->many);
    pen_free(a->offsets);
    pen_free(a->part_offsets);
}

struct pen_tensor_batch arrays_batch(const struct arrays *a)
{
    return (struct pen_tensor_batch){a->n, a->dense, a->ids, a->label, a->weight};
}

pen_status arrays_rows(const struct arrays *a, struct pen_device_rows *rows, struct pen_exec *exec,
                       struct pen_error *err)
{
    struct pen_tensor_batch batch = arrays_batch(a);
    struct pen_row_block block = {.spec = NULL};
    pen_status status = PEN_OK;
    PEN_TRY(pen_device_rows_init(rows, &a->spec, exec, err));
    PEN_TRY_GOTO(cleanup, pen_row_block_init(&block, &a->spec, err));
    PEN_TRY_GOTO(cleanup, pen_row_block_reserve(&block, a->n, err));
    for (int64_t row = 0; row < a->n; row++) {
        PEN_TRY_GOTO(cleanup, pen_row_block_append(&block, &batch, row, err));
    }
    status = pen_device_rows_take(rows, &block, err);
cleanup:
    pen_row_block_deinit(&block);
    return status;
}

static pen_status read_arrays(void *user, int64_t first, int64_t n, struct pen_tensor_batch *batch,
                              struct pen_error *err)
{
    struct arrays *a = user;
    if (first < 0 || n < 0 || first + n > a->n) {
        PEN_FAIL(err, PEN_ERR_INTERNAL, "the arrays have %lld rows", (long long)a->n);
    }
    for (int64_t row = 0; row <= n; row++) {
        a->part_offsets[row] = a->offsets[first + row] - a->offsets[first];
    }
    a->part[0] = (struct pen_tensor_ids){a->single + first, NULL};
    a->part[1] = (struct pen_tensor_ids){a->many + a->offsets[first], a->part_offsets};
    *batch =
        (struct pen_tensor_batch){n, a->dense + first * ARRAYS_DENSE, a->part, a->label + first, a->weight + first};
    return PEN_OK;
}

struct pen_examples_source arrays_source(struct arrays *a)
{
    return (struct pen_examples_source){a, a->n, &a->spec, "arrays", read_arrays};
}

struct pen_training_options arrays_options(enum pen_model_kind kind, int64_t steps)
{
    return (struct pen_training_options){
        .architecture = {.kind = kind, .n_hidden = 2, .hidden = {8, 5}, .activation = PEN_ACTIVATION_TANH},
        .update =
            {.rule = {.kind = PEN_OPTIMISER_ADAM, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
        .learning_rate = 0.01,
        .batch_size = 64,
        .steps = steps,
        .seed = 7,
        .memory_bytes = 1 << 30};
}
