/* Spans and versions in file names.
 *
 * A pattern with placeholders becomes twice another thing: a shell pattern that finds candidates, and a regular
 * expression that reads the numbers back out of their names. */
#include "components/example_gen/inputs.h"

#include "core/text.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part { PART_SPAN, PART_VERSION, PART_YEAR, PART_MONTH, PART_DAY, N_PARTS };

static const struct {
    const char *name;
    int digits; /* 0: any, or the width given */
} parts[N_PARTS] = {{"SPAN", 0}, {"VERSION", 0}, {"YYYY", 4}, {"MM", 2}, {"DD", 2}};

struct spelled {
    struct pen_text glob, regex;
    int group[N_PARTS]; /* of the regular expression; 0: absent */
    int n_groups;
};

/* Length of the placeholder at text, or 0; *part and *width (0: any) tell which. */
static size_t placeholder(const char *text, enum part *part, int *width)
{
    for (int i = 0; text[0] == '{' && i < N_PARTS; i++) {
        size_t size = strlen(parts[i].name);
        if (strncmp(text + 1, parts[i].name, size) != 0) {
            continue;
        }
        const char *rest = text + 1 + size;
        *width = parts[i].digits;
        if (*rest == ':' && parts[i].digits == 0 && rest[1] >= '1' && rest[1] <= '9') {
            char *end = NULL;
            long digits = strtol(rest + 1, &end, 10);
            *width = digits <= 18 ? (int)digits : 18;
            rest = end;
        }
        if (*rest == '}') {
            *part = (enum part)i;
            return (size_t)(rest + 1 - text);
        }
    }
    return 0;
}

bool pen_span_has_placeholder(const char *pattern)
{
    enum part part;
    int width = 0;
    for (; *pattern != '\0'; pattern++) {
        if (placeholder(pattern, &part, &width) > 0) {
            return true;
        }
    }
    return false;
}

static void spell_placeholder(struct spelled *spelled, enum part part, int width)
{
    spelled->n_groups++;
    if (spelled->group[part] == 0) {
        spelled->group[part] = spelled->n_groups;
    }
    if (width == 0) {
        pen_text_append(&spelled->glob, "[0-9]*");
        pen_text_append(&spelled->regex, "([0-9]{1,18})");
        return;
    }
    for (int i = 0; i < width; i++) {
        pen_text_append(&spelled->glob, "[0-9]");
    }
    pen_text_printf(&spelled->regex, "([0-9]{%d})", width);
}

/* Bracket expressions pass through: they mean the same in both. */
static void spell_character(struct spelled *spelled, char c)
{
    pen_text_append_char(&spelled->glob, c);
    if (c == '*') {
        pen_text_append(&spelled->regex, "[^/]*");
    } else if (c == '?') {
        pen_text_append(&spelled->regex, "[^/]");
    } else if (strchr(".{}()\\+^$|", c) != NULL) {
        pen_text_printf(&spelled->regex, "\\%c", c);
    } else {
        pen_text_append_char(&spelled->regex, c);
    }
}

static pen_status spell(const struct pen_config_node *node, const char *pattern, struct spelled *spelled,
                        struct pen_error *err)
{
    pen_text_append_char(&spelled->regex, '^');
    for (const char *c = pattern; *c != '\0';) {
        enum part part = PART_SPAN;
        int width = 0;
        size_t size = placeholder(c, &part, &width);
        if (size > 0) {
            spell_placeholder(spelled, part, width);
        } else {
            spell_character(spelled, *c);
        }
        c += size > 0 ? size : 1;
    }
    pen_text_append_char(&spelled->regex, '$');
    PEN_TRY(pen_text_check(&spelled->glob, err));
    PEN_TRY(pen_text_check(&spelled->regex, err));
    bool span = spelled->group[PART_SPAN] > 0, version = spelled->group[PART_VERSION] > 0;
    int n_dates = (spelled->group[PART_YEAR] > 0) + (spelled->group[PART_MONTH] > 0) + (spelled->group[PART_DAY] > 0);
    if ((n_dates != 0 && n_dates != 3) || (span && n_dates > 0)) {
        return pen_config_error(
            node, err, "option csv: expected {SPAN}, or {YYYY}, {MM} and {DD} together, found '%.200s'", pattern);
    }
    if (version && !span && n_dates == 0) {
        return pen_config_error(node, err, "option csv: {VERSION} needs {SPAN} or a date, found '%.200s'", pattern);
    }
    if (spelled->n_groups > 8) {
        return pen_config_error(node, err, "option csv: expected at most 8 placeholders, found '%.200s'", pattern);
    }
    return PEN_OK;
}

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    /* Days of the proleptic Gregorian calendar, years beginning in March. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t shifted = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

/* Of the match alone: digits of the next placeholder may follow it at once. At most 18 digits. */
static int64_t number_in(const char *path, const regmatch_t *match)
{
    int64_t number = 0;
    for (regoff_t i = match->rm_so; i < match->rm_eo; i++) {
        number = 10 * number + (path[i] - '0');
    }
    return number;
}

/* False when the name does not match or holds no date of the calendar. */
static bool read_name(const struct spelled *spelled, const regex_t *regex, const char *path, struct pen_span *found)
{
    regmatch_t matches[9];
    if (regexec(regex, path, 9, matches, 0) != 0) {
        return false;
    }
    *found = (struct pen_span){-1, -1};
    if (spelled->group[PART_VERSION] > 0) {
        found->version = number_in(path, &matches[spelled->group[PART_VERSION]]);
    }
    if (spelled->group[PART_SPAN] > 0) {
        found->span = number_in(path, &matches[spelled->group[PART_SPAN]]);
    }
    if (spelled->group[PART_YEAR] > 0) {
        int64_t year = number_in(path, &matches[spelled->group[PART_YEAR]]);
        int64_t month = number_in(path, &matches[spelled->group[PART_MONTH]]);
        int64_t day = number_in(path, &matches[spelled->group[PART_DAY]]);
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) {
            return false;
        }
        found->span = days_since_1970(year, month, day);
        int64_t next = month == 12 ? days_since_1970(year + 1, 1, 1) : days_since_1970(year, month + 1, 1);
        return found->span < next;
    }
    return true;
}

static bool is_newer(const struct pen_span *a, const struct pen_span *b)
{
    return a->span != b->span ? a->span > b->span : a->version > b->version;
}

static pen_status no_files(const struct pen_config_node *node, const struct pen_span *wanted, const char *pattern,
                           struct pen_error *err)
{
    char which[80] = "that match";
    if (wanted->span >= 0 && wanted->version >= 0) {
        (void)snprintf(which, sizeof which, "of span %lld, version %lld for", (long long)wanted->span,
                       (long long)wanted->version);
    } else if (wanted->span >= 0) {
        (void)snprintf(which, sizeof which, "of span %lld for", (long long)wanted->span);
    }
    (void)pen_config_error(node, err, "option csv: expected files %s '%.200s', found none", which, pattern);
    if (err != NULL) {
        err->status = PEN_ERR_NOT_FOUND;
    }
    return PEN_ERR_NOT_FOUND;
}

static pen_status choose(struct pen_arena *arena, const struct pen_config_node *node, const char *pattern,
                         const struct spelled *spelled, const struct pen_csv_paths *list, struct pen_span *wanted,
                         const char *const **paths, int64_t *n_paths, struct pen_error *err)
{
    regex_t regex;
    struct pen_span found, best = *wanted;
    const char **kept = pen_arena_alloc(arena, list->n_paths + 1, sizeof *kept);
    if (kept == NULL || regcomp(&regex, pen_text_view(&spelled->regex), REG_EXTENDED) != 0) {
        return pen_config_error(node, err, "option csv: expected a pattern, found '%.200s'", pattern);
    }
    for (int64_t i = 0; i < list->n_paths && wanted->span < 0 && spelled->n_groups > 0; i++) {
        if (read_name(spelled, &regex, list->paths[i], &found) && is_newer(&found, &best)) {
            best = found;
        }
    }
    *n_paths = 0;
    for (int64_t i = 0; i < list->n_paths; i++) {
        bool chosen =
            spelled->n_groups == 0 || (read_name(spelled, &regex, list->paths[i], &found) && found.span == best.span &&
                                       (found.version == best.version || spelled->group[PART_VERSION] == 0));
        if (chosen) {
            kept[*n_paths] = pen_arena_strdup(arena, list->paths[i]);
            *n_paths += kept[*n_paths] != NULL;
        }
    }
    regfree(&regex);
    if (*n_paths == 0) {
        return no_files(node, &best, pattern, err);
    }
    *wanted = best;
    *paths = kept;
    return PEN_OK;
}

pen_status pen_span_find(struct pen_arena *arena, const struct pen_config_node *node, const char *pattern,
                         struct pen_span *wanted, const char *const **paths, int64_t *n_paths, struct pen_error *err)
{
    struct spelled spelled = {0};
    struct pen_csv_paths list = {0};
    pen_status status = spell(node, pattern, &spelled, err);
    if (status == PEN_OK) {
        status = pen_csv_glob(&list, pen_text_view(&spelled.glob), err);
        if (status == PEN_ERR_NOT_FOUND) {
            status = no_files(node, &(struct pen_span){-1, -1}, pattern, err);
        }
    }
    if (status == PEN_OK) {
        status = choose(arena, node, pattern, &spelled, &list, wanted, paths, n_paths, err);
    }
    pen_csv_paths_deinit(&list);
    pen_text_deinit(&spelled.glob);
    pen_text_deinit(&spelled.regex);
    return status;
}
