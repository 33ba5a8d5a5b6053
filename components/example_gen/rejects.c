/* Writes rejects.csv. */
#include "components/example_gen/rejects.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void write_quoted(FILE *file, const char *bytes, size_t size_bytes)
{
    (void)fputc('"', file);
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] == '"') {
            (void)fputc('"', file);
        }
        (void)fputc(bytes[i], file);
    }
    (void)fputc('"', file);
}

void pen_rejects_on_row(void *user, const struct pen_csv_reject *row)
{
    struct pen_rejects *rejects = user;
    rejects->n_rows++;
    if (rejects->file == NULL && !rejects->failed) {
        rejects->file = fopen(rejects->path, "wbxe");
        rejects->failed = rejects->file == NULL || fputs("file,line,reason,raw\n", rejects->file) < 0;
        rejects->first = rejects->start = rejects->failed ? 0 : ftell(rejects->file);
    }
    if (rejects->failed) {
        return;
    }
    write_quoted(rejects->file, row->file, strlen(row->file));
    (void)fprintf(rejects->file, ",%lld,", (long long)row->line);
    write_quoted(rejects->file, row->reason, strlen(row->reason));
    (void)fputc(',', rejects->file);
    write_quoted(rejects->file, row->bytes, row->size_bytes);
    (void)fputc('\n', rejects->file);
    rejects->failed = ferror(rejects->file) != 0;
}

void pen_rejects_begin_input(struct pen_rejects *rejects)
{
    rejects->n_before = rejects->n_rows;
    rejects->start = rejects->file != NULL ? ftell(rejects->file) : 0;
}

void pen_rejects_restart_input(struct pen_rejects *rejects)
{
    rejects->n_rows = rejects->n_before;
    if (rejects->file != NULL) {
        rejects->failed = rejects->failed || fseek(rejects->file, rejects->start, SEEK_SET) != 0;
    }
}

void pen_rejects_rewind(struct pen_rejects *rejects)
{
    rejects->n_before = 0;
    rejects->start = rejects->first;
    pen_rejects_restart_input(rejects);
}

pen_status pen_rejects_close(struct pen_rejects *rejects, struct pen_error *err)
{
    bool failed = rejects->failed;
    if (rejects->file != NULL) {
        long end = ftell(rejects->file);
        failed = failed || fflush(rejects->file) != 0 || ftruncate(fileno(rejects->file), end) != 0;
        failed = fclose(rejects->file) != 0 || failed;
        rejects->file = NULL;
    }
    if (failed) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot write the rows set aside: %s", rejects->path, strerror(errno));
    }
    return PEN_OK;
}
