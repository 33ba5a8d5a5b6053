/* What both forms need. */
#include "orchestrator/query/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pen_status pen_exchange_root(struct pen_exchange_root *root, const struct pen_metadata *metadata, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    pen_json *mark = NULL;
    char *absolute = realpath(metadata->root, NULL);
    if (absolute == NULL) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: %s", metadata->root, strerror(number));
    }
    (void)snprintf(root->path, sizeof root->path, "%s", absolute);
    free(absolute);
    PEN_TRY(pen_path_join(path, metadata->root, "metadata/ROOT.json", err));
    PEN_TRY(pen_json_read_file(path, &mark, err));
    (void)snprintf(root->id, sizeof root->id, "%s", pen_json_string_or(pen_json_get(mark, "root_id"), ""));
    pen_json_free(mark);
    return PEN_OK;
}
