/* Checkpoint files and their folder: any damage is refused, the newest whole one is used, another configuration is
 * named. */
#include "components/trainer/checkpoint.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/log.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <unistd.h>

enum { N_ARRAYS = 2, FIRST_FLOATS = 7 };

static float first[FIRST_FLOATS];
static int64_t second;

static const struct pen_checkpoint_array arrays[N_ARRAYS] = {{"first", first, sizeof first},
                                                             {"second", &second, sizeof second}};

static void fill(int64_t step)
{
    for (int i = 0; i < FIRST_FLOATS; i++) {
        first[i] = (float)(step * 100 + i);
    }
    second = -step;
}

static pen_json *object_with(const char *key, int64_t value)
{
    pen_json *object = pen_json_object();
    pen_json_set_int(object, key, value);
    return object;
}

static pen_status save(const struct pen_checkpoints *c, int64_t step, struct pen_error *err)
{
    pen_json *state = object_with("step", step);
    fill(step);
    pen_status status = pen_checkpoints_save(c, step, state, arrays, N_ARRAYS, pen_exec_cpu(), err);
    pen_json_free(state);
    return status;
}

/* The step of the checkpoint that was loaded, its arrays checked; 0: none. */
static int64_t load(const struct pen_checkpoints *c)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *state = NULL;
    fill(0);
    PEN_CHECK_OK(pen_checkpoints_load(c, &state, arrays, N_ARRAYS, pen_exec_cpu(), &err), &err);
    int64_t step = pen_json_int_or(pen_json_get(state, "step"), 0);
    for (int i = 0; i < FIRST_FLOATS; i++) {
        PEN_CHECK(first[i] == (float)(step * 100 + i));
    }
    PEN_CHECK_EQ_I64(second, -step);
    pen_json_free(state);
    return step;
}

static void flip_a_byte(const char *path)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text file = {0};
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &file, &err), &err);
    file.data[file.size_bytes / 2] ^= 1;
    PEN_CHECK_OK(pen_file_write_atomic(path, file.data, file.size_bytes, &err), &err);
    pen_text_deinit(&file);
}

static void refuse(const char *path, const char *bytes, size_t size_bytes, const char *part)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *about = NULL;
    FILE *file = fopen(path, "w"); /* thousands of them: nothing is synced */
    PEN_REQUIRE(file != NULL && fwrite(bytes, 1, size_bytes, file) == size_bytes && fclose(file) == 0);
    PEN_CHECK_STATUS(pen_checkpoint_file_check(path, &about, &err), PEN_ERR_DATA);
    PEN_CHECK(about == NULL);
    PEN_CHECK_CONTAINS(err.message, part);
    PEN_CHECK(strchr(err.message, '\n') == NULL);
}

static void every_cut_and_every_flipped_byte_is_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text file = {0};
    char path[PEN_PATH_BYTES];
    pen_json *about = object_with("step", 3);
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "one.checkpoint", &err), &err);
    PEN_REQUIRE_OK(pen_checkpoint_file_write(path, about, arrays, N_ARRAYS, pen_exec_cpu(), &err), &err);
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &file, &err), &err);
    for (size_t size = 0; size < file.size_bytes; size++) {
        refuse(path, file.data, size, "one.checkpoint: expected");
    }
    for (size_t at = 0; at < file.size_bytes; at++) {
        for (int bit = 1; bit < 256; bit *= 4) {
            file.data[at] = (char)(file.data[at] ^ bit);
            refuse(path, file.data, file.size_bytes, "one.checkpoint: expected");
            file.data[at] = (char)(file.data[at] ^ bit);
        }
    }
    pen_text_append_char(&file, 'x');
    refuse(path, file.data, file.size_bytes, "one.checkpoint: expected");
    pen_text_deinit(&file);
    pen_json_free(about);
}

/* A file that its checksum fits, of a header and some bytes. */
static void lie(const char *path, uint64_t header_length, const char *header, size_t data_bytes, const char *part)
{
    char bytes[512] = "PENCHK01";
    size_t size = 16 + strlen(header) + data_bytes;
    for (int i = 0; i < 8; i++) {
        bytes[8 + i] = (char)(uint8_t)(header_length >> (8 * i));
    }
    memcpy(bytes + 16, header, strlen(header));
    uint32_t sum = pen_crc32c(0, bytes, size);
    for (int i = 0; i < 4; i++) {
        bytes[size + (size_t)i] = (char)(uint8_t)(sum >> (8 * i));
    }
    refuse(path, bytes, size + 4, part);
}

static void headers_that_lie_are_refused(void)
{
    static const char whole[] = "{\"arrays\":[{\"name\":\"a\",\"bytes\":8}]}";
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "lie.checkpoint", &err), &err);
    lie(path, sizeof whole - 1, whole, 7, "expected 0 to 7 bytes, found 8");
    lie(path, sizeof whole - 1, whole, 9, "expected arrays of 9 bytes in all, found 8");
    lie(path, UINT64_MAX, whole, 8, "found 18446744073709551615");
    lie(path, (uint64_t)1 << 40, whole, 8, "found 1099511627776");
    lie(path, sizeof whole + 8, whole, 8, "expected a header within the file's");
    lie(path, sizeof whole - 2, whole, 8, "lie.checkpoint");
    lie(path, 2, "{}", 0, "member 'arrays'");
    lie(path, 2, "[]", 0, "member 'arrays'");
    static const char negative[] = "{\"arrays\":[{\"name\":\"a\",\"bytes\":-1},{\"name\":\"b\",\"bytes\":1}]}";
    lie(path, sizeof negative - 1, negative, 0, "found -1");
    static const char huge[] = "{\"arrays\":[{\"name\":\"a\",\"bytes\":9223372036854775807},"
                               "{\"name\":\"b\",\"bytes\":9223372036854775807}]}";
    lie(path, sizeof huge - 1, huge, 4, "expected 0 to 4 bytes");
}

static void a_file_with_other_arrays_is_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    struct pen_checkpoint_array other[N_ARRAYS] = {arrays[0], arrays[1]};
    pen_json *about = object_with("step", 3), *found = NULL;
    PEN_REQUIRE_OK(pen_path_join(path, pen_test_directory(), "one.checkpoint", &err), &err);
    PEN_REQUIRE_OK(pen_checkpoint_file_write(path, about, arrays, N_ARRAYS, pen_exec_cpu(), &err), &err);
    PEN_REQUIRE_OK(pen_checkpoint_file_check(path, &found, &err), &err);
    other[0].name = "third";
    PEN_CHECK_STATUS(pen_checkpoint_file_read(path, found, other, N_ARRAYS, pen_exec_cpu(), &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected array third of 28 bytes, found first of 28");
    other[0] = arrays[0];
    other[1].size_bytes = 4;
    PEN_CHECK_STATUS(pen_checkpoint_file_read(path, found, other, N_ARRAYS, pen_exec_cpu(), &err), PEN_ERR_DATA);
    PEN_CHECK_STATUS(pen_checkpoint_file_read(path, found, other, 1, pen_exec_cpu(), &err), PEN_ERR_DATA);
    PEN_CHECK_CONTAINS(err.message, "expected 1 arrays, found 2");
    pen_json_free(found);
    pen_json_free(about);
}

static struct pen_text heard;

static void hear(void *user, enum pen_log_level level, const char *text)
{
    (void)user;
    (void)level;
    pen_text_append(&heard, text);
    pen_text_append_char(&heard, '\n');
}

static void the_newest_whole_one_is_used(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char folder[PEN_PATH_BYTES], path[PEN_PATH_BYTES];
    struct pen_log_sink sink = {NULL, PEN_LOG_WARNING, hear, NULL};
    pen_json *configuration = object_with("rate", 1);
    PEN_REQUIRE_OK(pen_path_join(folder, pen_test_directory(), "kept", &err), &err);
    struct pen_checkpoints c = {folder, configuration, 3, false};
    PEN_CHECK_EQ_I64(load(&c), 0);
    for (int64_t step = 5; step <= 1000; step += 199) { /* 5, 204, 403, 602, 801, 1000 */
        PEN_REQUIRE_OK(save(&c, step, &err), &err);
        PEN_CHECK_EQ_I64(load(&c), step);
    }
    PEN_REQUIRE_OK(pen_path_join(path, folder, "step-000000000403.checkpoint", &err), &err);
    PEN_CHECK(!pen_path_exists(path)); /* older than the newest three */
    PEN_REQUIRE_OK(pen_path_join(path, folder, "step-000000002000.checkpoint.tmp", &err), &err);
    PEN_REQUIRE_OK(pen_file_write_atomic(path, "cut short", 9, &err), &err);
    PEN_CHECK_EQ_I64(load(&c), 1000);
    PEN_REQUIRE_OK(pen_path_join(path, folder, "step-000000001000.checkpoint", &err), &err);
    flip_a_byte(path);
    pen_log_install(&sink);
    PEN_CHECK_EQ_I64(load(&c), 801);
    PEN_CHECK_CONTAINS(pen_text_view(&heard), "step-000000001000.checkpoint: expected checksum");
    PEN_CHECK_CONTAINS(pen_text_view(&heard), "trying step-000000000801.checkpoint instead");
    pen_text_reset(&heard);
    for (int64_t step = 801; step >= 602; step -= 199) {
        (void)snprintf(path, sizeof path, "%.3900s/step-%012lld.checkpoint", folder, (long long)step);
        flip_a_byte(path);
    }
    PEN_CHECK_EQ_I64(load(&c), 0);
    PEN_CHECK_CONTAINS(pen_text_view(&heard), "training starts again");
    pen_log_install(NULL);
    PEN_REQUIRE_OK(save(&c, 7, &err), &err); /* those set aside count no more */
    PEN_CHECK_EQ_I64(load(&c), 7);
    PEN_REQUIRE_OK(pen_path_join(path, folder, "step-000000002000.checkpoint.tmp", &err), &err);
    PEN_CHECK(!pen_path_exists(path));
    pen_text_deinit(&heard);
    pen_json_free(configuration);
}

static void another_configuration_is_refused_by_name(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    char folder[PEN_PATH_BYTES];
    struct pen_log_sink sink = {NULL, PEN_LOG_WARNING, hear, NULL};
    pen_json *one = object_with("rate", 1), *two = object_with("rate", 2), *state = NULL;
    PEN_REQUIRE_OK(pen_path_join(folder, pen_test_directory(), "kept", &err), &err);
    struct pen_checkpoints c = {folder, one, 3, false};
    PEN_REQUIRE_OK(save(&c, 9, &err), &err);
    c.configuration = two;
    c.resume = true;
    PEN_CHECK_STATUS(pen_checkpoints_load(&c, &state, arrays, N_ARRAYS, pen_exec_cpu(), &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "step-000000000009.checkpoint: expected a checkpoint of this training");
    PEN_CHECK_CONTAINS(err.message, "rate: 1 -> 2");
    c.configuration = one;
    PEN_CHECK_EQ_I64(load(&c), 9); /* refused, not lost */
    c.configuration = two;
    c.resume = false;
    pen_log_install(&sink);
    PEN_CHECK_EQ_I64(load(&c), 0);
    pen_log_install(NULL);
    PEN_CHECK_CONTAINS(pen_text_view(&heard), "rate: 1 -> 2");
    PEN_CHECK(!pen_path_exists(folder));
    pen_text_deinit(&heard);
    pen_json_free(one);
    pen_json_free(two);
}

PEN_SUITE(trainer_checkpoint, PEN_CASE(every_cut_and_every_flipped_byte_is_refused),
          PEN_CASE(headers_that_lie_are_refused), PEN_CASE(a_file_with_other_arrays_is_refused),
          PEN_CASE(the_newest_whole_one_is_used), PEN_CASE(another_configuration_is_refused_by_name));
