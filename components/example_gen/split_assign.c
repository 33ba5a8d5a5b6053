/* Assigns rows to splits.
 *
 * The hash rules reduce SHA-256, read as one big-endian integer, modulo the number of buckets, as TFX does; rows are
 * hashed on all cores. A stratified split gives each row to the split of its class that lags most behind its share
 * (k + 1) * size / n_buckets, so that after any number of rows every class is split in proportion to within one. */
#include "components/example_gen/split_rule.h"
#include "components/example_gen/tf_example.h"
#include "core/hash.h"
#include "core/memory.h"

#include <string.h>

enum { MAX_CLASSES = 65536, MAX_STRATIFIED_SPLITS = 16, PARALLEL_ROWS = 256, HASH_PAIRS = 128 };

struct pen_split_class {
    bool used, missing;
    int64_t value;  /* code, integer, or bits of a float */
    int64_t n_rows; /* so far */
    int64_t counts[MAX_STRATIFIED_SPLITS];
};

void pen_split_rule_reset(struct pen_split_rule *rule)
{
    pen_free(rule->classes);
    rule->classes = NULL;
    rule->n_classes = rule->capacity = 0;
}

static int32_t bucket_of(const struct pen_split_rule *rule, const uint8_t digest[PEN_SHA256_BYTES])
{
    uint64_t n_buckets = (uint64_t)rule->n_buckets, rest = 0;
    for (int i = 0; i < PEN_SHA256_BYTES; i += 4) {
        uint64_t word =
            (uint64_t)digest[i] << 24 | (uint64_t)digest[i + 1] << 16 | (uint64_t)digest[i + 2] << 8 | digest[i + 3];
        rest = (rest << 32 | word) % n_buckets;
    }
    int64_t end = 0;
    for (int32_t split = 0; split < rule->n_splits; split++) {
        end += rule->buckets[split];
        if ((int64_t)rest < end) {
            return split;
        }
    }
    return 0;
}

/* What is hashed; column NULL: the whole row. */
struct hashed {
    const struct pen_tf_layout *layout;
    const struct pen_column *column;
};

/* Rows `row` and row + 1, or twice the last one of the batch. */
static pen_status assign_two(const struct pen_split_rule *rule, const struct hashed *hashed, int64_t row,
                             int64_t n_rows, struct pen_tf_buffer buffers[2], int32_t *splits)
{
    const int64_t rows[2] = {row, row + 1 < n_rows ? row + 1 : row};
    const void *messages[2];
    size_t sizes[2];
    uint8_t digests[2][PEN_SHA256_BYTES];
    for (int i = 0; i < 2; i++) {
        PEN_TRY(hashed->column == NULL ? pen_tf_example_write(hashed->layout, rows[i], &buffers[i], NULL)
                                       : pen_tf_feature_write(hashed->column, rows[i], &buffers[i], NULL));
        messages[i] = buffers[i].data;
        sizes[i] = (size_t)buffers[i].size_bytes;
    }
    pen_sha256_pair(messages, sizes, digests);
    for (int i = 0; i < 2; i++) {
        splits[rows[i]] = bucket_of(rule, digests[i]);
    }
    return PEN_OK;
}

static pen_status assign_by_hash(const struct pen_split_rule *rule, const struct pen_batch *batch,
                                 const struct pen_column *column, int32_t *splits, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct pen_tf_layout layout;
    PEN_TRY(pen_tf_layout_init(&layout, batch, err));
    const struct hashed hashed = {&layout, column};
#pragma omp parallel if (batch->n_rows >= PARALLEL_ROWS)
    {
        struct pen_tf_buffer buffers[2] = {{0}, {0}};
#pragma omp for schedule(dynamic, HASH_PAIRS)
        for (int64_t row = 0; row < batch->n_rows; row += 2) {
            const pen_status one = assign_two(rule, &hashed, row, batch->n_rows, buffers, splits);
            if (one != PEN_OK) {
#pragma omp atomic write
                status = one;
            }
        }
        pen_tf_buffer_deinit(&buffers[0]);
        pen_tf_buffer_deinit(&buffers[1]);
    }
    pen_tf_layout_deinit(&layout);
    if (status != PEN_OK) {
        PEN_FAIL(err, status, "out of memory: hashing rows");
    }
    return PEN_OK;
}

static pen_status refuse_missing(const struct pen_split_rule *rule, const struct pen_batch *batch,
                                 const struct pen_column *column, struct pen_error *err)
{
    for (int64_t row = 0; column->validity != NULL && row < batch->n_rows; row++) {
        if (!pen_is_valid(column->validity, row)) {
            return pen_config_error(rule->column_node, err,
                                    "option split: expected a value of column '%s' in every row, found none in row "
                                    "%lld",
                                    rule->column, (long long)(batch->first_row + row));
        }
    }
    return PEN_OK;
}

static pen_status assign_by_column(const struct pen_split_rule *rule, const struct pen_batch *batch,
                                   const struct pen_column *column, int32_t *splits, struct pen_error *err)
{
    if (column->type != PEN_TYPE_INT64 && !pen_type_is_string(column->type)) {
        return pen_config_error(rule->column_node, err,
                                "option split: expected column '%s' to be int64 or string, found %s", rule->column,
                                pen_type_name(column->type));
    }
    PEN_TRY(refuse_missing(rule, batch, column, err));
    return assign_by_hash(rule, batch, column, splits, err);
}

static int compare_text(const struct pen_column *column, int64_t row, const char *bound)
{
    size_t size = 0, bound_size = strlen(bound);
    const char *text = pen_column_string(column, row, &size);
    int order = memcmp(text, bound, size < bound_size ? size : bound_size);
    return order != 0 ? order : (size > bound_size) - (size < bound_size);
}

static pen_status assign_by_time(const struct pen_split_rule *rule, const struct pen_batch *batch,
                                 const struct pen_column *column, int32_t *splits, struct pen_error *err)
{
    if (pen_type_is_number(column->type) && !rule->before_is_number) {
        return pen_config_error(rule->node, err,
                                "option split: before: expected a number as in column '%s', found "
                                "'%.60s'",
                                rule->column, rule->before);
    }
    PEN_TRY(refuse_missing(rule, batch, column, err));
    for (int64_t row = 0; row < batch->n_rows; row++) {
        bool before = false;
        switch (column->type) {
        case PEN_TYPE_INT64:
            before = (double)((const int64_t *)column->values)[row] < rule->before_number;
            break;
        case PEN_TYPE_FLOAT64:
            before = ((const double *)column->values)[row] < rule->before_number;
            break;
        case PEN_TYPE_FLOAT32:
            before = (double)((const float *)column->values)[row] < rule->before_number;
            break;
        case PEN_TYPE_CODES:
        case PEN_TYPE_BYTES:
            before = compare_text(column, row, rule->before) < 0;
            break;
        case PEN_TYPE_NONE:
            break;
        }
        splits[row] = before ? 0 : 1;
    }
    return PEN_OK;
}

static int64_t class_value(const struct pen_column *column, int64_t row)
{
    int64_t value = 0;
    switch (column->type) {
    case PEN_TYPE_INT64:
        return ((const int64_t *)column->values)[row];
    case PEN_TYPE_CODES:
        return ((const int32_t *)column->values)[row];
    case PEN_TYPE_FLOAT64:
        memcpy(&value, &((const double *)column->values)[row], 8);
        return value;
    case PEN_TYPE_FLOAT32:
        memcpy(&value, &((const float *)column->values)[row], 4);
        return value;
    case PEN_TYPE_BYTES:
    case PEN_TYPE_NONE:
        break;
    }
    return 0;
}

static int64_t place_of_class(const struct pen_split_rule *rule, bool missing, int64_t value)
{
    uint64_t key[2] = {(uint64_t)value, missing};
    int64_t place = (int64_t)(pen_hash64(key, sizeof key) & (uint64_t)(rule->capacity - 1));
    while (rule->classes[place].used &&
           (rule->classes[place].missing != missing || (!missing && rule->classes[place].value != value))) {
        place = (place + 1) & (rule->capacity - 1);
    }
    return place;
}

static pen_status grow_classes(struct pen_split_rule *rule, struct pen_error *err)
{
    struct pen_split_rule old = *rule;
    int64_t capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    struct pen_split_class *classes = NULL;
    PEN_ALLOC(classes, capacity, err);
    rule->classes = classes;
    rule->capacity = capacity;
    for (int64_t i = 0; i < old.capacity; i++) {
        if (old.classes[i].used) {
            classes[place_of_class(rule, old.classes[i].missing, old.classes[i].value)] = old.classes[i];
        }
    }
    pen_free(old.classes);
    return PEN_OK;
}

/* The split that lags most behind its share; the first of them when equal. */
static int32_t next_split(const struct pen_split_rule *rule, struct pen_split_class *one)
{
    int32_t best = 0;
    int64_t best_lag = INT64_MIN;
    for (int32_t split = 0; split < rule->n_splits; split++) {
        int64_t lag = (one->n_rows + 1) * rule->buckets[split] - one->counts[split] * rule->n_buckets;
        if (lag > best_lag) {
            best_lag = lag;
            best = split;
        }
    }
    one->n_rows++;
    one->counts[best]++;
    return best;
}

static pen_status assign_stratified(struct pen_split_rule *rule, const struct pen_batch *batch,
                                    const struct pen_column *column, int32_t *splits, struct pen_error *err)
{
    if (column->type == PEN_TYPE_BYTES || rule->n_splits > MAX_STRATIFIED_SPLITS) {
        return pen_config_error(rule->column_node, err,
                                "option split: by stratified: expected at most %d classes in column '%s' and %d "
                                "splits, found more",
                                MAX_CLASSES, rule->column, MAX_STRATIFIED_SPLITS);
    }
    for (int64_t row = 0; row < batch->n_rows; row++) {
        bool missing = column->type == PEN_TYPE_NONE || !pen_is_valid(column->validity, row);
        int64_t value = missing ? 0 : class_value(column, row);
        if (rule->n_classes * 2 >= rule->capacity) {
            PEN_TRY(grow_classes(rule, err));
        }
        struct pen_split_class *one = &rule->classes[place_of_class(rule, missing, value)];
        if (!one->used) {
            *one = (struct pen_split_class){.used = true, .missing = missing, .value = value};
            rule->n_classes++;
        }
        if (rule->n_classes > MAX_CLASSES) {
            return pen_config_error(rule->column_node, err,
                                    "option split: by stratified: expected at most %d classes in column '%s', found "
                                    "more",
                                    MAX_CLASSES, rule->column);
        }
        splits[row] = next_split(rule, one);
    }
    return PEN_OK;
}

static pen_status find_column(const struct pen_split_rule *rule, const struct pen_batch *batch,
                              const struct pen_column **column, struct pen_error *err)
{
    *column = NULL;
    if (rule->column == NULL) {
        return PEN_OK;
    }
    int64_t found = pen_batch_find(batch, rule->column);
    if (found < 0) {
        const char *near = pen_nearest_name(rule->column, batch->names, batch->n_columns);
        return pen_config_error(
            rule->column_node, err, "option split: expected a column of the data, found '%.60s'%s%s%s", rule->column,
            near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    *column = &batch->columns[found];
    return PEN_OK;
}

pen_status pen_split_rule_assign(struct pen_split_rule *rule, const struct pen_batch *batch, int32_t *splits,
                                 struct pen_error *err)
{
    const struct pen_column *column = NULL;
    PEN_TRY(find_column(rule, batch, &column, err));
    PEN_ASSERT(column != NULL || rule->by == PEN_SPLIT_HASH || rule->by == PEN_SPLIT_ROW);
    switch (rule->by) {
    case PEN_SPLIT_HASH:
        return assign_by_hash(rule, batch, NULL, splits, err);
    case PEN_SPLIT_COLUMN:
        return assign_by_column(rule, batch, column, splits, err);
    case PEN_SPLIT_TIME:
        return assign_by_time(rule, batch, column, splits, err);
    case PEN_SPLIT_STRATIFIED:
        return assign_stratified(rule, batch, column, splits, err);
    case PEN_SPLIT_ROW:
        for (int64_t row = 0; row < batch->n_rows; row++) {
            splits[row] = (batch->first_row + row) % rule->every == rule->index;
        }
        return PEN_OK;
    }
    return PEN_OK;
}
