/* YAML files and option tables: what is read, and the exact words of every refusal. */
#include "core/config.h"
#include "tests/pen_test.h"

struct sample_options {
    bool flag;
    int64_t steps;
    double rate;
    const char *name;
    int mode;
    struct pen_config_ints hidden;
    struct pen_config_strings metrics;
    const struct pen_config_node *features;
};

static const char *const modes[] = {"stop", "warn", NULL};

static const struct pen_option table[] = {
    {"flag", PEN_OPTION_BOOL, offsetof(struct sample_options, flag), "true", 0, 0, NULL, ""},
    {"steps", PEN_OPTION_INT, offsetof(struct sample_options, steps), "100", 1, 1e9, NULL, ""},
    {"rate", PEN_OPTION_DOUBLE, offsetof(struct sample_options, rate), "0.1", 0, 1, NULL, ""},
    {"name", PEN_OPTION_STRING, offsetof(struct sample_options, name), NULL, 0, 0, NULL, ""},
    {"mode", PEN_OPTION_ENUM, offsetof(struct sample_options, mode), "warn", 0, 0, modes, ""},
    {"hidden", PEN_OPTION_INTS, offsetof(struct sample_options, hidden), "[128, 64]", 1, 65536, NULL, ""},
    {"metrics", PEN_OPTION_STRINGS, offsetof(struct sample_options, metrics), NULL, 0, 0, NULL, ""},
    {"features", PEN_OPTION_NODE, offsetof(struct sample_options, features), NULL, 0, 0, NULL, ""},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static pen_status read_options(struct pen_arena *arena, const char *text, struct sample_options *options,
                               struct pen_error *err)
{
    struct pen_config_node *root = NULL;
    PEN_TRY(pen_config_parse(arena, text, strlen(text), "p.yaml", &root, err));
    return pen_config_options(arena, options, sizeof *options, table, root, "trainer", err);
}

static void defaults_and_values_fill_the_struct(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct sample_options o;
    PEN_REQUIRE_OK(read_options(&arena, "", &o, &err), &err);
    PEN_CHECK(o.flag && o.steps == 100 && o.name == NULL && o.mode == 1 && o.features == NULL);
    PEN_CHECK(o.hidden.n_items == 2 && o.hidden.items[0] == 128 && o.hidden.items[1] == 64);
    PEN_REQUIRE_OK(
        read_options(&arena, "steps: 7\nname: x\nmode: stop\nhidden: 32\nmetrics: [auc, logloss]\nfeatures:\n  a: b\n",
                     &o, &err),
        &err);
    PEN_CHECK(o.steps == 7 && o.mode == 0 && o.hidden.n_items == 1 && o.hidden.items[0] == 32);
    PEN_CHECK(o.metrics.n_items == 2 && strcmp(o.metrics.items[1], "logloss") == 0);
    PEN_CHECK(o.features != NULL && o.features->line == 7);
    pen_arena_deinit(&arena);
}

static void every_wrong_file_is_refused_in_these_words(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"step: 7", "p.yaml:1:1: trainer has no option 'step'; did you mean 'steps'?"},
        {"flag: true\nbanana: 7",
         "p.yaml:2:1: trainer has no option 'banana'; it has flag, steps, rate, name, mode, hidden, metrics, features"},
        {"steps: many", "p.yaml:1:8: option steps: expected an integer, found 'many'"},
        {"steps: \"7\"", "p.yaml:1:8: option steps: expected an integer, found '7'"},
        {"steps: 0", "p.yaml:1:8: option steps: expected 1 to 1000000000, found 0"},
        {"rate: 1.5", "p.yaml:1:7: option rate: expected 0 to 1, found 1.5"},
        {"rate: nan", "p.yaml:1:7: option rate: expected 0 to 1, found nan"},
        {"rate: [1]", "p.yaml:1:7: option rate: expected a number, found a list"},
        {"flag: yes", "p.yaml:1:7: option flag: expected true or false, found 'yes'"},
        {"mode: war", "p.yaml:1:7: option mode: expected one of stop, warn; found 'war'; did you mean 'warn'?"},
        {"hidden: [8, x]", "p.yaml:1:13: option hidden: expected an integer, found 'x'"},
        {"name: {a: b}", "p.yaml:1:7: option name: expected a text, found a map"},
        {"- a\n- b", "p.yaml:1:1: trainer: expected a map of options"},
        {"steps: 1\nsteps: 2", "p.yaml:2:1: key 'steps' stands here again; first on line 1"},
        {"name: &x y", "p.yaml:1:7: expected no anchors, aliases or tags: write the value out"},
        {"name: *x", "p.yaml:1:7: expected no anchors, aliases or tags: write the value out"},
        {"name: !!str y", "p.yaml:1:7: expected no anchors, aliases or tags: write the value out"},
        {"a: 1\n---\nb: 2", "p.yaml:2:1: expected one document, found a second"},
        {"<<: {a: 1}", "p.yaml:1:1: expected no merge key (<<): write the members out"},
        {"name: b\n\xc3\xa9: \x01",
         "p.yaml:2:4: expected UTF-8 text without control characters: control characters are "
         "not allowed"},
        {"name: \xc3\xa9\xff",
         "p.yaml:1:8: expected UTF-8 text without control characters: invalid leading UTF-8 octet"},
        {"name: [a", "p.yaml:2:1: not valid YAML: did not find expected ',' or ']'"},
        {"\tname: a", "p.yaml:1:1: not valid YAML: found character that cannot start any token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_arena arena = {0};
        struct pen_error err = PEN_ERROR_INIT;
        struct sample_options o;
        PEN_CHECK_STATUS(read_options(&arena, cases[i].text, &o, &err), PEN_ERR_CONFIG);
        PEN_CHECK_EQ_STR(err.message, cases[i].message);
        pen_arena_deinit(&arena);
    }
}

static void deep_or_large_files_are_refused(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *root = NULL;
    char deep[101];
    memset(deep, '[', 100);
    deep[100] = '\0';
    PEN_CHECK_STATUS(pen_config_parse(&arena, deep, 100, "d", &root, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "32 deep");
    static char large[PEN_CONFIG_LIMIT_BYTES + 2];
    memset(large, ' ', sizeof large - 1);
    PEN_CHECK_STATUS(pen_config_parse(&arena, large, sizeof large - 1, "l", &root, &err), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "16 MiB");
    pen_arena_deinit(&arena);
}

/* The schema of 10,000 columns is a map of 10,000 keys and more than a megabyte. */
static void a_map_may_have_ten_thousand_keys(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *root = NULL;
    struct pen_text text = {0};
    for (int i = 0; i < 10000; i++) {
        pen_text_printf(
            &text, "column_%d: {type: int, presence: {min_fraction: 1.0, min_count: 1}, domain: bool, shape: [1]}\n",
            i);
    }
    PEN_REQUIRE_OK(pen_config_parse(&arena, pen_text_view(&text), text.size_bytes, "s.yaml", &root, &err), &err);
    PEN_CHECK_EQ_I64(root->n_children, 10000);
    pen_text_append(&text, "new: 1\ncolumn_7: 1\ncolumn_5: 1\n");
    PEN_CHECK_STATUS(pen_config_parse(&arena, pen_text_view(&text), text.size_bytes, "s.yaml", &root, &err),
                     PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(err.message, "s.yaml:10002:1: key 'column_7' stands here again; first on line 8");
    pen_text_deinit(&text);
    pen_arena_deinit(&arena);
}

static void set_reaches_into_maps_and_makes_them(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *root = NULL;
    const char *text = "trainer:\n  steps: 5\nroot: out\n";
    PEN_REQUIRE_OK(pen_config_parse(&arena, text, strlen(text), "p.yaml", &root, &err), &err);
    PEN_CHECK_OK(pen_config_set(&arena, root, "trainer.steps", "500", &err), &err);
    PEN_CHECK_OK(pen_config_set(&arena, root, "evaluator.metrics", "[auc]", &err), &err);
    PEN_CHECK_EQ_STR(pen_config_get(pen_config_get(root, "trainer"), "steps")->scalar, "500");
    PEN_CHECK_EQ_I64(pen_config_get(pen_config_get(root, "evaluator"), "metrics")->n_children, 1);
    PEN_CHECK_OK(pen_config_set(&arena, root, "f.c", "vocab(c, top_k: 10)", &err), &err);
    PEN_CHECK_EQ_STR(pen_config_get(pen_config_get(root, "f"), "c")->scalar, "vocab(c, top_k: 10)");
    PEN_CHECK_STATUS(pen_config_set(&arena, root, "a", "1\nb: 2", &err), PEN_ERR_USAGE);
    PEN_CHECK_STATUS(pen_config_set(&arena, root, "root.x", "1", &err), PEN_ERR_CONFIG);
    PEN_CHECK_STATUS(pen_config_set(&arena, root, "a..b", "1", &err), PEN_ERR_USAGE);
    pen_arena_deinit(&arena);
}

static void calls_need_no_quotes(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *root = NULL;
    const char *text = "features:\n"
                       "  company:  vocab(company, top_k: 10, oov: 1) # the trade name\n"
                       "  age: `age in years` > 3\n"
                       "  s: if(x == 'a # b', fill(y, 'm: n'), 0)\n"
                       "  flow: {a: f(x), b: [f(y), 2]}\n"
                       "  lines: [1,\n    {k: f(a)},\n    3]\n"
                       "  text: |\n    k: f(a, b: c)\n"
                       "  after: f(a, b: c)\n"
                       "  quoted: \"f(a, b: c)\"\n"
                       "  crlf: f(a, b: c)\r\n";
    PEN_REQUIRE_OK(pen_config_parse(&arena, text, strlen(text), "p.yaml", &root, &err), &err);
    const struct pen_config_node *map = pen_config_get(root, "features");
    const struct pen_config_node *company = pen_config_get(map, "company");
    PEN_CHECK_EQ_STR(company->scalar, "vocab(company, top_k: 10, oov: 1)");
    PEN_CHECK(!company->quoted && company->line == 2 && company->column == 13);
    PEN_CHECK_EQ_STR(pen_config_get(map, "age")->scalar, "`age in years` > 3");
    PEN_CHECK_EQ_STR(pen_config_get(map, "s")->scalar, "if(x == 'a # b', fill(y, 'm: n'), 0)");
    PEN_CHECK_EQ_STR(pen_config_get(pen_config_get(map, "flow"), "a")->scalar, "f(x)");
    PEN_CHECK_EQ_I64(pen_config_get(map, "lines")->n_children, 3);
    PEN_CHECK_EQ_STR(pen_config_get(map, "text")->scalar, "k: f(a, b: c)\n");
    PEN_CHECK_EQ_STR(pen_config_get(map, "after")->scalar, "f(a, b: c)");
    PEN_CHECK(pen_config_get(map, "quoted")->quoted);
    PEN_CHECK_EQ_STR(pen_config_get(map, "crlf")->scalar, "f(a, b: c)");
    pen_arena_deinit(&arena);
}

static void marked_json_keeps_places(void)
{
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *root = NULL;
    struct pen_config_node *back = NULL;
    const char *text = "a: 1\nb:\n  - x\n  - \"2\"\n";
    PEN_REQUIRE_OK(pen_config_parse(&arena, text, strlen(text), "p.yaml", &root, &err), &err);
    pen_json *marked = pen_config_to_json_marked(root);
    PEN_CHECK_OK(pen_config_from_json_marked(&arena, marked, &back, &err), &err);
    const struct pen_config_node *item = pen_config_get(back, "b")->children[1];
    PEN_CHECK(item->line == 4 && item->quoted && strcmp(item->scalar, "2") == 0);
    PEN_CHECK_EQ_STR(item->file, "p.yaml");
    struct pen_text out = {0};
    pen_json *plain = pen_config_to_json(back);
    PEN_CHECK_OK(pen_json_print(plain, PEN_JSON_COMPACT, &out, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&out), "{\"a\":1,\"b\":[\"x\",\"2\"]}");
    pen_text_deinit(&out);
    pen_json_free(plain);
    pen_json_free(marked);
    pen_arena_deinit(&arena);
}

static void times_have_units(void)
{
    static const struct {
        const char *text;
        double seconds; /* -1: refused */
    } cases[] = {{"90", 90},     {"90s", 90}, {"0.5m", 30}, {"2h", 7200}, {"0", 0},     {"s", -1},  {"-1s", -1},
                 {"5d", 432000}, {"5w", -1},  {"[1]", -1},  {"nan", -1},  {"1e12", -1}, {"1 s", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_arena arena = {0};
        struct pen_config_node *node = NULL;
        double seconds = -1;
        PEN_REQUIRE_OK(pen_config_parse(&arena, cases[i].text, strlen(cases[i].text), "t.yaml", &node, &err), &err);
        pen_status status = pen_config_seconds(node, "every", &seconds, &err);
        if (cases[i].seconds < 0) {
            PEN_CHECK_STATUS(status, PEN_ERR_CONFIG);
            PEN_CHECK_CONTAINS(err.message, "every: expected a time such as 90s, 15m, 2h or 30d");
        } else {
            PEN_CHECK_OK(status, &err);
            PEN_CHECK(seconds == cases[i].seconds);
        }
        pen_arena_deinit(&arena);
    }
}

static void printed_yaml_reads_back(void)
{
    static const char *const texts[] = {"plain",    "",          " ",
                                        "a b",      "true",      "No",
                                        "null",     "~",         "1",
                                        "-1",       "1e3",       "0x1f",
                                        "1:30",     ".inf",      "a: b",
                                        "x # y",    "- x",       "[a]",
                                        "{a}",      "{{ a }}",   "${b}",
                                        "100%",     "it's",      "\"q\"",
                                        "back\\",   "\n",        "a\nb",
                                        "tab\ta",   "\x01",      "\x7f",
                                        "\xc3\xa9", "&a",        "*a",
                                        "!a",       "|",         ">",
                                        "`a`",      "@a",        "vocab(company, top_k: 10)",
                                        "a:",       "trailing ", "2026-11-26",
                                        "=",        "?",         ","};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_arena arena = {0};
    struct pen_text yaml = {0}, before = {0}, after = {0};
    struct pen_config_node *node = NULL;
    pen_json *value = pen_json_object();
    pen_json *list = pen_json_array();
    pen_json *nested = pen_json_array();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pen_json *item = pen_json_object();
        pen_json_push(list, pen_json_string(texts[i]));
        pen_json_set_string(item, texts[i], texts[i]);
        pen_json_push(nested, item);
    }
    pen_json_set(value, "texts", list);
    pen_json_set(value, "nested", nested);
    pen_json_set_int(value, "int", -3);
    pen_json_set_double(value, "real", 0.25);
    pen_json_set_bool(value, "yes", true);
    pen_json_set(value, "nothing", pen_json_null());
    pen_json_set(value, "map", pen_json_object());
    pen_json_set(value, "list", pen_json_array());
    PEN_REQUIRE_OK(pen_config_print(value, &yaml, &err), &err);
    PEN_REQUIRE_OK(pen_config_parse(&arena, yaml.data, yaml.size_bytes, "printed", &node, &err), &err);
    pen_json *back = pen_config_to_json(node);
    PEN_CHECK_OK(pen_json_print(value, PEN_JSON_CANONICAL, &before, &err), &err);
    PEN_CHECK_OK(pen_json_print(back, PEN_JSON_CANONICAL, &after, &err), &err);
    PEN_CHECK_EQ_STR(pen_text_view(&after), pen_text_view(&before));
    PEN_CHECK_CONTAINS(pen_text_view(&yaml), "[plain, \"\", \" \", \"a b\", \"true\"");
    pen_json_free(back);
    pen_json_free(value);
    pen_text_deinit(&yaml);
    pen_text_deinit(&before);
    pen_text_deinit(&after);
    pen_arena_deinit(&arena);
}

PEN_SUITE(config, PEN_CASE(defaults_and_values_fill_the_struct), PEN_CASE(every_wrong_file_is_refused_in_these_words),
          PEN_CASE(deep_or_large_files_are_refused), PEN_CASE(a_map_may_have_ten_thousand_keys),
          PEN_CASE(set_reaches_into_maps_and_makes_them), PEN_CASE(calls_need_no_quotes),
          PEN_CASE(marked_json_keeps_places), PEN_CASE(times_have_units), PEN_CASE(printed_yaml_reads_back));
