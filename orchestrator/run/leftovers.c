/* Putting away half-made and unrecorded outputs. */
#include "orchestrator/run/leftovers.h"

#include "core/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

/* Out of the published folders by one rename, into this run's folder: removing it in place could be cut short and
 * leave half an artifact. */
static pen_status put_away(struct pen_run *run, struct pen_arena *arena, const char *folder, const char *node,
                           const char *port, const char *name, struct pen_error *err)
{
    const char *orphan = pen_arena_printf(arena, "%s/%s", folder, name);
    const char *aside = pen_arena_printf(arena, "%s/%s.%s.%s", run->folder, node, port, name);
    if (orphan == NULL || aside == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: starting a run");
    }
    if (rename(orphan, aside) != 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot move a leftover away: %s", orphan, strerror(number));
    }
    return PEN_OK;
}

/* Published folders whose record was never written: their run ended between the outputs of a node. */
static pen_status remove_orphans(struct pen_run *run, struct pen_error *err)
{
    for (int64_t i = 0; i < run->pipeline->n_nodes; i++) {
        const struct pen_node *node = &run->pipeline->nodes[i];
        for (const struct pen_component_port *port = node->component->outputs; port != NULL && port->key != NULL;
             port++) {
            struct pen_arena arena = {0};
            char **names = NULL;
            int64_t n_names = 0;
            const char *folder = pen_arena_printf(&arena, "%s/%s/%s", run->metadata.root, node->name, port->key);
            pen_status status = PEN_OK;
            if (folder != NULL && pen_path_is_directory(folder)) {
                status = pen_directory_list(&arena, folder, &names, &n_names, err);
            }
            for (int64_t k = 0; status == PEN_OK && k < n_names; k++) {
                int64_t number = 0;
                const pen_json *made = pen_parse_int64(names[k], strlen(names[k]), &number)
                                           ? pen_metadata_find_execution(&run->metadata, number)
                                           : NULL;
                if (made == NULL || strcmp(text_of(made, "status"), "succeeded") != 0) {
                    status = put_away(run, &arena, folder, node->name, port->key, names[k], err);
                }
            }
            pen_arena_deinit(&arena);
            PEN_TRY(status);
        }
    }
    return PEN_OK;
}

/* The folders in a run's folder: half-made outputs, and orphans put away; logs stay. */
static pen_status remove_staging(struct pen_run *run, const char *name, struct pen_error *err)
{
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    const char *folder = pen_arena_printf(&arena, "%s/runs/%s", run->metadata.root, name);
    pen_status status = PEN_OK;
    if (folder != NULL && pen_path_is_directory(folder)) {
        status = pen_directory_list(&arena, folder, &names, &n_names, err);
    }
    for (int64_t i = 0; status == PEN_OK && i < n_names; i++) {
        const char *staged = pen_arena_printf(&arena, "%s/%s", folder, names[i]);
        if (staged != NULL && pen_path_is_directory(staged)) {
            status = pen_directory_remove(staged, err);
        }
    }
    pen_arena_deinit(&arena);
    return status;
}

/* What the run before left, when it did not end well. Staging of a node that failed is kept for a look. */
pen_status pen_leftovers_clean(struct pen_run *run, struct pen_error *err)
{
    const pen_json *last = pen_metadata_find_run(&run->metadata, NULL);
    const char *status = last == NULL ? "succeeded" : text_of(last, "status");
    bool ended_well = strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0;
    if (ended_well && run->metadata.n_abandoned == 0 && !run->joined) {
        return PEN_OK;
    }
    if (strcmp(status, "failed") != 0) {
        PEN_TRY(remove_staging(run, text_of(last, "run"), err));
    }
    PEN_TRY(remove_orphans(run, err));
    return remove_staging(run, run->name, err);
}
