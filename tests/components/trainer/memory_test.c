/* A device whose memory ends: what does not fit is named, with what would; nothing is lost. */
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

#include <stdlib.h>
#include <string.h>

/* The CPU with a limit. Each buffer is preceded by its size. */
static struct {
    size_t limit, used;
} memory;

static pen_status allocate(struct pen_exec *exec, void **place, size_t bytes, const char *what, struct pen_error *err)
{
    *place = NULL;
    if (bytes > memory.limit - memory.used) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory on %s: %s, %zu bytes", exec->name, what, bytes);
    }
    char *block = pen_malloc((int64_t)bytes + 64, 1);
    PEN_ASSERT(block != NULL);
    memcpy(block, &bytes, sizeof bytes);
    memory.used += bytes;
    *place = block + 64;
    return PEN_OK;
}

static void release(struct pen_exec *exec, void *place)
{
    size_t bytes = 0;
    char *block = (char *)place - 64;
    (void)exec;
    memcpy(&bytes, block, sizeof bytes);
    memory.used -= bytes;
    pen_free(block);
}

static pen_status tell(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes, struct pen_error *err)
{
    (void)exec;
    (void)err;
    *total_bytes = (int64_t)memory.limit;
    *free_bytes = (int64_t)(memory.limit - memory.used);
    return PEN_OK;
}

static pen_status train(size_t limit, int64_t batch_size, struct pen_training_result *result, struct pen_error *err)
{
    struct pen_device_table device = *pen_exec_cpu()->device;
    struct pen_exec exec = *pen_exec_cpu();
    struct arrays data;
    struct pen_network *network = NULL;
    pen_json *curves = pen_json_array();
    device.allocate = allocate;
    device.release = release;
    device.memory = tell;
    exec.device = &device;
    exec.name = "small:0";
    memory.limit = limit;
    arrays_init(&data, 200000, PEN_TASK_BINARY, 1);
    struct pen_examples_source source = arrays_source(&data);
    struct pen_training_options options = arrays_options(PEN_MODEL_WIDE_DEEP, 20);
    options.batch_size = batch_size;
    options.memory_bytes = 0;
    pen_status status = pen_training_run(&network, result, curves, &source, &options, NULL, &exec, err);
    pen_network_destroy(status == PEN_OK ? network : NULL);
    PEN_CHECK_EQ_I64((int64_t)memory.used, 0);
    pen_json_free(curves);
    arrays_deinit(&data);
    return status;
}

static void rows_take_half_of_a_device_or_come_in_windows(void)
{
    struct pen_training_result result;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(train((size_t)1 << 30, 64, &result, &err), &err);
    PEN_CHECK_EQ_I64(result.n_train, 200000);
    PEN_CHECK_OK(train((size_t)56 << 20, 64, &result, &err), &err); /* half of it holds two blocks of rows, of four */
    PEN_CHECK_EQ_I64(result.n_train, 200000);
}

static void a_batch_that_does_not_fit_says_what_would(void)
{
    struct pen_training_result result;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(train((size_t)40 << 20, 200000, &result, &err), PEN_ERR_MEMORY);
    PEN_CHECK_CONTAINS(err.message, "batch_size 200000: expected room for its buffers (there is some for about ");
    PEN_CHECK_CONTAINS(err.message, "out of memory on small:0: buffers of a batch");
    const char *about = strstr(err.message, "about ");
    long rows = about != NULL ? strtol(about + 6, NULL, 10) : 0;
    PEN_CHECK(rows > 1000 && rows < 200000);
    PEN_CHECK_OK(train((size_t)40 << 20, rows / 2, &result, &err), &err);
}

static void rows_that_do_not_fit_are_named(void)
{
    struct pen_training_result result;
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(train((size_t)1 << 20, 64, &result, &err), PEN_ERR_MEMORY);
    PEN_CHECK_CONTAINS(err.message, "out of memory on small:0: ");
}

PEN_SUITE(trainer_memory, PEN_CASE(rows_take_half_of_a_device_or_come_in_windows),
          PEN_CASE(a_batch_that_does_not_fit_says_what_would), PEN_CASE(rows_that_do_not_fit_are_named));
