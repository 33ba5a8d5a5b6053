/* Between the files of the journal: lines and their checksums, names of files, reading a file of lines. */
#ifndef PEN_ORCHESTRATOR_METADATA_JOURNAL_INTERNAL_H
#define PEN_ORCHESTRATOR_METADATA_JOURNAL_INTERNAL_H

#include "orchestrator/metadata/journal.h"

enum { PEN_LINE_PREFIX_BYTES = 9 };

/* Appends the line of a record, newline included, to `line`; chain becomes the one after it. */
PEN_MUST_USE pen_status pen_journal_line(char chain[9], const char *json, size_t size_bytes, struct pen_text *line,
                                         struct pen_error *err);
/* The same for a record not yet printed. */
PEN_MUST_USE pen_status pen_journal_record_line(char chain[9], const pen_json *record, struct pen_text *line,
                                                struct pen_error *err);
/* Does the line (without its newline) follow the one whose checksum is chain? */
bool pen_journal_follows(const char chain[9], const char *line, size_t size_bytes);

/* <directory>/<room>/<number as 10 digits>.jl */
PEN_MUST_USE pen_status pen_journal_file(char path[PEN_PATH_BYTES], const char *directory, const char *room,
                                         int64_t number, struct pen_error *err);
/* Numbers of the .jl files in <directory>/<room>, rising; none when there is no such folder. */
PEN_MUST_USE pen_status pen_journal_numbers(struct pen_arena *arena, const char *directory, const char *room,
                                            int64_t **numbers, int64_t *n_numbers, struct pen_error *err);

/* Adds the file to the journal's open ones; closes them all. */
PEN_MUST_USE pen_status pen_journal_open_file(struct pen_journal *journal, const char *path, int flags,
                                              struct pen_error *err);
void pen_journal_close_files(struct pen_journal *journal);
/* The next segment: whole on the disk, header included, before it is used. One whose header was torn is begun again. */
PEN_MUST_USE pen_status pen_journal_begin_segment(struct pen_journal *journal, struct pen_error *err);

/* Reads the lines of open file `file` from *at on, as long as each follows; *at is where that ends. The first line of
 * a file is checked as its header. n_expected: records a base's header promises, out. */
PEN_MUST_USE pen_status pen_journal_replay(struct pen_journal *journal, int32_t file, const char *path, int64_t number,
                                           int64_t *at, int64_t *n_expected, pen_journal_visit *visit, void *user,
                                           struct pen_error *err);
/* What stands in the file from `at` on is not a torn line, but has a whole record in it. */
PEN_MUST_USE pen_status pen_journal_tail(int fd, int64_t at, const char *path, struct pen_text *tail, bool *is_damage,
                                         struct pen_error *err);

#endif
