/* Without libFuzzer: the target over every file in the folders named, once. */
#include "tests/fuzz/fuzz.h"

#include "core/memory.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    pen_status status = PEN_OK;
    int64_t n_inputs = 0;
    for (int i = 1; i < argc && status == PEN_OK; i++) {
        char **names = NULL;
        int64_t n = 0;
        status = pen_directory_list(&arena, argv[i], &names, &n, &err);
        for (int64_t k = 0; k < n && status == PEN_OK; k++, n_inputs++) {
            char path[PEN_PATH_BYTES];
            struct pen_text text = {0};
            status = pen_path_join(path, argv[i], names[k], &err);
            status = status == PEN_OK ? pen_file_read(path, 1 << 24, &text, &err) : status;
            if (status == PEN_OK) {
                pen_fuzz(pen_text_view(&text), text.size_bytes);
            }
            pen_text_deinit(&text);
        }
    }
    pen_arena_deinit(&arena);
    if (status != PEN_OK || n_inputs == 0) {
        (void)fprintf(stderr, "%s\n", status == PEN_OK ? "expected folders of inputs" : err.message);
        return 1;
    }
    printf("%lld inputs\n", (long long)n_inputs);
    return 0;
}
