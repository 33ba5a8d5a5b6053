/* Inspecting data: dialect first, then ExampleGen and StatisticsGen in a scratch folder that goes away. */
#include "orchestrator/pipeline/inspect.h"

#include "components/component.h"
#include "core/files.h"
#include "datasets/csv/csv.h"
#include "kernels/exec.h"
#include "orchestrator/pipeline/dialect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pen_status out_of_memory(struct pen_error *err)
{
    PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: looking at the data");
}

/* Copies the first PEN_INSPECT_LIMIT_BYTES of a plain file, up to its last line end. */
static pen_status copy_head(const char *from, const char *to, struct pen_error *err)
{
    char *bytes = pen_malloc(PEN_INSPECT_LIMIT_BYTES, 1);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    pen_status status = PEN_OK;
    if (bytes == NULL || fd < 0) {
        status = bytes == NULL ? out_of_memory(err)
                               : pen_error_set(err, __FILE__, __LINE__, pen_status_from_errno(errno),
                                               "%s: cannot open: %s", from, strerror(errno));
        goto cleanup;
    }
    PEN_TRY_GOTO(cleanup, pen_fd_pread(fd, bytes, PEN_INSPECT_LIMIT_BYTES, 0, from, err));
    size_t size = PEN_INSPECT_LIMIT_BYTES;
    while (size > 0 && bytes[size - 1] != '\n') {
        size--;
    }
    status = pen_file_write_atomic(to, bytes, size > 0 ? size : PEN_INSPECT_LIMIT_BYTES, err);
cleanup:
    if (fd >= 0) {
        (void)close(fd);
    }
    pen_free(bytes);
    return status;
}

/* Runs one component with YAML options; inputs and outputs are folders below scratch named by their keys. */
static pen_status run_component(struct pen_arena *arena, const char *name, const char *yaml, const char *scratch,
                                const char *input_key, const char *output_key, struct pen_error *err)
{
    const struct pen_component *component = pen_component_find(name);
    PEN_ASSERT(component != NULL);
    struct pen_config_node *options = NULL;
    PEN_TRY(pen_config_parse(arena, yaml, strlen(yaml), "the data", &options, err));
    struct pen_component_output output = {output_key, pen_arena_printf(arena, "%s/%s", scratch, output_key),
                                          pen_json_object()};
    struct pen_component_input input = {input_key, NULL};
    if (input_key != NULL) {
        input.path = pen_arena_printf(arena, "%s/%s", scratch, input_key);
    }
    struct pen_component_context context = {
        .pipeline = "inspect",
        .node = name,
        .arena = arena,
        .options = options,
        .base_directory = "",
        .exec = pen_exec_cpu(),
        .device = "cpu",
        .n_inputs = input_key == NULL ? 0 : 1,
        .inputs = &input,
        .n_outputs = 1,
        .outputs = &output,
    };
    pen_status status = output.path == NULL ? out_of_memory(err) : pen_directory_create(output.path, err);
    if (status == PEN_OK) {
        status = component->run(&context, err);
    }
    pen_json_free(output.properties);
    return status;
}

/* The pattern's files, or a copy of the only one's first part when it is plain and large. */
static pen_status choose_files(struct pen_inspection *inspection, const struct pen_csv_paths *paths,
                               const char *scratch, const char **yaml_list, struct pen_error *err)
{
    struct pen_text list = {0};
    pen_text_append_char(&list, '[');
    pen_status status = PEN_OK;
    for (int64_t i = 0; i < paths->n_paths && !inspection->sampled; i++) {
        const char *path = paths->paths[i];
        int64_t size_bytes = 0;
        PEN_TRY_GOTO(cleanup, pen_file_size(path, &size_bytes, err));
        size_t length = strlen(path);
        bool packed = (length > 3 && strcmp(path + length - 3, ".gz") == 0) ||
                      (length > 4 && strcmp(path + length - 4, ".zst") == 0);
        if (size_bytes > PEN_INSPECT_LIMIT_BYTES && !packed) {
            const char *head = pen_arena_printf(&inspection->arena, "%s/head.csv", scratch);
            if (head == NULL) {
                status = out_of_memory(err);
                goto cleanup;
            }
            PEN_TRY_GOTO(cleanup, copy_head(path, head, err));
            pen_text_reset(&list);
            pen_text_append_char(&list, '[');
            path = head;
            inspection->sampled = true;
        }
        pen_text_printf(&list, "%s\"", list.size_bytes > 1 ? ", " : "");
        for (const char *c = path; *c != '\0'; c++) {
            pen_text_printf(&list, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        }
        pen_text_append_char(&list, '"');
    }
    pen_text_append_char(&list, ']');
    *yaml_list = pen_arena_strdup(&inspection->arena, pen_text_view(&list));
    if (list.failed || *yaml_list == NULL) {
        status = out_of_memory(err);
    }
cleanup:
    pen_text_deinit(&list);
    return status;
}

static pen_status inspect_in(struct pen_inspection *inspection, const char *scratch, const struct pen_csv_paths *paths,
                             const char *const *columns, int64_t n_columns, struct pen_error *err)
{
    struct pen_text dialect = {0};
    pen_status status =
        pen_dialect_find((const char *const *)paths->paths, paths->n_paths, columns, n_columns, &dialect, err);
    inspection->dialect = pen_arena_strdup(&inspection->arena, pen_text_view(&dialect));
    pen_text_deinit(&dialect);
    PEN_TRY(status);
    const char *list = NULL;
    PEN_TRY(choose_files(inspection, paths, scratch, &list, err));
    const char *yaml = pen_arena_printf(&inspection->arena, "csv: %s\nsplit: {all: 1}\nbad_rows: reject\n%s", list,
                                        inspection->dialect == NULL ? "" : inspection->dialect);
    if (yaml == NULL || inspection->dialect == NULL) {
        return out_of_memory(err);
    }
    /* The dialect lines are indented by two for the pipeline file; here they stand at the margin. */
    struct pen_text flat = {0};
    for (const char *c = yaml; *c != '\0'; c++) {
        if (c[0] == '\n' && c[1] == ' ' && c[2] == ' ') {
            pen_text_append_char(&flat, '\n');
            c += 2;
        } else {
            pen_text_append_char(&flat, *c);
        }
    }
    status = pen_text_check(&flat, err);
    if (status == PEN_OK) {
        status = run_component(&inspection->arena, "example_gen", pen_text_view(&flat), scratch, NULL, "examples", err);
    }
    pen_text_deinit(&flat);
    PEN_TRY(status);
    PEN_TRY(run_component(&inspection->arena, "statistics_gen", "{}", scratch, "examples", "statistics", err));
    const char *file = pen_arena_printf(&inspection->arena, "%s/statistics/statistics.json", scratch);
    return file == NULL ? out_of_memory(err) : pen_statistics_read(file, &inspection->statistics, err);
}

pen_status pen_inspect_csv(struct pen_inspection *inspection, const char *csv, const char *const *columns,
                           int64_t n_columns, struct pen_error *err)
{
    memset(inspection, 0, sizeof *inspection);
    struct pen_csv_paths paths = {0};
    PEN_TRY(pen_csv_glob(&paths, csv, err));
    const char *temporary = getenv("TMPDIR");
    char scratch[PEN_PATH_BYTES];
    (void)snprintf(scratch, sizeof scratch, "%s/penstock-init-XXXXXX", temporary == NULL ? "/tmp" : temporary);
    pen_status status = PEN_OK;
    if (mkdtemp(scratch) == NULL) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_CREATE, "%s: cannot create a scratch folder: %s",
                               scratch, strerror(errno));
    } else {
        status = inspect_in(inspection, scratch, &paths, columns, n_columns, err);
        pen_status removed = pen_directory_remove(scratch, status == PEN_OK ? err : NULL);
        status = status == PEN_OK ? removed : status;
    }
    pen_csv_paths_deinit(&paths);
    return status;
}

void pen_inspection_deinit(struct pen_inspection *inspection)
{
    pen_statistics_deinit(&inspection->statistics);
    pen_arena_deinit(&inspection->arena);
}
