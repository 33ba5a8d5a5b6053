/* Options: their defaults, and what they must not be. */
#include "datasets/csv/csv_internal.h"

void pen_csv_options_init(struct pen_csv_options *options)
{
    memset(options, 0, sizeof *options);
    options->quote = '"';
    options->max_distinct = 65536;
    options->max_dictionary_bytes = INT64_C(64) << 20;
    options->max_row_bytes = INT64_C(1) << 30;
    options->chunk_bytes = INT64_C(1) << 18;
}

pen_status pen_csv_options_check(const struct pen_csv_options *options, struct pen_error *err)
{
    const char special[] = {options->delimiter, options->quote, options->comment};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) {
            if (special[i] != 0 && special[i] == special[j]) {
                PEN_FAIL(err, PEN_ERR_CONFIG, "csv: delimiter, quote and comment must differ, found '%c' twice",
                         special[i]);
            }
        }
        if (special[i] == '\n' || special[i] == '\r') {
            PEN_FAIL(err, PEN_ERR_CONFIG, "csv: a line end cannot be delimiter, quote or comment");
        }
    }
    if (options->trim_spaces && options->delimiter == ' ') {
        PEN_FAIL(err, PEN_ERR_CONFIG, "csv: the delimiter cannot be a space when spaces are trimmed");
    }
    if (options->max_row_bytes < 1 || options->max_row_bytes > INT64_C(2) << 30 || options->chunk_bytes < 1 ||
        options->chunk_bytes > INT64_C(1) << 30 || options->max_distinct < 1 || options->max_distinct > 1 << 30) {
        PEN_FAIL(err, PEN_ERR_CONFIG,
                 "csv: expected max_row_bytes in 1..2^31, chunk_bytes and max_distinct in 1..2^30");
    }
    for (int64_t i = 0; i < options->n_types; i++) {
        if (options->types[i].type == PEN_TYPE_NONE) {
            PEN_FAIL(err, PEN_ERR_CONFIG, "csv: column '%s': NONE cannot be asked for", options->types[i].name);
        }
    }
    if (pen_csv_ops_of(options->level) == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "csv: this processor lacks %s",
                 options->level == PEN_CSV_LEVEL_AVX2 ? "AVX2 with PCLMULQDQ"
                                                      : "AVX-512 with BW, DQ, CD, VL and VBMI2");
    }
    return PEN_OK;
}
