/* Windows over rows that do not fit: in an epoch every training row once, whole, in an order of the seed's; whoever
 * trains meanwhile, and on any device. */
#include "tests/components/trainer/arrays.h"
#include "tests/kernels/mirror.h"
#include "tests/pen_test.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { FEW_ROWS = 3 * PEN_EXAMPLES_BLOCK_ROWS + 1234, MORE_ROWS = 5 * PEN_EXAMPLES_BLOCK_ROWS };
enum { BLOCK_BYTES = PEN_EXAMPLES_BLOCK_ROWS * ((ARRAYS_DENSE + 2) * 4 + 4 + 128) }; /* as the examples reckon */

/* Arrays whose label is the row's number. */
static void numbered_rows(struct arrays *a, int64_t n)
{
    arrays_init(a, n, PEN_TASK_REGRESSION, 3);
    for (int64_t r = 0; r < a->n; r++) {
        a->label[r] = (float)r; /* exact: below 2^24 */
    }
}

static void *download(const struct pen_examples *e, const void *from, int64_t n, size_t item_bytes)
{
    struct pen_error err = PEN_ERROR_INIT;
    void *host = pen_malloc(n + 1, (int64_t)item_bytes);
    PEN_ASSERT(host != NULL);
    PEN_CHECK_OK(pen_device_download(e->exec, host, from, (size_t)n * item_bytes, &err), &err);
    return host;
}

static bool same_words(const struct arrays *a, int64_t row, const int32_t *many, int64_t begin, int64_t end)
{
    int64_t n = a->offsets[row + 1] - a->offsets[row];
    return end - begin == n &&
           (n == 0 || memcmp(many + begin, a->many + a->offsets[row], (size_t)n * sizeof *many) == 0);
}

/* Counts the rows of the window in met, and compares each with the array's; *first: the first one. */
static void look_at_window(const struct pen_examples *e, const struct arrays *a, uint8_t *met, int64_t *first)
{
    const struct pen_device_rows *w = e->window;
    float *label = download(e, w->label, w->n_rows, sizeof *label);
    float *weight = download(e, w->weight, w->n_rows, sizeof *weight);
    float *dense = download(e, w->dense, w->n_rows * ARRAYS_DENSE, sizeof *dense);
    int32_t *single = download(e, w->single, w->n_rows, sizeof *single);
    int64_t *offsets = download(e, w->offsets[1], w->n_rows + 1, sizeof *offsets);
    int32_t *many = download(e, w->many[1], w->n_many[1], sizeof *many);
    int64_t wrong = 0;
    PEN_CHECK_EQ_I64(offsets[w->n_rows], w->n_many[1]);
    for (int64_t i = 0; i < w->n_rows; i++) {
        int64_t row = (int64_t)label[i];
        wrong += weight[i] != a->weight[row] || single[i] != a->single[row] ||
                 memcmp(dense + i * ARRAYS_DENSE, a->dense + row * ARRAYS_DENSE, ARRAYS_DENSE * sizeof *dense) != 0 ||
                 !same_words(a, row, many, offsets[i], offsets[i + 1]);
        met[row]++;
    }
    PEN_CHECK_EQ_I64(wrong, 0);
    *first = (int64_t)label[0];
    pen_free(label);
    pen_free(weight);
    pen_free(dense);
    pen_free(single);
    pen_free(offsets);
    pen_free(many);
}

static void open_examples(struct pen_examples **e, struct arrays *a, int64_t memory_bytes, double validation_share)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_examples_source source = arrays_source(a);
    PEN_REQUIRE_OK(pen_examples_create(e, &source, validation_share, memory_bytes, 11, pen_test_exec(), &err), &err);
}

static void one_epoch_after_the_other(int64_t n_rows, int64_t memory_bytes, int64_t n_windows)
{
    enum { EPOCHS = 3 };
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    struct pen_examples *e = NULL;
    int64_t first[EPOCHS] = {0};
    uint8_t *met = pen_calloc(n_rows, 1);
    PEN_REQUIRE(met != NULL);
    numbered_rows(&a, n_rows);
    open_examples(&e, &a, memory_bytes, 0.1);
    PEN_CHECK_EQ_I64(pen_examples_n_windows(e), n_windows);
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        memset(met, 0, (size_t)n_rows);
        for (int64_t window = 0; window < n_windows; window++) {
            int64_t one = 0;
            PEN_REQUIRE_OK(pen_examples_load_window(e, epoch, window, &err), &err);
            for (int64_t step = 0; step < epoch; step++) {
                PEN_CHECK_OK(pen_examples_go_on(e, &err), &err);
            }
            look_at_window(e, &a, met, &one);
            first[epoch] = window == 0 ? one : first[epoch];
        }
        int64_t wrong = 0;
        for (int64_t row = 0; row < n_rows; row++) {
            wrong += met[row] != !pen_examples_is_validation(e, row);
        }
        PEN_CHECK_EQ_I64(wrong, 0);
    }
    PEN_CHECK(first[0] != first[1] || first[1] != first[2]);
    pen_examples_destroy(e);
    arrays_deinit(&a);
    pen_free(met);
}

static void every_row_once_an_epoch(void)
{
    one_epoch_after_the_other(FEW_ROWS, 1, 4);
    one_epoch_after_the_other(FEW_ROWS, 4 * BLOCK_BYTES - 1, 4);
    one_epoch_after_the_other(MORE_ROWS, 4 * BLOCK_BYTES, 3); /* windows of two blocks, and of one */
}

/* A source that fails on its second visit to a block. */
static struct {
    struct arrays *arrays;
    int64_t left;
} failing;

static pen_status read_or_fail(void *user, int64_t first, int64_t n, struct pen_tensor_batch *batch,
                               struct pen_error *err)
{
    struct pen_examples_source source = arrays_source(failing.arrays);
    (void)user;
    if (failing.left-- <= 0) {
        PEN_FAIL(err, PEN_ERR_IO, "rows %lld: the disk is gone", (long long)first);
    }
    return source.read(source.user, first, n, batch, err);
}

static void what_reading_says_is_told_when_the_window_is_wanted(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    struct pen_examples *e = NULL;
    numbered_rows(&a, FEW_ROWS);
    failing.arrays = &a;
    failing.left = 4 + 2; /* the scan, and two windows */
    struct pen_examples_source source = arrays_source(&a);
    source.read = read_or_fail;
    PEN_REQUIRE_OK(pen_examples_create(&e, &source, 0, 1, 11, pen_test_exec(), &err), &err);
    for (int64_t window = 0; window < 2; window++) {
        PEN_CHECK_OK(pen_examples_load_window(e, 0, window, &err), &err);
        PEN_CHECK_OK(pen_examples_go_on(e, &err), &err);
    }
    PEN_CHECK_STATUS(pen_examples_load_window(e, 0, 2, &err), PEN_ERR_IO);
    PEN_CHECK_CONTAINS(err.message, "the disk is gone");
    pen_examples_destroy(e);
    arrays_deinit(&a);
}

/* Nobody comes for what is on its way. */
static void an_end_before_the_end(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    struct pen_examples *e = NULL;
    numbered_rows(&a, FEW_ROWS);
    for (int64_t n_loads = 0; n_loads < 3; n_loads++) {
        open_examples(&e, &a, 1, 0);
        for (int64_t window = 0; window < n_loads; window++) {
            PEN_CHECK_OK(pen_examples_load_window(e, 7, window, &err), &err);
        }
        PEN_CHECK_OK(pen_examples_go_on(e, &err), &err);
        pen_examples_destroy(e);
    }
    arrays_deinit(&a);
}

/* values: those of a network after 20 steps over three windows an epoch, [n], the caller's to free. */
static void train(float **values, int64_t *n, struct arrays *a, struct pen_exec *exec)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_network *network = NULL;
    struct pen_training_result result;
    struct pen_examples_source source = arrays_source(a);
    struct pen_training_options options = arrays_options(PEN_MODEL_WIDE_DEEP, 20);
    pen_json *curves = pen_json_array();
    options.update.rule.kind = PEN_OPTIMISER_SGD;
    options.batch_size = 8192;
    options.memory_bytes = 1;
    PEN_REQUIRE_OK(pen_training_run(&network, &result, curves, &source, &options, NULL, exec, &err), &err);
    *n = network->n_total;
    *values = pen_malloc(*n, sizeof **values);
    PEN_REQUIRE(*values != NULL);
    PEN_CHECK_OK(pen_device_download(exec, *values, network->values, (size_t)*n * sizeof **values, &err), &err);
    pen_network_destroy(network);
    pen_json_free(curves);
}

/* Sums in other orders round otherwise: a step moves a value by the rate times a mean of at most 8192 terms near 1. */
static void what_is_learnt_is_what_the_cpu_learns(void)
{
    struct arrays a;
    int64_t n = 0;
    double furthest = 0;
    float *first = NULL, *again = NULL, *of_cpu = NULL;
    arrays_init(&a, 2 * PEN_EXAMPLES_BLOCK_ROWS + 5000, PEN_TASK_BINARY, 3);
    train(&first, &n, &a, pen_test_exec());
    train(&again, &n, &a, pen_test_exec());
    train(&of_cpu, &n, &a, pen_exec_cpu());
    PEN_CHECK(memcmp(first, again, (size_t)n * sizeof *first) == 0);
    for (int64_t i = 0; i < n; i++) {
        furthest = fmax(furthest, fabs((double)first[i] - (double)of_cpu[i]));
    }
    PEN_CHECK_MSG(furthest < 20 * 0.01 * 14 * (double)FLT_EPSILON, "expected the CPU's values, the furthest is %g away",
                  furthest);
    pen_free(first);
    pen_free(again);
    pen_free(of_cpu);
    arrays_deinit(&a);
}

PEN_SUITE(trainer_windows, PEN_CASE(every_row_once_an_epoch),
          PEN_CASE(what_reading_says_is_told_when_the_window_is_wanted), PEN_CASE(an_end_before_the_end),
          PEN_CASE(what_is_learnt_is_what_the_cpu_learns));
