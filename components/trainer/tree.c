/* Copying a folder of plain files. */
#include "components/trainer/tree.h"

#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVELS_MAX = 16, PIECE_BYTES = 1 << 18 };

static pen_status copy_bytes(int in, int out, const char *from, const char *to, struct pen_error *err)
{
    int64_t offset = 0, size = 0;
    PEN_TRY(pen_file_size(from, &size, err));
    char *piece = pen_malloc(PIECE_BYTES, 1);
    if (piece == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: copying %s", from);
    }
    pen_status status = PEN_OK;
    while (status == PEN_OK && offset < size) {
        int64_t n = size - offset < PIECE_BYTES ? size - offset : PIECE_BYTES;
        status = pen_fd_pread(in, piece, (size_t)n, offset, from, err);
        if (status == PEN_OK) {
            status = pen_fd_write(out, piece, (size_t)n, to, err);
        }
        offset += n;
    }
    pen_free(piece);
    return status;
}

static pen_status copy_file(const char *from, const char *to, struct pen_error *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot open: %s", from, strerror(errno));
    }
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out < 0) {
        int reason = errno;
        (void)close(in);
        PEN_FAIL(err, PEN_ERR_CREATE, "%s: cannot create: %s", to, strerror(reason));
    }
    pen_status status = copy_bytes(in, out, from, to, err);
    (void)close(in);
    if (close(out) != 0 && status == PEN_OK) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot close: %s", to, strerror(errno));
    }
    return status;
}

static pen_status copy_level(struct pen_arena *arena, const char *from, const char *to, int level,
                             struct pen_error *err)
{
    char **names = NULL;
    int64_t n_names = 0;
    if (level > LEVELS_MAX) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%s: expected at most %d levels of folders", from, LEVELS_MAX);
    }
    PEN_TRY(pen_directory_create(to, err));
    PEN_TRY(pen_directory_list(arena, from, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        char source[PEN_PATH_BYTES], target[PEN_PATH_BYTES];
        struct stat info;
        if (level == 0 && strcmp(names[i], "manifest.json") == 0) {
            continue;
        }
        PEN_TRY(pen_path_join(source, from, names[i], err));
        PEN_TRY(pen_path_join(target, to, names[i], err));
        if (lstat(source, &info) != 0) {
            PEN_FAIL(err, pen_status_from_errno(errno), "%s: cannot read: %s", source, strerror(errno));
        }
        if (S_ISDIR(info.st_mode)) {
            PEN_TRY(copy_level(arena, source, target, level + 1, err));
        } else if (S_ISREG(info.st_mode)) {
            PEN_TRY(copy_file(source, target, err));
        } else {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a plain file or folder", source);
        }
    }
    return PEN_OK;
}

pen_status pen_trainer_copy_tree(struct pen_arena *arena, const char *from, const char *to, struct pen_error *err)
{
    return copy_level(arena, from, to, 0, err);
}
