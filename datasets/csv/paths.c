/* Files by a pattern, in the order of their names. */
#include "datasets/csv/csv_internal.h"

#include <glob.h>
#include <stdlib.h>

pen_status pen_csv_glob(struct pen_csv_paths *list, const char *pattern, struct pen_error *err)
{
    glob_t found;
    list->n_paths = 0;
    list->paths = NULL;
    const int result = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &found);
    if (result != 0) {
        globfree(&found);
        PEN_FAIL(err, result == GLOB_NOSPACE ? PEN_ERR_MEMORY : PEN_ERR_NOT_FOUND, "%s: no such file", pattern);
    }
    pen_status status = PEN_OK;
    PEN_ALLOC_GOTO(done, list->paths, found.gl_pathc, err);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int64_t at = list->n_paths;
        for (; at > 0 && strcmp(list->paths[at - 1], found.gl_pathv[i]) > 0; at--) {
            list->paths[at] = list->paths[at - 1];
        }
        list->paths[at] = strdup(found.gl_pathv[i]);
        list->n_paths++;
        if (list->paths[at] == NULL) {
            PEN_FAIL_GOTO(done, err, PEN_ERR_MEMORY, "out of memory: %s", pattern);
        }
    }
done:
    globfree(&found);
    if (status != PEN_OK) {
        pen_csv_paths_deinit(list);
    }
    return status;
}

void pen_csv_paths_deinit(struct pen_csv_paths *list)
{
    for (int64_t i = 0; i < list->n_paths; i++) {
        free(list->paths[i]);
    }
    pen_free(list->paths);
    list->paths = NULL;
    list->n_paths = 0;
}
