/* Walking an artifact's folder in name order, hashing, and checking it again later. */
#include "orchestrator/run/manifest.h"

#include "core/files.h"

#include <string.h>
#include <sys/stat.h>

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static pen_json *stat_json(const struct stat *facts)
{
    pen_json *stat = pen_json_object();
    pen_json_set_int(stat, "inode", (int64_t)facts->st_ino);
    pen_json_set_int(stat, "mtime_ns", nanoseconds(facts->st_mtim));
    pen_json_set_int(stat, "ctime_ns", nanoseconds(facts->st_ctim));
    return stat;
}

static pen_status add_files(const char *folder, const char *below, pen_json *files, pen_json *stats,
                            struct pen_error *err)
{
    struct pen_arena arena = {0};
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    pen_status status = pen_path_join(path, folder, below, err);
    PEN_TRY_GOTO(cleanup, status);
    PEN_TRY_GOTO(cleanup, pen_directory_list(&arena, path, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        char relative[PEN_PATH_BYTES];
        struct stat facts;
        if (below[0] == '\0' && strcmp(names[i], "manifest.json") == 0) {
            continue;
        }
        if (below[0] == '\0') {
            PEN_TRY_GOTO(cleanup, pen_path_join(path, folder, names[i], err));
            (void)memcpy(relative, names[i], strlen(names[i]) + 1);
        } else {
            PEN_TRY_GOTO(cleanup, pen_path_join(relative, below, names[i], err));
            PEN_TRY_GOTO(cleanup, pen_path_join(path, folder, relative, err));
        }
        if (lstat(path, &facts) != 0 || (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode))) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected a file or folder in an artifact", path);
        }
        if (S_ISDIR(facts.st_mode)) {
            PEN_TRY_GOTO(cleanup, add_files(folder, relative, files, stats, err));
            continue;
        }
        char hash[PEN_SHA256_HEX_BYTES];
        PEN_TRY_GOTO(cleanup, pen_sha256_file(path, hash, err));
        pen_json *file = pen_json_object();
        pen_json_set_string(file, "path", relative);
        pen_json_set_int(file, "size_bytes", facts.st_size);
        pen_json_set_string(file, "sha256", hash);
        pen_json_push(files, file);
        pen_json_push(stats, stat_json(&facts));
    }
cleanup:
    pen_arena_deinit(&arena);
    return status;
}

static pen_status hash_of(const pen_json *files, char hash[PEN_SHA256_HEX_BYTES], struct pen_error *err)
{
    struct pen_text canonical = {0};
    pen_status status = pen_json_print(files, PEN_JSON_CANONICAL, &canonical, err);
    pen_sha256_of(pen_text_view(&canonical), canonical.size_bytes, hash);
    pen_text_deinit(&canonical);
    return status;
}

pen_status pen_manifest_write(const char *folder, const char *type, char hash[PEN_SHA256_HEX_BYTES],
                              struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    pen_json *manifest = pen_json_object();
    pen_json *files = pen_json_array();
    pen_json *stats = pen_json_array();
    pen_status status = add_files(folder, "", files, stats, err);
    if (status == PEN_OK) {
        status = hash_of(files, hash, err);
    }
    pen_json_set_int(manifest, "schema", 1);
    pen_json_set_string(manifest, "type", type);
    pen_json_set(manifest, "files", files);
    if (status == PEN_OK) {
        pen_json_set_string(manifest, "hash", hash);
        pen_json_set(manifest, "stats", stats);
        stats = NULL;
        status = pen_path_join(path, folder, "manifest.json", err);
    }
    if (status == PEN_OK) {
        status = pen_json_print(manifest, PEN_JSON_INDENT, &text, err);
    }
    if (status == PEN_OK) {
        pen_text_append_char(&text, '\n');
        status = pen_text_check(&text, err);
    }
    if (status == PEN_OK) {
        status = pen_file_write_unsynced(path, text.data, text.size_bytes, err);
    }
    pen_text_deinit(&text);
    pen_json_free(stats);
    pen_json_free(manifest);
    return status;
}

static bool is_untouched(const struct stat *facts, const pen_json *stat)
{
    return pen_json_int_or(pen_json_get(stat, "inode"), -1) == (int64_t)facts->st_ino &&
           pen_json_int_or(pen_json_get(stat, "mtime_ns"), -1) == nanoseconds(facts->st_mtim) &&
           pen_json_int_or(pen_json_get(stat, "ctime_ns"), -1) == nanoseconds(facts->st_ctim);
}

/* One entry of the manifest, with its stat. */
static pen_status verify_file(const char *folder, const pen_json *file, const pen_json *stat, bool deep,
                              struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char hash[PEN_SHA256_HEX_BYTES];
    struct stat facts;
    int64_t expected = pen_json_int_or(pen_json_get(file, "size_bytes"), -1);
    const char *wanted = pen_json_string_or(pen_json_get(file, "sha256"), "(none)");
    PEN_TRY(pen_path_join(path, folder, pen_json_string_or(pen_json_get(file, "path"), ""), err));
    if (lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a file, found none; the artifact was changed", path);
    }
    if (facts.st_size != expected) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %lld bytes, found %lld; the artifact was changed", path,
                 (long long)expected, (long long)facts.st_size);
    }
    if (!deep && is_untouched(&facts, stat)) {
        return PEN_OK;
    }
    PEN_TRY(pen_sha256_file(path, hash, err));
    if (strcmp(hash, wanted) != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected sha256 %s, found %s; the artifact was changed", path, wanted, hash);
    }
    return PEN_OK;
}

pen_status pen_manifest_verify(const char *folder, const char *hash, bool deep, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char found[PEN_SHA256_HEX_BYTES];
    pen_json *manifest = NULL;
    PEN_TRY(pen_path_join(path, folder, "manifest.json", err));
    PEN_TRY(pen_json_read_file(path, &manifest, err));
    const pen_json *files = NULL;
    const pen_json *stats = pen_json_get(manifest, "stats");
    pen_status status = pen_json_need_array(manifest, "files", path, &files, err);
    if (status == PEN_OK) {
        status = hash_of(files, found, err);
    }
    if (status == PEN_OK && hash != NULL && strcmp(hash, found) != 0) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA,
                               "%s: expected the files of the artifact %s, found others; the artifact was changed",
                               path, hash);
    }
    for (int64_t i = 0; status == PEN_OK && i < pen_json_size(files); i++) {
        status = verify_file(folder, pen_json_at(files, i), pen_json_at(stats, i), deep, err);
    }
    pen_json_free(manifest);
    return status;
}
