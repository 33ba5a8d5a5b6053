/* The stores that the bench of statistics runs on, and its peers read with h5py. */
#ifndef PEN_BENCH_STATISTICS_DATA_H
#define PEN_BENCH_STATISTICS_DATA_H

#include "datasets/store/store.h"

/* 20 columns: six of integers of one to six digits, six of decimals with two places, six of decimals with six places,
 * two of short categories. Nothing is missing. The same bytes every time. */
pen_status pen_bench_write_numbers(const char *path, int64_t n_rows, struct pen_error *err);
pen_status pen_bench_write_csv(const char *path, const char *csv_path, struct pen_error *err);

#endif
