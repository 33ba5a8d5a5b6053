/* What people say of a run: a name, notes, tags. Each saying is a record of its own (run_note) that only adds to the
 * journal; what they come to is in the run: {name, tags: [...], notes: [{time, text}, ...]}, members without content
 * left out.
 *
 * An id (run-12) is given by penstock and is always one run's. A name may be given to several, and stands for a run
 * wherever one is expected while it is one run's alone. */
#ifndef PEN_ORCHESTRATOR_METADATA_NOTES_H
#define PEN_ORCHESTRATOR_METADATA_NOTES_H

#include "core/config.h"
#include "orchestrator/metadata/metadata.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_RUN_WORD_BYTES = 100, PEN_RUN_TEXT_BYTES = 4000 };

struct pen_run_note {
    const char *name, *text; /* NULL: nothing is said of it */
    struct pen_config_strings tags, untags;
};

/* PEN_ERR_USAGE: a name or tag that is empty, longer than PEN_RUN_WORD_BYTES, no UTF-8 or holds control bytes; a name
 * of the form of an id, or "last"; a text that is empty, too long or holds control bytes other than line feeds. */
PEN_MUST_USE pen_status pen_run_note_check(const struct pen_run_note *note, struct pen_error *err);
/* The same for one tag: what is wrong with it, or NULL. */
const char *pen_run_tag_refusal(const char *tag);

/* Records what is said of the run with this id: the note (NULL: nothing) and more tags. Nothing to say: nothing is
 * recorded. Open for writing. */
PEN_MUST_USE pen_status pen_metadata_note_run(struct pen_metadata *metadata, const char *run,
                                              const struct pen_run_note *note, const struct pen_config_strings *tags,
                                              struct pen_error *err);

/* The run with this id, else the only one of this name; NULL or last: the newest. PEN_ERR_NOT_FOUND; PEN_ERR_USAGE
 * names two of several runs of that name. The whole history is open. */
PEN_MUST_USE pen_status pen_metadata_choose_run(struct pen_metadata *metadata, const char *id_or_name,
                                                const pen_json **run, struct pen_error *err);

/* Has the run every one of these tags? */
bool pen_run_has_tags(const pen_json *run, const struct pen_config_strings *tags);

#ifdef __cplusplus
}
#endif

#endif
