/* HDF5 files that are complete or absent.
 *
 * The library never syncs and a file it was killed in cannot be opened, so a file is written under a temporary name,
 * marked complete, closed, synced and renamed. On opening, what the library trusts is checked first: signature,
 * superblock version (only versions 2 and 3 carry checksums) and the size of offsets. */
#include "core/files.h"
#include "datasets/store/h5_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    (void)H5dont_atexit();
    (void)H5open();
}

void pen_h5_lock(void)
{
    (void)pthread_mutex_lock(&library_lock);
    (void)pthread_once(&library_once, start_library);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void pen_h5_unlock(void)
{
    (void)pthread_mutex_unlock(&library_lock);
}

static herr_t keep_description(unsigned n, const H5E_error2_t *entry, void *user)
{
    char *text = user;
    if (n == 0 && entry->desc != NULL) {
        (void)snprintf(text, PEN_QUOTE_BYTES, "%.300s", entry->desc);
        for (char *c = text; *c != '\0'; c++) {
            if (*c == '\n') {
                *c = ' ';
            }
        }
    }
    return 0;
}

pen_status pen_h5_fail(struct pen_error *err, const char *path, const char *what)
{
    char reason[PEN_QUOTE_BYTES] = "no reason given";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_description, reason);
    (void)H5Eclear2(H5E_DEFAULT);
    PEN_FAIL(err, PEN_ERR_IO, "%s: HDF5 could not %s: %s", path, what, reason);
}

size_t pen_h5_type_size(enum pen_h5_type type)
{
    static const size_t sizes[] = {1, 4, 8, 4, 8};
    return sizes[type];
}

static char *copy_text(const char *text, const char *suffix)
{
    size_t size = strlen(text) + strlen(suffix) + 1;
    char *copy = pen_malloc((int64_t)size, 1);
    if (copy != NULL) {
        (void)snprintf(copy, size, "%s%s", text, suffix);
    }
    return copy;
}

static void release(struct pen_h5_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    pen_free(file->path);
    pen_free(file->temporary);
    *file = (struct pen_h5_file)PEN_H5_FILE_INIT;
}

static pen_status create_locked(struct pen_h5_file *file, struct pen_error *err)
{
    pen_status status = PEN_OK;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    if (access < 0 || create < 0 || H5Pset_obj_track_times(create, false) < 0 ||
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0 ||
        H5Pset_alignment(access, 65536, 4096) < 0 || H5Pset_meta_block_size(access, 16384) < 0 ||
        H5Pset_file_locking(access, false, true) < 0 ||
        (file->id = H5Fcreate(file->temporary, H5F_ACC_EXCL, create, access)) < 0) {
        status = pen_h5_fail(err, file->temporary, "create the file");
    }
    (void)H5Pclose(access);
    (void)H5Pclose(create);
    return status;
}

pen_status pen_h5_create(struct pen_h5_file *file, const char *path, struct pen_error *err)
{
    static atomic_int counter;
    char suffix[64];
    pen_status status = PEN_OK;
    *file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    if (pen_path_exists(path)) {
        PEN_FAIL(err, PEN_ERR_EXISTS, "%s: expected no file of this name, found one", path);
    }
    (void)snprintf(suffix, sizeof suffix, ".partial-%ld-%d", (long)getpid(), atomic_fetch_add(&counter, 1));
    file->path = copy_text(path, "");
    file->temporary = copy_text(path, suffix);
    if (file->path == NULL || file->temporary == NULL) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_MEMORY, "%s: out of memory", path);
    }
    pen_h5_lock();
    status = create_locked(file, err);
    pen_h5_unlock();
    if (status != PEN_OK) {
        goto cleanup;
    }
    file->fd = open(file->temporary, O_RDWR | O_CLOEXEC);
    if (file->fd < 0) {
        PEN_FAIL_GOTO(cleanup, err, pen_status_from_errno(errno), "%s: cannot open: %s", file->temporary,
                      strerror(errno));
    }
    return PEN_OK;
cleanup:
    pen_h5_abandon(file);
    return status;
}

pen_status pen_h5_finish(struct pen_h5_file *file, struct pen_error *err)
{
    pen_status status = pen_h5_set_int(file, file->id, "complete", 1, err);
    pen_h5_lock();
    if (status == PEN_OK && H5Fclose(file->id) < 0) {
        status = pen_h5_fail(err, file->path, "close the file");
    } else if (status == PEN_OK) {
        file->id = -1;
    }
    pen_h5_unlock();
    if (status == PEN_OK) {
        status = pen_publish(file->temporary, file->path, err);
    }
    if (status != PEN_OK) {
        pen_h5_abandon(file);
        return status;
    }
    release(file);
    return PEN_OK;
}

void pen_h5_abandon(struct pen_h5_file *file)
{
    if (file->id >= 0) {
        pen_h5_lock();
        (void)H5Fclose(file->id);
        pen_h5_unlock();
    }
    if (file->temporary != NULL) {
        (void)unlink(file->temporary);
    }
    release(file);
}

/* What must hold before the library may look at the file. */
static pen_status check_superblock(const struct pen_h5_file *file, struct pen_error *err)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[48];
    if (file->n_bytes < (int64_t)sizeof head) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a feature store, found a file of %lld bytes", file->path,
                 (long long)file->n_bytes);
    }
    PEN_TRY(pen_fd_pread(file->fd, head, sizeof head, 0, file->path, err));
    if (memcmp(head, signature, sizeof signature) != 0) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a feature store (HDF5), found another kind of file", file->path);
    }
    if (head[8] < 2 || head[8] > 3 || head[9] != 8 || head[10] != 8) {
        PEN_FAIL(err, PEN_ERR_DATA,
                 "%s: expected an HDF5 superblock of version 2 or 3 with 8-byte offsets, found version %d with "
                 "%d-byte offsets; it is damaged or not written by penstock",
                 file->path, head[8], head[9]);
    }
    return PEN_OK;
}

static pen_status check_marker(const struct pen_h5_file *file, struct pen_error *err)
{
    struct pen_arena arena = {NULL};
    const char *format = NULL;
    int64_t version = 0, complete = 0;
    pen_status status = pen_h5_get_string(file, file->id, "format", &arena, &format, err);
    if (status == PEN_OK && strcmp(format, "penstock") != 0) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA,
                               "%s: expected attribute format \"penstock\", found another", file->path);
    }
    pen_arena_deinit(&arena);
    PEN_TRY(status);
    PEN_TRY(pen_h5_get_int(file, file->id, "format_version", &version, err));
    if (version != PEN_H5_FORMAT_VERSION) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected format version %d, found %lld; write it again with this version",
                 file->path, PEN_H5_FORMAT_VERSION, (long long)version);
    }
    if (pen_h5_get_int(file, file->id, "complete", &complete, NULL) != PEN_OK || complete != 1) {
        PEN_FAIL(err, PEN_ERR_DATA, "%s: expected a complete file, found one whose writing was interrupted",
                 file->path);
    }
    return PEN_OK;
}

static pen_status open_library(struct pen_h5_file *file, struct pen_error *err)
{
    pen_status status = PEN_OK;
    pen_h5_lock();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_file_locking(access, false, true) < 0 ||
        (file->id = H5Fopen(file->path, H5F_ACC_RDONLY, access)) < 0) {
        (void)pen_h5_fail(err, file->path, "open the file (damaged or cut short)");
        if (err != NULL) {
            err->status = PEN_ERR_DATA;
        }
        status = PEN_ERR_DATA;
    }
    (void)H5Pclose(access);
    pen_h5_unlock();
    return status;
}

pen_status pen_h5_open(struct pen_h5_file *file, const char *path, struct pen_error *err)
{
    pen_status status = PEN_OK;
    struct stat info;
    *file = (struct pen_h5_file)PEN_H5_FILE_INIT;
    file->path = copy_text(path, "");
    if (file->path == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "%s: out of memory", path);
    }
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &info) != 0) {
        PEN_FAIL_GOTO(cleanup, err, pen_status_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        PEN_FAIL_GOTO(cleanup, err, PEN_ERR_DATA, "%s: expected a regular file", path);
    }
    file->n_bytes = info.st_size;
    PEN_TRY_GOTO(cleanup, check_superblock(file, err));
    PEN_TRY_GOTO(cleanup, open_library(file, err));
    PEN_TRY_GOTO(cleanup, check_marker(file, err));
    return PEN_OK;
cleanup:
    pen_h5_close(file);
    return status;
}

void pen_h5_close_metadata(struct pen_h5_file *file)
{
    if (file->id >= 0) {
        pen_h5_lock();
        (void)H5Fclose(file->id);
        pen_h5_unlock();
        file->id = -1;
    }
}

void pen_h5_close(struct pen_h5_file *file)
{
    pen_h5_close_metadata(file);
    release(file);
}
