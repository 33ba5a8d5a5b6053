/* Pusher: atomic versions, the link, pruning, and everything that must not happen. */
#include "components/pusher/pusher.h"

#include "components/pusher/publish.h"
#include "core/files.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct pen_arena arena;
    struct pen_error err;
    const char *model, *serving, *blessing;
    char reason[512];
    bool pushed;
    int64_t version;
};

static void put(struct fixture *f, const char *folder, const char *name, const char *text)
{
    const char *path = pen_arena_printf(&f->arena, "%s/%s", folder, name);
    PEN_CHECK_OK(pen_directory_create(folder, &f->err), &f->err);
    PEN_CHECK_OK(pen_file_write_atomic(path, text, strlen(text), &f->err), &f->err);
}

static void make_model(struct fixture *f, const char *weights)
{
    put(f, f->model, "model.json", "{\"kind\": \"linear\"}");
    put(f, f->model, "weights.bin", weights);
    put(f, pen_arena_printf(&f->arena, "%s/transform", f->model), "graph.json", "{}");
    put(f, f->model, "artifact.json", "the orchestrator's, not to be pushed");
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.err = PEN_ERROR_INIT};
    f->model = pen_arena_printf(&f->arena, "%s/model", pen_test_directory());
    f->serving = pen_arena_printf(&f->arena, "%s/serving/taxi", pen_test_directory());
    f->blessing = pen_arena_printf(&f->arena, "%s/blessing", pen_test_directory());
    make_model(f, "weights one");
    put(f, f->blessing, "blessing.json", "{\"blessed\": true, \"reasons\": [\"blessed: no threshold asked for\"]}");
}

static pen_status push(struct fixture *f, const char *options)
{
    const char *out = pen_arena_printf(&f->arena, "%s/out", pen_test_directory());
    struct pen_config_node *node = NULL;
    pen_json *root = NULL;
    PEN_TRY(pen_directory_create(out, &f->err));
    PEN_TRY(pen_config_parse(&f->arena, options, strlen(options), "options", &node, &f->err));
    struct pen_component_input inputs[] = {{"model", f->model}, {"blessing", f->blessing}, {"evaluation", NULL}};
    struct pen_component_output outputs[] = {{"pushed", out, pen_json_object()}};
    struct pen_component_context context = {.pipeline = "taxi",
                                            .node = "pusher",
                                            .arena = &f->arena,
                                            .options = node,
                                            .base_directory = pen_test_directory(),
                                            .n_inputs = 3,
                                            .inputs = inputs,
                                            .n_outputs = 1,
                                            .outputs = outputs};
    pen_status status = pen_pusher.run(&context, &f->err);
    pen_json_free(outputs[0].properties);
    if (status != PEN_OK) {
        return status;
    }
    PEN_TRY(pen_json_read_file(pen_arena_printf(&f->arena, "%s/pushed.json", out), &root, &f->err));
    (void)snprintf(f->reason, sizeof f->reason, "%s", pen_json_string_or(pen_json_get(root, "reason"), ""));
    f->pushed = pen_json_bool_or(pen_json_get(root, "pushed"), false);
    f->version = pen_json_int_or(pen_json_get(root, "version"), -1);
    pen_json_free(root);
    return PEN_OK;
}

static bool there(struct fixture *f, const char *name)
{
    struct stat facts;
    return lstat(pen_arena_printf(&f->arena, "%s/%s", f->serving, name), &facts) == 0;
}

/* Names in the serving folder without the lock, joined by spaces. */
static const char *listing(struct fixture *f)
{
    char **names = NULL;
    int64_t n_names = 0;
    const char *all = "";
    if (pen_directory_list(&f->arena, f->serving, &names, &n_names, NULL) != PEN_OK) {
        return "none";
    }
    for (int64_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], ".lock") != 0) {
            all = pen_arena_printf(&f->arena, "%s%s%s", all, all[0] != '\0' ? " " : "", names[i]);
        }
    }
    return all;
}

static void a_push_is_whole_and_named_in_the_manifest(void)
{
    struct fixture f;
    begin(&f);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK(f.pushed);
    PEN_CHECK_EQ_I64(f.version, 1);
    PEN_CHECK_EQ_STR(f.reason, "pushed as version 1");
    PEN_CHECK_EQ_STR(listing(&f), "1 current");
    PEN_CHECK(there(&f, "current/transform/graph.json"));
    PEN_CHECK(!there(&f, "1/artifact.json"));
    pen_json *manifest = NULL;
    char expected[PEN_SHA256_HEX_BYTES];
    pen_sha256_of("weights one", 11, expected);
    PEN_CHECK_OK(pen_json_read_file(pen_arena_printf(&f.arena, "%s/1/manifest.json", f.serving), &manifest, &f.err),
                 &f.err);
    const pen_json *file = pen_json_get(pen_json_get(manifest, "files"), "weights.bin");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(file, "sha256"), ""), expected);
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(manifest, "files")), 3);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(manifest, "blessing"), ""), "blessed: no threshold asked for");
    pen_json_free(manifest);
    pen_arena_deinit(&f.arena);
}

static void the_same_model_is_pushed_once(void)
{
    struct fixture f;
    begin(&f);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK(f.pushed);
    PEN_CHECK_EQ_I64(f.version, 1);
    PEN_CHECK_EQ_STR(f.reason, "version 1 already holds this model; nothing was done");
    PEN_CHECK_EQ_STR(listing(&f), "1 current");
    pen_arena_deinit(&f.arena);
}

static void a_damaged_or_removed_push_is_made_again(void)
{
    struct fixture f;
    begin(&f);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    put(&f, pen_arena_printf(&f.arena, "%s/1", f.serving), "weights.bin", "weights onE");
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_EQ_I64(f.version, 2);
    PEN_CHECK_OK(pen_directory_remove(f.serving, &f.err), &f.err);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_EQ_I64(f.version, 1);
    pen_arena_deinit(&f.arena);
}

static void the_newest_n_versions_stay(void)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 12; i++) {
        char weights[32];
        (void)snprintf(weights, sizeof weights, "weights %d", i);
        make_model(&f, weights);
        PEN_CHECK_OK(push(&f, "keep: 3"), &f.err);
        PEN_CHECK_EQ_I64(f.version, i + 1);
    }
    PEN_CHECK_EQ_STR(listing(&f), "10 11 12 current");
    PEN_CHECK_EQ_STR(f.reason, "pushed as version 12; 1 old version removed");
    PEN_CHECK_EQ_I64(pen_push_current(f.serving), 12);
    pen_arena_deinit(&f.arena);
}

static void folders_that_no_push_made_stay(void)
{
    struct fixture f;
    begin(&f);
    put(&f, pen_arena_printf(&f.arena, "%s/2", f.serving), "mine", "a folder that only looks like a version");
    for (int i = 0; i < 4; i++) {
        char weights[32];
        (void)snprintf(weights, sizeof weights, "weights %d", i);
        make_model(&f, weights);
        PEN_CHECK_OK(push(&f, "keep: 1"), &f.err);
        PEN_CHECK_EQ_I64(f.version, i + 3);
    }
    PEN_CHECK_EQ_STR(listing(&f), "2 6 current");
    pen_arena_deinit(&f.arena);
}

static void not_blessed_pushes_nothing_and_says_why(void)
{
    struct fixture f;
    begin(&f);
    put(&f, f.blessing, "blessing.json",
        "{\"blessed\": false, \"reasons\": [\"not blessed: 1 of 2 thresholds failed\"]}");
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK(!f.pushed);
    PEN_CHECK_EQ_STR(f.reason, "nothing pushed: not blessed: 1 of 2 thresholds failed");
    PEN_CHECK_EQ_STR(listing(&f), "none");
    put(&f, f.blessing, "blessing.json", "{}");
    PEN_CHECK_STATUS(push(&f, "{}"), PEN_ERR_DATA);
    pen_arena_deinit(&f.arena);
}

/* What kills at each point leave: a half copy; a complete version that `current` does not name yet; a half prune. */
static void leftovers_of_a_killed_push_are_mended(void)
{
    struct fixture f;
    begin(&f);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    put(&f, pen_arena_printf(&f.arena, "%s/.tmp-abcdef", f.serving), "model.json", "half");
    put(&f, pen_arena_printf(&f.arena, "%s/.tmp-old-9", f.serving), "model.json", "half");
    PEN_CHECK(symlink("9", pen_arena_printf(&f.arena, "%s/.tmp-current", f.serving)) == 0);
    make_model(&f, "weights two");
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_EQ_STR(listing(&f), "1 2 current");
    const char *link_path = pen_arena_printf(&f.arena, "%s/current", f.serving);
    PEN_CHECK(unlink(link_path) == 0 && symlink("1", link_path) == 0);
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_EQ_STR(listing(&f), "1 2 current");
    PEN_CHECK_EQ_I64(pen_push_current(f.serving), 2);
    pen_arena_deinit(&f.arena);
}

static void nothing_is_overwritten(void)
{
    struct fixture f;
    begin(&f);
    put(&f, f.serving, "7", "a file in the way");
    put(&f, f.serving, "0009", "not a version");
    PEN_CHECK_OK(push(&f, "{}"), &f.err);
    PEN_CHECK_EQ_I64(f.version, 8);
    PEN_CHECK_OK(pen_directory_remove(f.serving, &f.err), &f.err);
    PEN_CHECK_OK(pen_directory_create(pen_arena_printf(&f.arena, "%s/current", f.serving), &f.err), &f.err);
    PEN_CHECK_STATUS(push(&f, "{}"), PEN_ERR_EXISTS);
    PEN_CHECK_CONTAINS(f.err.message, "expected a link to a version");
    PEN_CHECK_EQ_STR(listing(&f), "current");
    pen_arena_deinit(&f.arena);
}

static void links_are_not_followed(void)
{
    struct fixture f;
    begin(&f);
    const char *weights = pen_arena_printf(&f.arena, "%s/weights.bin", f.model);
    PEN_CHECK(unlink(weights) == 0 && symlink("/etc/hostname", weights) == 0);
    PEN_CHECK_STATUS(push(&f, "{}"), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(f.err.message, "only plain files are pushed");
    PEN_CHECK_EQ_STR(listing(&f), "none");
    PEN_CHECK(unlink(weights) == 0 && mkfifo(weights, 0600) == 0);
    PEN_CHECK_STATUS(push(&f, "{}"), PEN_ERR_DATA);
    PEN_CHECK(unlink(weights) == 0);
    PEN_CHECK_STATUS(push(&f, "{}"), PEN_ERR_NOT_FOUND);
    make_model(&f, "weights one");

    /* version 1 is a link to somewhere else: neither written through nor counted as pushed */
    const char *outside = pen_arena_printf(&f.arena, "%s/outside", pen_test_directory());
    put(&f, outside, "model.json", "precious");
    PEN_CHECK_OK(pen_directory_create(f.serving, &f.err), &f.err);
    PEN_CHECK(symlink(outside, pen_arena_printf(&f.arena, "%s/1", f.serving)) == 0);
    PEN_CHECK(symlink(outside, pen_arena_printf(&f.arena, "%s/current", f.serving)) == 0);
    PEN_CHECK_OK(push(&f, "keep: 1"), &f.err);
    PEN_CHECK_EQ_I64(f.version, 2);
    PEN_CHECK_EQ_STR(listing(&f), "1 2 current");
    struct pen_text text = {0};
    PEN_CHECK_OK(pen_file_read(pen_arena_printf(&f.arena, "%s/model.json", outside), 100, &text, &f.err), &f.err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "precious");
    pen_text_deinit(&text);
    pen_arena_deinit(&f.arena);
}

static void concurrent_pushes_get_versions_of_their_own(void)
{
    enum { PUSHERS = 6 };
    struct fixture f;
    begin(&f);
    pid_t children[PUSHERS];
    for (int i = 0; i < PUSHERS; i++) {
        const char *model = pen_arena_printf(&f.arena, "%s/model-%d", pen_test_directory(), i);
        f.model = model;
        make_model(&f, pen_arena_printf(&f.arena, "weights of %d", i));
        children[i] = fork();
        if (children[i] == 0) {
            struct pen_push done;
            _exit(pen_push_model(&f.arena, f.serving, model, 10, NULL, &done, NULL) == PEN_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < PUSHERS; i++) {
        int state = -1;
        PEN_CHECK(children[i] > 0 && waitpid(children[i], &state, 0) == children[i] && state == 0);
    }
    PEN_CHECK_EQ_STR(listing(&f), "1 2 3 4 5 6 current");
    PEN_CHECK_EQ_I64(pen_push_current(f.serving), PUSHERS);
    pen_arena_deinit(&f.arena);
}

static void the_fingerprint_sees_what_happens_to_the_destination(void)
{
    struct fixture f;
    begin(&f);
    const char *seen[4] = {NULL};
    for (int i = 0; i < 4; i++) {
        struct pen_component_context context = {
            .pipeline = "taxi", .node = "pusher", .arena = &f.arena, .base_directory = pen_test_directory()};
        pen_json *key = pen_json_object();
        struct pen_text text = {0};
        PEN_CHECK_OK(pen_pusher.fingerprint(&context, key, &f.err), &f.err);
        PEN_CHECK_OK(pen_json_print(key, PEN_JSON_CANONICAL, &text, &f.err), &f.err);
        seen[i] = pen_arena_strdup(&f.arena, pen_text_view(&text));
        pen_text_deinit(&text);
        pen_json_free(key);
        if (i == 0) {
            PEN_CHECK_OK(push(&f, "{}"), &f.err);
        } else if (i == 1) {
            PEN_CHECK_OK(push(&f, "{}"), &f.err);
        } else if (i == 2) {
            PEN_CHECK_OK(pen_directory_remove(f.serving, &f.err), &f.err);
        }
    }
    PEN_CHECK(strcmp(seen[0], seen[1]) != 0);
    PEN_CHECK_EQ_STR(seen[2], seen[1]);
    PEN_CHECK_EQ_STR(seen[3], seen[0]);
    pen_arena_deinit(&f.arena);
}

PEN_SUITE(pusher, PEN_CASE(a_push_is_whole_and_named_in_the_manifest), PEN_CASE(the_same_model_is_pushed_once),
          PEN_CASE(a_damaged_or_removed_push_is_made_again), PEN_CASE(the_newest_n_versions_stay),
          PEN_CASE(folders_that_no_push_made_stay), PEN_CASE(not_blessed_pushes_nothing_and_says_why),
          PEN_CASE(leftovers_of_a_killed_push_are_mended), PEN_CASE(nothing_is_overwritten),
          PEN_CASE(links_are_not_followed), PEN_CASE(concurrent_pushes_get_versions_of_their_own),
          PEN_CASE(the_fingerprint_sees_what_happens_to_the_destination));
