/* Arguments of a call bound to the parameters of its function. */
#include "components/transform/language/calls.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

static size_t name_length(const char *parameter)
{
    return strcspn(parameter, "#~$@?*!=");
}

static int count_parameters(const struct pen_function *f)
{
    int n = 0;
    while (n < PEN_CALL_PARAMETERS && f->parameters[n] != NULL) {
        n++;
    }
    return n;
}

/* "clip(x, low, high)" for messages. */
static const char *usage(struct pen_builder *b, const struct pen_function *f)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "%s(", f->name);
    for (int i = 0; i < count_parameters(f); i++) {
        const char *p = f->parameters[i];
        const char *value = strchr(p, '=');
        pen_text_append(&text, i == 0 ? "" : ", ");
        pen_text_append_bytes(&text, p, name_length(p));
        pen_text_append(&text, p[name_length(p)] == '*' ? "..." : "");
        if (value != NULL) {
            const char *quote = p[name_length(p)] == '$' ? "'" : "";
            pen_text_printf(&text, ": %s%s%s", quote, value + 1, quote);
        } else if (p[name_length(p)] == '!') {
            pen_text_append(&text, ": none");
        }
    }
    pen_text_append(&text, ")");
    const char *copy = pen_arena_strdup(&b->graph->arena, pen_text_view(&text));
    pen_text_deinit(&text);
    return copy == NULL ? f->name : copy;
}

static bool literal_number(const struct pen_syntax *node, double *number, int64_t *integer, bool *whole)
{
    double sign = 1;
    if (node->kind == PEN_SYNTAX_UNARY && node->text[0] == '-') {
        sign = -1;
        node = node->children[0];
    }
    if (node->kind != PEN_SYNTAX_INT && node->kind != PEN_SYNTAX_FLOAT) {
        return false;
    }
    *whole = node->kind == PEN_SYNTAX_INT;
    *integer = (int64_t)sign * node->integer;
    *number = sign * node->number;
    return true;
}

static pen_status bind_list(struct pen_builder *b, const struct pen_function *f, const struct pen_syntax *node,
                            const char *name, struct pen_argument *out)
{
    if (node->kind != PEN_SYNTAX_LIST || node->n_children == 0) {
        return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a list of numbers such as [1, 2]",
                                f->name, name);
    }
    double *list = pen_arena_alloc(&b->graph->arena, node->n_children, sizeof *list);
    if (list == NULL) {
        PEN_FAIL(b->err, PEN_ERR_MEMORY, "out of memory: compiling an expression");
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        int64_t integer = 0;
        bool whole = false;
        if (!literal_number(node->children[i], &list[i], &integer, &whole)) {
            return pen_syntax_error(b->source, node->children[i]->offset, b->err, "%s: expected a number in %s",
                                    f->name, name);
        }
    }
    out->list = list;
    out->n_list = node->n_children;
    return PEN_OK;
}

static pen_status bind_one(struct pen_builder *b, const struct pen_function *f, const char *parameter,
                           const struct pen_syntax *node, struct pen_argument *out)
{
    size_t length = name_length(parameter);
    char kind = parameter[length];
    char name[32];
    memcpy(name, parameter, length);
    name[length] = '\0';
    out->syntax = node;
    bool whole = false;
    switch (kind) {
    case '#':
        if (!literal_number(node, &out->number, &out->integer, &whole) || !whole) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a whole number", f->name,
                                    name);
        }
        return PEN_OK;
    case '~':
        if (!literal_number(node, &out->number, &out->integer, &whole)) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a number", f->name, name);
        }
        return PEN_OK;
    case '$':
        if (node->kind != PEN_SYNTAX_STRING && !(node->kind == PEN_SYNTAX_COLUMN && strcmp(f->name, "cast") == 0)) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as a string in quotes", f->name,
                                    name);
        }
        out->text = node->text;
        return PEN_OK;
    case '?':
        if (node->kind != PEN_SYNTAX_BOOL) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s as true or false", f->name, name);
        }
        out->integer = node->integer;
        return PEN_OK;
    case '@':
        return bind_list(b, f, node, name, out);
    default:
        return pen_builder_compile(b, node, &out->node);
    }
}

static int find_parameter(const struct pen_function *f, const char *name)
{
    for (int i = 0; i < count_parameters(f); i++) {
        size_t length = name_length(f->parameters[i]);
        if (strlen(name) == length && memcmp(name, f->parameters[i], length) == 0) {
            return i;
        }
    }
    return -1;
}

static void take_default(const char *parameter, struct pen_argument *out)
{
    const char *value = strchr(parameter, '=') + 1;
    out->integer = strcmp(value, "true") == 0 ? 1 : strtoll(value, NULL, 10);
    out->number = strtod(value, NULL);
    out->text = value;
}

/* The parameter that an argument fills: by name, or the next one. */
static pen_status choose_parameter(struct pen_builder *b, const struct pen_function *f, const struct pen_syntax *call,
                                   int64_t argument, const bool *filled, int *position, int *parameter)
{
    const struct pen_syntax *node = call->children[argument];
    const char *name = call->options[argument];
    int n = count_parameters(f);
    if (name != NULL) {
        *parameter = find_parameter(f, name);
        if (*parameter < 0) {
            return pen_syntax_error(b->source, node->offset, b->err, "%s has no option '%.40s'; it is %s", f->name,
                                    name, usage(b, f));
        }
        *position = n;
    } else if (*position < n) {
        *parameter = (*position)++;
        if (strchr(f->parameters[*parameter], '*') != NULL) {
            (*position)--;
        }
    } else {
        const char *why =
            argument > 0 && call->options[argument - 1] != NULL ? "no further unnamed arguments" : "fewer arguments";
        return pen_syntax_error(b->source, node->offset, b->err, "%s: expected %s; it is %s", f->name, why,
                                usage(b, f));
    }
    if (filled[*parameter]) {
        return pen_syntax_error(b->source, node->offset, b->err, "%s: %.*s is given twice", f->name,
                                (int)name_length(f->parameters[*parameter]), f->parameters[*parameter]);
    }
    return PEN_OK;
}

pen_status pen_call_bind(struct pen_builder *b, const struct pen_function *f, struct pen_call *bound)
{
    const struct pen_syntax *call = bound->syntax;
    bool filled[PEN_CALL_PARAMETERS] = {false};
    int position = 0, n = count_parameters(f);
    bound->more = pen_arena_alloc(&b->graph->arena, call->n_children + 1, sizeof *bound->more);
    if (bound->more == NULL) {
        PEN_FAIL(b->err, PEN_ERR_MEMORY, "out of memory: compiling an expression");
    }
    for (int64_t i = 0; i < call->n_children; i++) {
        int parameter = 0;
        PEN_TRY(choose_parameter(b, f, call, i, filled, &position, &parameter));
        if (strchr(f->parameters[parameter], '*') != NULL) {
            PEN_TRY(pen_builder_compile(b, call->children[i], &bound->more[bound->n_more++]));
            continue;
        }
        filled[parameter] = true;
        PEN_TRY(bind_one(b, f, f->parameters[parameter], call->children[i], &bound->arguments[parameter]));
    }
    for (int i = 0; i < n; i++) {
        const char *p = f->parameters[i];
        if (!filled[i] && strchr(p, '=') != NULL) {
            take_default(p, &bound->arguments[i]);
        } else if (!filled[i] && strchr(p, '*') == NULL && strchr(p, '!') == NULL) {
            return pen_syntax_error(b->source, call->offset, b->err, "%s: expected %.*s, found none; it is %s", f->name,
                                    (int)name_length(p), p, usage(b, f));
        }
    }
    return PEN_OK;
}

pen_status pen_call_wrong(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted)
{
    const struct pen_syntax *at = call->arguments[argument].syntax;
    return pen_syntax_error(b->source, at == NULL ? call->syntax->offset : at->offset, b->err, "%s: expected %s",
                            call->syntax->text, wanted);
}

pen_status pen_call_wrong_type(struct pen_builder *b, const struct pen_call *call, int argument, const char *wanted)
{
    const struct pen_syntax *at = call->arguments[argument].syntax;
    return pen_syntax_error(b->source, at->offset, b->err, "%s: expected %s, found %s", call->syntax->text, wanted,
                            pen_value_type_name(pen_builder_type(b, call->arguments[argument].node)));
}

pen_status pen_call_number(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out)
{
    return pen_builder_to_float(b, call->arguments[argument].node, call->arguments[argument].syntax, call->syntax->text,
                                out);
}

pen_status pen_call_string(struct pen_builder *b, const struct pen_call *call, int argument, int32_t *out)
{
    const struct pen_argument *a = &call->arguments[argument];
    return pen_builder_to_string(b, a->node, a->syntax, call->syntax->text, out);
}
