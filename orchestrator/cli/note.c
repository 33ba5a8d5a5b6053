/* penstock note: what people say of a run after it began: a name, a note, tags. */
#include "orchestrator/cli/verbs.h"
#include "orchestrator/metadata/notes.h"

#include <string.h>

struct values {
    const char *name;
    struct pen_config_strings tags, untags;
};

static const struct pen_arg args[] = {
    {"name", 0, PEN_ARG_TEXT, offsetof(struct values, name), "NAME", "what to call the run, in place of its id too"},
    {"tag", 0, PEN_ARG_MANY, offsetof(struct values, tags), "TAG", "give it this tag; may be given several times"},
    {"untag", 0, PEN_ARG_MANY, offsetof(struct values, untags), "TAG", "take this tag away"},
    {NULL, 0, PEN_ARG_FLAG, 0, NULL, NULL},
};

/* Its id, looked up without the lock: a root that is not there, or has no such run, is left alone. */
static pen_status find_id(struct pen_cli *cli, const char *root, const char *name, const char **id,
                          struct pen_error *err)
{
    struct pen_metadata metadata;
    const pen_json *run = NULL;
    PEN_TRY(pen_metadata_open(&metadata, root, false, err));
    pen_status status = pen_metadata_choose_run(&metadata, name, &run, err);
    *id = status == PEN_OK ? pen_arena_strdup(&cli->arena, pen_json_string_or(pen_json_get(run, "run"), "")) : NULL;
    pen_metadata_close(&metadata);
    if (status == PEN_OK && *id == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: a note");
    }
    return status;
}

static pen_status answer(const struct pen_cli *cli, struct pen_metadata *metadata, const char *id,
                         struct pen_error *err)
{
    static const char *const members[] = {"run", "name", "tags", "notes"};
    struct pen_text text = {0};
    pen_json *document = pen_json_object();
    const pen_json *run = pen_metadata_find_run(metadata, id);
    pen_json_set_int(document, "schema", 1);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (pen_json_get(run, members[i]) != NULL) {
            pen_json_set(document, members[i], pen_json_copy(pen_json_get(run, members[i])));
        }
    }
    pen_text_printf(&text, "%s", id);
    pen_cli_say_run(run, &text);
    pen_text_append_char(&text, '\n');
    pen_cli_say_notes(run, &text);
    pen_status status = pen_metadata_check(metadata, err);
    status = status == PEN_OK ? pen_cli_answer(cli, document, &text, err) : status;
    pen_text_deinit(&text);
    pen_json_free(document);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    static const struct pen_config_strings no_more = {NULL, 0};
    const struct values *values = cli->values;
    const struct pen_config_strings *given = &cli->args.positionals;
    const struct pen_run_note note = {.name = values->name,
                                      .text = given->n_items > 1 ? given->items[1] : NULL,
                                      .tags = values->tags,
                                      .untags = values->untags};
    const char *root = NULL, *id = NULL;
    struct pen_metadata metadata;
    if (note.name == NULL && note.text == NULL && note.tags.n_items + note.untags.n_items == 0) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected a TEXT, --name, --tag or --untag; found nothing to note");
    }
    PEN_TRY(pen_run_note_check(&note, err));
    PEN_TRY(pen_cli_root(cli, &root, err));
    PEN_TRY(find_id(cli, root, given->items[0], &id, err));
    PEN_TRY(pen_metadata_open(&metadata, root, true, err));
    pen_status status = pen_metadata_note_run(&metadata, id, &note, &no_more, err);
    status = status == PEN_OK ? answer(cli, &metadata, id, err) : status;
    pen_metadata_close(&metadata);
    return status;
}

const struct pen_verb pen_verb_note = {
    .name = "note",
    .arguments = "RUN [TEXT]",
    .summary = "say something of a run: a note, a name, tags; when no run holds the root",
    .examples = "  penstock note run-12 'half the learning rate' --tag lr\n"
                "  penstock note run-12 --name baseline\n",
    .args = args,
    .values_bytes = sizeof(struct values),
    .n_positionals_min = 1,
    .n_positionals_max = 2,
    .run = run,
};
