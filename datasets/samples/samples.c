/* Blocks of rows are written into memory on all cores and go to the file in order. */
#include "datasets/samples/samples.h"

#include "core/files.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "datasets/samples/rows_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { BLOCK_ROWS = 512, N_BLOCKS = 16 };

const struct pen_sample pen_samples[] = {
    {"taxi", "taxi trips: fare, places, times and payment; who tips more than a fifth of the fare?",
     "tips > 0.2 * fare", 15000},
    {"complaints", "complaints about banks, with the customers' own words; who disputes the answer?", "disputed",
     20000},
    {"clicks", "advertisements: 13 numbers and 26 categories with long tails; which are clicked?", "clicked", 100000},
    {NULL, NULL, NULL, 0},
};

static const struct {
    const char *header;
    sample_row_fn *row;
} generators[] = {
    {pen_sample_taxi_header, pen_sample_taxi_row},
    {pen_sample_complaints_header, pen_sample_complaints_row},
    {pen_sample_clicks_header, pen_sample_clicks_row},
};
enum { N_SAMPLES = sizeof generators / sizeof generators[0] };
_Static_assert(sizeof pen_samples / sizeof pen_samples[0] == N_SAMPLES + 1, "one generator per sample");

static int64_t find(const char *name)
{
    int64_t i = 0;
    while (i < N_SAMPLES && strcmp(pen_samples[i].name, name) != 0) {
        i++;
    }
    return i;
}

const struct pen_sample *pen_sample_find(const char *name)
{
    int64_t i = find(name);
    return i < N_SAMPLES ? &pen_samples[i] : NULL;
}

static pen_status write_rows(sample_row_fn *make_row, int64_t n_rows, uint64_t seed, int fd, struct pen_error *err)
{
    enum { BLOCK_BYTES = BLOCK_ROWS * SAMPLE_ROW_BYTES };
    int64_t sizes[N_BLOCKS];
    pen_status status = PEN_OK;
    char *memory = pen_malloc(N_BLOCKS, BLOCK_BYTES);
    if (memory == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: asked for %d bytes", N_BLOCKS * BLOCK_BYTES);
    }
    for (int64_t first = 0; status == PEN_OK && first < n_rows; first += N_BLOCKS * BLOCK_ROWS) {
#pragma omp parallel for schedule(dynamic, 1)
        for (int64_t block = 0; block < N_BLOCKS; block++) {
            char *start = memory + block * BLOCK_BYTES, *out = start;
            int64_t row = first + block * BLOCK_ROWS;
            int64_t end = row + BLOCK_ROWS < n_rows ? row + BLOCK_ROWS : n_rows;
            for (; row < end; row++) {
                out = make_row(out, seed, row);
            }
            sizes[block] = out - start;
        }
        status = pen_cancel_check(err);
        for (int64_t block = 0; status == PEN_OK && block < N_BLOCKS; block++) {
            status = pen_fd_write(fd, memory + block * BLOCK_BYTES, (size_t)sizes[block], "sample", err);
        }
        pen_progress("generating", first, n_rows, "rows", "%s", "");
    }
    pen_free(memory);
    return status;
}

pen_status pen_sample_write(const char *name, int64_t n_rows, uint64_t seed, int fd, struct pen_error *err)
{
    int64_t which = find(name);
    if (which == N_SAMPLES) {
        const char *names[N_SAMPLES];
        for (int64_t i = 0; i < N_SAMPLES; i++) {
            names[i] = pen_samples[i].name;
        }
        const char *near = pen_nearest_name(name, names, N_SAMPLES);
        PEN_FAIL(err, PEN_ERR_USAGE, "expected a sample called taxi, complaints or clicks, found '%.60s'%s%s%s", name,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    if (n_rows < 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "sample %s: expected a number of rows, found %lld", name, (long long)n_rows);
    }
    PEN_TRY(pen_fd_write(fd, generators[which].header, strlen(generators[which].header), "sample", err));
    return write_rows(generators[which].row, n_rows, seed, fd, err);
}

pen_status pen_sample_generate(const char *name, int64_t n_rows, uint64_t seed, const char *path, struct pen_error *err)
{
    char temporary[PEN_PATH_BYTES];
    if (pen_path_exists(path)) {
        PEN_FAIL(err, PEN_ERR_EXISTS, "%s: expected no file of this name, found one", path);
    }
    if (snprintf(temporary, sizeof temporary, "%s.partial-%ld", path, (long)getpid()) >= (int)sizeof temporary) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s...: expected a shorter path", path);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot create: %s", path, strerror(errno));
    }
    pen_status status = pen_sample_write(name, n_rows, seed, fd, err);
    if (close(fd) != 0 && status == PEN_OK) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot close: %s", path, strerror(errno));
    }
    if (status == PEN_OK) {
        status = pen_publish(temporary, path, err);
    }
    if (status != PEN_OK) {
        (void)unlink(temporary);
    }
    return status;
}
