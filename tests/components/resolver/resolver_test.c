/* Resolver: the newest candidate its strategy allows, or none with a reason. */
#include "components/resolver/resolver.h"

#include "core/files.h"
#include "tests/pen_test.h"

#include <stdio.h>

static const char *below(struct pen_arena *arena, const char *name)
{
    return pen_arena_printf(arena, "%s/%s", pen_test_directory(), name);
}

static pen_status resolve(struct pen_arena *arena, const char *candidates, const char *options, const char **model,
                          char reason[256], struct pen_error *err)
{
    const char *folder = NULL;
    const char *out = below(arena, "out");
    PEN_TRY(pen_directory_create(out, err));
    if (candidates != NULL) {
        folder = below(arena, "candidates");
        PEN_TRY(pen_directory_create(folder, err));
        PEN_TRY(pen_file_write_atomic(pen_arena_printf(arena, "%s/candidates.json", folder), candidates,
                                      strlen(candidates), err));
    }
    struct pen_config_node *node = NULL;
    PEN_TRY(pen_config_parse(arena, options, strlen(options), "options", &node, err));
    struct pen_component_input inputs[] = {{"candidates", folder}};
    struct pen_component_output outputs[] = {{"resolved", out, pen_json_object()}};
    struct pen_component_context context = {.pipeline = "p",
                                            .node = "resolver",
                                            .arena = arena,
                                            .options = node,
                                            .n_inputs = 1,
                                            .inputs = inputs,
                                            .n_outputs = 1,
                                            .outputs = outputs};
    pen_status status = pen_resolver.run(&context, err);
    pen_json_free(outputs[0].properties);
    if (status != PEN_OK) {
        return status;
    }
    pen_json *root = NULL;
    PEN_TRY(pen_json_read_file(pen_arena_printf(arena, "%s/resolved.json", out), &root, err));
    (void)snprintf(reason, 256, "%s", pen_json_string_or(pen_json_get(root, "reason"), ""));
    pen_json_free(root);
    const char *id = NULL;
    return pen_resolved_model(arena, out, model, &id, err);
}

/* Three models: c the newest, not blessed; b blessed; a blessed. `b_gone` leaves b's folder out. */
static const char *three(struct pen_arena *arena, bool b_gone)
{
    const char *a = below(arena, "a"), *b = below(arena, "b"), *c = below(arena, "c");
    if (pen_directory_create(a, NULL) != PEN_OK || pen_directory_create(c, NULL) != PEN_OK ||
        (!b_gone && pen_directory_create(b, NULL) != PEN_OK)) {
        return NULL;
    }
    return pen_arena_printf(arena,
                            "{\"models\": [{\"path\": \"%s\", \"id\": \"c\", \"blessed\": false},"
                            "{\"path\": \"%s\", \"id\": \"b\", \"blessed\": true},"
                            "{\"path\": \"%s\", \"id\": \"a\", \"blessed\": true}]}",
                            c, b, a);
}

static void strategies_choose_as_documented(void)
{
    static const struct {
        const char *options, *model, *reason;
        bool b_gone;
    } table[] = {
        {"{}", "b", "the last blessed model, b; 1 newer not blessed", false},
        {"{}", "a", "the last blessed model, a; 1 newer not blessed; 1 passed over, their folders are gone", true},
        {"strategy: latest_trained", "c", "the last trained model, c", false},
        {"strategy: none", NULL, "no baseline asked for (strategy none)", false}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pen_arena arena = {0};
        struct pen_error err = PEN_ERROR_INIT;
        const char *model = NULL;
        char reason[256] = "";
        PEN_CHECK_OK(pen_directory_remove(below(&arena, "b"), &err), &err);
        PEN_CHECK_OK(resolve(&arena, three(&arena, table[i].b_gone), table[i].options, &model, reason, &err), &err);
        PEN_CHECK_EQ_STR(reason, table[i].reason);
        if (table[i].model == NULL) {
            PEN_CHECK(model == NULL);
        } else {
            PEN_CHECK_EQ_STR(model, below(&arena, table[i].model));
        }
        pen_arena_deinit(&arena);
    }
}

static void the_first_run_has_no_baseline_and_says_so(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    const char *model = "unset";
    char reason[256] = "";
    PEN_CHECK_OK(resolve(&arena, NULL, "{}", &model, reason, &err), &err);
    PEN_CHECK(model == NULL);
    PEN_CHECK_EQ_STR(reason, "no blessed model of this pipeline yet");
    PEN_CHECK_OK(resolve(&arena, "{\"models\": []}", "{}", &model, reason, &err), &err);
    PEN_CHECK(model == NULL);
    pen_arena_deinit(&arena);
}

static void malformed_candidates_are_reported(void)
{
    static const char *const bad[] = {"", "[", "{}", "{\"models\": 3}", "{\"models\": [3]}", "{\"models\": [{}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pen_arena arena = {0};
        struct pen_error err = PEN_ERROR_INIT;
        const char *model = NULL;
        char reason[256] = "";
        PEN_CHECK(resolve(&arena, bad[i], "{}", &model, reason, &err) != PEN_OK);
        PEN_CHECK_CONTAINS(err.message, "candidates.json");
        pen_arena_deinit(&arena);
    }
}

PEN_SUITE(resolver, PEN_CASE(strategies_choose_as_documented), PEN_CASE(the_first_run_has_no_baseline_and_says_so),
          PEN_CASE(malformed_candidates_are_reported));
