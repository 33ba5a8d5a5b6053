/* The penstock program: picks the verb, parses its line, installs log and signal handling, maps status to exit code. */
#include "core/log.h"
#include "kernels/load.h"
#include "orchestrator/cli/verbs.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t last_signal;

static void on_signal(int number)
{
    last_signal = number;
    if (pen_cancel_requested()) {
        _exit(128 + number); /* the second one ends at once; what is published stays whole */
    }
    pen_cancel_request();
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL); /* a reader that left is a write error, not a death */
    (void)sigaction(SIGXFSZ, &action, NULL);
}

/* Threads that wait by spinning are ruinous on a machine that does other work too, and the numeric libraries read how
 * to wait when they are loaded: so the program starts itself again once, with what the user did not set himself. A verb
 * that only asks has no use for the milliseconds of a second start. */
static void settle_threads(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("PENSTOCK_STARTED") != NULL) {
        return;
    }
    (void)setenv("OMP_WAIT_POLICY", "passive", 0);
    (void)setenv("OPENBLAS_NUM_THREADS", "1", 0);
    (void)setenv("PENSTOCK_STARTED", "1", 1);
    (void)execv("/proc/self/exe", argv); /* without /proc it goes on as it is, only slower */
}

/* Not what was just said: a file may be read more than once. */
static void print_warning(void *user, enum pen_log_level level, const char *text)
{
    static char last[1024];
    (void)user;
    if (strncmp(last, text, sizeof last - 1) == 0) {
        return;
    }
    (void)snprintf(last, sizeof last, "%s", text);
    (void)fprintf(stderr, "%s: %s\n", level == PEN_LOG_ERROR ? "error" : "warning", text);
}

static int usage(FILE *out)
{
    (void)fputs("penstock: from a CSV file to a validated, trained, evaluated and pushed model\n\n"
                "usage: penstock VERB [ARGUMENTS] [OPTIONS]      penstock VERB --help\n\n",
                out);
    for (int i = 0; pen_verbs[i] != NULL; i++) {
        (void)fprintf(out, "  %-10s %s\n", pen_verbs[i]->name, pen_verbs[i]->summary);
    }
    (void)fputs("\nTry:  penstock train trips.csv --label tips\n", out);
    return out == stdout ? 0 : 2;
}

static void verb_help(const struct pen_verb *verb, const struct pen_cli *cli)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "%s\n\n", verb->summary);
    if (verb->examples != NULL) {
        pen_text_printf(&text, "%s\n", verb->examples);
    }
    pen_text_printf(&text, "usage: penstock %s%s%s [OPTIONS]\n\n", verb->name, verb->arguments[0] == '\0' ? "" : " ",
                    verb->arguments);
    pen_args_help(verb->args, &text);
    if (verb->add_help != NULL) {
        verb->add_help(cli, &text);
    }
    (void)fputs(pen_text_view(&text), stdout);
    pen_text_deinit(&text);
}

static const struct pen_verb *find_verb(const char *name)
{
    for (int i = 0; pen_verbs[i] != NULL; i++) {
        if (strcmp(pen_verbs[i]->name, name) == 0) {
            return pen_verbs[i];
        }
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *known[64];
    int64_t n = 0;
    for (; pen_verbs[n] != NULL && n < 64; n++) {
        known[n] = pen_verbs[n]->name;
    }
    const char *near = pen_nearest_name(name, known, n);
    (void)fprintf(stderr, "penstock: there is no verb '%.80s'%s%s%s; penstock --help lists them\n", name,
                  near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
    return 2;
}

/* Whoever read standard output (head, less) has seen enough and left: nothing that needs saying. */
static bool reader_has_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

static pen_status run_verb(const struct pen_verb *verb, struct pen_cli *cli, int argc, char *const *argv,
                           struct pen_error *err)
{
    void *values = pen_arena_alloc(&cli->arena, 1, verb->values_bytes == 0 ? 1 : verb->values_bytes);
    if (values == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: reading the command line");
    }
    cli->values = values;
    PEN_TRY(pen_args_parse(&cli->arena, argc, argv, verb->args, &cli->args, values, err));
    if (cli->args.help) {
        verb_help(verb, cli);
        return PEN_OK;
    }
    int64_t n = cli->args.positionals.n_items;
    if (n < verb->n_positionals_min || n > verb->n_positionals_max) {
        PEN_FAIL(err, PEN_ERR_USAGE, "expected: penstock %s%s%s; found %lld argument%s (penstock %s --help)",
                 verb->name, verb->arguments[0] == '\0' ? "" : " ", verb->arguments, (long long)n, n == 1 ? "" : "s",
                 verb->name);
    }
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool plain =
        cli->args.no_color || (no_color != NULL && no_color[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0);
    cli->color = !plain && isatty(STDOUT_FILENO) != 0;
    cli->live = isatty(STDERR_FILENO) != 0 && !(term != NULL && strcmp(term, "dumb") == 0);
    return verb->run(cli, err);
}

int main(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    const struct pen_verb *verb = find_verb(name);
    if (verb != NULL && verb->computes) {
        settle_threads(argv);
    }
    handle_signals();
    pen_cuda_name_module(getenv("PENSTOCK_CUDA_MODULE"));
    struct pen_log_sink sink = {.level = PEN_LOG_WARNING, .record = print_warning};
    pen_log_install(&sink);
    if (argc < 2) {
        return usage(stderr);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return usage(stdout);
    }
    if (verb == NULL) {
        return unknown_verb(argv[1]);
    }
    struct pen_cli cli = {0};
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = run_verb(verb, &cli, argc - 2, argv + 2, &err);
    int exit_code = status == PEN_OK ? cli.exit_code : pen_status_exit_code(status);
    if (status == PEN_ERR_CANCELLED && last_signal != 0) {
        exit_code = 128 + last_signal;
    }
    if (status != PEN_OK && !(status == PEN_ERR_IO && reader_has_left())) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "penstock: %s\n", err.message);
    }
    pen_arena_deinit(&cli.arena);
    return exit_code;
}
