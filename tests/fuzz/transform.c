/* The transform language: an expression compiled over three rows of three columns. */
#include "components/transform/compile.h"
#include "kernels/exec.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static pen_status read_rows(void *user, int64_t chunk, const char *const *names, int64_t n_names,
                            struct pen_batch *batch, struct pen_error *err)
{
    static const int64_t whole[] = {1, -7, 40};
    static const double real[] = {0.5, -1e30, 3};
    static const int32_t codes[] = {0, 1, -1};
    static const int64_t offsets[] = {0, 3, 9};
    static const uint8_t validity[] = {3};
    static const struct pen_dictionary dictionary = {2, offsets, "redA b c"};
    static const char *const all[] = {"i", "x", "s"};
    static const struct pen_column columns[] = {
        {.type = PEN_TYPE_INT64, .n_rows = 3, .values = whole},
        {.type = PEN_TYPE_FLOAT64, .n_rows = 3, .values = real},
        {.type = PEN_TYPE_CODES, .n_rows = 3, .values = codes, .validity = validity, .dictionary = &dictionary},
    };
    (void)user;
    (void)chunk;
    (void)names;
    (void)n_names;
    (void)err;
    *batch = (struct pen_batch){.n_rows = 3, .n_columns = 3, .names = all, .columns = columns};
    return PEN_OK;
}

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    static const struct pen_transform_raw_column columns[] = {
        {"i", PEN_TYPE_INT64}, {"x", PEN_TYPE_FLOAT64}, {"s", PEN_TYPE_CODES}};
    static const struct pen_transform_source rows = {.n_chunks = 1, .read = read_rows};
    char *text = strndup(bytes, size_bytes);
    const struct pen_transform_expression feature = {.name = "f", .text = text, .file = "fuzz", .line = 1, .column = 1};
    const struct pen_transform_request request = {
        .n_features = 1, .features = &feature, .n_columns = 3, .columns = columns};
    struct pen_transform_graph *graph = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    if (text != NULL && pen_transform_compile(&graph, &request, &rows, pen_exec_cpu(), &err) == PEN_OK) {
        pen_transform_destroy(graph);
    }
    free(text);
}
