/* Drawing a run as it goes. Node facts come from the artifacts' properties, whatever the component put there. */
#include "orchestrator/cli/display.h"

#include "orchestrator/run/live.h"

#include <string.h>
#include <sys/ioctl.h>

enum { LINE_BYTES = 200, FACT_BYTES = 24 };

struct display {
    const struct pen_cli *cli;
    const char *node;   /* that runs now */
    bool line_is_drawn; /* a progress line without newline stands on the terminal */
};

void pen_display_line(FILE *terminal, const char *node, const char *text)
{
    enum { NAME_COLUMNS = 21, FEW_COLUMNS = 80 };
    struct winsize size = {.ws_col = 0};
    (void)ioctl(fileno(terminal), TIOCGWINSZ, &size);
    const int columns = size.ws_col > 2 * NAME_COLUMNS ? size.ws_col : FEW_COLUMNS;
    (void)fprintf(terminal, "\r\x1b[K%-20.20s %.*s", node, columns - NAME_COLUMNS - 1, text);
    (void)fflush(terminal);
}

void pen_display_erase(FILE *terminal)
{
    (void)fputs("\r\x1b[K", terminal);
    (void)fflush(terminal);
}

static void erase_line(struct display *display)
{
    if (display->line_is_drawn) {
        pen_display_erase(stderr);
        display->line_is_drawn = false;
    }
}

static void begins(void *user, const char *run, const char *root, const char *device, const char *reason)
{
    (void)user;
    (void)fprintf(stderr, "device %s (%s)  %s  root %s\n", device, reason, run, root);
}

static void draw(struct display *display, const char *text)
{
    if (display->cli->live) {
        pen_display_line(stderr, display->node, text);
        display->line_is_drawn = true;
    }
}

static void node_starts(void *user, const char *node)
{
    struct display *display = user;
    display->node = node;
    draw(display, "running");
}

static void progress(void *user, const pen_json *progress)
{
    struct pen_text text = {0};
    pen_live_describe(progress, &text);
    draw(user, pen_text_view(&text));
    pen_text_deinit(&text);
}

static void warning(void *user, const char *text)
{
    struct display *display = user;
    erase_line(display);
    (void)fprintf(stderr, "%-20s warning: %s\n", display->node == NULL ? "" : display->node, text);
}

/* Unless it stands there: an evaluation and its blessing say some facts twice. */
static void add_fact(struct pen_text *line, const char *fact)
{
    const char *at = pen_text_view(line);
    const size_t size = strlen(fact);
    while ((at = strstr(at, fact)) != NULL) {
        if (at[size] == '\0' || strncmp(at + size, "  ", 2) == 0) {
            return;
        }
        at += size;
    }
    pen_text_append(line, fact);
}

static void add_number(struct pen_text *line, const char *key, const pen_json *value, int digits)
{
    char fact[2 * LINE_BYTES];
    if (pen_json_is_int(value)) {
        (void)snprintf(fact, sizeof fact, "  %s %lld", key, (long long)pen_json_int_or(value, 0));
    } else {
        (void)snprintf(fact, sizeof fact, "  %s %.*g", key, digits, pen_json_number_or(value, 0));
    }
    add_fact(line, fact);
}

/* "auc 0.91  rows 10036": the scalar properties of all outputs, short ones only. */
static void add_facts(const pen_json *outputs, struct pen_text *line)
{
    const char *port = NULL;
    const pen_json *output = NULL;
    for (int64_t i = 0; pen_json_member(outputs, i, &port, &output); i++) {
        const pen_json *properties = pen_json_get(output, "properties");
        const char *key = NULL;
        const pen_json *value = NULL;
        for (int64_t k = 0; pen_json_member(properties, k, &key, &value); k++) {
            if (pen_json_is_number(value)) {
                add_number(line, key, value, 4);
            } else if (pen_json_is_bool(value)) {
                char fact[2 * LINE_BYTES];
                (void)snprintf(fact, sizeof fact, "  %s%s", pen_json_bool_or(value, false) ? "" : "not ", key);
                add_fact(line, fact);
            } else if (pen_json_is_object(value)) {
                const char *name = NULL;
                const pen_json *inner = NULL;
                for (int64_t m = 0; pen_json_member(value, m, &name, &inner); m++) {
                    if (pen_json_is_number(inner)) {
                        add_number(line, name, inner, 6);
                    }
                }
            }
            if (line->size_bytes > LINE_BYTES) {
                return;
            }
        }
    }
}

static void node_ends(void *user, const pen_json *record)
{
    struct display *display = user;
    struct pen_text line = {0};
    erase_line(display);
    const char *status = pen_json_string_or(pen_json_get(record, "status"), "");
    pen_text_printf(&line, "%-20s %-9s %7.3f s", pen_json_string_or(pen_json_get(record, "node"), ""), status,
                    pen_json_number_or(pen_json_get(record, "seconds"), 0));
    if (strcmp(status, "skipped") == 0) {
        pen_text_printf(&line, "  %s", pen_json_string_or(pen_json_get(record, "message"), ""));
    }
    add_facts(pen_json_get(record, "outputs"), &line);
    (void)fprintf(stderr, "%s\n", pen_text_view(&line));
    pen_text_deinit(&line);
}

/* The evaluator gave its verdict, and it was no. */
static bool is_refused(const pen_json *outcome)
{
    const pen_json *blessed = pen_json_get(outcome, "blessed");
    return pen_json_is_bool(blessed) && !pen_json_bool_or(blessed, true);
}

/* By one of the run's nodes, now or earlier. */
static bool was_made(const pen_json *outcome, const char *output)
{
    const pen_json *nodes = pen_json_get(outcome, "nodes");
    for (int64_t i = 0; i < pen_json_size(nodes); i++) {
        if (pen_json_get(pen_json_get(pen_json_at(nodes, i), "outputs"), output) != NULL) {
            return true;
        }
    }
    return false;
}

static void print_end(const pen_json *outcome)
{
    const char *root = pen_json_string_or(pen_json_get(outcome, "root"), "");
    const char *pushed = pen_json_string_or(pen_json_get(outcome, "pushed"), NULL);
    const char *status = pen_json_string_or(pen_json_get(outcome, "status"), "");
    (void)fprintf(stderr, "\n%s: %s in %.3f s\n", pen_json_string_or(pen_json_get(outcome, "run"), ""), status,
                  pen_json_number_or(pen_json_get(outcome, "seconds"), 0));
    if (pushed != NULL) {
        (void)fprintf(stderr, "pushed model: %s\n", pushed);
    } else if (is_refused(outcome)) {
        (void)fprintf(stderr, "not blessed, so nothing was pushed; penstock show evaluation says why\n");
    }
    if (strcmp(status, "failed") == 0) {
        (void)fprintf(stderr, "logs: %s/runs/%s/\n", root, pen_json_string_or(pen_json_get(outcome, "run"), ""));
        return;
    }
    const char *lead = "next: ";
    const char *const shown[] = {"evaluation", "statistics"};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (was_made(outcome, shown[i])) {
            (void)fprintf(stderr, "%spenstock show %s --root %s\n", lead, shown[i], root);
            lead = "      ";
        }
    }
    if (pushed != NULL) {
        (void)fprintf(stderr, "%spenstock predict %s --csv new.csv\n", lead, pushed);
    }
}

pen_status pen_display_nodes(struct pen_cli *cli, const struct pen_pipeline *pipeline,
                             const struct pen_run_options *options, pen_json **outcome, struct pen_error *err)
{
    struct display display = {.cli = cli};
    const struct pen_run_watch watch = {&display, begins, node_starts, progress, warning, node_ends};
    struct pen_run_options watched = *options;
    watched.watch = &watch;
    pen_status status = pen_run_pipeline(pipeline, &watched, outcome, err);
    erase_line(&display);
    return status;
}

pen_status pen_display_run(struct pen_cli *cli, const struct pen_pipeline *pipeline,
                           const struct pen_run_options *options, struct pen_error *err)
{
    pen_json *outcome = NULL;
    pen_status status = pen_display_nodes(cli, pipeline, options, &outcome, err);
    if (outcome != NULL) {
        print_end(outcome);
        if (is_refused(outcome)) {
            cli->exit_code = pen_status_exit_code(PEN_ERR_NOT_BLESSED);
        }
        pen_status printed = cli->args.json ? pen_cli_print_json(outcome, status == PEN_OK ? err : NULL) : PEN_OK;
        status = status == PEN_OK ? printed : status;
    }
    pen_json_free(outcome);
    return status;
}
