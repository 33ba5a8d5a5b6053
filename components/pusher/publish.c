/* A push: copy into .tmp-XXXXXX, manifest last, sync all, rename to the next number without replacing, switch the
 * link `current` by rename, sync, and only then prune. A kill between any two steps leaves either the old state, or
 * the new version complete but not yet current; leftovers named .tmp-* go with the next push, which holds the lock. */
#include "components/pusher/publish.h"

#include "core/files.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 60000, WAIT_STEP_MS = 20, MOST_COLLISIONS = 1000 };

/* A version folder's number, 0 when the name is none: digits, no leading zero. */
static int64_t version_of(const char *name)
{
    int64_t version = 0;
    if (name[0] < '1' || name[0] > '9' || !pen_parse_int64(name, strlen(name), &version)) {
        return 0;
    }
    return version;
}

int64_t pen_push_current(const char *directory)
{
    char path[PEN_PATH_BYTES], target[64];
    if (pen_path_join(path, directory, "current", NULL) != PEN_OK) {
        return 0;
    }
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) {
        return 0;
    }
    target[size] = '\0';
    return version_of(target);
}

void pen_push_digest(const char *directory, int64_t version, char digest[PEN_SHA256_HEX_BYTES])
{
    char path[PEN_PATH_BYTES];
    pen_json *root = NULL;
    digest[0] = '\0';
    int length = snprintf(path, sizeof path, "%s/%lld/manifest.json", directory, (long long)version);
    if (version <= 0 || length < 0 || length >= (int)sizeof path || pen_json_read_file(path, &root, NULL) != PEN_OK) {
        return;
    }
    const char *found = pen_json_string_or(pen_json_get(root, "model_digest"), "");
    if (strlen(found) == PEN_SHA256_HEX_BYTES - 1) {
        memcpy(digest, found, PEN_SHA256_HEX_BYTES);
    }
    pen_json_free(root);
}

static pen_status wait_for_lock(struct pen_lock *lock, const char *directory, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, directory, ".lock", err));
    pen_status status = PEN_ERR_BUSY;
    for (int waited = 0; status == PEN_ERR_BUSY && waited <= WAIT_MS; waited += WAIT_STEP_MS) {
        PEN_TRY(pen_cancel_check(err));
        status = pen_lock_take(lock, path, err);
        if (status == PEN_ERR_BUSY) {
            struct timespec pause = {0, WAIT_STEP_MS * 1000000L};
            (void)nanosleep(&pause, NULL);
        }
    }
    return status;
}

/* The highest number taken by anything (folder, file or link); removes what killed pushes left. */
static pen_status survey(struct pen_arena *arena, const char *directory, int64_t *highest, struct pen_error *err)
{
    char **names = NULL;
    int64_t n_names = 0;
    *highest = 0;
    PEN_TRY(pen_directory_list(arena, directory, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        int64_t version = version_of(names[i]);
        *highest = version > *highest ? version : *highest;
        if (strncmp(names[i], ".tmp-", 5) == 0) {
            char path[PEN_PATH_BYTES];
            struct stat facts;
            PEN_TRY(pen_path_join(path, directory, names[i], err));
            if (lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
                PEN_TRY(pen_directory_remove(path, err));
            } else {
                (void)unlink(path);
            }
        }
    }
    return PEN_OK;
}

static pen_status write_manifest(const char *staged, const struct pen_tree *tree, const pen_json *facts,
                                 struct pen_error *err)
{
    char path[PEN_PATH_BYTES], now[PEN_TIME_BYTES];
    struct pen_text text = {0};
    pen_json *root = pen_json_object();
    pen_json *files = pen_json_object();
    pen_json_set_int(root, "schema", 1);
    pen_json_set_string(root, "model_digest", tree->digest);
    pen_json_set_string(root, "pushed", pen_clock_utc(now));
    for (int64_t i = 0; i < tree->n_files; i++) {
        pen_json *file = pen_json_object();
        pen_json_set_int(file, "bytes", tree->files[i].size_bytes);
        pen_json_set_string(file, "sha256", tree->files[i].sha256);
        pen_json_set(files, tree->files[i].path, file);
    }
    pen_json_set(root, "files", files);
    const char *key = NULL;
    const pen_json *value = NULL;
    for (int64_t i = 0; facts != NULL && pen_json_member(facts, i, &key, &value); i++) {
        pen_json_set(root, key, pen_json_copy(value));
    }
    pen_status status = pen_json_print(root, PEN_JSON_INDENT, &text, err);
    if (status == PEN_OK) {
        status = pen_path_join(path, staged, "manifest.json", err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    pen_json_free(root);
    return status;
}

static pen_status publish_next(const char *directory, const char *staged, int64_t highest, int64_t *version,
                               struct pen_error *err)
{
    for (int i = 1; i <= MOST_COLLISIONS; i++) {
        char final[PEN_PATH_BYTES];
        int length = snprintf(final, sizeof final, "%s/%lld", directory, (long long)highest + i);
        if (length < 0 || length >= (int)sizeof final) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s: path longer than %d bytes", directory, PEN_PATH_BYTES - 1);
        }
        pen_status status = pen_publish(staged, final, err);
        if (status != PEN_ERR_EXISTS) {
            *version = highest + i;
            return status;
        }
    }
    PEN_FAIL(err, PEN_ERR_BUSY, "%s: version numbers are being taken faster than they can be used; try again",
             directory);
}

static pen_status check_current(const char *directory, struct pen_error *err)
{
    char link_path[PEN_PATH_BYTES];
    struct stat facts;
    PEN_TRY(pen_path_join(link_path, directory, "current", err));
    if (lstat(link_path, &facts) == 0 && !S_ISLNK(facts.st_mode)) {
        PEN_FAIL(err, PEN_ERR_EXISTS, "%s: expected a link to a version, found a file or folder; move it away",
                 link_path);
    }
    return PEN_OK;
}

/* A new link under another name, renamed over the old one: a reader sees the old version or the new one. */
static pen_status switch_current(const char *directory, int64_t version, struct pen_error *err)
{
    char link_path[PEN_PATH_BYTES], temporary[PEN_PATH_BYTES], target[32];
    PEN_TRY(pen_path_join(link_path, directory, "current", err));
    PEN_TRY(pen_path_join(temporary, directory, ".tmp-current", err));
    (void)snprintf(target, sizeof target, "%lld", (long long)version);
    (void)unlink(temporary);
    if (symlink(target, temporary) != 0 || rename(temporary, link_path) != 0) {
        int number = errno;
        (void)unlink(temporary);
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot point it at version %s: %s", link_path, target,
                 strerror(number));
    }
    return pen_directory_sync(directory, err);
}

static int downwards(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a < b) - (a > b);
}

static pen_status prune(struct pen_arena *arena, const char *directory, int64_t keep, int64_t current,
                        int64_t *n_pruned, struct pen_error *err)
{
    char **names = NULL;
    int64_t n_names = 0, n_versions = 0;
    PEN_TRY(pen_directory_list(arena, directory, &names, &n_names, err));
    int64_t *versions = pen_arena_alloc(arena, n_names + 1, sizeof *versions);
    if (versions == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: listing %s", directory);
    }
    for (int64_t i = 0; i < n_names; i++) {
        int64_t version = version_of(names[i]);
        char path[PEN_PATH_BYTES];
        struct stat facts;
        PEN_TRY(pen_path_join(path, directory, names[i], err));
        if (version > 0 && lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
            char digest[PEN_SHA256_HEX_BYTES];
            pen_push_digest(directory, version, digest);
            versions[n_versions] = version;
            n_versions += digest[0] != '\0'; /* a folder that no push made is somebody else's */
        }
    }
    qsort(versions, (size_t)n_versions, sizeof *versions, downwards);
    for (int64_t i = keep; i < n_versions; i++) {
        char from[PEN_PATH_BYTES], to[PEN_PATH_BYTES];
        if (versions[i] == current || snprintf(from, sizeof from, "%s/%lld", directory, (long long)versions[i]) < 0 ||
            snprintf(to, sizeof to, "%s/.tmp-old-%lld", directory, (long long)versions[i]) < 0) {
            continue;
        }
        /* out of sight at once, then removed: a server never sees half a version */
        if (rename(from, to) == 0) {
            PEN_TRY(pen_directory_remove(to, err));
            ++*n_pruned;
        }
    }
    return PEN_OK;
}

/* Whether `current` still holds exactly these files, by content. */
static bool holds(struct pen_arena *arena, const char *directory, int64_t version, const struct pen_tree *tree)
{
    char digest[PEN_SHA256_HEX_BYTES];
    struct pen_tree there = {0};
    pen_push_digest(directory, version, digest);
    const char *path = pen_arena_printf(arena, "%s/%lld", directory, (long long)version);
    return path != NULL && strcmp(digest, tree->digest) == 0 && pen_model_tree(arena, path, &there, NULL) == PEN_OK &&
           strcmp(there.digest, tree->digest) == 0;
}

static pen_status stage_and_publish(const char *directory, const char *model_directory, const struct pen_tree *tree,
                                    const pen_json *facts, int64_t highest, int64_t *version, struct pen_error *err)
{
    char staged[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(staged, directory, ".tmp-XXXXXX", err));
    if (mkdtemp(staged) == NULL || chmod(staged, 0755) != 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot create: %s", staged, strerror(errno));
    }
    pen_status status = pen_tree_copy(tree, model_directory, staged, err);
    if (status == PEN_OK) {
        status = write_manifest(staged, tree, facts, err);
    }
    if (status == PEN_OK) {
        status = publish_next(directory, staged, highest, version, err);
    }
    if (status != PEN_OK && pen_directory_remove(staged, NULL) != PEN_OK) {
        pen_log(PEN_LOG_WARNING, "%s: could not be removed; the next push removes it", staged);
    }
    return status;
}

pen_status pen_push_model(struct pen_arena *arena, const char *directory, const char *model_directory, int64_t keep,
                          const pen_json *facts, struct pen_push *push, struct pen_error *err)
{
    struct pen_tree tree = {0};
    struct pen_lock lock = PEN_LOCK_INIT;
    *push = (struct pen_push){0};
    PEN_TRY(pen_model_tree(arena, model_directory, &tree, err));
    PEN_TRY(pen_directory_create(directory, err));
    PEN_TRY(wait_for_lock(&lock, directory, err));
    pen_status status = PEN_OK;
    int64_t current = pen_push_current(directory);
    if (current > 0 && holds(arena, directory, current, &tree)) {
        push->version = current;
        push->already_there = true;
    } else {
        PEN_TRY_GOTO(cleanup, check_current(directory, err));
        PEN_TRY_GOTO(cleanup, survey(arena, directory, &push->version, err));
        if (!holds(arena, directory, push->version, &tree)) { /* else a killed push had only the link to switch */
            PEN_TRY_GOTO(cleanup, stage_and_publish(directory, model_directory, &tree, facts, push->version,
                                                    &push->version, err));
        }
        PEN_TRY_GOTO(cleanup, switch_current(directory, push->version, err));
        PEN_TRY_GOTO(cleanup, prune(arena, directory, keep, push->version, &push->n_pruned, err));
    }
cleanup:
    pen_lock_release(&lock);
    return status;
}
