/* Keys and look-up of the dictionary, inline: they run once a cell.
 *
 * A string of up to 16 bytes is its own key, taken without a branch on its size: a hit compares two words and never
 * touches the text. A longer one is hashed (multiply and fold), up to 64 bytes 8 at a time, more in four lanes, and
 * compared in full on a hit. */
#ifndef PEN_DATASETS_CSV_DICTIONARY_H
#define PEN_DATASETS_CSV_DICTIONARY_H

#include "datasets/csv/csv_internal.h"

#define PEN_CSV_MIX_A UINT64_C(0x9e3779b97f4a7c15)
#define PEN_CSV_MIX_B UINT64_C(0xd1b54a32d192ed03)

__extension__ typedef unsigned __int128 pen_csv_u128;

static inline uint64_t pen_csv_fold(uint64_t a, uint64_t b)
{
    const pen_csv_u128 product = (pen_csv_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t pen_csv_word(const char *text)
{
    uint64_t word;
    memcpy(&word, text, 8);
    return word;
}

/* Of at least 8 bytes. */
static inline uint64_t pen_csv_hash_long(const char *text, size_t size)
{
    uint64_t hash = size * PEN_CSV_MIX_B;
    size_t i = 0;
    if (size > 64) {
        uint64_t lanes[4] = {hash, hash + PEN_CSV_MIX_A, hash ^ PEN_CSV_MIX_A, ~hash};
        for (; i + 32 < size; i += 32) {
            for (size_t j = 0; j < 4; j++) {
                lanes[j] = pen_csv_fold(lanes[j] ^ pen_csv_word(text + i + 8 * j), PEN_CSV_MIX_A);
            }
        }
        hash = pen_csv_fold(lanes[0] ^ PEN_CSV_MIX_B, lanes[1]) ^ pen_csv_fold(lanes[2] ^ PEN_CSV_MIX_B, lanes[3]);
    }
    for (; i + 8 < size; i += 8) {
        hash = pen_csv_fold(hash ^ pen_csv_word(text + i), PEN_CSV_MIX_A);
    }
    return pen_csv_fold(hash ^ pen_csv_word(text + size - 8), PEN_CSV_MIX_B);
}

/* text readable to 16 bytes. */
static inline struct pen_csv_key pen_csv_key_of(const char *text, size_t size)
{
    static const unsigned char keep[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                           255, 255, 255, 255, 255, 255, 255, 255};
    struct pen_csv_key key;
    key.text = text;
    key.size = (uint32_t)size;
    if (size <= 16) {
        const char *mask = (const char *)keep + 16 - size;
        key.low = pen_csv_word(text) & pen_csv_word(mask);
        key.high = pen_csv_word(text + 8) & pen_csv_word(mask + 8);
    } else {
        key.low = pen_csv_hash_long(text, size);
        key.high = 0;
    }
    key.hash = pen_csv_fold(pen_csv_fold(key.low ^ PEN_CSV_MIX_B, PEN_CSV_MIX_A) ^ key.high, PEN_CSV_MIX_A + size);
    return key;
}

/* The memory where a look-up begins comes into the cache meanwhile. */
static inline void pen_csv_dictionary_prefetch(const struct pen_csv_dictionary *dictionary,
                                               const struct pen_csv_key *key)
{
    if (dictionary->n_slots > 0) {
        __builtin_prefetch(&dictionary->slots[key->hash & ((uint64_t)dictionary->n_slots - 1)]);
    }
}

/* The code, or -1. */
static inline int32_t pen_csv_dictionary_find(const struct pen_csv_dictionary *dictionary,
                                              const struct pen_csv_key *key)
{
    if (dictionary->n_slots == 0) {
        return -1;
    }
    const uint64_t mask = (uint64_t)dictionary->n_slots - 1;
    for (uint64_t i = key->hash & mask;; i = (i + 1) & mask) {
        const struct pen_csv_slot *slot = &dictionary->slots[i];
        if (slot->code < 0) {
            return -1;
        }
        if (slot->low == key->low && slot->high == key->high && slot->size == key->size &&
            (key->size <= 16 ||
             memcmp(dictionary->bytes + dictionary->offsets[slot->code], key->text, key->size) == 0)) {
            return slot->code;
        }
    }
}

#endif
