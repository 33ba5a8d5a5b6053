/* The journal: an append-only sequence of JSON records in a flat file, whole after any crash.
 *
 *   <directory>/journal/0000000001.jl    one record a line: "<crc32c, 8 hex digits> <json>\n"
 *
 * The checksum covers the previous record's 8 digits and this JSON, so no record can be lost, moved or doubled unseen;
 * `cut -c10- FILE | jq .` reads it. A line is one append, synced before it counts; after a failed sync nothing is
 * written any more. Opening verifies every line. A torn tail (a last line that does not
 * verify, NUL bytes included) is copied to <directory>/quarantine/ and cut off. A line that does not verify with a
 * whole record after it is damage in the middle: refused for writing with its byte offset; nothing is discarded. */
#ifndef PEN_ORCHESTRATOR_METADATA_JOURNAL_H
#define PEN_ORCHESTRATOR_METADATA_JOURNAL_H

#include "core/files.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_JOURNAL_MAX_RECORD_BYTES = 1 << 20 };

struct pen_journal {
    int fd; /* -1: open for reading only */
    char path[PEN_PATH_BYTES];
    char chain[9]; /* checksum of the last record */
    int64_t n_records;
    int64_t size_bytes;
    bool poisoned;
};

/* Called for each record in order while opening; a status other than PEN_OK stops. */
typedef pen_status pen_journal_visit(void *user, const pen_json *record, struct pen_error *err);

/* write = true: creates what is absent, repairs a torn tail, may append afterwards. */
PEN_MUST_USE pen_status pen_journal_open(struct pen_journal *journal, const char *directory, bool write,
                                         pen_journal_visit *visit, void *user, struct pen_error *err);
PEN_MUST_USE pen_status pen_journal_append(struct pen_journal *journal, const pen_json *record, struct pen_error *err);
void pen_journal_close(struct pen_journal *journal);

#ifdef __cplusplus
}
#endif

#endif
