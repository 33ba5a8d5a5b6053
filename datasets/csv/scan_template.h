/* Structure of CSV text by bit masks; compiled once for each instruction set.
 *
 * Needs: pen_csv_masks(text, &dialect_vectors, &masks), pen_csv_prefix_xor(mask), pen_csv_emit(ends, mask, base).
 * Sixty-four bytes give four masks (quote, delimiter, LF, CR). A byte is inside quotes when the number of quotes up
 * to and with it is odd: a running XOR, which a carry-less multiplication by all ones computes (Langdale and Lemire,
 * "Parsing gigabytes of JSON per second", 2019); doubled quotes cancel by themselves. That equals the exact machine
 * as long as every opening quote stands behind a delimiter, line end, quote or the start, and every closing one
 * before a delimiter, line end or quote: the two mask expressions below see every exception. */

static struct pen_csv_survey pen_csv_survey_level(const char *text, int64_t size, char quote)
{
    const struct pen_csv_needles needles = pen_csv_needles_of(quote, quote);
    struct pen_csv_survey survey = {0, 0};
    int64_t n_cr = 0, n_pairs = 0;
    uint64_t cr_before = size > 0 && text[-1] == '\r';
    for (int64_t at = 0; at < size; at += 64) {
        struct pen_csv_masks m;
        pen_csv_masks_of(text + at, &needles, &m);
        uint64_t keep = size - at >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (size - at)) - 1;
        m.quote &= keep;
        m.lf &= keep;
        m.cr &= keep;
        survey.n_quotes += PEN_CSV_POPCOUNT(m.quote);
        survey.n_lines += PEN_CSV_POPCOUNT(m.lf);
        n_cr += PEN_CSV_POPCOUNT(m.cr);
        n_pairs += PEN_CSV_POPCOUNT(m.lf & ((m.cr << 1) | cr_before));
        cr_before = m.cr >> 63;
    }
    survey.n_lines += n_cr - n_pairs;
    survey.n_quotes = quote != 0 ? survey.n_quotes : 0;
    return survey;
}

static void pen_csv_index_level(struct pen_csv_index *index, const char *text, int64_t size,
                                const struct pen_csv_dialect *dialect)
{
    const struct pen_csv_needles needles = pen_csv_needles_of(dialect->quote, dialect->delimiter);
    const uint64_t quote_on = dialect->quote != 0 ? ~UINT64_C(0) : 0;
    uint32_t *ends = index->ends;
    uint32_t *row_ends = index->row_ends;
    uint64_t inside_before = 0, edge_before = 1, close_before = 0, irregular = 0, any_quote = 0, any_cr = 0;
    struct pen_csv_bytes_seen seen = pen_csv_bytes_seen_none();
    for (int64_t at = 0; at < size; at += 64) {
        struct pen_csv_masks m;
        pen_csv_masks_of(text + at, &needles, &m);
        uint64_t keep = size - at >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (size - at)) - 1;
        pen_csv_bytes_see(&seen, &m, keep);
        const uint64_t quote = m.quote & keep & quote_on;
        const uint64_t delimiter = m.delimiter & keep & ~quote;
        const uint64_t lf = m.lf & keep;
        const uint64_t cr = m.cr & keep;
        const uint64_t inside = pen_csv_prefix_xor(quote) ^ inside_before;
        inside_before = UINT64_C(0) - (inside >> 63);

        const uint64_t edge = delimiter | lf | cr | quote;
        const uint64_t open = quote & inside;
        const uint64_t close = quote & ~inside;
        irregular |= open & ~((edge << 1) | edge_before);
        irregular |= ((close << 1) | close_before) & ~edge & keep;
        edge_before = edge >> 63;
        close_before = close >> 63;
        any_quote |= quote;
        any_cr |= cr;

        uint64_t lone_cr = 0;
        if (cr != 0) {
            const uint64_t next_lf = text[at + 64] == '\n' ? UINT64_C(1) << 63 : 0;
            lone_cr = cr & ~((m.lf >> 1) | next_lf);
        }
        uint64_t rows = (lf | lone_cr) & ~inside;
        const uint64_t all = rows | (delimiter & ~inside);
        while (rows != 0) {
            *row_ends++ = (uint32_t)(ends - index->ends) + (uint32_t)PEN_CSV_POPCOUNT(all & ((rows & -rows) - 1));
            rows &= rows - 1;
        }
        ends = pen_csv_emit(ends, all, (uint32_t)at);
    }
    index->n_ends = ends - index->ends;
    index->n_rows = row_ends - index->row_ends;
    index->has_quote = any_quote != 0;
    index->has_cr = any_cr != 0;
    index->irregular = irregular != 0;
    pen_csv_bytes_result(&seen, &index->has_high, &index->has_nul);
}
