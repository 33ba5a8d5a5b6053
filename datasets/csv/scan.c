/* Choice of the instruction set, and the memory of an index. */
#include "datasets/csv/csv_internal.h"

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vbmi2");
}

const struct pen_csv_ops *pen_csv_ops_of(enum pen_csv_level level)
{
    switch (level) {
    case PEN_CSV_LEVEL_SCALAR:
        return &pen_csv_ops_scalar;
    case PEN_CSV_LEVEL_AVX2:
        return has_avx2() ? &pen_csv_ops_avx2 : NULL;
    case PEN_CSV_LEVEL_AVX512:
        return has_avx512() ? &pen_csv_ops_avx512 : NULL;
    case PEN_CSV_LEVEL_AUTO:
    default:
        return has_avx512() ? &pen_csv_ops_avx512 : has_avx2() ? &pen_csv_ops_avx2 : &pen_csv_ops_scalar;
    }
}

/* Every byte may be a field end; wide stores write up to 64 behind the last one. */
pen_status pen_csv_index_reserve(struct pen_csv_index *index, int64_t size, struct pen_error *err)
{
    const int64_t lead = 16;
    if (index->capacity < size + lead + 80) {
        pen_free(index->memory);
        index->capacity = 0;
        index->memory = pen_malloc(size + lead + 80, sizeof *index->memory);
        if (index->memory == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: index of %lld bytes of CSV", (long long)size);
        }
        index->capacity = size + lead + 80;
    }
    if (index->row_capacity < size + 1) {
        pen_free(index->row_ends);
        index->row_capacity = 0;
        index->row_ends = pen_malloc(size + 1, sizeof *index->row_ends);
        if (index->row_ends == NULL) {
            PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: row index of %lld bytes of CSV", (long long)size);
        }
        index->row_capacity = size + 1;
    }
    index->ends = index->memory + lead;
    index->ends[-1] = UINT32_MAX;
    return PEN_OK;
}

void pen_csv_index_deinit(struct pen_csv_index *index)
{
    pen_free(index->memory);
    pen_free(index->row_ends);
    memset(index, 0, sizeof *index);
}
