/* Reports: markup that is whole whatever the data says, charts of any numbers, and a real run's page. */
#include "core/files.h"
#include "core/json.h"
#include "orchestrator/report/chart.h"
#include "orchestrator/report/graph.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/parts.h"
#include "tests/orchestrator/markup.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_whole(const struct pen_text *page, int least_tags)
{
    int n_tags = 0;
    PEN_CHECK_MSG(markup_is_whole(pen_text_view(page), 0, &n_tags), "markup is broken in: %.2000s",
                  pen_text_view(page));
    PEN_CHECK(n_tags >= least_tags);
}

static void text_cannot_become_markup(void)
{
    struct pen_text out = {0};
    pen_html_text(&out, "<b a='x' b=\"y\">&amp;\xff z");
    PEN_CHECK_EQ_STR(pen_text_view(&out), "&lt;b a=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;\xEF\xBF\xBD z");
    pen_text_deinit(&out);
}

static void counts_are_grouped(void)
{
    struct pen_text out = {0};
    pen_html_count(&out, 0);
    pen_text_append_char(&out, ' ');
    pen_html_count(&out, 1234567);
    pen_text_append_char(&out, ' ');
    pen_html_count(&out, -123456);
    PEN_CHECK_EQ_STR(pen_text_view(&out), "0 1&#8239;234&#8239;567 -123&#8239;456");
    pen_text_deinit(&out);
}

/* Every name and value of the document is markup, if it were let. */
static const char hostile[] =
    "{\"splits\": {\"<script>1\": {\"rows\": 3, \"blessed\": false, \"features\": {\"<b>'\\\"&\": {\"type\": "
    "\"string\", "
    "\"count\": 2, \"missing\": 1, \"unique\": 2, \"top\": [[\"</td><script>\", 2], [\"&x\", 1]]}, \"</table>\": "
    "{\"type\": "
    "\"<i>\", \"count\": 2, \"missing\": 1, \"mean\": 1e308, \"histogram\": [[0, 1, 2], [1, 2, null]]}}, "
    "\"anomalies\": [{\"severity\": \"<\", \"feature\": \"<\", \"type\": \"<\", \"expected\": \"<\", \"seen\": \"<\", "
    "\"examples\": [{\"row\": 1, \"value\": \"<script>\"}], \"change\": {\"yaml\": \"</pre><script>\"}}], "
    "\"drift_skew\": "
    "[{\"kind\": \"<\", \"feature\": \"<\", \"measure\": \"<\", \"value\": null, \"threshold\": 0.1}]}}, \"metric\": "
    "\"<m>\", \"result\": {\"<k>\": \"<v>\", \"best_step\": 2}, \"curves\": [{\"step\": 1, \"train_loss\": 2, \"<m>\": "
    "3}, "
    "{\"step\": 2, \"train_loss\": null}], \"blessed\": false, \"reasons\": [\"<r>\"], \"slices\": [{\"slice\": {}, "
    "\"rows\": "
    "1, \"metrics\": {\"<auc>\": {\"value\": 0.5, \"low\": 0.4, \"high\": 0.6}}, \"confusion\": [{\"threshold\": 0.5, "
    "\"tp\": "
    "1}], \"calibration\": [{\"prediction\": 0.1, \"label\": null}]}, {\"slice\": {\"<s>\": \"<v>\"}, \"rows\": 1, "
    "\"metrics\": {}}]}";

static void no_part_lets_data_become_markup(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text out = {0};
    pen_json *document = NULL;
    PEN_REQUIRE_OK(pen_json_parse(hostile, sizeof hostile - 1, "hostile", &document, &err), &err);
    const struct pen_page_node nodes[] = {{"<a>", "failed", "<m>&\"'", 1, 0, 1, NULL, "</pre><script>", "\"><script>"},
                                          {"b", "<s>", "", 1, 1, 0, pen_json_get(document, "splits"), NULL, NULL}};
    pen_page_nodes(&out, nodes, 2);
    pen_page_graph(&out, nodes, 2);
    pen_page_logs(&out, nodes, 2);
    pen_page_statistics(&out, document);
    pen_page_anomalies(&out, document);
    pen_page_schema(&out, "</pre><script>alert(1)</script>");
    PEN_CHECK_OK(pen_page_curves(&out, document, &err), &err);
    PEN_CHECK_OK(pen_page_evaluation(&out, document, &err), &err);
    check_whole(&out, 200);
    PEN_CHECK(strstr(pen_text_view(&out), "<script") == NULL);
    pen_json_free(document);
    pen_text_deinit(&out);
}

static void documents_without_members_give_whole_pages(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text out = {0};
    pen_json *document = pen_json_object();
    pen_page_nodes(&out, NULL, 0);
    pen_page_graph(&out, NULL, 0);
    pen_page_logs(&out, NULL, 0);
    pen_page_statistics(&out, document);
    pen_page_anomalies(&out, document);
    PEN_CHECK_OK(pen_page_curves(&out, document, &err), &err);
    PEN_CHECK_OK(pen_page_evaluation(&out, document, &err), &err);
    check_whole(&out, 10);
    pen_json_free(document);
    pen_text_deinit(&out);
}

static void charts_take_any_numbers(void)
{
    static const double lists[][4] = {{0, 0, 0, 0},     {1, 2, 3, 4},           {-1e308, 1e308, 0, 1},
                                      {NAN, 1, NAN, 2}, {1e-300, 2e-300, 0, 0}, {INFINITY, 1, 2, 3},
                                      {5, 5, 5, 5}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (size_t j = 0; j < sizeof lists / sizeof lists[0]; j++) {
            struct pen_text out = {0};
            const struct pen_chart chart = {
                .title = "t",
                .x_name = "x",
                .y_name = "y",
                .n_series = 2,
                .series = {{"a", 4, lists[i], lists[j], false}, {"b", 4, lists[j], lists[i], true}},
                .mark_x = NAN};
            pen_chart_lines(&out, &chart);
            pen_chart_bars(&out, "t", lists[i], 4);
            check_whole(&out, 0);
            PEN_CHECK(out.size_bytes < 20000);
            PEN_CHECK(strstr(pen_text_view(&out), "nan") == NULL);
            PEN_CHECK(strstr(pen_text_view(&out), "inf") == NULL);
            pen_text_deinit(&out);
        }
    }
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *c = strstr(text, part); c != NULL; c = strstr(c + 1, part)) {
        n++;
    }
    return n;
}

/* Left edge of the box with this title. */
static int left_of(const char *page, const char *title)
{
    int x = -1;
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "\">%s</text>", title);
    const char *end = strstr(page, wanted);
    for (const char *c = strstr(page, "<text x=\""); c != NULL && end != NULL && c < end;
         c = strstr(c + 1, "<text x=\"")) {
        x = (int)strtol(c + strlen("<text x=\""), NULL, 10);
    }
    return x;
}

/* a -> b -> c, and a -> c twice, which follows; d -> c, which does not; e alone; edges that are none. */
static void a_graph_has_the_edges_that_do_not_follow(void)
{
    static const struct pen_graph_box boxes[] = {{"a", "", "good", NULL, false},
                                                 {"b", "", "good", NULL, false},
                                                 {"d", "", "good", NULL, false},
                                                 {"c", "", "bad", NULL, true},
                                                 {"e", "", "soft", NULL, false}};
    static const struct pen_graph_edge edges[] = {{0, 1}, {0, 1}, {0, 3}, {1, 3}, {0, 3},
                                                  {2, 3}, {3, 2}, {3, 9}, {-1, 3}};
    struct pen_text out = {0};
    pen_graph_draw(&out, "<label>", boxes, 5, edges, sizeof edges / sizeof edges[0]);
    const char *page = pen_text_view(&out);
    check_whole(&out, 15);
    PEN_CHECK_EQ_I64(count(page, "<path"), 3);
    PEN_CHECK_EQ_I64(count(page, "class=\"box"), 5);
    PEN_CHECK(left_of(page, "a") < left_of(page, "b") && left_of(page, "b") < left_of(page, "c"));
    PEN_CHECK_EQ_I64(left_of(page, "d"), left_of(page, "b")); /* beside what else the third takes from */
    PEN_CHECK_EQ_I64(left_of(page, "e"), left_of(page, "a"));
    pen_text_deinit(&out);
}

static void times_are_for_people(void)
{
    struct pen_text out = {0};
    pen_html_time(&out, "2026-11-26T01:43:23.138Z");
    pen_html_time(&out, "<soon>");
    PEN_CHECK_EQ_STR(pen_text_view(&out),
                     "<time datetime=\"2026-11-26T01:43:23.138Z\">2026-11-26 01:43:23</time>&lt;soon&gt;");
    pen_text_deinit(&out);
}

/* Runs a line, then reads the page it wrote. */
static void page_of(const char *line, int exit_code, struct pen_text *page)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct program_result result;
    program_run(pen_test_directory(), line, &result);
    PEN_CHECK_MSG(result.exit_code == exit_code, "%s: %s", line, pen_text_view(&result.err));
    program_deinit(&result);
    (void)snprintf(path, sizeof path, "%s/report.html", pen_test_directory());
    if (pen_path_exists(path)) {
        PEN_CHECK_OK(pen_file_read(path, 1 << 26, page, &err), &err);
    }
}

static void a_run_has_all_its_sections(void)
{
    static const char *const parts[] = {"nodes",      "graph",  "evaluation", "training", "anomalies",
                                        "statistics", "schema", "artifacts",  "logs"};
    struct pen_text page = {0};
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    page_of("generate taxi --rows 3000 --seed 1 -o trips.csv", 0, &page);
    page_of("train trips.csv --label 'tips > 0.2 * fare' --device cpu", 0, &page);
    page_of("report", 0, &page);
    check_whole(&page, 1000);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "<section id=\"%s\"", parts[i]);
        PEN_CHECK_CONTAINS(pen_text_view(&page), wanted);
        (void)snprintf(wanted, sizeof wanted, "<a href=\"#%s\"", parts[i]);
        PEN_CHECK_CONTAINS(pen_text_view(&page), wanted);
    }
    PEN_CHECK_CONTAINS(pen_text_view(&page), "trip_miles");
    PEN_CHECK_CONTAINS(pen_text_view(&page), "aria-label=\"ROC");
    pen_text_deinit(&page);
}

static void a_run_that_failed_shows_why(void)
{
    struct pen_text page = {0};
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    page_of("generate taxi --rows 3000 --seed 1 -o trips.csv", 0, &page);
    page_of("init trips.csv --label tips", 0, &page);
    page_of("run pipeline.yaml --device cpu --set transform.label='nothing'", 3, &page);
    page_of("report", 0, &page);
    check_whole(&page, 200);
    PEN_CHECK_CONTAINS(pen_text_view(&page), "<td class=\"bad\">failed</td>");
    PEN_CHECK_CONTAINS(pen_text_view(&page), "unknown column");
    PEN_CHECK(strstr(pen_text_view(&page), "<section id=\"evaluation\"") == NULL);
    pen_text_deinit(&page);
}

PEN_SUITE(report, PEN_CASE(text_cannot_become_markup), PEN_CASE(counts_are_grouped),
          PEN_CASE(no_part_lets_data_become_markup), PEN_CASE(documents_without_members_give_whole_pages),
          PEN_CASE(charts_take_any_numbers), PEN_CASE(a_graph_has_the_edges_that_do_not_follow),
          PEN_CASE(times_are_for_people), PEN_CASE(a_run_has_all_its_sections), PEN_CASE(a_run_that_failed_shows_why));
