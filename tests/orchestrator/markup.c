/* Reads tags as a browser would, and stricter. */
#include "tests/orchestrator/markup.h"

#include <string.h>

enum { DEPTH = 64, NAME = 24 };

static bool is_void(const char *name)
{
    return strcmp(name, "br") == 0 || strcmp(name, "input") == 0 || strcmp(name, "link") == 0 ||
           strcmp(name, "meta") == 0 || strcmp(name, "!doctype") == 0;
}

/* One tag at `at` (behind its '<'): its name, and where it ends; attributes are name="value" or bare. NULL: not a tag
 * that a browser reads as it is meant. */
static const char *read_tag(const char *at, char name[NAME], bool *closes, bool *empty)
{
    int n = 0;
    *closes = *at == '/';
    for (at += *closes; n < NAME - 1 && (*at == '!' || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9'));
         at++) {
        name[n++] = *at;
    }
    name[n] = '\0';
    for (bool quoted = false; *at != '\0' && (quoted || *at != '>'); at++) {
        if (!quoted && (*at == '<' || *at == '\'')) {
            return NULL;
        }
        quoted = *at == '"' ? !quoted : quoted;
    }
    *empty = at[-1] == '/';
    return n > 0 && *at == '>' ? at + 1 : NULL;
}

bool markup_is_whole(const char *page, int n_scripts, int *n_tags)
{
    char open[DEPTH][NAME];
    int depth = 0;
    *n_tags = 0;
    while (*page != '\0') {
        char name[NAME];
        bool closes = false, empty = false;
        if (*page == '&' && page[1 + strspn(page + 1, "#abcdefghijklmnopqrstuvwxyz0123456789")] != ';') {
            return false;
        }
        if (*page++ != '<') {
            continue;
        }
        page = read_tag(page, name, &closes, &empty);
        ++*n_tags;
        n_scripts -= strcmp(name, "script") == 0 && !closes;
        if (page == NULL || n_scripts < 0) {
            return false;
        }
        if (closes) {
            if (depth == 0 || strcmp(open[--depth], name) != 0) {
                return false;
            }
        } else if (!empty && !is_void(name)) {
            if (depth == DEPTH) {
                return false;
            }
            memcpy(open[depth++], name, NAME);
        }
    }
    return depth == 0;
}
