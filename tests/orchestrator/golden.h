/* What is expected word by word lies in golden/NAME.txt. After a change that is meant, PEN_GOLDEN_WRITE=1 in front of
 * the test program writes the files anew: read the difference. */
#ifndef PEN_TESTS_ORCHESTRATOR_GOLDEN_H
#define PEN_TESTS_ORCHESTRATOR_GOLDEN_H

#include "core/text.h"

void golden_compare(const char *name, const struct pen_text *found);
/* Runs `penstock LINE` for each, in the case's folder; what it said, masked, and its exit code. */
void golden_compare_lines(const char *name, const char *const *lines);

#endif
