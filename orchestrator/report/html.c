/* Escaping, numbers, cells. */
#include "orchestrator/report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pen_html_text(struct pen_text *out, const char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        size_t valid = pen_utf8_valid_prefix(text + at, size - at);
        for (size_t end = at + valid; at < end; at++) {
            switch (text[at]) {
            case '<':
                pen_text_append(out, "&lt;");
                break;
            case '>':
                pen_text_append(out, "&gt;");
                break;
            case '&':
                pen_text_append(out, "&amp;");
                break;
            case '"':
                pen_text_append(out, "&quot;");
                break;
            case '\'':
                pen_text_append(out, "&#39;");
                break;
            default:
                pen_text_append_char(out, text[at]);
            }
        }
        if (at < size) {
            pen_text_append(out, "\xEF\xBF\xBD");
            at++;
        }
    }
}

/* %.5g says 1.2346e+05 from 99999.5 on; a long number with its digits in threes is the more readable one. */
void pen_html_number(struct pen_text *out, const pen_json *value)
{
    const double number = pen_json_number_or(value, 0);
    if (pen_json_is_int(value)) {
        pen_html_count(out, pen_json_int_or(value, 0));
    } else if (pen_json_is_number(value) && fabs(number) >= 99999.5 && fabs(number) < 1e15) {
        pen_html_count(out, llround(number));
    } else if (pen_json_is_number(value)) {
        pen_text_printf(out, "%.5g", number);
    } else {
        pen_text_append(out, "\xE2\x80\x93");
    }
}

void pen_html_count(struct pen_text *out, int64_t count)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)count);
    int first = digits[0] == '-';
    for (int i = 0; i < n; i++) {
        if (i > first && (n - i) % 3 == 0) {
            pen_text_append(out, "&#8239;");
        }
        pen_text_append_char(out, digits[i]);
    }
}

void pen_html_page(struct pen_text *out, const char *title)
{
    pen_text_append(out,
                    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                    "content=\"width=device-width,initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" "
                    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<title>");
    pen_html_text(out, title);
    pen_text_append(out, "</title>\n<style>");
    pen_text_append(out, pen_html_style);
    pen_text_append(out, "</style></head><body>\n");
}

void pen_html_page_end(struct pen_text *out)
{
    pen_text_append(out, "</body></html>\n");
}

void pen_html_section(struct pen_text *out, const char *id, const char *heading)
{
    pen_text_printf(out, "<section id=\"%s\" aria-labelledby=\"%s-heading\">\n<h2 id=\"%s-heading\">", id, id, id);
    pen_html_text(out, heading);
    pen_text_append(out, "</h2>\n");
}

void pen_html_section_end(struct pen_text *out)
{
    pen_text_append(out, "</section>\n");
}

void pen_html_time(struct pen_text *out, const char *time)
{
    if (strlen(time) < 20 || time[10] != 'T') {
        pen_html_text(out, time);
        return;
    }
    pen_text_append(out, "<time datetime=\"");
    pen_html_text(out, time);
    pen_text_append(out, "\">");
    for (int i = 0; i < 19; i++) {
        char letter[2] = {i == 10 ? ' ' : time[i], '\0'};
        pen_html_text(out, letter);
    }
    pen_text_append(out, "</time>");
}

const char *pen_html_tone(const char *status)
{
    return strcmp(status, "succeeded") == 0 || strcmp(status, "cached") == 0 ? "good"
           : strcmp(status, "failed") == 0                                   ? "bad"
           : strcmp(status, "running") == 0                                  ? "wait"
                                                                             : "soft";
}

void pen_html_tags(struct pen_text *out, const pen_json *tags)
{
    for (int64_t i = 0; i < pen_json_size(tags); i++) {
        pen_text_append(out, " <span class=\"tag\">");
        pen_html_text(out, pen_json_string_or(pen_json_at(tags, i), ""));
        pen_text_append(out, "</span>");
    }
}

void pen_html_cell(struct pen_text *out, const char *text)
{
    pen_text_append(out, "<td>");
    pen_html_text(out, text);
    pen_text_append(out, "</td>");
}

void pen_html_cell_number(struct pen_text *out, const pen_json *value)
{
    pen_text_append(out, "<td class=\"number\">");
    pen_html_number(out, value);
    pen_text_append(out, "</td>");
}

void pen_html_cell_count(struct pen_text *out, int64_t count)
{
    pen_text_append(out, "<td class=\"number\">");
    pen_html_count(out, count);
    pen_text_append(out, "</td>");
}
