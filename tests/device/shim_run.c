/* Runs of the program on the shim, and what they left. */
#include "tests/device/shim_run.h"

#include "core/files.h"
#include "core/json.h"
#include "tests/pen_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void shim_environment(int order)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", order);
    (void)setenv("PENSTOCK_CUDA_MODULE", PEN_SHIM_MODULE, 1);
    (void)setenv("PEN_SHIM_DEFERRED", "1", 1);
    (void)setenv("PEN_SHIM_ORDER", number, 1);
    (void)setenv("OMP_NUM_THREADS", "1", 1);
}

void shim_run(struct program_result *result, int order, const char *line)
{
    shim_environment(order);
    program_run(pen_test_directory(), line, result);
    (void)unsetenv("PENSTOCK_CUDA_MODULE");
    (void)unsetenv("PEN_SHIM_DEFERRED");
    (void)unsetenv("PEN_SHIM_ORDER");
    (void)unsetenv("OMP_NUM_THREADS");
}

void shim_expect_success(int order, const char *pattern, const char *device)
{
    struct pen_text line = {0};
    struct program_result result;
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c == '@') {
            pen_text_append(&line, device);
        } else {
            pen_text_append_char(&line, *c);
        }
    }
    shim_run(&result, order, pen_text_view(&line));
    PEN_CHECK_MSG(result.exit_code == 0, "penstock %s: exit %d: %s", pen_text_view(&line), result.exit_code,
                  pen_text_view(&result.err));
    program_deinit(&result);
    pen_text_deinit(&line);
}

static pen_json *show_evaluation(const char *root)
{
    char line[128];
    struct program_result result;
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *document = NULL;
    (void)snprintf(line, sizeof line, "show evaluation --json --root %s", root);
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_OK(pen_json_parse(pen_text_view(&result.out), result.out.size_bytes, line, &document, &err), &err);
    program_deinit(&result);
    return document;
}

static double value_of(const pen_json *slice, const char *metric, const char *field)
{
    return pen_json_number_or(pen_json_get(pen_json_get(pen_json_get(slice, "metrics"), metric), field), NAN);
}

void shim_compare_evaluations(const char *cpu_root, const char *cuda_root, const struct shim_metric *metrics,
                              const char *const *fields)
{
    pen_json *cpu = show_evaluation(cpu_root);
    pen_json *cuda = show_evaluation(cuda_root);
    const pen_json *slices = pen_json_get(cpu, "slices");
    PEN_CHECK(pen_json_size(slices) > 0);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(cuda, "slices")), pen_json_size(slices));
    for (int64_t s = 0; s < pen_json_size(slices); s++) {
        const pen_json *wanted = pen_json_at(slices, s);
        const pen_json *found = pen_json_at(pen_json_get(cuda, "slices"), s);
        for (const struct shim_metric *metric = metrics; metric->name != NULL; metric++) {
            for (const char *const *field = fields; *field != NULL; field++) {
                double a = value_of(wanted, metric->name, *field);
                double b = value_of(found, metric->name, *field);
                PEN_CHECK_MSG(fabs(a - b) <= metric->bound || (s > 0 && isnan(a) && isnan(b)),
                              "slice %lld: %s %s: expected the CPU's %.9g within %g, found %.9g", (long long)s,
                              metric->name, *field, a, metric->bound, b);
            }
        }
    }
    pen_json_free(cpu);
    pen_json_free(cuda);
}

void shim_read_output(const char *root, const char *port, const char *file, struct pen_text *text)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    char **names = NULL;
    int64_t n = 0;
    const char *folder = pen_arena_printf(&arena, "%s/%s/%s", pen_test_directory(), root, port);
    PEN_CHECK_OK(pen_directory_list(&arena, folder, &names, &n, &err), &err);
    if (n > 0) {
        const char *path = pen_arena_printf(&arena, "%s/%s/%s", folder, names[n - 1], file);
        PEN_CHECK_OK(pen_file_read(path, 1 << 24, text, &err), &err);
    }
    pen_arena_deinit(&arena);
}

bool shim_same_outputs(const char *a_root, const char *b_root, const char *port, const char *file)
{
    struct pen_text a = {0};
    struct pen_text b = {0};
    shim_read_output(a_root, port, file, &a);
    shim_read_output(b_root, port, file, &b);
    PEN_CHECK(a.size_bytes > 0 && b.size_bytes > 0);
    bool same = a.size_bytes > 0 && a.size_bytes == b.size_bytes && memcmp(a.data, b.data, a.size_bytes) == 0;
    pen_text_deinit(&a);
    pen_text_deinit(&b);
    return same;
}

bool shim_is_built(void)
{
    return access(pen_test_program(), X_OK) == 0 && access(PEN_SHIM_MODULE, R_OK) == 0;
}
