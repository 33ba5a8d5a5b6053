/* A segment of the journal: refused, or repaired into one that takes records and reads back. */
#include "orchestrator/metadata/journal.h"

#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <unistd.h>

static pen_status count(void *user, const char *json, size_t size_bytes, struct pen_journal_place place,
                        struct pen_error *err)
{
    (void)json;
    (void)size_bytes;
    (void)place;
    (void)err;
    ++*(int64_t *)user;
    return PEN_OK;
}

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    static const char record[] = "{\"kind\":\"repair\"}";
    char folder[64];
    char room[80];
    char segment[96];
    struct pen_journal journal;
    int64_t before = 0;
    int64_t after = 0;
    (void)snprintf(folder, sizeof folder, "fuzz-journal-%ld", (long)getpid());
    (void)snprintf(room, sizeof room, "%s/journal", folder);
    (void)snprintf(segment, sizeof segment, "%s/0000000001.jl", room);
    PEN_ASSERT(pen_directory_create(room, NULL) == PEN_OK);
    PEN_ASSERT(rename(pen_fuzz_file(bytes, size_bytes), segment) == 0);
    if (pen_journal_open(&journal, folder, true, count, &before, NULL) == PEN_OK) {
        PEN_ASSERT(pen_journal_append(&journal, record, sizeof record - 1, NULL, NULL) == PEN_OK);
        pen_journal_close(&journal);
        PEN_ASSERT(pen_journal_open(&journal, folder, false, count, &after, NULL) == PEN_OK);
        PEN_ASSERT(after == before + 1);
        pen_journal_close(&journal);
    }
    PEN_ASSERT(pen_directory_remove(folder, NULL) == PEN_OK);
}
