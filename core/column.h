/* Columns and batches of rows in memory: what the CSV reader gives, the store keeps, statistics and transforms read.
 *
 * Missing cells: validity is a bitmap, bit (row % 8) of byte row / 8, 1 = present; NULL = none missing. The value
 * under a cleared bit is 0, NaN, code -1 or an empty string, and is never to be read. A NaN under a set bit is a
 * value that stood in the data. */
#ifndef PEN_CORE_COLUMN_H
#define PEN_CORE_COLUMN_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_type {
    PEN_TYPE_NONE, /* a column in which every cell is missing: no values */
    PEN_TYPE_INT64,
    PEN_TYPE_FLOAT32,
    PEN_TYPE_FLOAT64,
    PEN_TYPE_CODES, /* strings as int32 codes into a dictionary, -1 where missing */
    PEN_TYPE_BYTES  /* strings as offsets + bytes: too many distinct ones for a dictionary */
};

PEN_API const char *pen_type_name(enum pen_type type); /* "int64", ..., "string" for both string types */
PEN_API bool pen_type_is_string(enum pen_type type);
PEN_API bool pen_type_is_number(enum pen_type type);
PEN_API size_t pen_type_size(enum pen_type type); /* bytes a value: 8, 4, 8, 4; 0 for NONE and BYTES */

/* Strings 0..n_entries-1, entry i being bytes[offsets[i] .. offsets[i+1]); in order of first appearance. */
struct pen_dictionary {
    int64_t n_entries;
    const int64_t *offsets; /* n_entries + 1 */
    const char *bytes;
};

/* A borrowed view of n_rows cells of one column. */
struct pen_column {
    enum pen_type type;
    int64_t n_rows;
    const void *values;      /* numbers and CODES: [n_rows]; else NULL */
    const uint8_t *validity; /* NULL: none missing; bit 0 is this view's first row */
    const int64_t *offsets;  /* BYTES: [n_rows + 1], into bytes */
    const char *bytes;
    const struct pen_dictionary *dictionary; /* CODES */
};

/* A borrowed view of some rows of all columns; names[i] belongs to columns[i]. */
struct pen_batch {
    int64_t n_rows;
    int64_t first_row; /* number of the first row in its source, from 0 */
    int64_t n_columns;
    const char *const *names;
    const struct pen_column *columns;
};

static inline bool pen_is_valid(const uint8_t *validity, int64_t row)
{
    return validity == NULL || ((validity[row >> 3] >> (row & 7)) & 1) != 0;
}

/* Cells present among the first n_rows. */
PEN_API int64_t pen_validity_count(const uint8_t *validity, int64_t n_rows);

/* Index of the column called name, or -1. */
PEN_API int64_t pen_batch_find(const struct pen_batch *batch, const char *name);

/* The string in one present cell (CODES or BYTES). */
PEN_API const char *pen_column_string(const struct pen_column *column, int64_t row, size_t *size_bytes);

#ifdef __cplusplus
}
#endif

#endif
