/* The runner on fake components (chores.h): what is cached, what reruns, what partial, failed, crashed and cancelled
 * runs leave, and who may write a root. The expected word of every node is written out by hand from TFX's rules. */
#include "core/log.h"
#include "orchestrator/metadata/metadata.h"
#include "orchestrator/run/manifest.h"
#include "tests/orchestrator/chores.h"
#include "tests/pen_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALL_RAN "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded"
#define ONLY_PUSH_RAN "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded"

/* Runs, and compares the words of all nodes and of the run. */
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

static void expect_value(int line, const char *artifact, const char *value)
{
    char path[PEN_PATH_BYTES];
    char name[256];
    struct pen_text text = {0};
    (void)snprintf(name, sizeof name, "root/%s/value.txt", artifact);
    chore_read(chore_path(path, name), &text);
    if (strcmp(pen_text_view(&text), value) != 0) {
        pen_test_fail(__FILE__, line, "%s: expected %s, found %s", artifact, value, pen_text_view(&text));
    }
    pen_text_deinit(&text);
}
#define EXPECT_VALUE(...) expect_value(__LINE__, __VA_ARGS__)

static void expect_audit(int line, int64_t artifacts)
{
    char root[PEN_PATH_BYTES];
    int64_t n = 0;
    struct pen_error err = PEN_ERROR_INIT;
    if (chore_audit(chore_path(root, "root"), true, &n, &err) != PEN_OK || n != artifacts) {
        pen_test_fail(__FILE__, line, "expected %lld whole artifacts, found %lld: %s", (long long)artifacts,
                      (long long)n, err.message);
    }
}
#define EXPECT_AUDIT(n) expect_audit(__LINE__, n)

static bool has(const char *name)
{
    char path[PEN_PATH_BYTES];
    return pen_path_exists(chore_path(path, name));
}

static void an_unchanged_run_is_cached(void)
{
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    EXPECT_VALUE("push/pushed/5", "push=plain(last=plain(middle=plain(source=plain()),side=plain(source=plain())))");
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
    struct pen_run_options to_last = {.to = "last"};
    EXPECT("", &to_last, PEN_OK, "source=cached middle=cached side=cached last=cached run=cached");
    EXPECT("source:\n", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT_AUDIT(8); /* middle has two outputs, push ran three times */
}

static void a_change_reruns_what_depends_on_it(void)
{
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    EXPECT("side: {text: new}\n", NULL, PEN_OK,
           "source=cached middle=cached side=succeeded last=succeeded push=succeeded run=succeeded");
    EXPECT_VALUE("last/final/7", "last=plain(middle=plain(source=plain()),side=new(source=plain()))");
    EXPECT("side: {text: new}\nlast: {text: l}\n", NULL, PEN_OK,
           "source=cached middle=cached side=cached last=succeeded push=succeeded run=succeeded");
    EXPECT("source: {text: s}\n", NULL, PEN_OK, ALL_RAN);
    /* Back to the first state: all of it is still in the cache. */
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT_VALUE("push/pushed/16", "push=plain(last=plain(middle=plain(source=plain()),side=plain(source=plain())))");
    /* files changes middle's bytes on disk: same value, other content, so what is below reruns. */
    EXPECT("middle: {files: 2}\n", NULL, PEN_OK,
           "source=cached middle=succeeded side=cached last=succeeded push=succeeded run=succeeded");
    /* An option that changes nothing in the output: the node reruns, what is below is cached by content. */
    EXPECT("middle: {pause_ms: 1}\n", NULL, PEN_OK,
           "source=cached middle=succeeded side=cached last=cached push=succeeded run=succeeded");
}

static void no_cache_runs_everything(void)
{
    struct pen_run_options no_cache = {.no_cache = true};
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    EXPECT("", &no_cache, PEN_OK, ALL_RAN);
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT_AUDIT(13);
}

static void partial_runs_follow_the_graph(void)
{
    struct pen_run_options only = {.only = "middle"};
    struct pen_run_options from = {.from = "middle"};
    struct pen_run_options to = {.to = "middle"};
    struct pen_run_options both = {.from = "side", .to = "last"};
    struct pen_run_options none = {.from = "last", .to = "source"};
    struct pen_run_options mixed = {.from = "last", .only = "last"};
    struct pen_run_options wrong = {.only = "midle"};
    struct pen_error err = PEN_ERROR_INIT;
    /* Nothing ran yet: a node alone has no input. */
    PEN_CHECK_STATUS(chore_run("", &only, NULL, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_EQ_STR(
        err.message,
        "node middle: expected outputs of source, which never succeeded: run that first, or without --from and --only");
    EXPECT("", &to, PEN_OK, "source=succeeded middle=succeeded run=succeeded");
    EXPECT("", &only, PEN_OK, "middle=cached run=cached");
    /* side never ran, and last takes it as optional. */
    EXPECT("", &from, PEN_OK, "middle=cached last=succeeded push=succeeded run=succeeded");
    EXPECT_VALUE("last/final/4", "last=plain(middle=plain(source=plain()),-)");
    EXPECT("", &both, PEN_OK, "side=succeeded last=succeeded run=succeeded");
    EXPECT_VALUE("last/final/7", "last=plain(middle=plain(source=plain()),side=plain(source=plain()))");
    /* A node that is not selected gives its last success, though its options have changed since. */
    EXPECT("source: {text: later}\n", &only, PEN_OK, "middle=cached run=cached");
    PEN_CHECK_STATUS(chore_run("", &none, NULL, &err), PEN_ERR_USAGE);
    PEN_CHECK_EQ_STR(err.message, "no node lies downstream of --from last and upstream of --to source");
    PEN_CHECK_STATUS(chore_run("", &mixed, NULL, &err), PEN_ERR_USAGE);
    PEN_CHECK_EQ_STR(err.message, "expected --only alone, or --from and --to; found both");
    PEN_CHECK_STATUS(chore_run("", &wrong, NULL, &err), PEN_ERR_USAGE);
    PEN_CHECK_EQ_STR(err.message, "there is no node 'midle'; did you mean 'middle'?");
}

static void a_failure_stops_what_follows(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("middle: {act: fail}\n", NULL, PEN_ERR_DATA,
           "source=succeeded middle=failed side=skipped last=skipped push=skipped run=failed");
    PEN_CHECK_STATUS(chore_run("middle: {act: fail}\n", NULL, NULL, &err), PEN_ERR_DATA);
    PEN_CHECK_EQ_STR(err.message, "rows.csv:7: expected 3 cells, found 2");
    /* Staging stays for a look, nothing is published. */
    PEN_CHECK(has("root/runs/run-1/middle/number/value.txt"));
    PEN_CHECK(has("root/runs/run-1/middle.log"));
    PEN_CHECK(!has("root/middle/number"));
    EXPECT_AUDIT(1);
    char root[PEN_PATH_BYTES];
    struct pen_metadata metadata;
    PEN_REQUIRE_OK(pen_metadata_open(&metadata, chore_path(root, "root"), false, &err), &err);
    const struct pen_metadata_query failed = {.run = "run-1", .node = "middle"};
    const pen_json *record = pen_metadata_newest(&metadata, &failed);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(record, "status"), "?"), "failed");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(record, "message"), "?"), "rows.csv:7: expected 3 cells, found 2");
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(pen_metadata_find_run(&metadata, "run-1"), "status"), "?"),
                     "failed");
    pen_metadata_close(&metadata);
    EXPECT("side: {act: anomaly}\n", NULL, PEN_ERR_ANOMALY,
           "source=cached middle=succeeded side=failed last=skipped push=skipped run=failed");
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=succeeded push=succeeded run=succeeded");
}

static void a_failing_fingerprint_is_told(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("middle: {watched: gone.csv}\n", NULL, PEN_ERR_NOT_FOUND,
           "source=succeeded middle=failed side=skipped last=skipped push=skipped run=failed");
    PEN_CHECK_STATUS(chore_run("middle: {watched: gone.csv}\n", NULL, NULL, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(err.message, "gone.csv: cannot open: No such file or directory");
}

static void a_crash_names_the_signal(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("middle: {act: crash}\n", NULL, PEN_ERR_FAILED,
           "source=succeeded middle=failed side=skipped last=skipped push=skipped run=failed");
    PEN_CHECK_STATUS(chore_run("middle: {act: crash}\n", NULL, NULL, &err), PEN_ERR_FAILED);
    PEN_CHECK_EQ_STR(err.message, "the node's process died of signal 11 (Segmentation fault); last line of its log: "
                                  "about to fall");
    PEN_CHECK_STATUS(chore_run("middle: {act: quit}\n", NULL, NULL, &err), PEN_ERR_FAILED);
    PEN_CHECK_CONTAINS(err.message, "the node's process ended with exit code 9 and no result; last line of its log: ");
    EXPECT("", NULL, PEN_OK,
           "source=cached middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded");
    EXPECT_AUDIT(6);
}

/* Runs in a process of its own; its exit code is the status. */
static pid_t run_apart(const char *more)
{
    (void)pen_test_directory(); /* emptied once, before there are two processes */
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_text said = {0};
        pen_status status = chore_run(more, NULL, &said, &err);
        char path[PEN_PATH_BYTES];
        chore_write(chore_path(path, "said"), pen_text_view(&said));
        _exit((int)status);
    }
    return child;
}

static bool wait_for(const char *name)
{
    struct timespec pause = {0, 2000000};
    for (int i = 0; i < 5000; i++) {
        if (has(name)) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void on_terminate(int number)
{
    (void)number;
    pen_cancel_request();
}

static void a_cancelled_run_goes_on_later(void)
{
    struct sigaction action = {.sa_handler = on_terminate};
    struct sigaction before;
    int state = 0;
    (void)sigaction(SIGTERM, &action, &before);
    pid_t child = run_apart("middle: {act: hang}\n");
    PEN_CHECK(wait_for("root/runs/run-1/middle/notes/value.txt"));
    (void)kill(child, SIGTERM);
    PEN_CHECK_EQ_I64(waitpid(child, &state, 0), child);
    (void)sigaction(SIGTERM, &before, NULL);
    PEN_CHECK(WIFEXITED(state) && WEXITSTATUS(state) == PEN_ERR_CANCELLED);
    char path[PEN_PATH_BYTES];
    struct pen_text said = {0};
    chore_read(chore_path(path, "said"), &said);
    PEN_CHECK_EQ_STR(pen_text_view(&said),
                     "source=succeeded middle=cancelled side=skipped last=skipped push=skipped run=cancelled");
    pen_text_deinit(&said);
    EXPECT("", NULL, PEN_OK,
           "source=cached middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded");
    EXPECT_AUDIT(6);
}

static void a_second_writer_is_told_who_holds_the_root(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    char wanted[64];
    int state = 0;
    pid_t child = run_apart("middle: {act: hang}\n");
    PEN_CHECK(wait_for("root/runs/run-1/middle/notes/value.txt"));
    PEN_CHECK_STATUS(chore_run("", NULL, NULL, &err), PEN_ERR_BUSY);
    (void)snprintf(wanted, sizeof wanted, "root/metadata/lock is held by pid %ld on host ", (long)child);
    PEN_CHECK_CONTAINS(err.message, wanted);
    PEN_CHECK_CONTAINS(err.message, " since 20");
    PEN_CHECK_CONTAINS(err.message, "Z; wait for it or stop it");
    chore_write(chore_path(path, "stop"), "");
    PEN_CHECK_EQ_I64(waitpid(child, &state, 0), child);
    PEN_CHECK(WIFEXITED(state) && WEXITSTATUS(state) == PEN_OK);
    EXPECT("middle: {act: hang}\n", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT_AUDIT(7);
}

static void outputs_that_were_touched_are_made_again(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    chore_write(chore_path(path, "root/side/extra/3/value.txt"), "longer than it was, so the size tells");
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    EXPECT_VALUE("side/extra/6", "side=plain(source=plain())");
    /* The same size, other bytes. */
    chore_write(chore_path(path, "root/side/extra/6/value.txt"), "side=plain(source=PLAIN())");
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    PEN_CHECK_OK(pen_directory_remove(chore_path(path, "root/middle/notes"), &err), &err);
    EXPECT("", NULL, PEN_OK, "source=cached middle=succeeded side=cached last=cached push=succeeded run=succeeded");
    PEN_CHECK_EQ_I64(unlink(chore_path(path, "root/source/data/1/manifest.json")), 0);
    EXPECT("", NULL, PEN_OK, "source=succeeded middle=cached side=cached last=cached push=succeeded run=succeeded");
    /* A second file beside a good one. */
    EXPECT("source: {files: 1}\n", NULL, PEN_OK,
           "source=succeeded middle=succeeded side=succeeded last=cached push=succeeded run=succeeded");
    PEN_CHECK_EQ_I64(unlink(chore_path(path, "root/source/data/14/more/0.txt")), 0);
    EXPECT("source: {files: 1}\n", NULL, PEN_OK,
           "source=succeeded middle=cached side=cached last=cached push=succeeded run=succeeded");
}

static void set_times(const char *path, const struct stat *facts)
{
    const struct timespec times[2] = {facts->st_atim, facts->st_mtim};
    PEN_CHECK_EQ_I64(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Same size, same times: an editor that keeps them, an older file put in its place. */
static void edits_that_keep_size_and_times_are_seen(void)
{
    char path[PEN_PATH_BYTES];
    char other[PEN_PATH_BYTES];
    struct stat facts;
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    PEN_REQUIRE(stat(chore_path(path, "root/side/extra/3/value.txt"), &facts) == 0);
    chore_write(path, "side=plain(source=PLAIN())");
    set_times(path, &facts);
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    PEN_REQUIRE(stat(chore_path(path, "root/side/extra/6/value.txt"), &facts) == 0);
    chore_write(chore_path(other, "other"), "side=plain(source=Plain())");
    set_times(other, &facts);
    PEN_REQUIRE(rename(other, path) == 0);
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    /* A file written again with what it held is still the artifact. */
    chore_write(chore_path(path, "root/source/data/1/value.txt"), "source=plain()");
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
}

/* The manifest edited along with the file: its list is no longer the one that was recorded. With the stats forged too,
 * only --paranoid tells. */
static void an_edited_manifest_deceives_nobody(void)
{
    char path[PEN_PATH_BYTES];
    char manifest[PEN_PATH_BYTES];
    char hash[PEN_SHA256_HEX_BYTES];
    struct stat facts;
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *document = NULL;
    struct pen_run_options paranoid = {.paranoid = true};
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    EXPECT("", &paranoid, PEN_OK, ONLY_PUSH_RAN);
    chore_write(chore_path(path, "root/side/extra/3/value.txt"), "side=plain(source=PLAIN())");
    PEN_REQUIRE_OK(pen_manifest_write(chore_path(path, "root/side/extra/3"), "Extra", hash, &err), &err);
    EXPECT("", NULL, PEN_OK, "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    chore_write(chore_path(path, "root/side/extra/7/value.txt"), "side=plain(source=PLAIN())");
    PEN_REQUIRE(stat(path, &facts) == 0);
    PEN_REQUIRE_OK(pen_json_read_file(chore_path(manifest, "root/side/extra/7/manifest.json"), &document, &err), &err);
    pen_json *forged = pen_json_object();
    pen_json *stats = pen_json_array();
    pen_json_set_int(forged, "inode", (int64_t)facts.st_ino);
    pen_json_set_int(forged, "mtime_ns", (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec);
    pen_json_set_int(forged, "ctime_ns", (int64_t)facts.st_ctim.tv_sec * 1000000000 + facts.st_ctim.tv_nsec);
    pen_json_push(stats, forged);
    pen_json_set(document, "stats", stats);
    PEN_REQUIRE_OK(pen_json_write_file(document, manifest, &err), &err);
    pen_json_free(document);
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT("", &paranoid, PEN_OK,
           "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
}

/* What succeeded in a failed run is taken from it, whatever changed since; the rest runs. */
static void a_failed_run_is_continued(void)
{
    struct pen_run_options resume = {.resume = "last"};
    struct pen_run_options first = {.resume = "run-1", .no_cache = true};
    struct pen_run_options part = {.resume = "run-1", .from = "middle", .to = "middle"};
    struct pen_run_options unknown = {.resume = "run-77"};
    struct pen_error err = PEN_ERROR_INIT;
    EXPECT("side: {act: fail}\n", NULL, PEN_ERR_DATA,
           "source=succeeded middle=succeeded side=failed last=skipped push=skipped run=failed");
    /* source's option differs now: alone that would run all again. It fails again, further on. */
    EXPECT("source: {text: later}\npush: {act: fail}\n", &resume, PEN_ERR_DATA,
           "source=cached middle=cached side=succeeded last=succeeded push=failed run=failed");
    EXPECT_VALUE("side/extra/4", "side=plain(source=plain())");
    EXPECT("source: {text: later}\n", &resume, PEN_OK,
           "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded");
    PEN_CHECK_STATUS(chore_run("", &resume, NULL, &err), PEN_ERR_USAGE);
    PEN_CHECK_EQ_STR(err.message, "--resume: run-3 ended well, there is nothing to continue; run without --resume");
    PEN_CHECK_STATUS(chore_run("", &unknown, NULL, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_CONTAINS(err.message, "has no run 'run-77'; penstock runs lists them");
    /* An older one, its later nodes fresh; and a part of it. */
    EXPECT("", &first, PEN_OK,
           "source=cached middle=cached side=succeeded last=succeeded push=succeeded run=succeeded");
    EXPECT("middle: {text: m}\n", &part, PEN_OK, "middle=succeeded run=succeeded");
    EXPECT_VALUE("middle/number/11", "middle=m(source=plain())");
    EXPECT_AUDIT(11);
}

/* An artifact of the run that is continued was changed: the node runs, and so does what depends on it. */
static void a_continued_run_takes_nothing_that_was_changed(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_run_options resume = {.resume = "last"};
    EXPECT("last: {act: fail}\n", NULL, PEN_ERR_DATA,
           "source=succeeded middle=succeeded side=succeeded last=failed push=skipped run=failed");
    chore_write(chore_path(path, "root/source/data/1/value.txt"), "source=PLAIN()");
    EXPECT("", &resume, PEN_OK,
           "source=succeeded middle=cached side=cached last=succeeded push=succeeded run=succeeded");
}

static void more_nodes_with_other_wiring(void)
{
    const char *more = "nodes:\n"
                       "  twice: {component: middle, inputs: {data: again.data}, options: {text: t}}\n"
                       "  again: {component: source, options: {text: a}}\n"
                       "  end2:\n"
                       "    component: last\n"
                       "    inputs: {number: twice.number}\n";
    EXPECT(more, NULL, PEN_OK,
           "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded again=succeeded "
           "twice=succeeded end2=succeeded run=succeeded");
    EXPECT_VALUE("end2/final/8", "end2=plain(twice=t(again=a()),side=plain(source=plain()))");
    EXPECT(more, NULL, PEN_OK,
           "source=cached middle=cached side=cached last=cached push=succeeded again=cached twice=cached end2=cached "
           "run=succeeded");
    struct pen_run_options from = {.from = "again"};
    EXPECT(more, &from, PEN_OK, "again=cached twice=cached end2=cached run=cached");
}

static void an_outside_file_belongs_to_the_key(void)
{
    char path[PEN_PATH_BYTES];
    const char *more = "middle: {watched: rows.csv}\n";
    chore_write(chore_path(path, "rows.csv"), "1,2\n");
    EXPECT(more, NULL, PEN_OK, ALL_RAN);
    EXPECT(more, NULL, PEN_OK, ONLY_PUSH_RAN);
    chore_write(chore_path(path, "rows.csv"), "1,3\n");
    EXPECT(more, NULL, PEN_OK, "source=cached middle=succeeded side=cached last=cached push=succeeded run=succeeded");
}

/* What a run leaves when it is killed after a node came from the cache must not take that node's artifact along. */
static void cleaning_up_keeps_cached_artifacts(void)
{
    int state = 0;
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    pid_t child = run_apart("last: {act: hang}\n");
    PEN_CHECK(wait_for("root/runs/run-2/last/final/value.txt"));
    (void)kill(child, SIGKILL);
    PEN_CHECK_EQ_I64(waitpid(child, &state, 0), child);
    PEN_CHECK(wait_for("root/source/data/1/value.txt"));
    EXPECT("", NULL, PEN_OK, ONLY_PUSH_RAN);
    EXPECT_AUDIT(7);
    PEN_CHECK(!has("root/runs/run-2/last"));
    PEN_CHECK(has("root/runs/run-2/last.log"));
}

/* The plan says what the run then does. */
static void the_plan_tells_the_run(void)
{
    char file[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    struct pen_text text = {0};
    const struct pen_run_options none = {0};
    const char *sets[] = {"side.text=new"};
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    PEN_REQUIRE_OK(pen_pipeline_read(&pipeline, chore_path(file, "pipeline.yaml"), sets, 1, chore_table, &err), &err);
    pen_json *plan = NULL;
    PEN_CHECK_OK(pen_plan_pipeline(&pipeline, &none, &plan, &err), &err);
    const pen_json *nodes = pen_json_get(plan, "nodes");
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        const pen_json *node = pen_json_at(nodes, i);
        pen_text_printf(&text, "%s: %s, %s\n", pen_json_string_or(pen_json_get(node, "node"), "?"),
                        pen_json_string_or(pen_json_get(node, "action"), "?"),
                        pen_json_string_or(pen_json_get(node, "reason"), "?"));
    }
    PEN_CHECK_EQ_STR(pen_text_view(&text), "source: cached, nothing changed\n"
                                           "middle: cached, nothing changed\n"
                                           "side: run, options: null -> {\"text\":\"new\"}\n"
                                           "last: run, a node before it runs\n"
                                           "push: run, a node before it runs\n");
    pen_text_deinit(&text);
    pen_json_free(plan);
    pen_pipeline_deinit(&pipeline);
}

static void expect_failure(int line, const char *more, const char *part)
{
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_STATUS(chore_run(more, NULL, NULL, &err), PEN_ERR_FAILED);
    if (strstr(err.message, part) == NULL) {
        pen_test_fail(__FILE__, line, "expected '%s', found '%s'", part, err.message);
    }
}

/* How many there are changes the key of the nodes that use them, and of no other. */
static void ranks_work_together_or_fall_together(void)
{
    EXPECT("", NULL, PEN_OK, ALL_RAN);
    EXPECT("launcher: {ranks: 3}\n", NULL, PEN_OK,
           "source=cached middle=cached side=succeeded last=cached push=succeeded run=succeeded");
    EXPECT("launcher: {ranks: 3, timeout: 5s}\n", NULL, PEN_OK, ONLY_PUSH_RAN);
    expect_failure(__LINE__, "launcher: {ranks: 3}\nside: {act: rank_dies}\n", "rank 1 of 3 (process ");
    expect_failure(__LINE__, "launcher: {ranks: 3}\nside: {act: rank_dies, text: b}\n", "died of signal 9 (Killed)");
    expect_failure(__LINE__, "launcher: {ranks: 3, timeout: 1s}\nside: {act: rank_hangs}\n",
                   "rank 0 of 3: waited 1 s in call 1, a sum, for rank 1");
    EXPECT("launcher: {ranks: 2}\nside: {act: fail}\n", NULL, PEN_ERR_DATA,
           "source=cached middle=cached side=failed last=skipped push=skipped run=failed");
    EXPECT("launcher: {ranks: 1}\n", NULL, PEN_OK, ONLY_PUSH_RAN);
}

PEN_SUITE(run, PEN_CASE(ranks_work_together_or_fall_together), PEN_CASE(an_unchanged_run_is_cached),
          PEN_CASE(a_change_reruns_what_depends_on_it), PEN_CASE(no_cache_runs_everything),
          PEN_CASE(partial_runs_follow_the_graph), PEN_CASE(a_failure_stops_what_follows),
          PEN_CASE(a_failing_fingerprint_is_told), PEN_CASE(a_crash_names_the_signal),
          PEN_CASE(a_cancelled_run_goes_on_later), PEN_CASE(a_second_writer_is_told_who_holds_the_root),
          PEN_CASE(outputs_that_were_touched_are_made_again), PEN_CASE(edits_that_keep_size_and_times_are_seen),
          PEN_CASE(an_edited_manifest_deceives_nobody), PEN_CASE(a_failed_run_is_continued),
          PEN_CASE(a_continued_run_takes_nothing_that_was_changed), PEN_CASE(more_nodes_with_other_wiring),
          PEN_CASE(an_outside_file_belongs_to_the_key), PEN_CASE(cleaning_up_keeps_cached_artifacts),
          PEN_CASE(the_plan_tells_the_run));
