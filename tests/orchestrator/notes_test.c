/* Names, notes and tags of runs: what may be said, what it adds up to, whatever was compacted, and runs by name. */
#include "orchestrator/metadata/notes.h"

#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/history.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <string.h>

enum { SMALL_SEGMENT = 8000 };
static const struct pen_config_strings no_more = {NULL, 0};

static void what_may_be_said(void)
{
    static char long_word[PEN_RUN_WORD_BYTES + 2], long_text[PEN_RUN_TEXT_BYTES + 2];
    memset(long_word, 'w', sizeof long_word - 1);
    memset(long_text, 't', sizeof long_text - 1);
    const struct {
        const char *name, *text, *tag, *refusal; /* refusal NULL: it may */
    } cases[] = {
        {"baseline", "half the rate\nand twice the steps", "lr", NULL},
        {"größer", "läuft", "über 9000", NULL},
        {long_word + 1, long_text + 1, long_word + 1, NULL},
        {"run-", NULL, NULL, NULL},
        {"run-12b", NULL, NULL, NULL},
        {"run-12", NULL, NULL, "penstock itself gives such names"},
        {"last", NULL, NULL, "penstock itself gives such names"},
        {"", NULL, NULL, "the name of a run: found '': it is empty"},
        {long_word, NULL, NULL, "it is too long"},
        {"a\x1b[2J", NULL, NULL, "the name of a run: found 'a\\x1b[2J': it holds control bytes"},
        {"a\nb", NULL, NULL, "it holds control bytes"},
        {"a\xff", NULL, NULL, "it is not UTF-8"},
        {NULL, "", NULL, "a note: found '': it is empty"},
        {NULL, long_text, NULL, "it is too long"},
        {NULL, "a\x1b[2J", NULL, "it holds control bytes"},
        {NULL, NULL, "", "a tag: found '': it is empty"},
        {NULL, NULL, "a\x7f", "it holds control bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        const struct pen_run_note note = {
            .name = cases[i].name, .text = cases[i].text, .tags = {&cases[i].tag, cases[i].tag == NULL ? 0 : 1}};
        PEN_CHECK_STATUS(pen_run_note_check(&note, &err), cases[i].refusal == NULL ? PEN_OK : PEN_ERR_USAGE);
        if (cases[i].refusal != NULL) {
            PEN_CHECK_CONTAINS(err.message, cases[i].refusal);
        }
    }
}

static void say(struct pen_metadata *metadata, const char *run, const char *name, const char *text, const char *tag,
                const char *untag)
{
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_run_note note = {
        .name = name, .text = text, .tags = {&tag, tag == NULL ? 0 : 1}, .untags = {&untag, untag == NULL ? 0 : 1}};
    PEN_CHECK_OK(pen_metadata_note_run(metadata, run, &note, &no_more, &err), &err);
}

/* "name: tag tag; text | text" */
static void expect_said(struct pen_metadata *metadata, const char *id, const char *wanted)
{
    struct pen_text text = {0};
    const pen_json *run = pen_metadata_find_run(metadata, id);
    const pen_json *tags = pen_json_get(run, "tags"), *notes = pen_json_get(run, "notes");
    pen_text_printf(&text, "%s:", pen_json_string_or(pen_json_get(run, "name"), ""));
    for (int64_t i = 0; i < pen_json_size(tags); i++) {
        pen_text_printf(&text, " %s", pen_json_string_or(pen_json_at(tags, i), "?"));
    }
    for (int64_t i = 0; i < pen_json_size(notes); i++) {
        pen_text_printf(&text, "%s%s", i == 0 ? "; " : " | ",
                        pen_json_string_or(pen_json_get(pen_json_at(notes, i), "text"), "?"));
        PEN_CHECK(strlen(pen_json_string_or(pen_json_get(pen_json_at(notes, i), "time"), "")) > 20);
    }
    PEN_CHECK_EQ_STR(pen_text_view(&text), wanted);
    pen_text_deinit(&text);
}

static void expect_all_said(struct pen_metadata *metadata)
{
    expect_said(metadata, "run-1", "second: wide lr; one \"quoted\" | two");
    expect_said(metadata, "run-2", ":");
    expect_said(metadata, "run-40", ": late");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_find_run(metadata, "run-1"), "status"), "?"),
                     "succeeded");
}

/* The sayings of one run stand in several segments; they come to the same from a base, and go on from there. */
static void sayings_add_up(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES], state[65], again[65];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), true, &err), &err);
    metadata.journal.segment_limit_bytes = SMALL_SEGMENT;
    PEN_CHECK_OK(history_write(&metadata, 20, &err), &err);
    say(&metadata, "run-1", "first", "one \"quoted\"", "lr", NULL);
    say(&metadata, "run-1", NULL, NULL, "wide", NULL);
    PEN_CHECK_OK(history_write(&metadata, 20, &err), &err);
    say(&metadata, "run-1", "second", "two", "lr", NULL);
    say(&metadata, "run-1", NULL, NULL, NULL, "lr");
    say(&metadata, "run-1", NULL, NULL, NULL, "never there");
    say(&metadata, "run-1", NULL, NULL, "lr", NULL);
    say(&metadata, "run-40", NULL, NULL, "late", NULL);
    expect_all_said(&metadata);
    PEN_CHECK_OK(pen_metadata_state_hash(&metadata, state, &err), &err);
    pen_metadata_close(&metadata);
    for (int turn = 0; turn < 2; turn++) {
        PEN_REQUIRE_OK(pen_metadata_open(&metadata, root, turn == 0, &err), &err); /* the first one compacts */
        expect_all_said(&metadata);
        PEN_CHECK_OK(pen_metadata_state_hash(&metadata, again, &err), &err);
        PEN_CHECK_EQ_STR(again, state);
        pen_metadata_close(&metadata);
    }
    PEN_REQUIRE_OK(pen_metadata_open_recent(&metadata, root, 1, &err), &err);
    expect_said(&metadata, "run-40", ": late");
    pen_metadata_close(&metadata);
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root, true, &err), &err);
    PEN_CHECK(metadata.journal.base > 0);
    say(&metadata, "run-1", "third", "three", "new", "wide");
    pen_metadata_close(&metadata);
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, root, false, &err), &err);
    expect_said(&metadata, "run-1", "third: lr new; one \"quoted\" | two | three");
    pen_metadata_close(&metadata);
}

static void silence_is_not_recorded(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    char root[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), true, &err), &err);
    PEN_CHECK_OK(history_write(&metadata, 1, &err), &err);
    int64_t n = metadata.journal.n_records;
    PEN_CHECK_OK(pen_metadata_note_run(&metadata, "run-1", NULL, &no_more, &err), &err);
    PEN_CHECK_EQ_I64(metadata.journal.n_records, n);
    pen_metadata_close(&metadata);
}

static void expect_run(struct pen_metadata *metadata, const char *name, const char *id)
{
    struct pen_error err = PEN_ERROR_INIT;
    const pen_json *run = NULL;
    PEN_CHECK_OK(pen_metadata_choose_run(metadata, name, &run, &err), &err);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(run, "run"), "?"), id);
}

static void a_name_stands_for_its_run(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    const pen_json *run = NULL;
    char root[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), true, &err), &err);
    PEN_CHECK_OK(history_write(&metadata, 4, &err), &err);
    say(&metadata, "run-1", "alone", NULL, NULL, NULL);
    say(&metadata, "run-2", "twice", NULL, NULL, NULL);
    say(&metadata, "run-3", "twice", NULL, NULL, NULL);
    expect_run(&metadata, "alone", "run-1");
    expect_run(&metadata, "run-2", "run-2");
    expect_run(&metadata, NULL, "run-4");
    PEN_CHECK_STATUS(pen_metadata_choose_run(&metadata, "twice", &run, &err), PEN_ERR_USAGE);
    PEN_CHECK_CONTAINS(err.message,
                       "several runs are named 'twice', among them run-2 and run-3: expected one of these ids");
    PEN_CHECK_STATUS(pen_metadata_choose_run(&metadata, "nobody", &run, &err), PEN_ERR_NOT_FOUND);
    say(&metadata, "run-2", "other", NULL, NULL, NULL); /* an older name is free again */
    expect_run(&metadata, "twice", "run-3");
    expect_run(&metadata, "other", "run-2");
    pen_metadata_close(&metadata);
}

/* A run has the tags of its pipeline file and what it was started with; a name is good enough to continue it. */
static void a_run_is_started_with_its_note(void)
{
    static const char *const given[] = {"lr", "nightly"};
    const struct pen_run_note note = {.name = "baseline", .text = "half the rate", .tags = {given, 2}};
    const struct pen_run_options noted = {.note = &note}, resumed = {.resume = "baseline"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    struct pen_text said = {0};
    char root[PEN_PATH_BYTES];
    PEN_CHECK_STATUS(chore_run("tags: [nightly, taxi]\nmiddle: {act: fail}\n", &noted, &said, &err), PEN_ERR_DATA);
    PEN_CHECK_OK(chore_run("tags: taxi\n", &resumed, &said, &err), &err);
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), false, &err), &err);
    expect_said(&metadata, "run-1", "baseline: nightly taxi lr; half the rate");
    expect_said(&metadata, "run-2", ": taxi");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_find_run(&metadata, "run-2"), "resumes"), "?"),
                     "run-1");
    const struct pen_config_strings both = {given, 2};
    PEN_CHECK(pen_run_has_tags(pen_metadata_find_run(&metadata, "run-1"), &both));
    PEN_CHECK(!pen_run_has_tags(pen_metadata_find_run(&metadata, "run-2"), &both));
    PEN_CHECK(pen_run_has_tags(pen_metadata_find_run(&metadata, "run-2"), &no_more));
    pen_metadata_close(&metadata);
    PEN_CHECK_STATUS(chore_run("tags: [\"a\\x1b\"]\n", NULL, &said, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "tags: tag 1: it holds control bytes");
    pen_text_deinit(&said);
}

PEN_SUITE(notes, PEN_CASE(what_may_be_said), PEN_CASE(sayings_add_up), PEN_CASE(silence_is_not_recorded),
          PEN_CASE(a_name_stands_for_its_run), PEN_CASE(a_run_is_started_with_its_note));
