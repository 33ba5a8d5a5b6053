/* Is a page of HTML whole? */
#ifndef PEN_TESTS_ORCHESTRATOR_MARKUP_H
#define PEN_TESTS_ORCHESTRATOR_MARKUP_H

#include <stdbool.h>

/* Tags are closed in their order, & begins an entity, there are at most n_scripts scripts; *n_tags counts the tags. */
bool markup_is_whole(const char *page, int n_scripts, int *n_tags);

#endif
