/* The journal: an append-only sequence of JSON records in flat files, whole after any crash.
 *
 *   <directory>/journal/0000000001.jl   a segment: one record a line, "<crc32c, 8 hex digits> <json>\n"
 *   <directory>/base/0000000001.jl      what the segments up to that one come to (compact.h), in the same form
 *   <directory>/journal/archive/        segments a base stands for
 *   <directory>/quarantine/             torn tails
 *
 * The checksum covers the previous line's 8 digits and this JSON, across segments too, so no record can be lost, moved
 * or doubled unseen; `cut -c10- FILE | jq .` reads it. The first line of a segment is its header {format, version,
 * segment, first_seq, chain}, that of a base {format, version, segment, seq, chain, records}.
 *
 * A line is one append, synced before it counts; after a failed sync nothing is written any more. A segment that is
 * full is sealed: it never changes again, and the next one begins. Opening verifies every line. A torn tail (a last
 * line that does not verify, NUL bytes included) is copied to quarantine and cut off. Damage in the middle (a whole
 * record after a line that does not verify, a sealed segment that does not verify, a missing segment) is refused for
 * writing with file and byte; nothing is discarded. Readers repair nothing, need no lock, and see a prefix of what the
 * writer wrote; damage is a warning, and what stands before it is read. */
#ifndef PEN_ORCHESTRATOR_METADATA_JOURNAL_H
#define PEN_ORCHESTRATOR_METADATA_JOURNAL_H

#include "core/files.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_JOURNAL_MAX_RECORD_BYTES = 1 << 20, PEN_JOURNAL_SEGMENT_BYTES = 64 << 20 };

/* Where a record's JSON stands; good while the journal is open, whatever is compacted meanwhile. */
struct pen_journal_place {
    int64_t offset;
    int32_t file; /* index into the journal's open files */
    int32_t size_bytes;
};

struct pen_journal {
    char directory[PEN_PATH_BYTES];
    char path[PEN_PATH_BYTES]; /* of the last segment */
    int *fds;                  /* of the base, when there is one, and of each segment after it */
    int64_t n_files, fds_capacity;
    int64_t base;    /* number of the last segment the base stands for; 0: no base */
    int64_t segment; /* number of the last segment; 0: none yet */
    char chain[9];   /* checksum of the last line */
    int64_t n_records;
    int64_t size_bytes;          /* of the last segment */
    int64_t segment_limit_bytes; /* a segment that would grow above this is sealed; tests make it small */
    int64_t torn_bytes;          /* moved to quarantine by this opening */
    bool writing, poisoned;
};

/* Called for each record in order while opening; a status other than PEN_OK stops. json is not NUL-terminated. */
typedef pen_status pen_journal_visit(void *user, const char *json, size_t size_bytes, struct pen_journal_place place,
                                     struct pen_error *err);

/* write = true: creates what is absent, repairs a torn tail, may append afterwards; the caller holds the lock. */
PEN_MUST_USE pen_status pen_journal_open(struct pen_journal *journal, const char *directory, bool write,
                                         pen_journal_visit *visit, void *user, struct pen_error *err);
/* For reading: begins at the n-th last record whose line holds the marker, when the last segment has as many; else at
 * the beginning. */
PEN_MUST_USE pen_status pen_journal_open_recent(struct pen_journal *journal, const char *directory, const char *marker,
                                                int64_t n, pen_journal_visit *visit, void *user, struct pen_error *err);
/* For reading: base and segments up to this one, or base `number`, whose file is at base_path, alone. */
PEN_MUST_USE pen_status pen_journal_open_until(struct pen_journal *journal, const char *directory, int64_t segment,
                                               pen_journal_visit *visit, void *user, struct pen_error *err);
PEN_MUST_USE pen_status pen_journal_open_base(struct pen_journal *journal, const char *base_path, int64_t number,
                                              pen_journal_visit *visit, void *user, struct pen_error *err);
void pen_journal_close(struct pen_journal *journal);

/* json: a record as PEN_JSON_CANONICAL prints it. It is on stable storage when this returns PEN_OK. place may be
 * NULL. */
PEN_MUST_USE pen_status pen_journal_append(struct pen_journal *journal, const char *json, size_t size_bytes,
                                           struct pen_journal_place *place, struct pen_error *err);

/* Appends the JSON of a record seen before to `json`. */
PEN_MUST_USE pen_status pen_journal_read(const struct pen_journal *journal, struct pen_journal_place place,
                                         struct pen_text *json, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
