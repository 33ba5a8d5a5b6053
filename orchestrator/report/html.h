/* Pieces of a page. Whatever comes from data (names, values, messages) goes through pen_html_text. */
#ifndef PEN_ORCHESTRATOR_REPORT_HTML_H
#define PEN_ORCHESTRATOR_REPORT_HTML_H

#include "core/json.h"
#include "core/text.h"

/* Text that cannot become markup, in elements and in quoted attributes; bytes that are no UTF-8 become U+FFFD. */
void pen_html_text(struct pen_text *out, const char *text);

/* A number to five significant digits; anything else as a dash. */
void pen_html_number(struct pen_text *out, const pen_json *value);
/* 12345678 as 12 345 678, with thin spaces. */
void pen_html_count(struct pen_text *out, int64_t count);

/* "2026-11-26T01:43:23.138Z" as 2026-11-26 01:43:23, in UTC; anything else as it is. */
void pen_html_time(struct pen_text *out, const char *time);

/* A page up to <body>, whose style is its own and which loads nothing; and its end. */
void pen_html_page(struct pen_text *out, const char *title);
void pen_html_page_end(struct pen_text *out);

/* <section> with a heading and an anchor; sections do not nest. id: [a-z_]. */
void pen_html_section(struct pen_text *out, const char *id, const char *heading);
void pen_html_section_end(struct pen_text *out);

/* The class of a status, which is its colour; the status itself is always written beside it: good, bad, wait or soft.
 */
const char *pen_html_tone(const char *status);

/* Texts of a list, each in a frame; nothing for NULL. */
void pen_html_tags(struct pen_text *out, const pen_json *tags);

/* A row of a table, cell by cell: numbers stand to the right. */
void pen_html_cell(struct pen_text *out, const char *text);
void pen_html_cell_number(struct pen_text *out, const pen_json *value);
void pen_html_cell_count(struct pen_text *out, int64_t count);

/* The style sheet of all pages: light and dark, wide and narrow. style.c */
extern const char *const pen_html_style;

#endif
