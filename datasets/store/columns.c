/* Column types as words in the file, and the range check of codes and ids. */
#include "datasets/store/columns_internal.h"

#include <string.h>

static const char *const type_names[] = {
    [PEN_TYPE_NONE] = "none",       [PEN_TYPE_INT64] = "int64", [PEN_TYPE_FLOAT32] = "float32",
    [PEN_TYPE_FLOAT64] = "float64", [PEN_TYPE_CODES] = "codes", [PEN_TYPE_BYTES] = "bytes",
};
enum { N_TYPES = sizeof type_names / sizeof type_names[0] };

const char *pen_store_type_name(enum pen_type type)
{
    return (int)type >= 0 && (int)type < N_TYPES ? type_names[type] : "unknown";
}

bool pen_store_type_parse(const char *name, enum pen_type *type)
{
    for (int i = 0; i < N_TYPES; i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *type = (enum pen_type)i;
            return true;
        }
    }
    return false;
}

pen_status pen_store_check_codes(const int32_t *codes, int64_t n_rows, int64_t n_entries, struct pen_error *err)
{
    int32_t low = 0, high = -1; /* two plain reductions, so that the loop is vectorised */
    for (int64_t i = 0; i < n_rows; i++) {
        low = codes[i] < low ? codes[i] : low;
        high = codes[i] > high ? codes[i] : high;
    }
    if (low < -1 || high >= n_entries) {
        PEN_FAIL(err, PEN_ERR_DATA, "expected codes from -1 to %lld, found %d", (long long)n_entries - 1,
                 low < -1 ? low : high);
    }
    return PEN_OK;
}
