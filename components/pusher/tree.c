/* Walks by openat with O_NOFOLLOW, so that a link planted in the model cannot make the push read another file. */
#include "components/pusher/tree.h"

#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 100000, MOST_DEPTH = 16 };

struct walk {
    struct pen_arena *arena;
    const char *directory;
    struct pen_tree_file *files;
    int64_t n_files, capacity;
};

static pen_status open_plain(const char *path, int *fd, int64_t *size_bytes, struct pen_error *err)
{
    struct stat facts;
    *fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        int number = errno;
        if (number == ELOOP) {
            PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a plain file, found a link; only plain files are pushed", path);
        }
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot open: %s", path, strerror(number));
    }
    if (fstat(*fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        (void)close(*fd);
        *fd = -1;
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a plain file, found something else; only plain files are pushed",
                 path);
    }
    *size_bytes = facts.st_size;
    return PEN_OK;
}

static pen_status add_file(struct walk *walk, const char *relative, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    PEN_TRY(pen_path_join(path, walk->directory, relative, err));
    if (walk->n_files >= MOST_FILES) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%s: expected at most %d files in a model", walk->directory, MOST_FILES);
    }
    PEN_TRY(pen_grow((void **)&walk->files, &walk->capacity, walk->n_files + 1, sizeof *walk->files, err));
    struct pen_tree_file *file = &walk->files[walk->n_files];
    *file = (struct pen_tree_file){.path = pen_arena_strdup(walk->arena, relative)};
    int fd = -1;
    PEN_TRY(open_plain(path, &fd, &file->size_bytes, err));
    pen_status status = pen_sha256_fd(fd, path, -1, NULL, file->sha256, err);
    (void)close(fd);
    if (status == PEN_OK && file->path == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: listing %s", walk->directory);
    }
    walk->n_files++;
    return status;
}

static pen_status add_folder(struct walk *walk, const char *relative, int depth, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    struct stat facts;
    PEN_TRY(pen_path_join(path, walk->directory, relative, err));
    if (lstat(path, &facts) != 0) {
        PEN_FAIL(err, pen_status_from_errno(errno), "%s: expected the folder of a model, found none", path);
    }
    if (!S_ISDIR(facts.st_mode)) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a folder, found a link or file; only plain files are pushed", path);
    }
    if (depth > MOST_DEPTH) {
        PEN_FAIL(err, PEN_ERR_LIMIT, "%s: expected at most %d levels of folders", path, MOST_DEPTH);
    }
    PEN_TRY(pen_directory_list(walk->arena, path, &names, &n_names, err));
    for (int64_t i = 0; i < n_names; i++) {
        char below[PEN_PATH_BYTES], whole[PEN_PATH_BYTES];
        PEN_TRY(pen_path_join(below, relative, names[i], err));
        PEN_TRY(pen_path_join(whole, walk->directory, below, err));
        if (lstat(whole, &facts) == 0 && S_ISDIR(facts.st_mode)) {
            PEN_TRY(add_folder(walk, below, depth + 1, err));
        } else {
            PEN_TRY(add_file(walk, below, err));
        }
    }
    return PEN_OK;
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct pen_tree_file *)left)->path, ((const struct pen_tree_file *)right)->path);
}

static pen_status seal(struct walk *walk, struct pen_tree *tree, struct pen_error *err)
{
    struct pen_text all = {0};
    qsort(walk->files, (size_t)walk->n_files, sizeof *walk->files, by_path);
    for (int64_t i = 0; i < walk->n_files; i++) {
        pen_text_printf(&all, "%s %lld %s\n", walk->files[i].path, (long long)walk->files[i].size_bytes,
                        walk->files[i].sha256);
    }
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, pen_text_check(&all, err));
    struct pen_tree_file *files = pen_arena_alloc(walk->arena, walk->n_files + 1, sizeof *files);
    if (files == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "out of memory: listing %s", walk->directory);
    }
    for (int64_t i = 0; i < walk->n_files; i++) {
        files[i] = walk->files[i];
    }
    tree->files = files;
    tree->n_files = walk->n_files;
    pen_sha256_of(pen_text_view(&all), all.size_bytes, tree->digest);
cleanup:
    pen_text_deinit(&all);
    return status;
}

pen_status pen_model_tree(struct pen_arena *arena, const char *directory, struct pen_tree *tree, struct pen_error *err)
{
    struct walk walk = {.arena = arena, .directory = directory};
    pen_status status = PEN_OK;
    PEN_TRY_GOTO(cleanup, add_file(&walk, "model.json", err));
    PEN_TRY_GOTO(cleanup, add_file(&walk, "weights.bin", err));
    PEN_TRY_GOTO(cleanup, add_folder(&walk, "transform", 0, err));
    PEN_TRY_GOTO(cleanup, seal(&walk, tree, err));
cleanup:
    pen_free(walk.files);
    return status;
}

static pen_status copy_file(const struct pen_tree_file *file, const char *from, const char *to, struct pen_error *err)
{
    int source = -1;
    int64_t size_bytes = 0;
    char sha256[PEN_SHA256_HEX_BYTES] = "";
    PEN_TRY(open_plain(from, &source, &size_bytes, err));
    int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    pen_status status = PEN_OK;
    if (target < 0) {
        status = pen_error_set(err, __FILE__, __LINE__, pen_status_from_errno(errno), "%s: cannot create: %s", to,
                               strerror(errno));
    } else {
        status = pen_sha256_fd(source, from, target, to, sha256, err);
    }
    (void)close(source);
    if (target >= 0 && close(target) != 0 && status == PEN_OK) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_IO, "%s: cannot write: %s", to, strerror(errno));
    }
    if (status == PEN_OK && strcmp(sha256, file->sha256) != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: changed while it was being pushed; run again", from);
    }
    return status;
}

pen_status pen_tree_copy(const struct pen_tree *tree, const char *directory, const char *to, struct pen_error *err)
{
    for (int64_t i = 0; i < tree->n_files; i++) {
        char source[PEN_PATH_BYTES], target[PEN_PATH_BYTES], parent[PEN_PATH_BYTES];
        PEN_TRY(pen_path_join(source, directory, tree->files[i].path, err));
        PEN_TRY(pen_path_join(target, to, tree->files[i].path, err));
        memcpy(parent, target, sizeof parent);
        *strrchr(parent, '/') = '\0';
        PEN_TRY(pen_directory_create(parent, err));
        PEN_TRY(copy_file(&tree->files[i], source, target, err));
    }
    return PEN_OK;
}
