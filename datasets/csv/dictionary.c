/* Dictionary of strings by first appearance: open addressing, linear probing, at most half full. */
#include "datasets/csv/dictionary.h"

static void place(struct pen_csv_slot *slots, int64_t n_slots, uint64_t hash, struct pen_csv_slot slot)
{
    const uint64_t mask = (uint64_t)n_slots - 1;
    uint64_t i = hash & mask;
    while (slots[i].code >= 0) {
        i = (i + 1) & mask;
    }
    slots[i] = slot;
}

static pen_status make_room(struct pen_csv_dictionary *dictionary, struct pen_error *err)
{
    if (dictionary->view.n_entries * 2 < dictionary->n_slots) {
        return PEN_OK;
    }
    const int64_t n_slots = dictionary->n_slots == 0 ? 16 : dictionary->n_slots * 2;
    struct pen_csv_slot *slots = pen_malloc(n_slots, sizeof *slots);
    if (slots == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: dictionary of %lld slots", (long long)n_slots);
    }
    memset(slots, 0xff, (size_t)n_slots * sizeof *slots);
    for (int64_t code = 0; code < dictionary->view.n_entries; code++) {
        const int64_t begin = dictionary->offsets[code];
        const struct pen_csv_key key =
            pen_csv_key_of(dictionary->bytes + begin, (size_t)(dictionary->offsets[code + 1] - begin));
        const struct pen_csv_slot slot = {key.low, key.high, key.size, (int32_t)code};
        place(slots, n_slots, key.hash, slot);
    }
    pen_free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->n_slots = n_slots;
    return PEN_OK;
}

pen_status pen_csv_dictionary_insert(struct pen_csv_dictionary *dictionary, const struct pen_csv_key *key,
                                     int32_t *code, struct pen_error *err)
{
    const int64_t n = dictionary->view.n_entries;
    PEN_TRY(make_room(dictionary, err));
    PEN_TRY(pen_grow((void **)&dictionary->offsets, &dictionary->offsets_capacity, n + 2, sizeof(int64_t), err));
    if (n == 0) {
        dictionary->offsets[0] = 0;
    }
    const int64_t begin = dictionary->offsets[n];
    PEN_TRY(pen_grow((void **)&dictionary->bytes, &dictionary->bytes_capacity, begin + key->size + 16, 1, err));
    memcpy(dictionary->bytes + begin, key->text, key->size);
    dictionary->offsets[n + 1] = begin + key->size;
    const struct pen_csv_slot slot = {key->low, key->high, key->size, (int32_t)n};
    place(dictionary->slots, dictionary->n_slots, key->hash, slot);
    dictionary->view.n_entries = n + 1;
    dictionary->view.offsets = dictionary->offsets;
    dictionary->view.bytes = dictionary->bytes;
    *code = (int32_t)n;
    return PEN_OK;
}

/* Forgets the entries; keeps small memory for the next chunk. */
void pen_csv_dictionary_reset(struct pen_csv_dictionary *dictionary)
{
    if (dictionary->n_slots > 4096 || dictionary->bytes_capacity > (1 << 20)) {
        pen_csv_dictionary_deinit(dictionary);
        return;
    }
    if (dictionary->view.n_entries > 0) {
        memset(dictionary->slots, 0xff, (size_t)dictionary->n_slots * sizeof *dictionary->slots);
    }
    memset(&dictionary->view, 0, sizeof dictionary->view);
}

void pen_csv_dictionary_deinit(struct pen_csv_dictionary *dictionary)
{
    pen_free(dictionary->slots);
    pen_free(dictionary->offsets);
    pen_free(dictionary->bytes);
    memset(dictionary, 0, sizeof *dictionary);
}
