/* Files and folders. Publishing: sync the staged tree bottom-up, rename without replacing, sync the parent. */
#include "core/files.h"

#include "core/rng.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static pen_status fail_errno(struct pen_error *err, const char *path, const char *what)
{
    int number = errno;
    PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot %s: %s", path, what, strerror(number));
}

pen_status pen_path_join(char out[PEN_PATH_BYTES], const char *directory, const char *name, struct pen_error *err)
{
    int length = snprintf(out, PEN_PATH_BYTES, "%s/%s", directory, name);
    if (length < 0 || length >= PEN_PATH_BYTES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s.../%.80s: path longer than %d bytes", directory, name, PEN_PATH_BYTES - 1);
    }
    return PEN_OK;
}

bool pen_path_exists(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

bool pen_path_is_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

pen_status pen_file_size(const char *path, int64_t *size_bytes, struct pen_error *err)
{
    struct stat facts;
    if (stat(path, &facts) != 0) {
        return fail_errno(err, path, "read its size");
    }
    *size_bytes = facts.st_size;
    return PEN_OK;
}

static pen_status read_into(int fd, const char *path, size_t limit_bytes, struct pen_text *text, struct pen_error *err)
{
    char piece[65536];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno(err, path, "read");
        }
        if (got == 0) {
            return pen_text_check(text, err);
        }
        if (text->size_bytes + (size_t)got > limit_bytes) {
            PEN_FAIL(err, PEN_ERR_LIMIT, "%s: expected at most %zu bytes, found more", path, limit_bytes);
        }
        pen_text_append_bytes(text, piece, (size_t)got);
    }
}

pen_status pen_file_read(const char *path, size_t limit_bytes, struct pen_text *text, struct pen_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(err, path, "open");
    }
    pen_text_reset(text);
    pen_text_append_bytes(text, "", 0);
    pen_status status = read_into(fd, path, limit_bytes, text, err);
    (void)close(fd);
    return status;
}

pen_status pen_fd_write(int fd, const void *bytes, size_t size_bytes, const char *path, struct pen_error *err)
{
    const char *at = bytes;
    while (size_bytes > 0) {
        ssize_t written = write(fd, at, size_bytes);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fail_errno(err, path, "write");
        }
        at += written;
        size_bytes -= (size_t)written;
    }
    return PEN_OK;
}

pen_status pen_fd_pwrite(int fd, const void *bytes, size_t size_bytes, int64_t offset, const char *path,
                         struct pen_error *err)
{
    const char *at = bytes;
    while (size_bytes > 0) {
        ssize_t written = pwrite(fd, at, size_bytes, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fail_errno(err, path, "write");
        }
        at += written;
        offset += written;
        size_bytes -= (size_t)written;
    }
    return PEN_OK;
}

pen_status pen_fd_pread(int fd, void *bytes, size_t size_bytes, int64_t offset, const char *path, struct pen_error *err)
{
    char *at = bytes;
    while (size_bytes > 0) {
        ssize_t got = pread(fd, at, size_bytes, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno(err, path, "read");
        }
        if (got == 0) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected %zu more bytes at offset %lld, found the end of the file", path,
                     size_bytes, (long long)offset);
        }
        at += got;
        offset += got;
        size_bytes -= (size_t)got;
    }
    return PEN_OK;
}

/* "DIR/.NAME.tmp-<16 hex>" beside path. */
static pen_status temporary_name(const char *path, char out[PEN_PATH_BYTES], struct pen_error *err)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        return fail_errno(err, path, "draw a temporary name for it");
    }
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path + 1);
    int length =
        snprintf(out, PEN_PATH_BYTES, "%.*s.%s.tmp-%016llx", folder, path, path + folder, (unsigned long long)random);
    if (length < 0 || length >= PEN_PATH_BYTES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s...: path longer than %d bytes", path, PEN_PATH_BYTES - 1);
    }
    return PEN_OK;
}

static pen_status sync_parent(const char *path, struct pen_error *err)
{
    char folder[PEN_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof folder) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%.80s...: path too long", path);
    }
    memcpy(folder, slash == NULL ? "." : path, length);
    folder[length] = '\0';
    return pen_directory_sync(folder, err);
}

pen_status pen_file_write_atomic(const char *path, const void *bytes, size_t size_bytes, struct pen_error *err)
{
    char temporary[PEN_PATH_BYTES];
    PEN_TRY(temporary_name(path, temporary, err));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return fail_errno(err, path, "create");
    }
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_fd_write(fd, bytes, size_bytes, path, err));
    if (fsync(fd) != 0) {
        status = fail_errno(err, path, "sync");
        goto cleanup;
    }
    int closed = close(fd);
    fd = -1;
    if (closed != 0) {
        status = fail_errno(err, path, "close");
        goto cleanup;
    }
    if (rename(temporary, path) != 0) {
        status = fail_errno(err, path, "rename into place");
        goto cleanup;
    }
    return sync_parent(path, err);
cleanup:
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlink(temporary);
    return status;
}

pen_status pen_file_write_unsynced(const char *path, const void *bytes, size_t size_bytes, struct pen_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return fail_errno(err, path, "create");
    }
    pen_status status = pen_fd_write(fd, bytes, size_bytes, path, err);
    if (close(fd) != 0 && status == PEN_OK) {
        status = fail_errno(err, path, "close");
    }
    return status;
}

pen_status pen_directory_create(const char *path, struct pen_error *err)
{
    char partial[PEN_PATH_BYTES];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "expected a path of 1 to %d bytes, found %zu", PEN_PATH_BYTES - 1, length);
    }
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (partial[i] != '/' && partial[i] != '\0') {
            continue;
        }
        partial[i] = '\0';
        if (mkdir(partial, 0777) != 0 && !(errno == EEXIST && pen_path_is_directory(partial))) {
            int number = errno;
            PEN_FAIL(err, number == EACCES || number == EROFS ? PEN_ERR_PERMISSION : PEN_ERR_CREATE,
                     "%s: cannot create folder: %s", partial, strerror(number));
        }
        if (i < length) {
            partial[i] = '/';
        }
    }
    return PEN_OK;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

pen_status pen_directory_remove(const char *path, struct pen_error *err)
{
    struct stat facts;
    if (lstat(path, &facts) != 0 && errno == ENOENT) {
        return PEN_OK;
    }
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        return fail_errno(err, path, "remove");
    }
    return PEN_OK;
}

static pen_status sync_path(const char *path, int flags, struct pen_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0) {
        return fail_errno(err, path, "open for syncing");
    }
    int result = fsync(fd);
    int number = errno;
    (void)close(fd);
    errno = number;
    return result == 0 ? PEN_OK : fail_errno(err, path, "sync");
}

pen_status pen_directory_sync(const char *path, struct pen_error *err)
{
    return sync_path(path, O_DIRECTORY, err);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

pen_status pen_directory_list(struct pen_arena *arena, const char *path, char ***names, int64_t *n_names,
                              struct pen_error *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return fail_errno(err, path, "list");
    }
    pen_status status = PEN_OK;
    char **list = NULL;
    int64_t count = 0;
    int64_t capacity = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (count == capacity) {
            int64_t larger = capacity == 0 ? 16 : capacity * 2;
            char **moved = pen_arena_alloc(arena, larger, sizeof *moved);
            if (moved == NULL) {
                PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: listing %s", path);
            }
            if (count > 0) {
                memcpy(moved, list, (size_t)count * sizeof *moved);
            }
            list = moved;
            capacity = larger;
        }
        list[count] = pen_arena_strdup(arena, entry->d_name);
        if (list[count++] == NULL) {
            PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: listing %s", path);
        }
    }
    if (count > 0) {
        qsort(list, (size_t)count, sizeof *list, compare_names);
    }
    *names = list;
    *n_names = count;
cleanup:
    (void)closedir(folder);
    return status;
}

pen_status pen_tree_sync(const char *path, struct pen_error *err)
{
    struct stat facts;
    if (lstat(path, &facts) != 0) {
        return fail_errno(err, path, "sync");
    }
    if (S_ISREG(facts.st_mode)) {
        return sync_path(path, O_NOFOLLOW, err);
    }
    if (!S_ISDIR(facts.st_mode)) {
        return PEN_OK;
    }
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    char child[PEN_PATH_BYTES];
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_directory_list(&arena, path, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        PEN_TRY_GOTO(cleanup, pen_path_join(child, path, names[i], err));
        PEN_TRY_GOTO(cleanup, pen_tree_sync(child, err));
    }
    status = pen_directory_sync(path, err);
cleanup:
    pen_arena_deinit(&arena);
    return status;
}

pen_status pen_publish(const char *staged, const char *final, struct pen_error *err)
{
    PEN_TRY(pen_tree_sync(staged, err));
    if (renameat2(AT_FDCWD, staged, AT_FDCWD, final, RENAME_NOREPLACE) != 0) {
        int number = errno;
        if (number == EEXIST) {
            PEN_FAIL(err, PEN_ERR_EXISTS, "%s: cannot publish: something is there already", final);
        }
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot publish: %s", final, strerror(number));
    }
    return sync_parent(final, err);
}
