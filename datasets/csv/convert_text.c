/* String columns of one tile: dictionary codes, or offsets and bytes.
 *
 * The common cell is taken as it stands, or is quoted as RFC 4180 has it, which the level's unquote copies whole. All
 * others (outer spaces to drop, stray quotes) go the general way. */
#include "datasets/csv/dictionary.h"

enum {
    SLACK = 64,       /* bytes that a copy may write too many */
    FAR_SLOTS = 8192, /* of dictionaries that need more than a cache near the core */
    GROUP = 16        /* cells whose places in such a dictionary are fetched ahead together */
};

static bool too_many(const struct pen_csv_reader *reader, const struct pen_csv_dictionary *dictionary)
{
    const int64_t n = dictionary->view.n_entries;
    return n > reader->options.max_distinct || (n > 0 && dictionary->offsets[n] > reader->options.max_dictionary_bytes);
}

static void count_utf8(const struct pen_csv_tile *tile, const char *content, size_t size)
{
    if (!tile->utf8 && pen_utf8_valid_prefix(content, size) != size) {
        tile->out->n_non_utf8++;
    }
}

/* The content of a present cell, in the text or in `to` (with room for the raw cell and SLACK; NULL: the cell's own
 * place in the chunk's scratch); false: missing. */
static inline bool text_cell(const struct pen_csv_tile *tile, int64_t row, char *to, const char **content, size_t *size)
{
    const struct pen_csv_dialect *dialect = &tile->reader->dialect;
    pen_csv_tile_raw(tile, row, content, size);
    if (*size == 0) {
        return false;
    }
    if (!dialect->trim) {
        bool common = **content != dialect->quote;
        if (!common && *size > 2 && (*content)[*size - 1] == dialect->quote) {
            to = to == NULL ? pen_csv_tile_scratch(tile, *content) : to;
            const int64_t n = tile->reader->ops->convert->unquote(to, *content + 1, (int64_t)*size - 2, dialect->quote);
            common = n > 0;
            *content = common ? to : *content;
            *size = common ? (size_t)n : *size;
        }
        if (common) {
            return tile->plain || !pen_csv_is_missing(&tile->reader->options, *content, *size, false);
        }
    }
    return pen_csv_tile_cell(tile, row, content, size);
}

/* Code of a string: the reader's, or -2 - i for the chunk's own i-th fresh one. */
static inline pen_status code_of(const struct pen_csv_tile *tile, const struct pen_csv_col *column,
                                 const struct pen_csv_key *key, int32_t *code, struct pen_error *err)
{
    *code = pen_csv_dictionary_find(&column->dictionary, key);
    if (*code >= 0) {
        return PEN_OK;
    }
    int32_t fresh = pen_csv_dictionary_find(&tile->out->fresh, key);
    if (fresh < 0) {
        PEN_TRY(pen_csv_dictionary_insert(&tile->out->fresh, key, &fresh, err));
        tile->out->overflow = too_many(tile->reader, &tile->out->fresh);
    }
    *code = -2 - fresh;
    return PEN_OK;
}

/* A group's keys are made first, so that the waits for their slots overlap. */
static pen_status group_codes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, int64_t first,
                              int64_t n, int32_t *codes, struct pen_error *err)
{
    struct pen_csv_key keys[GROUP];
    int64_t places[GROUP], n_keys = 0;
    for (int64_t i = 0; i < n; i++) {
        const char *content;
        size_t size;
        codes[i] = -1;
        if (text_cell(tile, first + i, NULL, &content, &size)) {
            count_utf8(tile, content, size);
            keys[n_keys] = pen_csv_key_of(content, size);
            pen_csv_dictionary_prefetch(&column->dictionary, &keys[n_keys]);
            places[n_keys++] = i;
        } else {
            pen_csv_set_missing(tile->out, first + i);
        }
    }
    for (int64_t k = 0; k < n_keys && !tile->out->overflow; k++) {
        PEN_TRY(code_of(tile, column, &keys[k], &codes[places[k]], err));
    }
    return PEN_OK;
}

static pen_status near_codes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, int32_t *codes,
                             struct pen_error *err)
{
    for (int64_t i = 0; i < tile->n_rows && !tile->out->overflow; i++) {
        const char *content;
        size_t size;
        codes[i] = -1;
        if (text_cell(tile, tile->first_row + i, NULL, &content, &size)) {
            count_utf8(tile, content, size);
            const struct pen_csv_key key = pen_csv_key_of(content, size);
            PEN_TRY(code_of(tile, column, &key, &codes[i], err));
        } else {
            pen_csv_set_missing(tile->out, tile->first_row + i);
        }
    }
    return PEN_OK;
}

pen_status pen_csv_tile_codes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, int32_t *codes,
                              struct pen_error *err)
{
    if (column->dictionary.n_slots < FAR_SLOTS) {
        return near_codes(tile, column, codes, err);
    }
    for (int64_t i = 0; i < tile->n_rows && !tile->out->overflow; i += GROUP) {
        const int64_t n = tile->n_rows - i < GROUP ? tile->n_rows - i : GROUP;
        PEN_TRY(group_codes(tile, column, tile->first_row + i, n, codes + i, err));
    }
    return PEN_OK;
}

/* Counts different texts by their hashes, kept as strings of 8 bytes: a lower bound of number and bytes, as two texts
 * may share one. Above a limit it is proof enough for BYTES; below, the next reading counts the texts themselves
 * (settle in reader.c). */
static pen_status count_distinct(const struct pen_csv_tile *tile, const struct pen_csv_col *column, const char *content,
                                 size_t size, struct pen_error *err)
{
    uint64_t fingerprint[2] = {0}; /* keys are read sixteen bytes at a time */
    int32_t code;
    if (size > sizeof fingerprint[0]) {
        fingerprint[0] = pen_csv_hash_long(content, size);
        content = (const char *)fingerprint;
        size = sizeof fingerprint[0];
    }
    const struct pen_csv_key key = pen_csv_key_of(content, size);
    return code_of(tile, column, &key, &code, err);
}

static inline void copy_with_slack(char *to, const char *from, size_t size)
{
    if (size <= 32) {
        memcpy(to, from, 32);
    } else {
        memcpy(to, from, size);
    }
}

pen_status pen_csv_tile_bytes(const struct pen_csv_tile *tile, const struct pen_csv_col *column, struct pen_error *err)
{
    struct pen_csv_output *out = tile->out;
    const bool counted = !column->forced && !column->many;
    int64_t at = out->offsets[tile->first_row];
    for (int64_t i = 0; i < tile->n_rows; i++) {
        const int64_t row = tile->first_row + i;
        const char *content;
        size_t size;
        pen_csv_tile_raw(tile, row, &content, &size);
        PEN_TRY(pen_grow((void **)&out->bytes, &out->bytes_capacity, at + (int64_t)size + SLACK, 1, err));
        char *to = out->bytes + at;
        if (text_cell(tile, row, to, &content, &size)) {
            if (content != to) {
                copy_with_slack(to, content, size);
            }
            count_utf8(tile, to, size);
            if (counted && !out->overflow) {
                PEN_TRY(count_distinct(tile, column, to, size, err));
            }
            at += (int64_t)size;
        } else {
            pen_csv_set_missing(out, row);
        }
        out->offsets[row + 1] = at;
    }
    return PEN_OK;
}
