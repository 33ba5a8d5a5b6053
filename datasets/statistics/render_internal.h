/* What the table (render.c) and the page of one feature (render_feature.c) share: pieces of text for a terminal. */
#ifndef PEN_DATASETS_STATISTICS_RENDER_INTERNAL_H
#define PEN_DATASETS_STATISTICS_RENDER_INTERNAL_H

#include "core/text.h"
#include "datasets/statistics/statistics.h"

enum { PEN_RENDER_NUMBER = 10 }; /* columns of a number */

int pen_render_columns(const char *text); /* characters */
/* At most `columns` characters of text, padded to that when `pad`; longer ones end in "~". Control bytes are spaces. */
void pen_render_put(struct pen_text *out, const char *text, int columns, bool pad);
/* Five digits, or a whole number below 1e9, right-aligned after a space; "-" for NaN. */
void pen_render_number(struct pen_text *out, double value);
/* "33.9%", "<0.1%", "-" for nothing: at most six characters. */
const char *pen_render_share(char text[static 16], double part, double whole);
/* A block of 0 to 8 eighths, as part of most. */
const char *pen_render_block(double part, double most);

#endif
