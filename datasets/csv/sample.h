/* What the top of a file is read with: the first file's beginning as a sample, and rows by the exact machine's index.
 */
#ifndef PEN_DATASETS_CSV_SAMPLE_H
#define PEN_DATASETS_CSV_SAMPLE_H

#include "datasets/csv/csv_internal.h"

enum { PEN_CSV_SAMPLE_BYTES = 1 << 20 };

/* ---- sample.c ---- */

struct pen_csv_sample {
    char *memory, *text; /* text = memory + PEN_CSV_PAD, behind mark and skipped lines */
    int64_t size;
    bool whole;   /* the file ends with it */
    int64_t line; /* of text[0] */
    struct pen_csv_index index;
    char *scratch; /* for one cell */
};
/* Reads `wanted` bytes from the beginning; grows in the caller until a whole row is in it. */
pen_status pen_csv_sample_read(struct pen_csv_reader *reader, struct pen_csv_sample *sample, int64_t wanted,
                               struct pen_error *err);
void pen_csv_sample_deinit(struct pen_csv_sample *sample);

/* Rows of text by its index. A cell's content points into text, or into scratch (the cell's size + PEN_CSV_PAD). */
bool pen_csv_row_is_blank(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                          int64_t row);
/* Number of fields of a row, and its first field in ends. */
int64_t pen_csv_row_width(const struct pen_csv_index *index, int64_t row, int64_t *first);
const char *pen_csv_row_cell(const struct pen_csv_dialect *dialect, const struct pen_csv_index *index, const char *text,
                             int64_t row, int64_t field, char *scratch, size_t *size);

/* ---- sniff.c ---- */

char pen_csv_sniff_delimiter(const struct pen_csv_dialect *given, struct pen_csv_sample *sample);
bool pen_csv_looks_like_header(const struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row);

/* ---- columns.c ---- */

/* The reader's fields, columns and names from the sample's first row, which is the header where there is one. */
pen_status pen_csv_columns_make(struct pen_csv_reader *reader, const struct pen_csv_sample *sample, int64_t row,
                                struct pen_error *err);

/* ---- guess.c ---- */

/* Types of the columns that have none forced. The sample's index is that of its text; its text is lost. */
pen_status pen_csv_guess_types(struct pen_csv_reader *reader, struct pen_csv_sample *sample, int64_t first_row,
                               struct pen_error *err);

/* ---- skip.c ---- */

/* Bytes of a UTF-8 mark at the beginning of a file; an error for UTF-16. */
pen_status pen_csv_check_mark(const char *text, int64_t size, const char *path, int64_t *mark_bytes,
                              struct pen_error *err);
/* Bytes of the first n physical lines; *lines as many as there are. */
int64_t pen_csv_skip_lines(const char *text, int64_t size, int64_t n, int64_t *lines);

#endif
