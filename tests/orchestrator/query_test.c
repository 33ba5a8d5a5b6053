/* Questions to the metadata, on histories whose answers are known otherwise. */
#include "core/memory.h"
#include "core/rng.h"
#include "orchestrator/query/artifacts.h"
#include "orchestrator/query/compare.h"
#include "orchestrator/query/exchange.h"
#include "orchestrator/query/lineage.h"
#include "tests/orchestrator/records.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <string.h>

enum { MADE = 60, SEED = 77 };

static void open_root(struct pen_metadata *metadata)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_metadata_open(metadata, pen_test_directory(), true, &err), &err);
}

/* ---- lineage ---- */

/* Each thing is made of up to three earlier ones; of[i][k]: i was made of k, at first or second hand. */
static void make_things(struct pen_metadata *metadata, bool of[MADE + 1][MADE + 1])
{
    static const char *const ports[] = {"a", "b", "c"};
    records_run(metadata, "run-1");
    for (int64_t i = 1; i <= MADE; i++) {
        pen_json *inputs = pen_json_object();
        for (uint64_t p = 0; p < 3 && i > 1; p++) {
            char name[32];
            int64_t k = 1 + (int64_t)pen_rng_below(SEED, p, (uint64_t)i, (uint64_t)(i - 1) * 2);
            if (k >= i) {
                continue;
            }
            records_name(name, k);
            pen_json_set_string(inputs, ports[p], name);
            of[i][k] = true;
            for (int64_t j = 1; j < k; j++) {
                of[i][j] = of[i][j] || of[k][j];
            }
        }
        records_execution(metadata, "run-1", "node", i, inputs, records_output(i, "Thing", NULL));
    }
}

static void expect_kin(struct pen_metadata *metadata, int64_t subject, bool of[MADE + 1][MADE + 1],
                       const struct pen_lineage_reach *reach)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_lineage lineage;
    bool is_there[MADE + 1] = {false};
    char name[32];
    records_name(name, subject);
    PEN_REQUIRE_OK(pen_lineage_gather(&lineage, metadata, name, reach, &err), &err);
    PEN_CHECK_EQ_I64(lineage.artifacts[lineage.subject].number, subject);
    for (int64_t i = 0; i < lineage.n_artifacts; i++) {
        is_there[lineage.artifacts[i].number] = true;
        PEN_CHECK(i == 0 || lineage.artifacts[i - 1].number < lineage.artifacts[i].number);
    }
    for (int64_t i = 1; i <= MADE; i++) {
        bool is_kin = i == subject || (reach->up && of[subject][i]) || (reach->down && of[i][subject]);
        PEN_CHECK_MSG(is_there[i] == is_kin, "thing %lld and thing %lld", (long long)subject, (long long)i);
    }
    for (int64_t i = 0; i < lineage.n_edges; i++) {
        const struct pen_lineage_edge *edge = &lineage.edges[i];
        PEN_CHECK(of[lineage.artifacts[edge->to].number][lineage.artifacts[edge->from].number]);
    }
    pen_lineage_deinit(&lineage);
}

static void kin_are_those_of_the_closure(void)
{
    static bool of[MADE + 1][MADE + 1];
    const struct pen_lineage_reach reaches[] = {{.up = true, .most_artifacts = MADE},
                                                {.down = true, .most_artifacts = MADE},
                                                {.up = true, .down = true, .most_artifacts = MADE}};
    struct pen_metadata metadata;
    memset(of, 0, sizeof of);
    open_root(&metadata);
    make_things(&metadata, of);
    for (int64_t subject = 1; subject <= MADE; subject++) {
        for (size_t r = 0; r < sizeof reaches / sizeof reaches[0]; r++) {
            expect_kin(&metadata, subject, of, &reaches[r]);
        }
    }
    pen_metadata_close(&metadata);
}

/* Somebody wrote into the journal: two things made of each other, one of itself. */
static void circles_end(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_lineage_reach reach = {.up = true, .down = true, .most_artifacts = MADE};
    struct pen_metadata metadata;
    struct pen_lineage lineage;
    struct pen_text text = {0};
    open_root(&metadata);
    records_run(&metadata, "run-1");
    for (int64_t i = 1; i <= 3; i++) {
        char name[32];
        pen_json *inputs = pen_json_object();
        records_name(name, i == 3 ? 3 : 3 - i);
        pen_json_set_string(inputs, "a", name);
        records_execution(&metadata, "run-1", "node", i, inputs, records_output(i, "Thing", NULL));
    }
    for (int64_t i = 1; i <= 3; i++) {
        char name[32];
        records_name(name, i);
        PEN_REQUIRE_OK(pen_lineage_gather(&lineage, &metadata, name, &reach, &err), &err);
        PEN_CHECK_OK(pen_lineage_tree(&lineage, &reach, &text, &err), &err);
        pen_lineage_dot(&lineage, &text);
        pen_lineage_deinit(&lineage);
    }
    pen_text_deinit(&text);
    pen_metadata_close(&metadata);
}

static void more_than_asked_for_is_left_out_and_said(void)
{
    static bool of[MADE + 1][MADE + 1];
    struct pen_error err = PEN_ERROR_INIT;
    const struct pen_lineage_reach reach = {.up = true, .down = true, .most_artifacts = 5};
    struct pen_metadata metadata;
    struct pen_lineage lineage;
    char name[32];
    int64_t subject = 1, most = 0;
    memset(of, 0, sizeof of);
    open_root(&metadata);
    make_things(&metadata, of);
    for (int64_t i = 1; i <= MADE; i++) {
        int64_t n = 0;
        for (int64_t k = 1; k <= MADE; k++) {
            n += of[i][k] || of[k][i];
        }
        subject = n > most ? i : subject;
        most = n > most ? n : most;
    }
    PEN_REQUIRE(most > 5);
    records_name(name, subject);
    PEN_REQUIRE_OK(pen_lineage_gather(&lineage, &metadata, name, &reach, &err), &err);
    PEN_CHECK_EQ_I64(lineage.n_artifacts, 5);
    PEN_CHECK(lineage.is_cut);
    pen_lineage_deinit(&lineage);
    PEN_CHECK_STATUS(pen_lineage_gather(&lineage, &metadata, "node.thing.99", &reach, &err), PEN_ERR_NOT_FOUND);
    pen_lineage_deinit(&lineage);
    pen_metadata_close(&metadata);
}

/* ---- artifacts ---- */

/* Models 1 and 2; 1 was pushed, then judged again and not pushed again; 2 never was judged. */
static void make_models(struct pen_metadata *metadata)
{
    records_run(metadata, "run-1");
    records_execution(metadata, "run-1", "trainer", 1, pen_json_object(), records_output(1, "Model", NULL));
    records_execution(metadata, "run-1", "trainer", 2, pen_json_object(),
                      records_output(2, "Model", records_property("steps", pen_json_int(7))));
    records_execution(metadata, "run-1", "evaluator", 3, records_input("model", 1),
                      records_output(3, "ModelEvaluation", records_property("auc", pen_json_double(0.7))));
    records_execution(metadata, "run-1", "pusher", 4, records_input("model", 1),
                      records_output(4, "PushedModel", records_property("pushed", pen_json_bool(true))));
    records_run(metadata, "run-2");
    records_execution(metadata, "run-2", "evaluator", 5, records_input("model", 1),
                      records_output(5, "ModelEvaluation", records_property("auc", pen_json_double(0.75))));
    records_execution(metadata, "run-2", "pusher", 6, records_input("model", 1),
                      records_output(6, "PushedModel", records_property("pushed", pen_json_bool(false))));
}

static int64_t count(struct pen_metadata *metadata, const char *type, const char *where)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_condition condition;
    const struct pen_artifact_filter filter = {.type = type, .condition = &condition};
    pen_json *list = NULL;
    pen_status status = pen_condition_parse(&arena, where, &condition, &err);
    status = status == PEN_OK ? pen_artifacts_select(metadata, &filter, &list, &err) : status;
    PEN_CHECK_MSG(status == PEN_OK, "%s: %s", where, err.message);
    int64_t n = pen_json_size(list);
    pen_json_free(list);
    pen_arena_deinit(&arena);
    return n;
}

static void conditions_choose_artifacts(void)
{
    static const struct {
        const char *type, *where;
        int64_t n;
    } cases[] = {
        {"Model", "auc > 0.7", 1},             /* the newest evaluation counts */
        {"Model", "auc < 0.72", 0},            /* model 2 has none, so it does not fit */
        {"Model", "pushed", 1},                /* once pushed, pushed */
        {"Model", "not pushed", 0},            /* never decided is not the same */
        {"Model", "steps == 7 or auc > 0", 2}, /* either decides */
        {"Model", "steps == 7 and auc > 0", 0},
        {NULL, "node == 'pusher'", 2},
        {NULL, "run == 'run-2' and type == 'ModelEvaluation'", 1},
        {NULL, "execution >= 3 and execution < 5", 2},
        {NULL, "id == 'node.thing.4' and pushed == true", 1},
        {NULL, "state == 'missing'", 6}, /* no folder was made */
    };
    struct pen_metadata metadata;
    open_root(&metadata);
    make_models(&metadata);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n = count(&metadata, cases[i].type, cases[i].where);
        PEN_CHECK_MSG(n == cases[i].n, "%s: expected %lld artifacts, found %lld", cases[i].where, (long long)cases[i].n,
                      (long long)n);
    }
    pen_metadata_close(&metadata);
}

/* ---- runs compared ---- */

static void what_one_run_lacks_is_null(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    pen_json *document = NULL;
    struct pen_text text = {0};
    open_root(&metadata);
    make_models(&metadata);
    const struct pen_compared a = {&metadata, "run-1"}, b = {&metadata, "run-2"}, gone = {&metadata, "run-3"};
    PEN_REQUIRE_OK(pen_runs_compare(&a, &b, &document, &err), &err);
    const pen_json *auc = pen_json_at(pen_json_get(document, "metrics"), 0);
    const pen_json *trainer = pen_json_at(pen_json_get(document, "nodes"), 0);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(document, "metrics")), 1);
    PEN_CHECK(pen_json_number_or(pen_json_get(auc, "change"), 0) == 0.75 - 0.7);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(document, "nodes")), 3);
    PEN_CHECK(pen_json_is_object(pen_json_get(trainer, "a")) && !pen_json_is_object(pen_json_get(trainer, "b")));
    PEN_CHECK_OK(pen_json_print(pen_json_get(document, "changes"), PEN_JSON_COMPACT, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "[{\"node\":\"evaluator\",\"differences\":[\"number: 3 -> 5\"]},"
                                           "{\"node\":\"pusher\",\"differences\":[\"number: 4 -> 6\"]}]");
    pen_json_free(document);
    PEN_CHECK_STATUS(pen_runs_compare(&a, &gone, &document, &err), PEN_ERR_NOT_FOUND);
    pen_text_deinit(&text);
    pen_metadata_close(&metadata);
}

/* ---- other stores ---- */

static void numbers_lead_somewhere(const pen_json *list, const char *key, const pen_json *to)
{
    PEN_CHECK(pen_json_size(list) > 0);
    for (int64_t i = 0; i < pen_json_size(list); i++) {
        const int64_t id = pen_json_int_or(pen_json_get(pen_json_at(list, i), key), 0);
        PEN_CHECK_MSG(id >= 1 && id <= pen_json_size(to), "%s %lld of %lld", key, (long long)id,
                      (long long)pen_json_size(to));
        PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(pen_json_at(to, id - 1), "id"), 0), id);
    }
}

static void what_mlmd_gets_hangs_together(void)
{
    static const char *const links[][3] = {
        {"artifacts", "typeId", "artifactTypes"},  {"executions", "typeId", "executionTypes"},
        {"contexts", "typeId", "contextTypes"},    {"events", "artifactId", "artifacts"},
        {"events", "executionId", "executions"},   {"attributions", "artifactId", "artifacts"},
        {"attributions", "contextId", "contexts"}, {"associations", "executionId", "executions"},
        {"associations", "contextId", "contexts"}, {"parentContexts", "childId", "contexts"},
        {"parentContexts", "parentId", "contexts"}};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    struct pen_text text = {0};
    pen_json *graph = NULL;
    open_root(&metadata);
    make_models(&metadata);
    PEN_REQUIRE_OK(pen_exchange_mlmd(&metadata, NULL, &text, &err), &err);
    PEN_REQUIRE_OK(pen_json_parse(pen_text_view(&text), text.size_bytes, "graph", &graph, &err), &err);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        numbers_lead_somewhere(pen_json_get(graph, links[i][0]), links[i][1], pen_json_get(graph, links[i][2]));
    }
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(graph, "artifacts")), 6);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(graph, "events")), 6 + 4); /* outputs, and the inputs of 3 to 6 */
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(graph, "parentContexts")), 2);
    pen_json_free(graph);
    pen_text_reset(&text);
    PEN_REQUIRE_OK(pen_exchange_mlmd(&metadata, "run-2", &text, &err), &err);
    PEN_REQUIRE_OK(pen_json_parse(pen_text_view(&text), text.size_bytes, "graph", &graph, &err), &err);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(graph, "executions")), 2);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(graph, "artifacts")), 3); /* the model of run-1 too */
    pen_json_free(graph);
    pen_text_deinit(&text);
    pen_metadata_close(&metadata);
}

/* The two runs have no end: four and two executions, each with a start and an end, and two starts. */
static void each_line_is_an_event(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_metadata metadata;
    struct pen_text text = {0};
    int64_t n = 0, n_starts = 0;
    open_root(&metadata);
    make_models(&metadata);
    PEN_REQUIRE_OK(pen_exchange_openlineage(&metadata, NULL, &text, &err), &err);
    for (const char *line = pen_text_view(&text); *line != '\0'; n++) {
        const size_t size = strcspn(line, "\n");
        pen_json *event = NULL;
        PEN_REQUIRE_OK(pen_json_parse(line, size, "event", &event, &err), &err);
        const char *id = pen_json_string_or(pen_json_get(pen_json_get(event, "run"), "runId"), "");
        PEN_CHECK(strlen(id) == 36 && id[14] == '8' && strchr("89ab", id[19]) != NULL);
        n_starts += strcmp(pen_json_string_or(pen_json_get(event, "eventType"), ""), "START") == 0;
        pen_json_free(event);
        line += size + (line[size] == '\n');
    }
    PEN_CHECK_EQ_I64(n, 2 * 6 + 2);
    PEN_CHECK_EQ_I64(n_starts, 6 + 2);
    pen_text_deinit(&text);
    pen_metadata_close(&metadata);
}

PEN_SUITE(query, PEN_CASE(kin_are_those_of_the_closure), PEN_CASE(circles_end),
          PEN_CASE(more_than_asked_for_is_left_out_and_said), PEN_CASE(conditions_choose_artifacts),
          PEN_CASE(what_one_run_lacks_is_null), PEN_CASE(what_mlmd_gets_hangs_together),
          PEN_CASE(each_line_is_an_event));
