/* Walking an artifact's folder in name order, hashing, and checking it again later. */
#include "orchestrator/run/manifest.h"

#include "core/files.h"

#include <string.h>
#include <sys/stat.h>

static pen_status add_files(const char *folder, const char *below, pen_json *files, struct pen_error *err)
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
            PEN_TRY_GOTO(cleanup, add_files(folder, relative, files, err));
            continue;
        }
        char hash[PEN_SHA256_HEX_BYTES];
        PEN_TRY_GOTO(cleanup, pen_sha256_file(path, hash, err));
        pen_json *file = pen_json_object();
        pen_json_set_string(file, "path", relative);
        pen_json_set_int(file, "size_bytes", facts.st_size);
        pen_json_set_string(file, "sha256", hash);
        pen_json_push(files, file);
    }
cleanup:
    pen_arena_deinit(&arena);
    return status;
}

pen_status pen_manifest_write(const char *folder, const char *type, char hash[PEN_SHA256_HEX_BYTES],
                              struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_text canonical = {0};
    pen_json *manifest = pen_json_object();
    pen_json *files = pen_json_array();
    pen_status status = add_files(folder, "", files, err);
    if (status == PEN_OK) {
        status = pen_json_print(files, PEN_JSON_CANONICAL, &canonical, err);
    }
    pen_json_set_int(manifest, "schema", 1);
    pen_json_set_string(manifest, "type", type);
    pen_json_set(manifest, "files", files);
    if (status == PEN_OK) {
        pen_sha256_of(canonical.data, canonical.size_bytes, hash);
        pen_json_set_string(manifest, "hash", hash);
        status = pen_path_join(path, folder, "manifest.json", err);
    }
    if (status == PEN_OK) {
        status = pen_json_write_file(manifest, path, err);
    }
    pen_text_deinit(&canonical);
    pen_json_free(manifest);
    return status;
}

static bool written_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* One entry of the manifest. A file as old as the manifest or younger may have been edited in place: it is hashed. */
static pen_status verify_file(const char *folder, const pen_json *file, const struct timespec *manifest_time, bool deep,
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
    if (!deep && written_before(&facts.st_mtim, manifest_time)) {
        return PEN_OK;
    }
    PEN_TRY(pen_sha256_file(path, hash, err));
    if (strcmp(hash, wanted) != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected sha256 %s, found %s; the artifact was changed", path, wanted, hash);
    }
    return PEN_OK;
}

pen_status pen_manifest_verify(const char *folder, bool deep, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct stat facts;
    pen_json *manifest = NULL;
    PEN_TRY(pen_path_join(path, folder, "manifest.json", err));
    PEN_TRY(pen_json_read_file(path, &manifest, err));
    const pen_json *files = NULL;
    pen_status status = pen_json_need_array(manifest, "files", path, &files, err);
    if (status == PEN_OK && stat(path, &facts) != 0) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: it vanished while it was read", path);
    }
    for (int64_t i = 0; status == PEN_OK && i < pen_json_size(files); i++) {
        status = verify_file(folder, pen_json_at(files, i), &facts.st_mtim, deep, err);
    }
    pen_json_free(manifest);
    return status;
}
