/* bench_kernels [op ...] [--seconds S] [--json]: time, GB/s and GFLOP/s of ops on the CPU backend. */
#include "bench/kernels/op_bench.h"

#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEN_OP_BENCH_DECLARE(op) extern const struct pen_op_bench pen_op_bench_##op;
PEN_OP_LIST(PEN_OP_BENCH_DECLARE)

static const struct pen_op_bench *const rows[] = {
#define PEN_OP_BENCH_ROW(op) &pen_op_bench_##op,
    PEN_OP_LIST(PEN_OP_BENCH_ROW)};

bool pen_bench_next(struct pen_bench *bench)
{
    double now = pen_clock_seconds();
    if (bench->n_calls == 0) {
        bench->started = now;
    } else if (bench->n_calls > 1) {
        double taken = now - bench->last;
        bench->sum_s += taken;
        if (bench->n_calls == 2 || taken < bench->best_s) {
            bench->best_s = taken;
        }
    }
    bool more = bench->n_calls < 6 || now - bench->started < bench->limit_s;
    bench->n_calls++;
    bench->last = pen_clock_seconds();
    return more;
}

static void print_row(const struct pen_op_bench *row, const struct pen_bench *bench, bool json)
{
    double best = bench->best_s > 0 ? bench->best_s : 1e-9;
    double mean = bench->sum_s / (double)(bench->n_calls > 2 ? bench->n_calls - 2 : 1);
    if (json) {
        printf("{\"op\": \"%s\", \"best_us\": %.3f, \"mean_us\": %.3f, \"gb_per_s\": %.3f, \"gflop_per_s\": %.3f}\n",
               row->op, best * 1e6, mean * 1e6, bench->bytes / best * 1e-9, bench->flops / best * 1e-9);
    } else {
        printf("%-22s best %10.1f us  mean %10.1f us  %8.2f GB/s  %8.2f GFLOP/s\n", row->op, best * 1e6, mean * 1e6,
               bench->bytes / best * 1e-9, bench->flops / best * 1e-9);
    }
}

int main(int argc, char **argv)
{
    double seconds = 0.3;
    bool json = false;
    int n_names = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = strtod(argv[++i], NULL);
        } else {
            argv[1 + n_names++] = argv[i];
        }
    }
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        bool wanted = n_names == 0;
        for (int i = 0; i < n_names; i++) {
            wanted = wanted || strcmp(argv[1 + i], rows[r]->op) == 0;
        }
        if (!wanted) {
            continue;
        }
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_bench bench = {.exec = pen_exec_cpu(), .limit_s = seconds};
        if (rows[r]->run(&bench, &err) != PEN_OK) {
            fprintf(stderr, "bench_kernels: %s: %s\n", rows[r]->op, err.message);
            return pen_status_exit_code(err.status);
        }
        print_row(rows[r], &bench, json);
    }
    return 0;
}
