/* Atomic writes, publishing that never replaces, folders, locks. */
#include "core/files.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *below(char out[PEN_PATH_BYTES], const char *name)
{
    (void)snprintf(out, PEN_PATH_BYTES, "%s/%s", pen_test_directory(), name);
    return out;
}

static void an_atomic_write_replaces_whole_files(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    below(path, "a.txt");
    PEN_CHECK_OK(pen_file_write_atomic(path, "one", 3, &err), &err);
    PEN_CHECK_OK(pen_file_write_atomic(path, "three", 5, &err), &err);
    PEN_CHECK_OK(pen_file_read(path, 100, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "three");
    PEN_CHECK_STATUS(pen_file_read(path, 4, &text, &err), PEN_ERR_LIMIT);
    struct pen_arena arena = {0};
    char **names = NULL;
    int64_t n_names = 0;
    PEN_CHECK_OK(pen_directory_list(&arena, pen_test_directory(), &names, &n_names, &err), &err);
    PEN_CHECK_EQ_I64(n_names, 1);
    pen_arena_deinit(&arena);
    pen_text_deinit(&text);
}

static void an_unsynced_write_is_whole_and_follows_no_link(void)
{
    char path[PEN_PATH_BYTES], link[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    below(path, "a.txt");
    PEN_CHECK_OK(pen_file_write_unsynced(path, "three", 5, &err), &err);
    PEN_CHECK_OK(pen_file_write_unsynced(path, "one", 3, &err), &err);
    PEN_CHECK_EQ_I64(symlink(path, below(link, "link")), 0);
    PEN_CHECK_STATUS(pen_file_write_unsynced(link, "four", 4, &err), PEN_ERR_IO);
    PEN_CHECK_STATUS(pen_file_write_unsynced(below(link, "gone/a.txt"), "four", 4, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_OK(pen_file_read(path, 100, &text, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&text), "one");
    pen_text_deinit(&text);
}

static void missing_files_are_named(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text text = {0};
    PEN_CHECK_STATUS(pen_file_read("/nonexistent/x", 10, &text, &err), PEN_ERR_NOT_FOUND);
    PEN_CHECK_EQ_STR(err.message, "/nonexistent/x: cannot open: No such file or directory");
    pen_text_deinit(&text);
}

static void publishing_never_replaces(void)
{
    char staged[PEN_PATH_BYTES];
    char final[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    below(staged, "staged/deep");
    PEN_REQUIRE_OK(pen_directory_create(staged, &err), &err);
    PEN_REQUIRE_OK(pen_path_join(file, staged, "f", &err), &err);
    PEN_REQUIRE_OK(pen_file_write_atomic(file, "x", 1, &err), &err);
    below(staged, "staged");
    below(final, "final");
    PEN_CHECK_OK(pen_publish(staged, final, &err), &err);
    PEN_CHECK(!pen_path_exists(staged));
    below(file, "final/deep/f");
    PEN_CHECK(pen_path_exists(file));
    PEN_REQUIRE_OK(pen_directory_create(staged, &err), &err);
    PEN_CHECK_STATUS(pen_publish(staged, final, &err), PEN_ERR_EXISTS);
    PEN_CHECK(pen_path_exists(file));
    PEN_CHECK_OK(pen_directory_remove(final, &err), &err);
    PEN_CHECK(!pen_path_exists(final));
    PEN_CHECK_OK(pen_directory_remove(final, &err), &err);
}

static void removing_follows_no_links(void)
{
    char folder[PEN_PATH_BYTES];
    char kept[PEN_PATH_BYTES];
    char file[PEN_PATH_BYTES];
    char link[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(pen_directory_create(below(folder, "doomed"), &err), &err);
    PEN_REQUIRE_OK(pen_directory_create(below(kept, "kept"), &err), &err);
    PEN_REQUIRE_OK(pen_file_write_atomic(below(file, "kept/f"), "x", 1, &err), &err);
    PEN_REQUIRE(symlink(kept, below(link, "doomed/link")) == 0);
    PEN_CHECK_OK(pen_directory_remove(folder, &err), &err);
    PEN_CHECK(pen_path_exists(file));
}

static void a_lock_has_one_holder_and_dies_with_it(void)
{
    char path[PEN_PATH_BYTES];
    below(path, "lock");
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_lock first = PEN_LOCK_INIT;
    struct pen_lock second = PEN_LOCK_INIT;
    PEN_REQUIRE_OK(pen_lock_take(&first, path, &err), &err);
    PEN_CHECK_STATUS(pen_lock_take(&second, path, &err), PEN_ERR_BUSY);
    PEN_CHECK_CONTAINS(err.message, " is held by pid ");
    PEN_CHECK_CONTAINS(err.message, " since ");
    pen_lock_release(&first);
    pid_t child = fork();
    if (child == 0) {
        _exit(pen_lock_take(&second, path, NULL) == PEN_OK ? 0 : 1);
    }
    int state = -1;
    PEN_CHECK(waitpid(child, &state, 0) == child && state == 0);
    PEN_CHECK_OK(pen_lock_take(&second, path, &err), &err);
    pen_lock_release(&second);
}

PEN_SUITE(files, PEN_CASE(an_atomic_write_replaces_whole_files),
          PEN_CASE(an_unsynced_write_is_whole_and_follows_no_link), PEN_CASE(missing_files_are_named),
          PEN_CASE(publishing_never_replaces), PEN_CASE(removing_follows_no_links),
          PEN_CASE(a_lock_has_one_holder_and_dies_with_it));
