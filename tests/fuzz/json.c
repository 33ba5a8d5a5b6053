/* JSON: what is read prints, and reads again as the same. */
#include "tests/fuzz/fuzz.h"

#include "core/json.h"

#include <string.h>

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    pen_json *first = NULL;
    pen_json *second = NULL;
    struct pen_text printed = {0};
    struct pen_text again = {0};
    if (pen_json_parse(bytes, size_bytes, "fuzz", &first, NULL) == PEN_OK &&
        pen_json_print(first, PEN_JSON_CANONICAL, &printed, NULL) == PEN_OK) {
        PEN_ASSERT(pen_json_parse(pen_text_view(&printed), printed.size_bytes, "fuzz", &second, NULL) == PEN_OK);
        PEN_ASSERT(pen_json_print(second, PEN_JSON_CANONICAL, &again, NULL) == PEN_OK);
        PEN_ASSERT(strcmp(pen_text_view(&printed), pen_text_view(&again)) == 0);
    }
    pen_json_free(first);
    pen_json_free(second);
    pen_text_deinit(&printed);
    pen_text_deinit(&again);
}
