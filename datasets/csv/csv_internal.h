/* Inside of the CSV reader. The way of a byte:
 *
 *   source.c    file -> text (gzip, zstd or plain); ahead.c: decompressed while rows are parsed
 *   block.c     text -> blocks of whole rows, cut into chunks at exact row starts (quote parity of each piece first,
 *               then the cut), each chunk indexed in parallel; chunks with irregular quotes go to machine.c
 *   scan_*.c    64 bytes -> bit masks -> positions of field ends: one template, three instruction sets
 *   rows.c      field ends -> rows of the right width; bad rows are noted
 *   convert.c   rows -> columns; convert_template.h: numbers; convert_text.c: strings; dictionary.c: codes
 *   header.c    the top of the first file: sample.c its bytes, sniff.c delimiter and header, columns.c names, guess.c
 *               types; skip.c the top of every file
 *   types.c     what the cells of a column have been; when a guess proves wrong
 *   merge.c     chunks -> the reader's dictionaries and classes
 *   reader.c    the public functions and the restart; options.c, paths.c
 *
 * A chunk becomes one batch. Within a block threads share nothing but the dictionaries, which are read-only while a
 * block is converted; new strings are added afterwards in chunk order. */
#ifndef PEN_DATASETS_CSV_CSV_INTERNAL_H
#define PEN_DATASETS_CSV_CSV_INTERNAL_H

#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "datasets/csv/csv.h"

#include <string.h>

/* Bytes that may be read before and behind any text: wide loads need no end check. */
enum { PEN_CSV_PAD = 128 };

struct pen_csv_dialect {
    char delimiter, quote, comment; /* 0: none */
    bool trim;
};

/* ---- options.c ---- */

pen_status pen_csv_options_check(const struct pen_csv_options *options, struct pen_error *err);

/* ---- source.c ---- */

struct pen_csv_source;
pen_status pen_csv_source_open(struct pen_csv_source **source, const char *path, struct pen_error *err);
/* Fills buffer up to size unless the file ends; *got < size means the end. */
pen_status pen_csv_source_read(struct pen_csv_source *source, char *buffer, int64_t size, int n_threads, int64_t *got,
                               struct pen_error *err);
/* Plain files: reads at an offset, for samples; compressed ones: *got = 0. */
pen_status pen_csv_source_peek(struct pen_csv_source *source, char *buffer, int64_t size, int64_t offset, int64_t *got,
                               struct pen_error *err);
int64_t pen_csv_source_size(const struct pen_csv_source *source); /* of a plain file; -1: compressed */
void pen_csv_source_close(struct pen_csv_source *source);

/* ---- scan_*.c, machine.c: structure ---- */

/* Positions of field ends in a chunk. */
struct pen_csv_index {
    uint32_t *memory; /* ends - 16: ends[-1] is one before the first byte */
    int64_t capacity; /* elements of memory */
    uint32_t *ends;   /* [n_ends] offsets of delimiters and row ends, outside quotes */
    int64_t n_ends;
    uint32_t *row_ends; /* [n_rows] which of ends are row ends; of a CRLF it is the LF */
    int64_t row_capacity;
    int64_t n_rows;
    bool has_quote, has_cr, has_high, has_nul;
    bool irregular; /* a quote that RFC 4180 does not know: the positions are not to be trusted */
};
pen_status pen_csv_index_reserve(struct pen_csv_index *index, int64_t size, struct pen_error *err);
void pen_csv_index_deinit(struct pen_csv_index *index);

struct pen_csv_survey {
    int64_t n_quotes, n_lines;
};

/* What depends on the instruction set; every level gives the same, bit for bit. */
struct pen_csv_ops {
    struct pen_csv_survey (*survey)(const char *text, int64_t size, char quote);
    void (*index)(struct pen_csv_index *index, const char *text, int64_t size, const struct pen_csv_dialect *dialect);
    const struct pen_csv_convert_ops *convert;
};
extern const struct pen_csv_ops pen_csv_ops_scalar, pen_csv_ops_avx2, pen_csv_ops_avx512;
/* NULL when the CPU lacks the level. */
const struct pen_csv_ops *pen_csv_ops_of(enum pen_csv_level level);

/* The exact state machine. Reads rows from text[0], a row start, and stops behind the first row end at or after
 * `target` (or at the last row end). Returns the bytes of whole rows; *open_quote is the offset of the quote that is
 * open at text[size], or -1. Room for size field ends has been reserved; index->ends NULL: only looks. */
int64_t pen_csv_machine(struct pen_csv_index *index, const char *text, int64_t size, int64_t target,
                        const struct pen_csv_dialect *dialect, int64_t *open_quote);
/* Offset behind the first row end outside quotes, or -1. */
int64_t pen_csv_first_row_end(const char *text, int64_t size, bool inside, char quote);
/* The content of one raw cell (line end and outer spaces dropped already). Points into raw, or into scratch
 * (size bytes + PEN_CSV_PAD). */
const char *pen_csv_unquote(const char *raw, size_t size, char quote, char *scratch, size_t *out_size);
/* The same of the raw cell [raw, raw + size) with its line end (last) and outer spaces (trim). */
const char *pen_csv_cell(const struct pen_csv_dialect *dialect, const char *raw, size_t size, bool last, char *scratch,
                         size_t *out_size);

/* ---- dictionary.c; look-up in dictionary.h ---- */

struct pen_csv_slot {
    uint64_t low, high; /* up to 16 bytes of text themselves, else their hash and 0 */
    uint32_t size;
    int32_t code; /* -1: free */
};

struct pen_csv_dictionary {
    struct pen_csv_slot *slots;
    int64_t n_slots; /* power of two; 0 before the first insert */
    int64_t *offsets;
    int64_t offsets_capacity;
    char *bytes;
    int64_t bytes_capacity;
    struct pen_dictionary view;
};

struct pen_csv_key {
    uint64_t low, high, hash;
    const char *text;
    uint32_t size;
};
pen_status pen_csv_dictionary_insert(struct pen_csv_dictionary *dictionary, const struct pen_csv_key *key,
                                     int32_t *code, struct pen_error *err);
void pen_csv_dictionary_reset(struct pen_csv_dictionary *dictionary);
void pen_csv_dictionary_deinit(struct pen_csv_dictionary *dictionary);

/* ---- types.c: what a cell is ---- */

enum pen_csv_class { PEN_CSV_CLASS_NONE, PEN_CSV_CLASS_INT, PEN_CSV_CLASS_FLOAT, PEN_CSV_CLASS_STRING };

/* Class and value of a present cell's content; both values are set when it is an INT. */
enum pen_csv_class pen_csv_classify(const char *text, size_t size, int64_t *integer, double *real, bool *overflow);

/* ---- chunks ---- */

struct pen_csv_bad {
    int64_t begin, end; /* bytes in the chunk, line end left out */
    int64_t n_fields;   /* found; 0: the reason is `text` */
    int64_t nul_offset; /* in the chunk; -1: none */
    char *text;         /* owned */
};

struct pen_csv_output { /* one column of a chunk */
    enum pen_type type;
    void *values;
    int64_t values_capacity; /* bytes */
    uint64_t *validity;
    int64_t validity_capacity; /* words */
    bool any_missing;
    int64_t *offsets;
    int64_t offsets_capacity;
    char *bytes;
    int64_t bytes_capacity;
    struct pen_csv_dictionary fresh; /* strings that the reader's dictionary lacks; their codes are -2 - i */
    enum pen_csv_class seen;
    bool overflow; /* too many distinct strings */
    bool misfit;   /* a cell does not fit the column's type, or there are too many distinct strings for CODES */
    int64_t n_float_overflow, n_non_utf8;
};

struct pen_csv_chunk {
    const char *text;
    int64_t size;
    int64_t offset;     /* of text in the (decompressed) file */
    int64_t first_line; /* of text */
    struct pen_csv_index index;
    /* Field c of row r is [base[r * stride + c - 1] + 1, base[r * stride + c]). */
    const uint32_t *base;
    int64_t stride, n_rows;
    uint32_t *packed;
    int64_t packed_capacity;
    struct pen_csv_bad *bad;
    int64_t n_bad, bad_capacity;
    struct pen_csv_output *outputs; /* [n_columns] */
    char *scratch;
    int64_t scratch_capacity;
    pen_status status; /* of the thread that worked on it */
    struct pen_error error;
};

struct pen_csv_col {
    const char *name;
    int64_t field; /* in the file */
    enum pen_type type;
    bool forced;
    enum pen_csv_class seen; /* of all cells so far in this reading */
    bool broken;             /* type proved wrong: only classes are collected */
    bool many;               /* proved to be BYTES, not CODES */
    struct pen_csv_dictionary dictionary;
};

struct pen_csv_block {
    char *memory; /* text - PEN_CSV_PAD */
    char *text;
    int64_t capacity; /* of text */
    int64_t begin;    /* first byte not given out */
    int64_t size;     /* bytes read */
    bool eof;         /* the file ends at size */
    int64_t offset;   /* of text[0] in the file */
    int64_t line;     /* number of the line at begin */
};

struct pen_csv_reader {
    struct pen_csv_options options;
    struct pen_csv_dialect dialect;
    const struct pen_csv_ops *ops;
    struct pen_arena arena;
    const char *const *paths;
    int64_t n_paths;
    bool has_header;
    int64_t n_fields;     /* of every row in the files */
    char **header_fields; /* of the first file, for comparison */
    int64_t n_columns;
    struct pen_csv_col *columns;
    const char **names;

    int n_threads;
    struct pen_csv_source *source; /* NULL: between files */
    int64_t next_file;             /* to open; the current one is next_file - 1 */
    int64_t file_number;           /* of the chunks */
    struct pen_csv_block block;
    struct pen_csv_chunk *chunks;
    int64_t n_chunks, chunks_capacity;
    int64_t next_chunk; /* to give out */
    int64_t given;      /* chunk of the batch given last, -1: none */
    bool final;         /* types are known */
    int64_t next_row;
    struct pen_csv_counts counts;
    struct pen_column *views;
};

/* ---- block.c ---- */

/* Indexes the next chunks (n_chunks = 0 at the end of all files). */
pen_status pen_csv_block_next(struct pen_csv_reader *reader, struct pen_error *err);
/* Moves what is left to the front of the block, grows it if need be, fills it; *grown = false at the end of the file.
 */
pen_status pen_csv_block_more(struct pen_csv_reader *reader, bool *grown, struct pen_error *err);
/* The error of a row that does not end: a quote open at the end of the file, or max_row_bytes. */
pen_status pen_csv_block_unfinished(struct pen_csv_reader *reader, struct pen_error *err);
void pen_csv_block_restart(struct pen_csv_reader *reader); /* before the first byte of the first file */
void pen_csv_chunk_deinit(struct pen_csv_chunk *chunk, int64_t n_columns);

/* ---- header.c, skip.c; what they are made of: sample.h ---- */

/* Dialect, header and a first guess of types, from the beginning of the first file. */
pen_status pen_csv_header_read(struct pen_csv_reader *reader, struct pen_error *err);
/* At the beginning of a file in the block: mark, skip_lines, header row (compared with the first file's). */
pen_status pen_csv_header_skip(struct pen_csv_reader *reader, struct pen_error *err);

/* ---- merge.c ---- */

/* Joins the converted chunks of a block into the reader's columns. *misfit is set when a column's type broke. */
pen_status pen_csv_merge(struct pen_csv_reader *reader, bool *misfit, struct pen_error *err);

/* ---- rows.c ---- */

/* Sets base, stride and n_rows; drops blank lines and comments; notes bad rows. */
pen_status pen_csv_rows(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, struct pen_error *err);
/* Takes rows (ascending numbers) out again, with their reasons (taken over). */
pen_status pen_csv_rows_drop(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, const int64_t *rows,
                             char **reasons, int64_t n_rows, struct pen_error *err);
int64_t pen_csv_line_of(const struct pen_csv_chunk *chunk, int64_t offset);

/* ---- convert.c ---- */

pen_status pen_csv_convert(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, struct pen_error *err);
/* Column c of a converted chunk once more, as the type that the column has now. */
pen_status pen_csv_convert_column(const struct pen_csv_reader *reader, struct pen_csv_chunk *chunk, int64_t c,
                                  struct pen_error *err);
bool pen_csv_is_missing(const struct pen_csv_options *options, const char *content, size_t size, bool quoted);

/* One column of one tile of rows. */
struct pen_csv_tile {
    const struct pen_csv_reader *reader;
    struct pen_csv_chunk *chunk;
    struct pen_csv_output *out;
    int64_t field, first_row, n_rows;
    bool strip_cr;       /* the last field of a chunk with CR */
    bool any_quote;      /* in the chunk */
    bool plain;          /* no null markers */
    bool number_markers; /* some null marker may be a number */
    bool utf8;           /* the whole chunk is UTF-8 */
};

/* Number tiles: return the class of all cells (STRING: a misfit, the output is not to be used).
 *
 * unquote: copies the inside of a quoted cell, of two quotes one, and returns the bytes written; -1 when a quote stands
 * alone, which is for pen_csv_unquote. Reads and writes up to 64 bytes past the end. */
struct pen_csv_convert_ops {
    enum pen_csv_class (*ints)(struct pen_csv_tile *tile, int64_t *values);
    enum pen_csv_class (*doubles)(struct pen_csv_tile *tile, double *values);
    int64_t (*unquote)(char *to, const char *from, int64_t size, char quote);
};
extern const struct pen_csv_convert_ops pen_csv_convert_scalar, pen_csv_convert_avx2, pen_csv_convert_avx512;

/* String tiles: values or offsets and bytes, validity, fresh strings. */
pen_status pen_csv_tile_codes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, int32_t *codes,
                              struct pen_error *err);
pen_status pen_csv_tile_bytes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, struct pen_error *err);

/* The general way to one cell: false when it is missing. */
bool pen_csv_tile_cell(const struct pen_csv_tile *tile, int64_t row, const char **content, size_t *size);
enum pen_csv_class pen_csv_tile_number(const struct pen_csv_tile *tile, int64_t row, int64_t *integer, double *real);

static inline void pen_csv_tile_raw(const struct pen_csv_tile *tile, int64_t row, const char **raw, size_t *size)
{
    const uint32_t *ends = tile->chunk->base + row * tile->chunk->stride + tile->field;
    uint32_t begin = ends[-1] + 1;
    uint32_t end = ends[0];
    const char *text = tile->chunk->text;
    if (tile->strip_cr && end > begin && text[end - 1] == '\r') {
        end--;
    }
    *raw = text + begin;
    *size = end - begin;
}

/* Room for the content of the raw cell, and PEN_CSV_PAD; behind it the next cells have theirs, so it lasts while cells
 * are taken in order. NULL in a chunk without quotes, whose cells are taken as they stand. */
static inline char *pen_csv_tile_scratch(const struct pen_csv_tile *tile, const char *raw)
{
    return tile->any_quote ? tile->chunk->scratch + (raw - tile->chunk->text) : NULL;
}

/* Marks row (of the chunk) missing. */
static inline void pen_csv_set_missing(struct pen_csv_output *out, int64_t row)
{
    out->validity[row >> 6] &= ~(UINT64_C(1) << (row & 63));
    out->any_missing = true;
}

#endif
