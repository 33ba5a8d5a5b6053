/* Starting penstock, and making what it says the same on every machine. */
#include "tests/orchestrator/program.h"

#include "core/files.h"
#include "tests/pen_test.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 32, OUTPUT_LIMIT_BYTES = 64 << 20 };

/* Cuts the line in place; arguments[0] is the caller's. */
static void split(char *line, char **arguments)
{
    int n = 1;
    for (char *c = line; *c != '\0' && n + 1 < MOST_ARGUMENTS;) {
        char end = *c == '\'' ? '\'' : ' ';
        char *begin = end == '\'' ? c + 1 : c;
        char *stop = strchr(begin, end);
        arguments[n++] = begin;
        if (stop == NULL) {
            break;
        }
        *stop = '\0';
        c = stop + 1;
        while (*c == ' ') {
            c++;
        }
    }
    arguments[n] = NULL;
}

pid_t program_start(const char *folder, const char *line)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char *arguments[MOST_ARGUMENTS];
        char *copy = strdup(line);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setenv("NO_COLOR", "1", 1);
        if (copy == NULL || chdir(folder) != 0 || freopen("said.out", "w", stdout) == NULL ||
            freopen("said.err", "w", stderr) == NULL) {
            _exit(126);
        }
        char name[] = "penstock";
        split(copy, arguments);
        arguments[0] = name;
        (void)execv(pen_test_program(), arguments);
        _exit(127);
    }
    return child;
}

void program_finish(const char *folder, pid_t child, struct program_result *result)
{
    char path[PEN_PATH_BYTES];
    int state = 0;
    *result = (struct program_result){.exit_code = -1};
    PEN_REQUIRE(child > 0 && waitpid(child, &state, 0) == child);
    result->exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    (void)snprintf(path, sizeof path, "%s/said.out", folder);
    PEN_CHECK_EQ_I64(pen_file_read(path, OUTPUT_LIMIT_BYTES, &result->out, NULL), PEN_OK);
    (void)snprintf(path, sizeof path, "%s/said.err", folder);
    PEN_CHECK_EQ_I64(pen_file_read(path, OUTPUT_LIMIT_BYTES, &result->err, NULL), PEN_OK);
}

void program_run(const char *folder, const char *line, struct program_result *result)
{
    program_finish(folder, program_start(folder, line), result);
}

void program_deinit(struct program_result *result)
{
    pen_text_deinit(&result->out);
    pen_text_deinit(&result->err);
}

/* Length of "2026-11-25T21:15:00.709Z" at c, or 0. */
static size_t time_at(const char *c)
{
    static const char shape[] = "0000-00-00T00:00:00";
    size_t i = 0;
    for (; i < sizeof shape - 1; i++) {
        if (shape[i] == '0' ? !isdigit((unsigned char)c[i]) : c[i] != shape[i]) {
            return 0;
        }
    }
    while (isdigit((unsigned char)c[i]) || c[i] == '.') {
        i++;
    }
    return c[i] == 'Z' ? i + 1 : 0;
}

/* Length of a measured number, one with two or more digits after its point, or 0. */
static size_t real_at(const char *c)
{
    char *end = NULL;
    (void)strtod(c, &end);
    size_t size = (size_t)(end - c);
    const char *point = memchr(c, '.', size);
    return isdigit((unsigned char)c[0]) && point != NULL && end - point > 2 ? size : 0;
}

void program_mask(const struct pen_text *text, const char *folder, struct pen_text *masked)
{
    size_t folder_size = strlen(folder);
    const char *begin = pen_text_view(text);
    for (const char *c = begin; *c != '\0';) {
        size_t size = 0;
        if (strncmp(c, folder, folder_size) == 0) {
            pen_text_append(masked, "DIR");
            c += folder_size;
        } else if ((size = time_at(c)) > 0) {
            pen_text_append(masked, "TIME");
            c += size;
        } else if ((c == begin || !isalnum((unsigned char)c[-1])) && (size = real_at(c)) > 0) {
            while (masked->size_bytes > 0 && masked->data[masked->size_bytes - 1] == ' ') {
                masked->data[--masked->size_bytes] = '\0'; /* columns are as wide as their numbers */
            }
            pen_text_append(masked, " #");
            c += size;
        } else {
            pen_text_append_char(masked, *c++);
        }
    }
}

bool program_has_mpirun(void)
{
    char module[PEN_PATH_BYTES];
    const char *slash = strrchr(pen_test_program(), '/');
    (void)snprintf(module, sizeof module, "%.*s/penstock_mpi.so", (int)(slash - pen_test_program()),
                   pen_test_program());
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* OpenMPI has its own, and a rank's exit code ends them all */
    (void)setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    (void)setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    return access(module, R_OK) == 0 && system("command -v mpirun >/dev/null 2>&1") == 0;
}
