/* What is around every page. */
#include "orchestrator/report/html.h"
#include "orchestrator/ui/ui_internal.h"

#include <string.h>

static void crumb(struct pen_ui_call *call, const char *run)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<nav class=\"trail\" aria-label=\"trail\"><a href=\"/\">penstock</a>");
    if (call->pipeline != NULL) {
        pen_text_append(out, " <span aria-hidden=\"true\">/</span> <a href=\"/p/");
        pen_html_text(out, call->pipeline->id);
        pen_text_append(out, "\">");
        pen_html_text(out, call->pipeline->name);
        pen_text_append(out, "</a>");
    }
    if (call->pipeline != NULL && run != NULL) {
        pen_text_append(out, " <span aria-hidden=\"true\">/</span> ");
        pen_ui_link(call, "run", run);
    }
    pen_text_append(out, "</nav>\n");
}

void pen_ui_begin(struct pen_ui_call *call, const char *title, const char *run)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                         "content=\"width=device-width,initial-scale=1\">\n<title>");
    pen_html_text(out, title);
    pen_text_append(out, " - penstock</title>\n<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" "
                         "href=\"/ui.css\"><script src=\"/ui.js\" defer></script></head><body>\n"
                         "<a class=\"skip\" href=\"#main\">to the content</a>\n<header>");
    crumb(call, run);
    pen_text_append(out, "<h1>");
    pen_html_text(out, title);
    pen_text_append(out, "</h1></header>\n<main id=\"main\">\n");
}

void pen_ui_end(struct pen_ui_call *call)
{
    pen_text_append(call->out, "</main></body></html>\n");
}

void pen_ui_button(struct pen_ui_call *call, const char *action, const char *label)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<form method=\"post\" action=\"/p/");
    pen_html_text(out, call->pipeline->id);
    pen_text_printf(out, "/%s\"><input type=\"hidden\" name=\"form\" value=\"%s\"><button id=\"%s-", action,
                    call->ui->guard.form, action);
    pen_html_text(out, call->pipeline->id);
    pen_text_printf(out, "\">%s<span class=\"unseen\"> ", label);
    pen_html_text(out, call->pipeline->name);
    pen_text_append(out, "</span></button></form>\n");
}

void pen_ui_link(struct pen_ui_call *call, const char *kind, const char *name)
{
    struct pen_text *out = call->out;
    pen_text_append(out, "<a href=\"/p/");
    pen_html_text(out, call->pipeline->id);
    pen_text_printf(out, "/%s/", kind);
    pen_html_text(out, name);
    pen_text_append(out, "\">");
    pen_html_text(out, name);
    pen_text_append(out, "</a>");
}

void pen_ui_status(struct pen_ui_call *call, const char *status)
{
    pen_text_printf(call->out, "<span class=\"%s\">", pen_html_tone(status));
    pen_html_text(call->out, status);
    pen_text_append(call->out, "</span>");
}

const char *const pen_ui_style =
    ".trail{font-size:.9rem}.trail a{margin:0}h1{overflow-wrap:anywhere}\n"
    "form{display:inline-block;margin:0 .5rem .5rem 0}\n"
    "button,select{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--soft);"
    "border-radius:4px;padding:.3rem .8rem;max-width:100%}button{cursor:pointer}button:hover{border-color:var(--one)}\n"
    "button:focus-visible,select:focus-visible,pre:focus-visible,svg a:focus-visible{outline:3px solid var(--one);"
    "outline-offset:2px}svg a:hover .box,svg a:focus .box{stroke:var(--one)}\n"
    ".unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
    ".card{border:1px solid var(--line);border-radius:6px;padding:.25rem 1rem 1rem;margin:1rem 0}"
    ".card h2{border:0;margin:.75rem 0 .25rem}\n"
    ".note{border-left:4px solid var(--good);background:var(--panel);padding:.5rem .75rem;overflow-wrap:anywhere}"
    ".note.bad{border-color:var(--bad);color:var(--ink)}\n"
    ".live progress{width:12rem;max-width:100%;vertical-align:middle;accent-color:var(--one)}\n"
    ".tabs a{padding:.15rem 0;text-decoration:none;border-bottom:2px solid transparent}.tabs a:hover{"
    "text-decoration:underline}.tabs a[aria-current]{border-color:var(--one);color:var(--ink)}\n"
    ".grid th,.grid td{border:0;padding:1px 2px}.grid tbody th{padding-right:.7rem;font-weight:400}"
    ".grid thead th{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400;font-size:.8rem;"
    "white-space:nowrap}.grid tr:hover td,.grid tr:hover th{background:var(--panel)}\n"
    ".state{display:inline-block;width:1rem;height:1rem;border-radius:3px;background:currentColor;border:2px solid "
    "currentColor;vertical-align:-.15rem;position:relative}.state.hollow{background:none}.state.none{visibility:hidden}"
    ".state.bad{border-radius:50%}\n"
    "#log{max-height:70vh;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "@media(max-width:40rem){.card{padding:.25rem .6rem .75rem}}\n";
