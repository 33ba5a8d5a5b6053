/* A program of somebody else's, built against the installed package. */
#include "core/hash.h"
#include "datasets/store/store.h"

#include <stdio.h>

int main(void)
{
    char hex[PEN_SHA256_HEX_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_store *store = NULL;
    pen_sha256_of("abc", 3, hex);
    if (pen_store_open(&store, "/nonexistent.h5", &err) == PEN_OK || err.message[0] == '\0') {
        return 1;
    }
    return puts(hex) < 0;
}
