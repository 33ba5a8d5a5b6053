/* What writer and reader of raw stores share: names of column types in the file, and the check of codes. */
#ifndef PEN_DATASETS_STORE_COLUMNS_INTERNAL_H
#define PEN_DATASETS_STORE_COLUMNS_INTERNAL_H

#include "core/column.h"

/* "none", "int64", "float32", "float64", "codes", "bytes": attribute `type` of a column's group. */
const char *pen_store_type_name(enum pen_type type);
bool pen_store_type_parse(const char *name, enum pen_type *type);

/* Every code is -1 or the number of a dictionary entry. */
PEN_MUST_USE pen_status pen_store_check_codes(const int32_t *codes, int64_t n_rows, int64_t n_entries,
                                              struct pen_error *err);

#endif
