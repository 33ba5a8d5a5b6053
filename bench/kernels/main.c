/* bench_kernels [op ...] [--device cpu|cuda] [--precision float32|tf32|bf16] [--small] [--seconds S] [--json]: time,
 * GB/s and GFLOP/s of ops on a device, and GB/s as a part of what a copy on the device reads and writes.
 * --precision: what its products may round factors to; refused where it cannot. --small: the CPU's sizes on any device,
 * to see that they run. */
#include "bench/kernels/op_bench.h"

#include "bench/device.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEN_OP_BENCH_DECLARE(op) extern const struct pen_op_bench pen_op_bench_##op;
PEN_OP_LIST(PEN_OP_BENCH_DECLARE)

static const struct pen_op_bench *const rows[] = {
#define PEN_OP_BENCH_ROW(op) &pen_op_bench_##op,
    PEN_OP_LIST(PEN_OP_BENCH_ROW)};

enum { N_ROWS = sizeof rows / sizeof rows[0], LEAST_BURSTS = 5, MOST_BURST = 1000 };

struct settings {
    const char *device, *precision;
    double seconds;
    bool small, json;
    const char *names[N_ROWS];
    int n_names;
    double copy_gb_per_s;
};

/* Ends the burst that the calls since `last` made up. */
static void end_burst(struct pen_bench *bench)
{
    bench->failed = pen_device_synchronise(bench->exec, bench->err);
    double now = pen_clock_seconds(), taken = (now - bench->last) / (double)bench->burst;
    if (bench->n_bursts > 0) {
        bench->sum_s += taken;
        bench->best_s = bench->n_bursts == 1 || taken < bench->best_s ? taken : bench->best_s;
    } else if (strcmp(bench->exec->name, "cpu") != 0) {
        bench->burst = taken > 1e-3 ? 1 : taken < 1e-3 / MOST_BURST ? MOST_BURST : (int64_t)(1e-3 / taken);
    }
    bench->n_bursts++;
    bench->n_calls = 0;
}

bool pen_bench_next(struct pen_bench *bench)
{
    if (bench->burst == 0) {
        bench->burst = 1;
        bench->started = pen_clock_seconds();
    } else if (bench->n_calls == bench->burst) {
        end_burst(bench);
    }
    bool more = bench->failed == PEN_OK &&
                (bench->n_bursts <= LEAST_BURSTS || pen_clock_seconds() - bench->started < bench->limit_s);
    bench->last = bench->n_calls == 0 ? pen_clock_seconds() : bench->last;
    bench->n_calls++;
    return more;
}

int64_t pen_bench_size(const struct pen_bench *bench, int64_t usual, int64_t large)
{
    return bench->large ? large : usual;
}

pen_status pen_bench_place(struct pen_bench *bench, void *place, const void *host, int64_t n, size_t item_bytes,
                           struct pen_error *err)
{
    void *memory = NULL;
    PEN_ASSERT(bench->n_places < PEN_BENCH_PLACES);
    PEN_TRY(pen_device_allocate(bench->exec, &memory, n, item_bytes, "a bench", err));
    bench->places[bench->n_places++] = memory;
    memcpy(place, &memory, sizeof memory);
    if (host == NULL) {
        return pen_device_fill(bench->exec, memory, 0, (size_t)n * item_bytes, err);
    }
    PEN_TRY(pen_device_upload(bench->exec, memory, host, (size_t)n * item_bytes, err));
    return pen_device_synchronise(bench->exec, err);
}

pen_status pen_bench_floats(struct pen_bench *bench, void *place, int64_t n, struct pen_error *err)
{
    enum { PATTERN = 999983 };
    float *pattern = NULL, *memory = NULL;
    pen_status status = PEN_OK;
    PEN_TRY(pen_bench_place(bench, &memory, NULL, n, sizeof *memory, err));
    PEN_ALLOC(pattern, PATTERN, err);
    for (int64_t i = 0; i < PATTERN; i++) {
        pattern[i] = (float)(2 * pen_rng_uniform(1, 0, (uint64_t)i) - 1);
    }
    for (int64_t at = 0; status == PEN_OK && at < n; at += PATTERN) {
        int64_t part = n - at < PATTERN ? n - at : PATTERN;
        status = pen_device_upload(bench->exec, memory + at, pattern, (size_t)part * sizeof *pattern, err);
    }
    if (status == PEN_OK) {
        status = pen_device_synchronise(bench->exec, err);
    }
    pen_free(pattern);
    memcpy(place, &memory, sizeof memory);
    return status;
}

static pen_status run_row(const struct pen_op_bench *row, struct pen_bench *bench, struct pen_error *err)
{
    bench->err = err;
    pen_status status = row->run(bench, err);
    for (int i = 0; i < bench->n_places; i++) {
        pen_device_release(bench->exec, bench->places[i]);
    }
    return status != PEN_OK ? status : bench->failed;
}

static double gb_per_s(const struct pen_bench *bench)
{
    return bench->bytes / (bench->best_s > 0 ? bench->best_s : 1e-9) * 1e-9;
}

static void print_row(const struct settings *s, const struct pen_op_bench *row, const struct pen_bench *bench)
{
    double best = bench->best_s > 0 ? bench->best_s : 1e-9;
    double mean = bench->sum_s / (double)(bench->n_bursts > 1 ? bench->n_bursts - 1 : 1);
    double of_copy = gb_per_s(bench) / s->copy_gb_per_s;
    if (s->json) {
        printf("{\"op\": \"%s\", \"device\": \"%s\", \"precision\": \"%s\", \"best_us\": %.3f, \"mean_us\": %.3f, "
               "\"gb_per_s\": %.3f, \"of_copy\": %.3f, \"gflop_per_s\": %.3f}\n",
               row->op, bench->exec->name, pen_precision_names[bench->exec->precision], best * 1e6, mean * 1e6,
               gb_per_s(bench), of_copy, bench->flops / best * 1e-9);
    } else {
        printf("%-22s best %10.1f us  mean %10.1f us  %8.2f GB/s  %5.1f %% of copy  %8.2f GFLOP/s\n", row->op,
               best * 1e6, mean * 1e6, gb_per_s(bench), 100 * of_copy, bench->flops / best * 1e-9);
    }
}

/* What memory can do: a copy on the device, both ways counted. */
static pen_status time_copy(struct pen_bench *bench, struct pen_error *err)
{
    int64_t n = pen_bench_size(bench, 1 << 24, 1 << 28);
    float *from = NULL, *to = NULL;
    PEN_BENCH_ZEROS(bench, from, n, err);
    PEN_BENCH_ZEROS(bench, to, n, err);
    bench->bytes = 8.0 * (double)n;
    while (pen_bench_next(bench)) {
        PEN_TRY(pen_device_copy(bench->exec, to, from, (size_t)n * sizeof *from, err));
    }
    return PEN_OK;
}

static bool wanted(const struct settings *s, const char *op)
{
    bool found = s->n_names == 0;
    for (int i = 0; i < s->n_names; i++) {
        found = found || strcmp(s->names[i], op) == 0;
    }
    return found;
}

static pen_status run_and_print(struct settings *s, const struct pen_op_bench *row, struct pen_exec *exec,
                                struct pen_error *err)
{
    struct pen_bench bench = {
        .exec = exec, .large = strcmp(exec->name, "cpu") != 0 && !s->small, .limit_s = s->seconds};
    if (run_row(row, &bench, err) != PEN_OK) {
        pen_error_prefix(err, "%s: ", row->op);
        return err->status;
    }
    s->copy_gb_per_s = s->copy_gb_per_s > 0 ? s->copy_gb_per_s : gb_per_s(&bench);
    print_row(s, row, &bench);
    return PEN_OK;
}

static pen_status run_all(struct settings *s, struct pen_exec *exec, struct pen_error *err)
{
    static const struct pen_op_bench copy = {"copy", time_copy};
    PEN_TRY(run_and_print(s, &copy, exec, err)); /* first: the others are told as parts of it */
    for (int r = 0; r < N_ROWS; r++) {
        if (wanted(s, rows[r]->op)) {
            PEN_TRY(run_and_print(s, rows[r], exec, err));
        }
    }
    return PEN_OK;
}

static pen_status read_settings(struct settings *s, int argc, char **argv, struct pen_error *err)
{
    *s = (struct settings){.device = "cpu", .precision = pen_precision_names[PEN_PRECISION_EXACT], .seconds = 0.3};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            s->json = true;
        } else if (strcmp(argv[i], "--small") == 0) {
            s->small = true;
        } else if (strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
            s->device = argv[++i];
        } else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc) {
            s->precision = argv[++i];
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            s->seconds = strtod(argv[++i], NULL);
        } else if (argv[i][0] == '-' || s->n_names == N_ROWS) {
            PEN_FAIL(err, PEN_ERR_USAGE,
                     "expected names of ops, --device, --precision, --small, --seconds or --json, found %s", argv[i]);
        } else {
            s->names[s->n_names++] = argv[i];
        }
    }
    return PEN_OK;
}

int main(int argc, char **argv)
{
    struct settings s;
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = NULL;
    pen_status status = read_settings(&s, argc, argv, &err);
    if (status == PEN_OK) {
        status = pen_bench_open_device(&exec, s.device, s.precision, &err);
    }
    if (status == PEN_OK) {
        status = run_all(&s, exec, &err);
    }
    if (status != PEN_OK) {
        fprintf(stderr, "bench_kernels: %s\n", err.message);
    }
    pen_exec_destroy(exec);
    return pen_status_exit_code(status);
}
