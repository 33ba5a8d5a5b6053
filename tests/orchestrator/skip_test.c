/* Nodes that their condition leaves out of a run, and what that means for those behind them. source's output has the
 * property length: 14, the bytes of "source=plain()". */
#include "core/log.h"
#include "orchestrator/metadata/metadata.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <unistd.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static void expect(int line, const char *more, const struct pen_run_options *options, pen_status wanted,
                   const char *words)
{
    struct pen_text said = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = chore_run(more, options, &said, &err);
    if (status != wanted || strcmp(pen_text_view(&said), words) != 0) {
        pen_test_fail(__FILE__, line, "expected %s: %s\nfound %s: %s\n%s", pen_status_name(wanted), words,
                      pen_status_name(status), pen_text_view(&said), err.message);
    }
    pen_text_deinit(&said);
}
#define EXPECT(...) expect(__LINE__, __VA_ARGS__)

/* The message of the node's newest record. */
static void expect_reason(int line, const char *node, const char *wanted)
{
    char root[PEN_PATH_BYTES];
    struct pen_metadata metadata;
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_metadata_query query = {.node = node};
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), false, &err), &err);
    const char *found = text_of(pen_metadata_newest(&metadata, &query), "message");
    if (strcmp(found, wanted) != 0) {
        pen_test_fail(__FILE__, line, "%s: expected '%s', found '%s'", node, wanted, found);
    }
    pen_metadata_close(&metadata);
}
#define EXPECT_REASON(...) expect_reason(__LINE__, __VA_ARGS__)

static void a_condition_that_holds_changes_nothing(void)
{
    EXPECT("middle: {when: source.length == 14 and source.data.length < 15}\n", NULL, PEN_OK,
           "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded");
    /* It is no part of what the node computes. */
    EXPECT("middle: {when: source.length > 13}\n", NULL, PEN_OK,
           "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded");
}

static void what_needs_a_skipped_node_is_skipped_with_it(void)
{
    const char *more = "middle: {when: source.length > 14}\n";
    EXPECT(more, NULL, PEN_OK,
           "source=succeeded middle=skipped side=succeeded last=skipped push=skipped run=succeeded");
    EXPECT_REASON("middle", "not when source.length > 14");
    EXPECT_REASON("last", "it takes what was skipped, from middle");
    EXPECT_REASON("push", "it takes what was skipped, from last");
    EXPECT(more, NULL, PEN_OK, "source=cached middle=skipped side=cached last=skipped push=skipped run=cached");
}

/* last can do without side. */
static void an_optional_input_may_be_skipped(void)
{
    EXPECT("side: {when: source.length < 0}\n", NULL, PEN_OK,
           "source=succeeded middle=succeeded side=skipped last=succeeded push=succeeded run=succeeded");
    char path[PEN_PATH_BYTES];
    struct pen_text value = {0};
    chore_read(chore_path(path, "root/last/final/3/value.txt"), &value);
    PEN_CHECK_EQ_STR(pen_text_view(&value), "last=plain(middle=plain(source=plain()),-)");
    pen_text_deinit(&value);
    EXPECT("side: {when: source.length < 0}\nlast: {when: side.length > 0}\n", NULL, PEN_OK,
           "source=cached middle=cached side=skipped last=skipped push=skipped run=cached");
    EXPECT_REASON("last", "its condition reads what was skipped, side");
}

static void a_condition_on_what_is_not_there_fails_its_node(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(chore_run("middle: {when: source.width > 1}\n", NULL, NULL, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(err.message, "node middle: ");
    PEN_CHECK_CONTAINS(err.message, "source.width");
    EXPECT("middle: {when: source.length and true}\n", NULL, PEN_ERR_DATA,
           "source=cached middle=failed side=skipped last=skipped push=skipped run=failed");
    EXPECT_REASON("side", "a node before it failed");
}

/* A partial run reads what stands in. */
static void a_partial_run_reads_earlier_outputs(void)
{
    const struct pen_run_options only = {.only = "middle"};
    EXPECT("", NULL, PEN_OK,
           "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded");
    EXPECT("middle: {when: source.length > 14}\n", &only, PEN_OK, "middle=skipped run=cached");
    /* What a node reads belongs to what has to run for it, like an input. */
    const struct pen_run_options to_side = {.to = "side"};
    EXPECT("side: {when: middle.length > 1}\n", &to_side, PEN_OK, "source=cached middle=cached side=cached run=cached");
}

static void the_plan_decides_what_it_can(void)
{
    char file[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    struct pen_text text = {0};
    pen_json *plan = NULL;
    const struct pen_run_options none = {0};
    EXPECT("side: {when: source.length > 14}\npush: {when: middle.length > 0}\n", NULL, PEN_OK,
           "source=succeeded middle=succeeded side=skipped last=succeeded push=succeeded run=succeeded");
    const char *sets[] = {"middle.text=new"};
    PEN_REQUIRE_OK(pen_pipeline_read(&pipeline, chore_path(file, "pipeline.yaml"), sets, 1, chore_table, &err), &err);
    PEN_CHECK_OK(pen_plan_pipeline(&pipeline, &none, &plan, &err), &err);
    const pen_json *nodes = pen_json_get(plan, "nodes");
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        pen_text_printf(&text, "%s: %s, %s|%s\n", text_of(node, "node"), text_of(node, "action"),
                        text_of(node, "reason"), text_of(node, "when"));
    }
    PEN_CHECK_EQ_STR(pen_text_view(&text), "source: cached, nothing changed|\n"
                                           "middle: run, options: null -> {\"text\":\"new\"}|\n"
                                           "side: skip, not when source.length > 14|\n"
                                           "last: run, a node before it runs|\n"
                                           "push: run, a node before it runs|middle.length > 0\n");
    pen_text_deinit(&text);
    pen_json_free(plan);
    pen_pipeline_deinit(&pipeline);
}

static void step(int line, const char *more, const char *run, const char *node, const char *words)
{
    const struct pen_run_options options = {.run = run, .only = node};
    expect(line, more, &options, PEN_OK, words);
}

static void steps_are_skipped_too(void)
{
    const char *more = "middle: {when: source.length > 14}\n";
    step(__LINE__, more, "nightly", "source", "source=succeeded run=open");
    step(__LINE__, more, "nightly", "middle", "middle=skipped run=open");
    step(__LINE__, more, "nightly", "side", "side=succeeded run=open");
    step(__LINE__, more, "nightly", "last", "last=skipped run=open");
    step(__LINE__, more, "nightly", "push", "push=skipped run=succeeded");
}

/* Skipped for a failure is not done: its step comes when what failed has been made good. */
static void what_a_failure_skipped_is_still_to_do(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("source: {act: fail}\n", NULL, PEN_ERR_DATA,
           "source=failed middle=skipped side=skipped last=skipped push=skipped run=failed");
    step(__LINE__, "", "run-1", "source", "source=succeeded run=open");
    const struct pen_run_options last = {.run = "run-1", .only = "last"};
    PEN_CHECK_STATUS(chore_run("", &last, NULL, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(err.message, "node middle has not succeeded in run run-1 yet");
    const struct pen_run_options resume = {.resume = "run-1"};
    EXPECT("", &resume, PEN_OK,
           "source=cached middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded");
}

PEN_SUITE(skip, PEN_CASE(a_condition_that_holds_changes_nothing),
          PEN_CASE(what_needs_a_skipped_node_is_skipped_with_it), PEN_CASE(an_optional_input_may_be_skipped),
          PEN_CASE(a_condition_on_what_is_not_there_fails_its_node), PEN_CASE(a_partial_run_reads_earlier_outputs),
          PEN_CASE(the_plan_decides_what_it_can), PEN_CASE(steps_are_skipped_too),
          PEN_CASE(what_a_failure_skipped_is_still_to_do));
