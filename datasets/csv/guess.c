/* A first guess of the columns' types, from the sample and a few places further on in a plain file. A wrong guess costs
 * time, never correctness. */
#include "datasets/csv/dictionary.h"
#include "datasets/csv/sample.h"

enum { GUESS_ROWS = 4096, PEEK_BYTES = 1 << 16, N_PEEKS = 7, MANY_SAMPLE_ROWS = 2000 };

struct guess {
    enum pen_csv_class *classes; /* [n_columns] */
    struct pen_csv_dictionary *distinct;
    int64_t n_rows, n_bytes;
};

static void guess_rows(const struct pen_csv_reader *reader, const struct pen_csv_index *index, const char *text,
                       char *scratch, int64_t first_row, struct guess *guess)
{
    for (int64_t row = first_row; row < index->n_rows && row < GUESS_ROWS; row++) {
        int64_t first;
        if (pen_csv_row_width(index, row, &first) != reader->n_fields ||
            pen_csv_row_is_blank(&reader->dialect, index, text, row)) {
            continue;
        }
        guess->n_rows++;
        for (int64_t c = 0; c < reader->n_columns; c++) {
            size_t size;
            int64_t integer;
            double real;
            bool overflow;
            const char *cell =
                pen_csv_row_cell(&reader->dialect, index, text, row, reader->columns[c].field, scratch, &size);
            if (pen_csv_is_missing(&reader->options, cell, size, false)) {
                continue;
            }
            if (guess->classes[c] != PEN_CSV_CLASS_STRING) {
                const enum pen_csv_class seen = pen_csv_classify(cell, size, &integer, &real, &overflow);
                guess->classes[c] = seen > guess->classes[c] ? seen : guess->classes[c];
            }
            if (guess->classes[c] == PEN_CSV_CLASS_STRING) {
                struct pen_csv_dictionary *distinct = &guess->distinct[c];
                const struct pen_csv_key key = pen_csv_key_of(cell, size);
                int32_t code;
                if (pen_csv_dictionary_find(distinct, &key) < 0 &&
                    pen_csv_dictionary_insert(distinct, &key, &code, NULL) != PEN_OK) {
                    return;
                }
            }
        }
    }
}

/* A few pieces further on in a plain file, each from its first line end. */
static pen_status guess_peeks(struct pen_csv_reader *reader, struct pen_csv_sample *sample, struct guess *guess,
                              struct pen_error *err)
{
    struct pen_csv_source *source;
    PEN_TRY(pen_csv_source_open(&source, reader->paths[0], err));
    const int64_t size = pen_csv_source_size(source);
    pen_status status = PEN_OK;
    for (int64_t i = 1; size > 4 * PEN_CSV_SAMPLE_BYTES && sample->size > PEEK_BYTES && i <= N_PEEKS; i++) {
        int64_t got, open_quote;
        PEN_TRY_GOTO(done,
                     pen_csv_source_peek(source, sample->text, PEEK_BYTES, size / N_PEEKS * i - PEEK_BYTES, &got, err));
        memset(sample->text + got, 0, 1);
        const int64_t begin = pen_csv_first_row_end(sample->text, got, false, 0);
        if (begin >= 0) {
            const char *text = sample->text + begin;
            (void)pen_csv_machine(&sample->index, text, got - begin, INT64_MAX, &reader->dialect, &open_quote);
            guess_rows(reader, &sample->index, text, sample->scratch, 0, guess);
        }
    }
done:
    pen_csv_source_close(source);
    return status;
}

static void set_types(struct pen_csv_reader *reader, const struct guess *guess, int64_t file_bytes)
{
    const double rows = guess->n_bytes > 0 ? (double)guess->n_rows * (double)file_bytes / (double)guess->n_bytes : 0;
    for (int64_t c = 0; c < reader->n_columns; c++) {
        struct pen_csv_col *column = &reader->columns[c];
        if (column->forced) {
            continue;
        }
        const int64_t n_distinct = guess->distinct[c].view.n_entries;
        const bool many = guess->n_rows >= MANY_SAMPLE_ROWS && n_distinct > guess->n_rows * 9 / 10 &&
                          rows > 2.0 * (double)reader->options.max_distinct;
        switch (guess->classes[c]) {
        case PEN_CSV_CLASS_INT:
            column->type = PEN_TYPE_INT64;
            break;
        case PEN_CSV_CLASS_FLOAT:
            column->type = reader->options.float32 ? PEN_TYPE_FLOAT32 : PEN_TYPE_FLOAT64;
            break;
        case PEN_CSV_CLASS_STRING:
            column->type = many ? PEN_TYPE_BYTES : PEN_TYPE_CODES;
            break;
        case PEN_CSV_CLASS_NONE:
        default:
            column->type = PEN_TYPE_NONE;
            break;
        }
    }
}

pen_status pen_csv_guess_types(struct pen_csv_reader *reader, struct pen_csv_sample *sample, int64_t first_row,
                               struct pen_error *err)
{
    struct guess guess = {0};
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(done, guess.classes, reader->n_columns, err);
    PEN_ALLOC_GOTO(done, guess.distinct, reader->n_columns, err);
    guess_rows(reader, &sample->index, sample->text, sample->scratch, first_row, &guess);
    const int64_t last = sample->index.n_rows < GUESS_ROWS ? sample->index.n_rows - 1 : GUESS_ROWS - 1;
    const int64_t guessed_bytes = last < 0 ? 0 : (int64_t)sample->index.ends[sample->index.row_ends[last]] + 1;
    guess.n_bytes = guessed_bytes;
    const int64_t n_rows = guess.n_rows;
    if (!sample->whole) {
        PEN_TRY_GOTO(done, guess_peeks(reader, sample, &guess, err));
        struct pen_csv_source *source;
        PEN_TRY_GOTO(done, pen_csv_source_open(&source, reader->paths[0], err));
        const int64_t size = pen_csv_source_size(source);
        pen_csv_source_close(source);
        guess.n_bytes = n_rows > 0 ? guessed_bytes * guess.n_rows / n_rows : guessed_bytes;
        set_types(reader, &guess, size < 0 ? INT64_C(1) << 40 : size * reader->n_paths);
    } else {
        set_types(reader, &guess, sample->size * reader->n_paths);
    }
done:
    for (int64_t c = 0; guess.distinct != NULL && c < reader->n_columns; c++) {
        pen_csv_dictionary_deinit(&guess.distinct[c]);
    }
    pen_free(guess.classes);
    pen_free(guess.distinct);
    return status;
}
