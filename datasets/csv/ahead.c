/* A ring of buffers between one thread that fills them and one that reads them. A buffer belongs to the one or to the
 * other: the lock is held to hand it over, never to fill or to copy it. */
#include "datasets/csv/ahead.h"

#include "core/memory.h"

#include <pthread.h>
#include <string.h>

struct pen_csv_ahead {
    pen_csv_make_fn *make;
    void *user;
    char *memory; /* of the buffers */
    int64_t sizes[PEN_CSV_AHEAD_BUFFERS];
    int64_t at; /* bytes read of the buffer that is being read */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    int64_t n_made, n_read; /* buffers, since the beginning */
    bool ended, closing;
    pen_status status; /* what ended it */
    struct pen_error error;
};

static char *buffer_of(const struct pen_csv_ahead *ahead, int64_t number)
{
    return ahead->memory + number % PEN_CSV_AHEAD_BUFFERS * PEN_CSV_AHEAD_BYTES;
}

/* The number of a buffer to fill; -1: nobody will read it. */
static int64_t wait_for_room(struct pen_csv_ahead *ahead)
{
    (void)pthread_mutex_lock(&ahead->lock);
    while (!ahead->closing && ahead->n_made - ahead->n_read == PEN_CSV_AHEAD_BUFFERS) {
        (void)pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    const int64_t number = ahead->closing ? -1 : ahead->n_made;
    (void)pthread_mutex_unlock(&ahead->lock);
    return number;
}

static void *fill_buffers(void *argument)
{
    struct pen_csv_ahead *ahead = argument;
    bool ended = false;
    for (int64_t number = wait_for_room(ahead); number >= 0 && !ended; number = ended ? -1 : wait_for_room(ahead)) {
        int64_t got = 0;
        const pen_status status =
            ahead->make(ahead->user, buffer_of(ahead, number), PEN_CSV_AHEAD_BYTES, &got, &ahead->error);
        ended = status != PEN_OK || got < PEN_CSV_AHEAD_BYTES;
        (void)pthread_mutex_lock(&ahead->lock);
        ahead->sizes[number % PEN_CSV_AHEAD_BUFFERS] = got;
        ahead->n_made++;
        ahead->ended = ended;
        ahead->status = status;
        (void)pthread_cond_signal(&ahead->changed);
        (void)pthread_mutex_unlock(&ahead->lock);
    }
    return NULL;
}

pen_status pen_csv_ahead_open(struct pen_csv_ahead **out, pen_csv_make_fn *make, void *user, struct pen_error *err)
{
    struct pen_csv_ahead *ahead;
    *out = NULL;
    PEN_ALLOC(ahead, 1, err);
    ahead->make = make;
    ahead->user = user;
    ahead->memory = pen_malloc(PEN_CSV_AHEAD_BUFFERS, PEN_CSV_AHEAD_BYTES);
    (void)pthread_mutex_init(&ahead->lock, NULL);
    (void)pthread_cond_init(&ahead->changed, NULL);
    ahead->is_running = ahead->memory != NULL && pthread_create(&ahead->thread, NULL, fill_buffers, ahead) == 0;
    if (!ahead->is_running) {
        pen_csv_ahead_close(ahead);
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory or threads: decompressing ahead");
    }
    *out = ahead;
    return PEN_OK;
}

/* True: there is a buffer to read. */
static bool wait_for_bytes(struct pen_csv_ahead *ahead)
{
    (void)pthread_mutex_lock(&ahead->lock);
    while (!ahead->ended && ahead->n_made == ahead->n_read) {
        (void)pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    const bool any = ahead->n_made > ahead->n_read;
    (void)pthread_mutex_unlock(&ahead->lock);
    return any;
}

static void give_back(struct pen_csv_ahead *ahead)
{
    (void)pthread_mutex_lock(&ahead->lock);
    ahead->n_read++;
    (void)pthread_cond_signal(&ahead->changed);
    (void)pthread_mutex_unlock(&ahead->lock);
    ahead->at = 0;
}

pen_status pen_csv_ahead_read(struct pen_csv_ahead *ahead, char *buffer, int64_t size, int64_t *got,
                              struct pen_error *err)
{
    *got = 0;
    while (*got < size && wait_for_bytes(ahead)) {
        const int64_t left = ahead->sizes[ahead->n_read % PEN_CSV_AHEAD_BUFFERS] - ahead->at;
        const int64_t take = left < size - *got ? left : size - *got;
        memcpy(buffer + *got, buffer_of(ahead, ahead->n_read) + ahead->at, (size_t)take);
        *got += take;
        ahead->at += take;
        if (take == left) {
            give_back(ahead);
        }
    }
    if (*got < size && ahead->status != PEN_OK) {
        PEN_FAIL(err, ahead->status, "%s", ahead->error.message);
    }
    return PEN_OK;
}

void pen_csv_ahead_close(struct pen_csv_ahead *ahead)
{
    if (ahead == NULL) {
        return;
    }
    if (ahead->is_running) {
        (void)pthread_mutex_lock(&ahead->lock);
        ahead->closing = true;
        (void)pthread_cond_signal(&ahead->changed);
        (void)pthread_mutex_unlock(&ahead->lock);
        (void)pthread_join(ahead->thread, NULL);
    }
    (void)pthread_cond_destroy(&ahead->changed);
    (void)pthread_mutex_destroy(&ahead->lock);
    pen_free(ahead->memory);
    pen_free(ahead);
}
