/* Number columns, one tile of rows at a time; compiled once for each instruction set.
 * Needs pen_csv_level_double(text, size, &value, &is_int). */

/* What the loops need of a tile, in registers. */
struct pen_csv_walk {
    const char *text;
    const uint32_t *ends; /* of the field in the first row */
    int64_t stride;
    char quote; /* 0: no quotes in the chunk */
    bool strip_cr, trim, plain;
};

static inline struct pen_csv_walk pen_csv_walk_of(const struct pen_csv_tile *tile)
{
    const struct pen_csv_chunk *chunk = tile->chunk;
    const struct pen_csv_walk walk = {chunk->text,    chunk->base + tile->first_row * chunk->stride + tile->field,
                                      chunk->stride,  tile->any_quote ? tile->reader->dialect.quote : (char)0,
                                      tile->strip_cr, tile->reader->dialect.trim,
                                      tile->plain};
    return walk;
}

/* The content of the common cells: outer spaces and a simple pair of quotes dropped. False: missing or not common. */
static inline bool pen_csv_common_cell(const struct pen_csv_tile *tile, const struct pen_csv_walk *walk, int64_t i,
                                       const char **text, size_t *size)
{
    const uint32_t *ends = walk->ends + i * walk->stride;
    const uint32_t begin = ends[-1] + 1;
    const char *raw = walk->text + begin;
    size_t n = ends[0] - begin;
    if (walk->strip_cr && n > 0 && raw[n - 1] == '\r') {
        n--;
    }
    while (walk->trim && n > 0 && (*raw == ' ' || *raw == '\t')) {
        raw++;
        n--;
    }
    while (walk->trim && n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t')) {
        n--;
    }
    if (walk->quote != 0 && n >= 2 && raw[0] == walk->quote && raw[n - 1] == walk->quote) {
        raw++;
        n -= 2;
    }
    *text = raw;
    *size = n;
    return n > 0 && (walk->plain || !pen_csv_is_missing(&tile->reader->options, raw, n, false));
}

static inline enum pen_csv_class pen_csv_higher(enum pen_csv_class a, enum pen_csv_class b)
{
    return a > b ? a : b;
}

/* Row i of the tile into values[i]; the class of the cell. */
static inline enum pen_csv_class pen_csv_int_cell(struct pen_csv_tile *tile, const struct pen_csv_walk *walk, int64_t i,
                                                  int64_t *values)
{
    const char *text;
    size_t size;
    if (pen_csv_common_cell(tile, walk, i, &text, &size) && pen_csv_fast_int(text, size, &values[i])) {
        return PEN_CSV_CLASS_INT;
    }
    double real;
    return pen_csv_tile_number(tile, tile->first_row + i, &values[i], &real);
}

static inline enum pen_csv_class pen_csv_double_cell(struct pen_csv_tile *tile, const struct pen_csv_walk *walk,
                                                     int64_t i, double *values)
{
    const char *text;
    size_t size;
    bool is_int;
    if (pen_csv_common_cell(tile, walk, i, &text, &size) && pen_csv_level_double(text, size, &values[i], &is_int)) {
        return is_int ? PEN_CSV_CLASS_INT : PEN_CSV_CLASS_FLOAT;
    }
    int64_t integer;
    return pen_csv_tile_number(tile, tile->first_row + i, &integer, &values[i]);
}

/* Rows first .. n_rows - 1. */
static inline enum pen_csv_class pen_csv_int_cells(struct pen_csv_tile *tile, const struct pen_csv_walk *walk,
                                                   int64_t first, int64_t *values)
{
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = first; i < tile->n_rows; i++) {
        seen = pen_csv_higher(seen, pen_csv_int_cell(tile, walk, i, values));
    }
    return seen;
}

static inline enum pen_csv_class pen_csv_double_cells(struct pen_csv_tile *tile, const struct pen_csv_walk *walk,
                                                      int64_t first, double *values)
{
    enum pen_csv_class seen = PEN_CSV_CLASS_NONE;
    for (int64_t i = first; i < tile->n_rows; i++) {
        seen = pen_csv_higher(seen, pen_csv_double_cell(tile, walk, i, values));
    }
    return seen;
}

static inline enum pen_csv_class pen_csv_ints_level(struct pen_csv_tile *tile, int64_t *values)
{
    const struct pen_csv_walk walk = pen_csv_walk_of(tile);
    return pen_csv_int_cells(tile, &walk, 0, values);
}

static inline enum pen_csv_class pen_csv_doubles_level(struct pen_csv_tile *tile, double *values)
{
    const struct pen_csv_walk walk = pen_csv_walk_of(tile);
    return pen_csv_double_cells(tile, &walk, 0, values);
}
