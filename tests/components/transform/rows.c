/* Rows in memory for the transform tests. */
#include "tests/components/transform/rows.h"

#include "tests/kernels/mirror.h"

static const double x_values[ROWS] = {1.5, -2, 0, 0, 4, 10};
static const uint8_t x_valid[1] = {0x37}; /* all but row 3 */
static const int64_t n_values[ROWS] = {3, 0, 3, 7, 0, 1};
static const uint8_t n_valid[1] = {0x3D}; /* all but row 1 */
static const int32_t s_codes[ROWS] = {0, 1, 0, 2, -1, 1};
static const uint8_t s_valid[1] = {0x2F}; /* all but row 4 */
static const int64_t s_offsets[] = {0, 4, 8, 16};
static const struct pen_dictionary s_dictionary = {3, s_offsets, "CashCard\xc3\xbcQuux-9"};
static const int64_t t_offsets[ROWS + 1] = {0, 13, 13, 16, 24, 25, 32};
static const char t_bytes[] = "Hello, world!a-b\xe6\x9d\xb1\xe4\xba\xac x b c a b";
static const int32_t when_codes[ROWS] = {0, 1, 2, 3, -1, 0};
static const int64_t when_offsets[] = {0, 10, 29, 49, 52};
static const struct pen_dictionary when_dictionary = {4, when_offsets,
                                                      "2024-02-291969-12-31 23:59:592013-03-04T05:06:07Zbad"};

const struct pen_batch *pen_test_rows(void)
{
    static const char *const names[] = {"x", "n", "s", "t", "when"};
    static const struct pen_column columns[] = {
        {.type = PEN_TYPE_FLOAT64, .n_rows = ROWS, .values = x_values, .validity = x_valid},
        {.type = PEN_TYPE_INT64, .n_rows = ROWS, .values = n_values, .validity = n_valid},
        {.type = PEN_TYPE_CODES, .n_rows = ROWS, .values = s_codes, .validity = s_valid, .dictionary = &s_dictionary},
        {.type = PEN_TYPE_BYTES, .n_rows = ROWS, .offsets = t_offsets, .bytes = t_bytes},
        {.type = PEN_TYPE_CODES, .n_rows = ROWS, .values = when_codes, .dictionary = &when_dictionary},
    };
    static const struct pen_batch batch = {.n_rows = ROWS, .n_columns = 5, .names = names, .columns = columns};
    return &batch;
}

static pen_status read_memory(void *user, int64_t chunk, const char *const *names, int64_t n_names,
                              struct pen_batch *batch, struct pen_error *err)
{
    (void)names;
    (void)n_names;
    (void)err;
    *batch = ((const struct pen_batch *)user)[chunk];
    return PEN_OK;
}

static pen_status compile(struct pen_transform_graph **graph, struct pen_transform_request *request,
                          const struct pen_batch *batches, int64_t n_batches, struct pen_error *err)
{
    struct pen_transform_raw_column columns[16];
    struct pen_batch copies[16];
    for (int64_t i = 0; i < batches[0].n_columns; i++) {
        columns[i] = (struct pen_transform_raw_column){batches[0].names[i], batches[0].columns[i].type};
    }
    memcpy(copies, batches, (size_t)n_batches * sizeof *batches);
    request->columns = columns;
    request->n_columns = batches[0].n_columns;
    const struct pen_transform_source source = {.user = copies, .n_chunks = n_batches, .read = read_memory};
    return pen_transform_compile(graph, request, &source, pen_test_exec(), err);
}

pen_status pen_test_compile(struct pen_transform_graph **graph, const char *feature, const char *label,
                            enum pen_task task, const char *positive, struct pen_error *err)
{
    const struct pen_transform_expression f = {"f", feature, "p.yaml", 3, 8};
    struct pen_transform_request request = {.n_features = feature == NULL ? 0 : 1,
                                            .features = &f,
                                            .label = {NULL, label, "p.yaml", 4, 10},
                                            .task = task,
                                            .positive = positive};
    return compile(graph, &request, pen_test_rows(), 1, err);
}

pen_status pen_test_compile_rows(struct pen_transform_graph **graph, const char *const *features, int64_t n_features,
                                 const struct pen_batch *batches, int64_t n_batches, struct pen_error *err)
{
    static const char *const names[] = {"f0",  "f1",  "f2",  "f3",  "f4",  "f5",  "f6",  "f7",
                                        "f8",  "f9",  "f10", "f11", "f12", "f13", "f14", "f15",
                                        "f16", "f17", "f18", "f19", "f20", "f21", "f22"};
    struct pen_transform_expression list[sizeof names / sizeof names[0]];
    for (int64_t i = 0; i < n_features; i++) {
        list[i] = (struct pen_transform_expression){names[i], features[i], "p.yaml", 1 + (int)i, 1};
    }
    struct pen_transform_request request = {.n_features = n_features, .features = list};
    return compile(graph, &request, batches, n_batches, err);
}
