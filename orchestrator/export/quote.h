/* Texts in other languages' quotes. Each appends to out. */
#ifndef PEN_ORCHESTRATOR_EXPORT_QUOTE_H
#define PEN_ORCHESTRATOR_EXPORT_QUOTE_H

#include "core/text.h"

/* One word of a POSIX shell; in '...' unless it needs none. */
void pen_quote_shell(const char *text, struct pen_text *out);
/* A string literal of Python 3, on one line; bytes that are no UTF-8 as Python's file names have them. */
void pen_quote_python(const char *text, struct pen_text *out);
void pen_quote_python_list(const char *const *texts, int64_t n, struct pen_text *out);
/* Text that comes out of Jinja as it went in. */
void pen_quote_jinja(const char *text, struct pen_text *out);
/* The text with every `mark` changed to `to`. */
void pen_quote_replace(const char *text, const char *mark, const char *to, struct pen_text *out);

#endif
