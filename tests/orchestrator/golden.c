/* Comparing with golden/NAME.txt line by line. */
#include "tests/orchestrator/golden.h"

#include "core/files.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>

static void golden_path(char path[PEN_PATH_BYTES], const char *name)
{
    (void)snprintf(path, PEN_PATH_BYTES, "%s/tests/orchestrator/golden/%s.txt", PEN_TEST_SOURCE, name);
}

/* What a node says of its outputs after its time is the component's business, the device the machine's. */
static void append_stream(struct pen_text *text, const char *name, const struct pen_text *stream)
{
    struct pen_text masked = {0};
    program_mask(stream, pen_test_directory(), &masked);
    pen_text_printf(text, masked.size_bytes == 0 ? "" : "-- %s\n", name);
    for (const char *line = pen_text_view(&masked); *line != '\0';) {
        size_t size = strcspn(line, "\n");
        const char *facts = strstr(line, " # s  ");
        bool has_facts = strcmp(name, "error") == 0 && facts != NULL && facts < line + size;
        if (strncmp(line, "device ", 7) == 0) {
            facts = line + 2;
            has_facts = true;
        }
        pen_text_append_bytes(text, line, has_facts ? (size_t)(facts - line) + 5 : size);
        pen_text_append(text, has_facts ? "...\n" : "\n");
        line += size + (line[size] == '\n');
    }
    pen_text_deinit(&masked);
}

/* Appends the line, its exit code and what it said. */
static void tell(struct pen_text *text, const char *line)
{
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    pen_text_printf(text, "$ penstock %s\n-- exit %d\n", line, result.exit_code);
    append_stream(text, "output", &result.out);
    append_stream(text, "error", &result.err);
    pen_text_append_char(text, '\n');
    program_deinit(&result);
}

void golden_compare(const char *name, const struct pen_text *found)
{
    char path[PEN_PATH_BYTES];
    struct pen_text wanted = {0};
    struct pen_error err = PEN_ERROR_INIT;
    golden_path(path, name);
    if (getenv("PEN_GOLDEN_WRITE") != NULL) {
        PEN_CHECK_OK(pen_file_write_atomic(path, found->data, found->size_bytes, &err), &err);
        return;
    }
    PEN_REQUIRE_OK(pen_file_read(path, 1 << 20, &wanted, &err), &err);
    const char *a = pen_text_view(&wanted);
    const char *b = pen_text_view(found);
    for (int line = 1; *a != '\0' || *b != '\0'; line++) {
        size_t a_size = strcspn(a, "\n");
        size_t b_size = strcspn(b, "\n");
        PEN_TEST_BASE(a_size == b_size && memcmp(a, b, a_size) == 0, break,
                      "%s.txt:%d: expected\n  %.*s\nfound\n  %.*s", name, line, (int)a_size, a, (int)b_size, b);
        a += a_size + (a[a_size] == '\n');
        b += b_size + (b[b_size] == '\n');
    }
    pen_text_deinit(&wanted);
}

void golden_compare_lines(const char *name, const char *const *lines)
{
    struct pen_text text = {0};
    for (; *lines != NULL; lines++) {
        tell(&text, *lines);
    }
    golden_compare(name, &text);
    pen_text_deinit(&text);
}
