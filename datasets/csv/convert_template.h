/* Number columns, one tile of rows at a time; compiled once for each instruction set.
 * Needs pen_csv_level_double(text, size, &value, &is_int). */

/* The content of the common cells: outer spaces and a simple pair of quotes dropped. False: missing or not common. */
static inline bool pen_csv_common_cell(const struct pen_csv_tile *tile, int64_t row, const char **text, size_t *size)
{
    const char *raw;
    size_t n;
    pen_csv_tile_raw(tile, row, &raw, &n);
    while (tile->reader->dialect.trim && n > 0 && (*raw == ' ' || *raw == '\t')) {
        raw++;
        n--;
    }
    while (tile->reader->dialect.trim && n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t')) {
        n--;
    }
    if (n >= 2 && tile->any_quote && raw[0] == tile->reader->dialect.quote && raw[n - 1] == raw[0]) {
        raw++;
        n -= 2;
    }
    *text = raw;
    *size = n;
    return n > 0 && (tile->plain || !pen_csv_is_missing(&tile->reader->options, raw, n, false));
}

static enum pen_csv_class pen_csv_ints_level(struct pen_csv_tile *tile, int64_t *values)
{
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = 0; i < tile->n_rows; i++) {
        const char *text;
        size_t size;
        if (pen_csv_common_cell(tile, tile->first_row + i, &text, &size) && pen_csv_fast_int(text, size, &values[i])) {
            seen = seen > PEN_CSV_CLASS_INT ? seen : PEN_CSV_CLASS_INT;
            continue;
        }
        double real;
        const enum pen_csv_class cell = pen_csv_tile_number(tile, tile->first_row + i, &values[i], &real);
        seen = seen > cell ? seen : cell;
    }
    return seen;
}

static enum pen_csv_class pen_csv_doubles_level(struct pen_csv_tile *tile, double *values)
{
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = 0; i < tile->n_rows; i++) {
        const char *text;
        size_t size;
        bool is_int;
        if (pen_csv_common_cell(tile, tile->first_row + i, &text, &size) &&
            pen_csv_level_double(text, size, &values[i], &is_int)) {
            const enum pen_csv_class cell = is_int ? PEN_CSV_CLASS_INT : PEN_CSV_CLASS_FLOAT;
            seen = seen > cell ? seen : cell;
            continue;
        }
        int64_t integer;
        const enum pen_csv_class cell = pen_csv_tile_number(tile, tile->first_row + i, &integer, &values[i]);
        seen = seen > cell ? seen : cell;
    }
    return seen;
}
