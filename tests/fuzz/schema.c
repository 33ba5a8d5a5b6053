/* schema.yaml: what is read prints, and reads again with the same digest. */
#include "datasets/schema/schema.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

void pen_fuzz(const char *bytes, size_t size_bytes)
{
    struct pen_schema schema;
    struct pen_schema again;
    struct pen_text printed = {0};
    char one[PEN_SHA256_HEX_BYTES];
    char two[PEN_SHA256_HEX_BYTES];
    if (pen_schema_parse(bytes, size_bytes, "fuzz", &schema, NULL) != PEN_OK) {
        return;
    }
    if (pen_schema_print(&schema, true, &printed, NULL) == PEN_OK) {
        PEN_ASSERT(pen_schema_parse(pen_text_view(&printed), printed.size_bytes, "fuzz", &again, NULL) == PEN_OK);
        PEN_ASSERT(pen_schema_digest(&schema, one, NULL) == PEN_OK && pen_schema_digest(&again, two, NULL) == PEN_OK);
        PEN_ASSERT(strcmp(one, two) == 0);
        pen_schema_deinit(&again);
    }
    pen_text_deinit(&printed);
    pen_schema_deinit(&schema);
}
