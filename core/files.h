/* Files: whole reads, atomic publishing, folders, locks.
 *
 * What another step reads appears by pen_publish only: written under another name on the same file system, synced,
 * renamed without replacing, parents synced. */
#ifndef PEN_CORE_FILES_H
#define PEN_CORE_FILES_H

#include "core/memory.h"
#include "core/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_PATH_BYTES = 4096 };

/* "a/b"; fails when it does not fit. */
PEN_API PEN_MUST_USE pen_status pen_path_join(char out[PEN_PATH_BYTES], const char *directory, const char *name,
                                              struct pen_error *err);

PEN_API bool pen_path_exists(const char *path);
PEN_API bool pen_path_is_directory(const char *path);
PEN_API PEN_MUST_USE pen_status pen_file_size(const char *path, int64_t *size_bytes, struct pen_error *err);

/* Whole file into text (NUL-terminated); refuses files above limit_bytes. */
PEN_API PEN_MUST_USE pen_status pen_file_read(const char *path, size_t limit_bytes, struct pen_text *text,
                                              struct pen_error *err);

/* Writes under a temporary name beside path, syncs, renames over it, syncs the folder. */
PEN_API PEN_MUST_USE pen_status pen_file_write_atomic(const char *path, const void *bytes, size_t size_bytes,
                                                      struct pen_error *err);

/* Makes the file or empties it, and writes it in place; not synced. For what lies in a folder that is to be published,
 * which pen_publish syncs as a whole, or is of no use after a crash. */
PEN_API PEN_MUST_USE pen_status pen_file_write_unsynced(const char *path, const void *bytes, size_t size_bytes,
                                                        struct pen_error *err);

/* All of it, retrying EINTR and short writes; `path` only for the message. */
PEN_API PEN_MUST_USE pen_status pen_fd_write(int fd, const void *bytes, size_t size_bytes, const char *path,
                                             struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_fd_pwrite(int fd, const void *bytes, size_t size_bytes, int64_t offset,
                                              const char *path, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_fd_pread(int fd, void *bytes, size_t size_bytes, int64_t offset, const char *path,
                                             struct pen_error *err);

PEN_API PEN_MUST_USE pen_status pen_directory_create(const char *path, struct pen_error *err); /* with parents */
/* Removes a folder and all below it; follows no links; absent is success. */
PEN_API PEN_MUST_USE pen_status pen_directory_remove(const char *path, struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_directory_sync(const char *path, struct pen_error *err);
/* Names in the folder except "." and "..", sorted by byte; in the arena. */
PEN_API PEN_MUST_USE pen_status pen_directory_list(struct pen_arena *arena, const char *path, char ***names,
                                                   int64_t *n_names, struct pen_error *err);
/* fsync of every file and folder below path, bottom up. */
PEN_API PEN_MUST_USE pen_status pen_tree_sync(const char *path, struct pen_error *err);

/* rename(staged, final) that never replaces (PEN_ERR_EXISTS), after pen_tree_sync; then syncs final's parent. */
PEN_API PEN_MUST_USE pen_status pen_publish(const char *staged, const char *final, struct pen_error *err);

/* An advisory lock of the open file description (F_OFD_SETLK): freed when its holder dies, never by unlinking.
 * While held the file tells who holds it. PEN_ERR_BUSY's message says who and since when. */
struct pen_lock {
    int fd; /* -1: not held */
};
#define PEN_LOCK_INIT \
    {                 \
        -1            \
    }
PEN_API PEN_MUST_USE pen_status pen_lock_take(struct pen_lock *lock, const char *path, struct pen_error *err);
PEN_API void pen_lock_release(struct pen_lock *lock);
/* Who holds it, without taking it: *pid is what the file says (-1: nothing yet), 0 when it is not held, or not
 * there. */
PEN_API PEN_MUST_USE pen_status pen_lock_holder(const char *path, int64_t *pid, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
