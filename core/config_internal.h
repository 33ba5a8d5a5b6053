/* Between the files of configuration reading. */
#ifndef PEN_CORE_CONFIG_INTERNAL_H
#define PEN_CORE_CONFIG_INTERNAL_H

#include "core/text.h"

/* Copies YAML text, putting quotes around plain block values that are calls or start with a backquote, which YAML
 * alone would not read: `company: vocab(company, top_k: 1000)`. A quoted value keeps its line and column. lines[i] is
 * true when line i + 1 got quotes; n_lines entries. */
void pen_config_quote_calls(const char *text, size_t size_bytes, bool *lines, int64_t n_lines, struct pen_text *out);

#endif
