/* The thread that reads ahead, and the copies of what it has read. */
#include "components/trainer/windows.h"

#include "core/log.h"
#include "core/rng.h"

#include <pthread.h>

enum { STREAM_BLOCKS = 2, N_BLOCKS = 2 };

struct pen_windows {
    const struct pen_examples *of;
    struct pen_exec *copier;
    struct pen_device_rows rows[2];
    int current; /* which of them is trained on; the other one comes */
    struct pen_row_block blocks[N_BLOCKS];
    int64_t *base; /* [n_ids] ids in the blocks of the window so far (the reading thread's) */

    /* Blocks have numbers, in the order in which they are asked for. */
    int64_t n_put;  /* to the device */
    bool in_flight; /* the last of them is being copied */

    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    int64_t epoch, window, first; /* that comes, and the number of its first block */
    int64_t n_asked, n_read, n_free;
    bool closing;
    pen_status status; /* what ended the reading */
    struct pen_error error;
};

/* ---- reading ---- */

static pen_status read_block(struct pen_windows *w, struct pen_row_block *b, int64_t place, struct pen_error *err)
{
    const struct pen_examples *e = w->of;
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t block =
        (int64_t)pen_rng_permute(e->seed + (uint64_t)w->epoch, STREAM_BLOCKS, (uint64_t)place, (uint64_t)e->n_blocks);
    int64_t first = block * PEN_EXAMPLES_BLOCK_ROWS, left = e->source.n_rows - first;
    struct pen_tensor_batch batch;
    PEN_TRY(e->source.read(e->source.user, first, left < PEN_EXAMPLES_BLOCK_ROWS ? left : PEN_EXAMPLES_BLOCK_ROWS,
                           &batch, err));
    b->n_rows = 0;
    for (int64_t f = 0; f < spec->n_ids; f++) {
        w->base[f] = place % e->window_blocks == 0 ? 0 : w->base[f];
        b->base[f] = w->base[f];
    }
    for (int64_t row = 0; row < batch.n_rows; row++) {
        if (!pen_examples_is_validation(e, first + row)) {
            PEN_TRY(pen_row_block_reserve(b, 1, err));
            PEN_TRY(pen_row_block_append(b, &batch, row, err));
        }
    }
    for (int64_t f = 0; f < spec->n_ids && b->n_rows > 0; f++) {
        w->base[f] = spec->ids[f].ragged ? b->offsets[f][b->n_rows] : 0;
    }
    return PEN_OK;
}

/* The number of a block to read; -1: none any more. */
static int64_t wait_for_room(struct pen_windows *w)
{
    (void)pthread_mutex_lock(&w->lock);
    while (!w->closing && (w->n_read == w->n_asked || w->n_read - w->n_free == N_BLOCKS)) {
        (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    const int64_t number = w->closing ? -1 : w->n_read;
    (void)pthread_mutex_unlock(&w->lock);
    return number;
}

static void *read_blocks(void *argument)
{
    struct pen_windows *w = argument;
    pen_status status = PEN_OK;
    for (int64_t number = wait_for_room(w); number >= 0; number = status == PEN_OK ? wait_for_room(w) : -1) {
        int64_t place = w->window * w->of->window_blocks + number - w->first;
        struct pen_error error = PEN_ERROR_INIT;
        status = read_block(w, &w->blocks[number % N_BLOCKS], place, &error);
        (void)pthread_mutex_lock(&w->lock);
        w->status = status;
        w->error = error;
        w->n_read += status == PEN_OK;
        (void)pthread_cond_signal(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* ---- copying ---- */

static void ask(struct pen_windows *w, int64_t epoch, int64_t window)
{
    int64_t begin = window * w->of->window_blocks, left = w->of->n_blocks - begin;
    pen_device_rows_clear(&w->rows[1 - w->current]);
    (void)pthread_mutex_lock(&w->lock);
    w->epoch = epoch;
    w->window = window;
    w->first = w->n_asked;
    w->n_asked += left < w->of->window_blocks ? left : w->of->window_blocks;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

/* *there: the next block has been read; wait: in any case, or reading has failed. Who does not wait is told later. */
static pen_status look_for_block(struct pen_windows *w, bool wait, bool *there, struct pen_error *err)
{
    (void)pthread_mutex_lock(&w->lock);
    while (wait && w->status == PEN_OK && w->n_read == w->n_put) {
        (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    const pen_status status = w->status;
    *there = w->n_read > w->n_put;
    (void)pthread_mutex_unlock(&w->lock);
    if (wait && status != PEN_OK) {
        PEN_FAIL(err, status, "%s", w->error.message);
    }
    return PEN_OK;
}

/* The block in flight has arrived: it may be filled again. *busy: it has not, and is not waited for. */
static pen_status land(struct pen_windows *w, bool wait, bool *busy, struct pen_error *err)
{
    bool idle = true;
    *busy = false;
    if (!w->in_flight) {
        return PEN_OK;
    }
    PEN_TRY(wait ? pen_device_synchronise(w->copier, err) : pen_device_is_idle(w->copier, &idle, err));
    *busy = !idle;
    if (idle) {
        w->in_flight = false;
        (void)pthread_mutex_lock(&w->lock);
        w->n_free++;
        (void)pthread_cond_signal(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
    }
    return PEN_OK;
}

/* wait: until the window that comes is there. */
static pen_status bring(struct pen_windows *w, bool wait, struct pen_error *err)
{
    for (;;) {
        bool busy = false, there = false;
        PEN_TRY(land(w, wait, &busy, err));
        if (busy || w->n_put == w->n_asked) {
            return PEN_OK;
        }
        PEN_TRY(look_for_block(w, wait, &there, err));
        if (!there) {
            return PEN_OK;
        }
        PEN_TRY(pen_device_rows_put(&w->rows[1 - w->current], &w->blocks[w->n_put % N_BLOCKS], err));
        w->n_put++;
        w->in_flight = true;
    }
}

pen_status pen_windows_go_on(struct pen_windows *w, struct pen_error *err)
{
    return bring(w, false, err);
}

pen_status pen_windows_next(struct pen_windows *w, const struct pen_device_rows **rows, int *which, int64_t epoch,
                            int64_t window, struct pen_error *err)
{
    if (w->n_asked == 0) {
        ask(w, epoch, window);
    }
    PEN_ASSERT(w->epoch == epoch && w->window == window);
    PEN_TRY(bring(w, true, err));
    w->current = 1 - w->current;
    *rows = &w->rows[w->current];
    *which = w->current;
    PEN_TRY(pen_device_synchronise(w->of->exec, err)); /* steps may still read the window that is to be filled */
    bool last = window + 1 == pen_examples_n_windows(w->of);
    ask(w, last ? epoch + 1 : epoch, last ? 0 : window + 1);
    return PEN_OK;
}

/* ---- both ---- */

static pen_status prepare(struct pen_windows *w, struct pen_error *err)
{
    const struct pen_examples *e = w->of;
    const struct pen_tensor_spec *spec = e->source.spec;
    int64_t *most_ids = NULL;
    pen_status status = PEN_OK;
    PEN_ALLOC(w->base, spec->n_ids, err);
    PEN_ALLOC(most_ids, spec->n_ids, err);
    PEN_TRY_GOTO(cleanup, pen_exec_second(e->exec, &w->copier, err));
    for (int64_t f = 0; f < spec->n_ids; f++) {
        most_ids[f] = e->window_blocks * e->most_ids[f];
    }
    for (int i = 0; i < 2; i++) {
        PEN_TRY_GOTO(cleanup, pen_device_rows_init(&w->rows[i], spec, w->copier, err));
        PEN_TRY_GOTO(cleanup,
                     pen_device_rows_reserve(&w->rows[i], e->window_blocks * PEN_EXAMPLES_BLOCK_ROWS, most_ids, err));
    }
    for (int i = 0; i < N_BLOCKS; i++) {
        PEN_TRY_GOTO(cleanup, pen_row_block_init_pinned(&w->blocks[i], spec, w->copier, PEN_EXAMPLES_BLOCK_ROWS,
                                                        e->most_ids, err));
    }
    w->is_running = pthread_create(&w->thread, NULL, read_blocks, w) == 0;
    if (!w->is_running) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of threads: reading rows ahead");
    }
cleanup:
    pen_free(most_ids);
    return status;
}

pen_status pen_windows_open(struct pen_windows **windows, const struct pen_examples *examples, struct pen_error *err)
{
    struct pen_windows *w = NULL;
    *windows = NULL;
    PEN_ALLOC(w, 1, err);
    w->of = examples;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    pen_status status = prepare(w, err);
    if (status != PEN_OK) {
        pen_windows_close(w);
        return status;
    }
    *windows = w;
    return PEN_OK;
}

void pen_windows_close(struct pen_windows *w)
{
    if (w == NULL) {
        return;
    }
    if (w->is_running) {
        (void)pthread_mutex_lock(&w->lock);
        w->closing = true;
        (void)pthread_cond_signal(&w->changed);
        (void)pthread_mutex_unlock(&w->lock);
        (void)pthread_join(w->thread, NULL);
    }
    struct pen_error err = PEN_ERROR_INIT;
    if (w->in_flight && pen_device_synchronise(w->copier, &err) != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "rows on their way when training ended: %s", err.message);
    }
    for (int i = 0; i < 2; i++) {
        pen_device_rows_deinit(&w->rows[i]);
    }
    for (int i = 0; i < N_BLOCKS; i++) {
        pen_row_block_deinit(&w->blocks[i]);
    }
    pen_exec_destroy(w->copier);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    pen_free(w->base);
    pen_free(w);
}
