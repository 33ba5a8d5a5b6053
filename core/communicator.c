/* What ranks tell each other, made of exchanges. A sum is two of them: each rank gets its piece of the array from all,
 * adds it up in the order of the ranks, and gives the result to all; every byte of the array goes out and comes in
 * twice, however many ranks there are. */
#include "core/communicator.h"

#include "core/memory.h"

#include <string.h>

enum { PIECE_ITEMS = 1 << 16, SMALL_ITEMS = 512 };

static pen_status exchange(struct pen_communicator *c, const char *what, const struct pen_parcel *parcels,
                           struct pen_error *err)
{
    c->what = what;
    c->n_calls++;
    if (c->failed) {
        PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: %s after the ranks lost each other", c->rank, c->size, what);
    }
    pen_status status = c->table->exchange(c, parcels, err);
    c->failed = status != PEN_OK;
    return status;
}

static pen_status make_parcels(const struct pen_communicator *c, struct pen_parcel **parcels, struct pen_error *err)
{
    PEN_ALLOC(*parcels, c->size, err);
    return PEN_OK;
}

/* ---- sums ---- */

typedef void add_fn(void *sum, const void *part, int64_t n);

static void add_f64(void *sum, const void *part, int64_t n)
{
    double *s = sum;
    const double *p = part;
    for (int64_t i = 0; i < n; i++) {
        s[i] += p[i];
    }
}

static void add_f32(void *sum, const void *part, int64_t n)
{
    float *s = sum;
    const float *p = part;
    for (int64_t i = 0; i < n; i++) {
        s[i] += p[i];
    }
}

static void add_i64(void *sum, const void *part, int64_t n)
{
    uint64_t *s = sum; /* wraps as the hardware does */
    const uint64_t *p = part;
    for (int64_t i = 0; i < n; i++) {
        s[i] += p[i];
    }
}

struct sum {
    struct pen_communicator *c;
    struct pen_parcel *parcels;
    add_fn *add;
    int64_t width; /* bytes of an item */
    char *parts;   /* [size][at most PIECE_ITEMS] */
};

/* out = the sum of parts [size][n], in the order of the ranks. */
static void add_up(const struct sum *s, char *out, int64_t n)
{
    memcpy(out, s->parts, (size_t)(n * s->width));
    for (int r = 1; r < s->c->size; r++) {
        s->add(out, s->parts + r * n * s->width, n);
    }
}

static pen_status sum_small(const struct sum *s, char *values, int64_t n, struct pen_error *err)
{
    int64_t bytes = n * s->width;
    for (int r = 0; r < s->c->size; r++) {
        s->parcels[r] = (struct pen_parcel){values, bytes, s->parts + r * bytes, bytes};
    }
    PEN_TRY(exchange(s->c, "a sum", s->parcels, err));
    memcpy(s->parts + s->c->rank * bytes, values, (size_t)bytes);
    add_up(s, values, n);
    return PEN_OK;
}

/* n items, at most size * PIECE_ITEMS: rank r adds up items [r * piece, (r + 1) * piece). */
static pen_status sum_pieces(const struct sum *s, char *values, int64_t n, struct pen_error *err)
{
    int size = s->c->size, rank = s->c->rank;
    int64_t piece = (n + size - 1) / size;
    int64_t own_first = piece * rank < n ? piece * rank : n;
    int64_t own = n - own_first < piece ? n - own_first : piece;
    char *own_values = values + own_first * s->width;
    for (int r = 0; r < size; r++) {
        int64_t first = piece * r < n ? piece * r : n, count = n - first < piece ? n - first : piece;
        s->parcels[r] = (struct pen_parcel){values + first * s->width, count * s->width, s->parts + r * own * s->width,
                                            own * s->width};
    }
    PEN_TRY(exchange(s->c, "a sum", s->parcels, err));
    memcpy(s->parts + rank * own * s->width, own_values, (size_t)(own * s->width));
    add_up(s, own_values, own);
    for (int r = 0; r < size; r++) {
        int64_t first = piece * r < n ? piece * r : n, count = n - first < piece ? n - first : piece;
        s->parcels[r] = (struct pen_parcel){own_values, own * s->width, values + first * s->width, count * s->width};
    }
    return exchange(s->c, "the result of a sum", s->parcels, err);
}

static pen_status sum_all(struct pen_communicator *c, void *values, int64_t n, int64_t width, add_fn *add,
                          struct pen_error *err)
{
    if (c->size == 1 || n == 0) {
        return PEN_OK;
    }
    struct sum s = {c, NULL, add, width, NULL};
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, make_parcels(c, &s.parcels, err));
    int64_t most = c->size * (int64_t)PIECE_ITEMS;
    s.parts = pen_malloc(n < most ? n + c->size * (int64_t)SMALL_ITEMS : most, (size_t)width);
    if (s.parts == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: adding up %lld items", (long long)n);
    }
    for (int64_t done = 0; done < n && status == PEN_OK;) {
        int64_t count = n - done < most ? n - done : most;
        char *at = (char *)values + done * width;
        status = count <= SMALL_ITEMS ? sum_small(&s, at, count, err) : sum_pieces(&s, at, count, err);
        done += count;
    }
cleanup:
    pen_free(s.parts);
    pen_free(s.parcels);
    return status;
}

pen_status pen_communicator_sum_f64(struct pen_communicator *c, double *values, int64_t n, struct pen_error *err)
{
    return sum_all(c, values, n, sizeof *values, add_f64, err);
}

pen_status pen_communicator_sum_f32(struct pen_communicator *c, float *values, int64_t n, struct pen_error *err)
{
    return sum_all(c, values, n, sizeof *values, add_f32, err);
}

pen_status pen_communicator_sum_i64(struct pen_communicator *c, int64_t *values, int64_t n, struct pen_error *err)
{
    return sum_all(c, values, n, sizeof *values, add_i64, err);
}

/* ---- the rest ---- */

pen_status pen_communicator_broadcast(struct pen_communicator *c, void *bytes, int64_t size_bytes, int root,
                                      struct pen_error *err)
{
    struct pen_parcel *parcels = NULL;
    PEN_ASSERT(root >= 0 && root < c->size);
    if (c->size == 1) {
        return PEN_OK;
    }
    PEN_TRY(make_parcels(c, &parcels, err));
    for (int r = 0; r < c->size; r++) {
        if (c->rank == root) {
            parcels[r] = (struct pen_parcel){bytes, size_bytes, NULL, 0};
        } else if (r == root) {
            parcels[r] = (struct pen_parcel){NULL, 0, bytes, size_bytes};
        }
    }
    pen_status status = exchange(c, "a broadcast", parcels, err);
    pen_free(parcels);
    return status;
}

pen_status pen_communicator_gather(struct pen_communicator *c, void *out, const void *bytes, int64_t size_bytes,
                                   struct pen_error *err)
{
    struct pen_parcel *parcels = NULL;
    if (size_bytes > 0) {
        memcpy((char *)out + c->rank * size_bytes, bytes, (size_t)size_bytes);
    }
    if (c->size == 1) {
        return PEN_OK;
    }
    PEN_TRY(make_parcels(c, &parcels, err));
    for (int r = 0; r < c->size; r++) {
        parcels[r] = (struct pen_parcel){bytes, size_bytes, (char *)out + r * size_bytes, size_bytes};
    }
    pen_status status = exchange(c, "a gather", parcels, err);
    pen_free(parcels);
    return status;
}

pen_status pen_communicator_gather_all(struct pen_communicator *c, char **out, int64_t *offsets, const void *bytes,
                                       int64_t size_bytes, struct pen_error *err)
{
    struct pen_parcel *parcels = NULL;
    char *all = NULL;
    *out = NULL;
    offsets[0] = 0;
    PEN_TRY(pen_communicator_gather(c, offsets + 1, &size_bytes, sizeof size_bytes, err));
    for (int r = 0; r < c->size; r++) {
        offsets[r + 1] += offsets[r];
    }
    all = pen_malloc(offsets[c->size], 1);
    if (all == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: %lld bytes of %d ranks", (long long)offsets[c->size], c->size);
    }
    pen_status status = make_parcels(c, &parcels, err);
    for (int r = 0; r < c->size && status == PEN_OK; r++) {
        parcels[r] = (struct pen_parcel){bytes, size_bytes, all + offsets[r], offsets[r + 1] - offsets[r]};
    }
    if (status == PEN_OK && size_bytes > 0) {
        memcpy(all + offsets[c->rank], bytes, (size_t)size_bytes);
    }
    if (status == PEN_OK && c->size > 1) {
        status = exchange(c, "a gather", parcels, err);
    }
    pen_free(parcels);
    if (status != PEN_OK) {
        pen_free(all);
        return status;
    }
    *out = all;
    return PEN_OK;
}

pen_status pen_communicator_barrier(struct pen_communicator *c, struct pen_error *err)
{
    int64_t here = 1;
    return pen_communicator_sum_i64(c, &here, 1, err);
}

pen_status pen_communicator_look(struct pen_communicator *c, struct pen_error *err)
{
    if (c->failed) {
        PEN_FAIL(err, PEN_ERR_FAILED, "rank %d of %d: the ranks lost each other", c->rank, c->size);
    }
    if (c->table == NULL || c->table->look == NULL) {
        return PEN_OK;
    }
    pen_status status = c->table->look(c, err);
    c->failed = status != PEN_OK;
    return status;
}

void pen_communicator_abort(struct pen_communicator *c, const char *message)
{
    if (c->table != NULL && !c->failed) {
        c->failed = true;
        c->table->abort(c, message);
    }
}

void pen_communicator_share(const struct pen_communicator *c, int64_t n, int64_t *first, int64_t *end)
{
    int64_t each = n / c->size, left = n % c->size;
    *first = each * c->rank + (c->rank < left ? c->rank : left);
    *end = *first + each + (c->rank < left);
}

void pen_communicator_close(struct pen_communicator *c)
{
    if (c != NULL && c->table != NULL) {
        c->table->close(c);
    }
}
