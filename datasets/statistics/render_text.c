/* Pieces of text for a terminal (render_internal.h). Widths are counted in characters. */
#include "datasets/statistics/render_internal.h"

#include <math.h>
#include <stdio.h>

int pen_render_columns(const char *text)
{
    int columns = 0;
    for (const char *c = text; *c != '\0'; c++) {
        columns += ((unsigned char)*c & 0xC0) != 0x80;
    }
    return columns;
}

void pen_render_put(struct pen_text *out, const char *text, int columns, bool pad)
{
    int n = 0;
    const char *end = text, *last = text;
    for (; *end != '\0' && n < columns; n++) {
        last = end++;
        while (((unsigned char)*end & 0xC0) == 0x80) {
            end++;
        }
    }
    bool longer = *end != '\0' && columns > 0;
    end = longer ? last : end;
    for (const char *c = text; c < end; c++) {
        pen_text_append_char(out, (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c);
    }
    if (longer) {
        pen_text_append_char(out, '~');
    }
    for (; pad && n < columns; n++) {
        pen_text_append_char(out, ' ');
    }
}

void pen_render_number(struct pen_text *out, double value)
{
    char text[64];
    if (isnan(value)) {
        (void)snprintf(text, sizeof text, "-");
    } else if (value == floor(value) && fabs(value) < 1e9) {
        (void)snprintf(text, sizeof text, "%.0f", value);
    } else {
        (void)snprintf(text, sizeof text, "%.5g", value);
    }
    pen_text_printf(out, " %*s", PEN_RENDER_NUMBER, text);
}

const char *pen_render_share(char text[static 16], double part, double whole)
{
    double percent = whole > 0 ? 100 * part / whole : 0;
    if (!(percent > 0)) {
        (void)snprintf(text, 16, "-");
    } else {
        (void)snprintf(text, 16, percent < 0.05 ? "<0.1%%" : "%.1f%%", percent);
    }
    return text;
}

const char *pen_render_block(double part, double most)
{
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    int level = most > 0 && part > 0 ? (int)ceil(8 * part / most) : 0;
    return blocks[level < 0 ? 0 : level > 8 ? 8 : level];
}
