/* The tensor spec as JSON: what /tensors/spec holds, and what a transform graph says it produces. */
#include "core/memory.h"
#include "datasets/store/tensors.h"

#include <string.h>

static const char *const task_names[] = {"none", "binary", "multiclass", "regression"};
enum { N_TASKS = sizeof task_names / sizeof task_names[0] };

static pen_json *names_to_json(const char *const *names, int64_t n_names)
{
    pen_json *list = pen_json_array();
    for (int64_t i = 0; i < n_names; i++) {
        pen_json_push(list, pen_json_string(names[i]));
    }
    return list;
}

pen_json *pen_tensor_spec_to_json(const struct pen_tensor_spec *spec)
{
    pen_json *root = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    pen_json_set_string(root, "task", task_names[spec->task]);
    pen_json_set_string(root, "label", spec->label);
    pen_json_set_int(root, "n_classes", spec->n_classes);
    pen_json_set(root, "classes",
                 spec->classes != NULL ? names_to_json(spec->classes, spec->n_classes) : pen_json_null());
    pen_json_set_bool(root, "has_weight", spec->has_weight);
    pen_json_set(root, "dense", names_to_json(spec->dense_names, spec->n_dense));
    pen_json *ids = pen_json_array();
    for (int64_t i = 0; i < spec->n_ids; i++) {
        pen_json *one = pen_json_object();
        pen_json_set_string(one, "name", spec->ids[i].name);
        pen_json_set_int(one, "n_values", spec->ids[i].n_values);
        pen_json_set_bool(one, "ragged", spec->ids[i].ragged);
        pen_json_push(ids, one);
    }
    pen_json_set(root, "ids", ids);
    return root;
}

static pen_status names_from_json(struct pen_arena *arena, const pen_json *list, const char *where,
                                  const char *const **names, struct pen_error *err)
{
    int64_t n = pen_json_size(list);
    const char **copies = pen_arena_alloc(arena, n + 1, sizeof *copies);
    for (int64_t i = 0; copies != NULL && i < n; i++) {
        const char *name = pen_json_string_or(pen_json_at(list, i), NULL);
        if (name == NULL) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a list of names, found another value at place %lld", where,
                     (long long)i);
        }
        copies[i] = pen_arena_strdup(arena, name);
        if (copies[i] == NULL) {
            copies = NULL;
        }
    }
    if (copies == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", where);
    }
    *names = copies;
    return PEN_OK;
}

static pen_status ids_from_json(struct pen_arena *arena, const pen_json *list, const char *where,
                                struct pen_tensor_spec *spec, struct pen_error *err)
{
    spec->n_ids = pen_json_size(list);
    struct pen_tensor_ids_spec *ids = pen_arena_alloc(arena, spec->n_ids + 1, sizeof *ids);
    if (ids == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", where);
    }
    for (int64_t i = 0; i < spec->n_ids; i++) {
        const pen_json *one = pen_json_at(list, i);
        const char *name = NULL;
        PEN_TRY(pen_json_need_string(one, "name", where, &name, err));
        PEN_TRY(pen_json_need_int(one, "n_values", where, &ids[i].n_values, err));
        ids[i].name = pen_arena_strdup(arena, name);
        ids[i].ragged = pen_json_bool_or(pen_json_get(one, "ragged"), false);
        if (ids[i].name == NULL || ids[i].n_values < 0 || ids[i].n_values > (int64_t)INT32_MAX + 1) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: ids %.60s: expected 0 to 2^31 values, found %lld", where, name,
                     (long long)ids[i].n_values);
        }
    }
    spec->ids = ids;
    return PEN_OK;
}

static pen_status task_from_json(const pen_json *value, const char *where, enum pen_task *task, struct pen_error *err)
{
    const char *name = NULL;
    PEN_TRY(pen_json_need_string(value, "task", where, &name, err));
    for (int i = 0; i < N_TASKS; i++) {
        if (strcmp(name, task_names[i]) == 0) {
            *task = (enum pen_task)i;
            return PEN_OK;
        }
    }
    PEN_FAIL(err, PEN_ERR_DATA, "%s: expected task none, binary, multiclass or regression, found \"%.40s\"", where,
             name);
}

pen_status pen_tensor_spec_from_json(struct pen_arena *arena, const pen_json *value, const char *where,
                                     struct pen_tensor_spec *spec, struct pen_error *err)
{
    const pen_json *list = NULL;
    *spec = (struct pen_tensor_spec){0};
    PEN_TRY(task_from_json(value, where, &spec->task, err));
    PEN_TRY(pen_json_need_int(value, "n_classes", where, &spec->n_classes, err));
    spec->has_weight = pen_json_bool_or(pen_json_get(value, "has_weight"), false);
    const char *label = pen_json_string_or(pen_json_get(value, "label"), NULL);
    if (label != NULL) {
        spec->label = pen_arena_strdup(arena, label);
    }
    const pen_json *classes = pen_json_get(value, "classes");
    if (classes != NULL && pen_json_is_array(classes)) {
        if (pen_json_size(classes) != spec->n_classes) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld class names, found %lld", where, (long long)spec->n_classes,
                     (long long)pen_json_size(classes));
        }
        PEN_TRY(names_from_json(arena, classes, where, &spec->classes, err));
    }
    PEN_TRY(pen_json_need_array(value, "dense", where, &list, err));
    spec->n_dense = pen_json_size(list);
    PEN_TRY(names_from_json(arena, list, where, &spec->dense_names, err));
    PEN_TRY(pen_json_need_array(value, "ids", where, &list, err));
    return ids_from_json(arena, list, where, spec, err);
}
