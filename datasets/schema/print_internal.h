/* What the printers of schema.yaml share. */
#ifndef PEN_DATASETS_SCHEMA_PRINT_INTERNAL_H
#define PEN_DATASETS_SCHEMA_PRINT_INTERNAL_H

#include "datasets/schema/schema_internal.h"

enum { PEN_SCHEMA_LINE_COLUMNS = 100 };
#define PEN_SCHEMA_SOFT_BREAK '\x01' /* where a list may go on on the next line; a space otherwise */

void pen_schema_print_double(struct pen_text *out, double value);
void pen_schema_print_strings(struct pen_text *out, const struct pen_config_strings *list);
void pen_schema_print_severities(struct pen_text *out, const struct pen_schema_severities *list);

/* ", key: " inside a flow map that began at `start`. */
struct pen_text *pen_schema_member(struct pen_text *out, size_t start, const char *key);

/* Appends `text`, breaking the line at its soft breaks where the next item would pass column 100. */
void pen_schema_append_wrapped(struct pen_text *out, const char *text, size_t size_bytes, int indent);

/* "key: value" on lines of its own. */
void pen_schema_print_wrapped(struct pen_text *out, int indent, const char *key, const struct pen_text *value);

/* "{lower: true, ...}" */
void pen_schema_print_language(const struct pen_schema_language *language, struct pen_text *out);

#endif
