/* CSV reader: files in, typed batches of rows out, in input order.
 *
 * Reading is exact: rows and cells are those of Python's csv module (RFC 4180 plus its lenient reading of stray
 * quotes), types are those of the whole input, and nothing depends on threads, SIMD level, block size or sample.
 *
 * Bytes    UTF-8; a byte-order mark is skipped; UTF-16 and NUL bytes are errors (NUL: the row is bad, see bad_rows).
 *          Cells that are not UTF-8 are kept as they are and counted. gzip (several members) and zstd (several frames)
 *          are recognised by their first bytes, not by their name.
 * Rows     end at LF, CRLF or lone CR outside quotes; the last line may lack its end. Blank lines are skipped, also in
 *          a file of one column (write "" for a missing cell there). Several files are one input, in the order given;
 *          their headers must be equal. A row with another number of fields than the header is a bad row. A quote open
 *          at the end of a file is always an error, naming the line where it was opened.
 * Missing  the empty cell, quoted or not (see quoted_empty_is_value), and the cells equal to a null marker.
 * Types    of a column: NONE < INT64 < FLOAT64 < string, the highest of its cells' (TFX's rule). int64: digits with an
 *          optional sign ("01234" is 1234: name such columns CODES in `types`); an integer outside int64 makes the
 *          column a string. Float: decimal forms of strtod, nan, inf, infinity in any case. Spaces and tabs around a
 *          number are allowed, quotes do not matter; no hexadecimal, no underscores, no decimal commas. 1e999 is inf
 *          and counted. Strings are CODES (dictionary by first appearance) unless there are more than max_distinct
 *          different ones, or these exceed max_dictionary_bytes: then BYTES. FLOAT32 is rounded from the double.
 * Memory   a ring of blocks, the dictionaries (bounded as above) and the longest row; never grows with rows. */
#ifndef PEN_DATASETS_CSV_CSV_H
#define PEN_DATASETS_CSV_CSV_H

#include "core/column.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_csv_header { PEN_CSV_HEADER_AUTO, PEN_CSV_HEADER_YES, PEN_CSV_HEADER_NO };
enum pen_csv_bad_rows { PEN_CSV_BAD_ROWS_FAIL, PEN_CSV_BAD_ROWS_REJECT };
enum pen_csv_level { PEN_CSV_LEVEL_AUTO, PEN_CSV_LEVEL_SCALAR, PEN_CSV_LEVEL_AVX2, PEN_CSV_LEVEL_AVX512 };

enum { PEN_CSV_MAX_COLUMNS = 131072 };

/* One bad row; strings are borrowed for the call. */
struct pen_csv_reject {
    const char *file;
    int64_t line;       /* where the row begins, from 1 */
    const char *reason; /* "expected 14 fields, found 13" */
    const char *bytes;  /* the row as it stands in the file, without its line end */
    size_t size_bytes;
};
typedef void pen_csv_reject_fn(void *user, const struct pen_csv_reject *row);

struct pen_csv_column_type {
    const char *name;
    enum pen_type type; /* CODES: more than max_distinct values are an error; BYTES: no dictionary is tried */
};

/* Start from pen_csv_options_init. Strings are borrowed until the reader is closed. */
struct pen_csv_options {
    char delimiter;             /* 0: found out (comma, tab, semicolon, bar) */
    char quote;                 /* '"'; 0: none */
    char comment;               /* rows that begin with it are skipped; 0: none */
    enum pen_csv_header header; /* AUTO: a first row without any number is one; with `names`: NO */
    const char *const *names;   /* column names, instead of the header's; NULL: none */
    int64_t n_names;
    int64_t skip_lines;              /* lines at the top of every file that are no CSV */
    bool trim_spaces;                /* spaces and tabs outside quotes around cells and names are dropped */
    const char *const *null_markers; /* cells that mean missing, besides the empty one */
    int64_t n_null_markers;
    bool quoted_empty_is_value; /* "" is an empty string, not a missing cell */
    enum pen_csv_bad_rows bad_rows;
    pen_csv_reject_fn *on_reject; /* called in row order from pen_csv_next; after a restart from the first row again */
    void *on_reject_user;
    bool float32;                            /* FLOAT32 in place of FLOAT64 */
    const struct pen_csv_column_type *types; /* forced; a cell that does not fit makes its row bad. All must exist */
    int64_t n_types;
    bool late_bytes;              /* CODES that prove too many become BYTES from some batch on, in place of a restart */
    bool only_typed_columns;      /* columns not in `types` are left out of the batches, which follow `types`' order */
    int64_t max_distinct;         /* 65,536 */
    int64_t max_dictionary_bytes; /* 64 MiB */
    int64_t max_row_bytes;        /* 1 GiB, less than 4 GiB */
    int n_threads;                /* 0: OpenMP's choice */
    int64_t chunk_bytes;          /* text of one batch, 256 KiB: it stays in the second cache level */
    enum pen_csv_level level;     /* PEN_ERR_UNSUPPORTED when the CPU lacks it */
};
PEN_API void pen_csv_options_init(struct pen_csv_options *options);

struct pen_csv_reader;

/* Opens the first file, finds the dialect, reads the header and a sample. Paths are plain names of regular files
 * (pen_csv_glob expands patterns); at least one. Warnings (duplicate names, generated names) go to the log. */
PEN_API PEN_MUST_USE pen_status pen_csv_open(struct pen_csv_reader **reader, const char *const *paths, int64_t n_paths,
                                             const struct pen_csv_options *options, struct pen_error *err);
PEN_API void pen_csv_close(struct pen_csv_reader *reader);

/* Files that match a shell pattern, sorted by byte; a pattern without matches is PEN_ERR_NOT_FOUND. Owned by the list.
 */
struct pen_csv_paths {
    int64_t n_paths;
    char **paths;
};
PEN_API PEN_MUST_USE pen_status pen_csv_glob(struct pen_csv_paths *list, const char *pattern, struct pen_error *err);
PEN_API void pen_csv_paths_deinit(struct pen_csv_paths *list);

/* Names are unique: empty ones become column_3 (from 1), duplicates get _2, _3, ... */
PEN_API int64_t pen_csv_n_columns(const struct pen_csv_reader *reader);
PEN_API const char *const *pen_csv_names(const struct pen_csv_reader *reader);
PEN_API char pen_csv_delimiter(const struct pen_csv_reader *reader); /* given or found out */
PEN_API bool pen_csv_has_header(const struct pen_csv_reader *reader);

/* Types as known now: those of the batches that pen_csv_next gives. Final after pen_csv_infer or the last batch. */
PEN_API enum pen_type pen_csv_type(const struct pen_csv_reader *reader, int64_t column);

/* Reads the whole input for its types, then rewinds: pen_csv_next never restarts afterwards. Costs about one reading;
 * without it types are guessed from a sample, which is right nearly always. */
PEN_API PEN_MUST_USE pen_status pen_csv_infer(struct pen_csv_reader *reader, struct pen_error *err);

/* The next rows, at least one; n_rows = 0 at the end. Views live until the next call. Dictionaries only grow from
 * batch to batch (also in place: use the newest view); codes never change.
 *
 * *restarted = true (with n_rows = 0): a guessed type proved wrong. The reader has looked at the rest of the input,
 * knows better, and begins again at the first row: the caller throws away all batches so far and calls again. This
 * happens at most twice, and never when all types are forced.
 *
 * With late_bytes, a column whose strings prove too many for a dictionary does not restart: it is CODES up to some
 * batch and BYTES from there on. */
PEN_API PEN_MUST_USE pen_status pen_csv_next(struct pen_csv_reader *reader, struct pen_batch *batch, bool *restarted,
                                             struct pen_error *err);

/* Back to the first row; types, names and dialect stay. */
PEN_API PEN_MUST_USE pen_status pen_csv_rewind(struct pen_csv_reader *reader, struct pen_error *err);

/* Where row (0 .. n_rows - 1 of the batch given last) begins. */
struct pen_csv_place {
    const char *file;
    int64_t file_number; /* index into paths */
    int64_t line;        /* from 1 */
};
PEN_API struct pen_csv_place pen_csv_row_place(const struct pen_csv_reader *reader, int64_t row);

/* Of the batches given since the start (or restart, or rewind). */
struct pen_csv_counts {
    int64_t n_rows;
    int64_t n_bad_rows;
    int64_t n_bytes;          /* of text, decompressed */
    int64_t n_non_utf8_cells; /* in string columns */
    int64_t n_float_overflow; /* finite text, infinite double */
};
PEN_API struct pen_csv_counts pen_csv_counts(const struct pen_csv_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
