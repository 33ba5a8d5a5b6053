/* Pipeline files: what is read, and the exact words of every refusal. */
#include "orchestrator/pipeline/pipeline.h"

#include "core/files.h"
#include "tests/orchestrator/fakes.h"
#include "tests/pen_test.h"

#include <stdio.h>

static pen_status read_text(struct pen_pipeline *pipeline, const char *text, const char *set, const char **file,
                            struct pen_error *err)
{
    static char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/p.yaml", pen_test_directory());
    *file = path;
    PEN_TRY(pen_file_write_atomic(path, text, strlen(text), err));
    return pen_pipeline_read(pipeline, path, &set, set == NULL ? 0 : 1, fake_components, err);
}

static void standard_nodes_are_there_without_a_section(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const char *file = NULL;
    PEN_REQUIRE_OK(read_text(&pipeline, "pipeline: p\n", NULL, &file, &err), &err);
    PEN_CHECK_EQ_I64(pipeline.n_nodes, 3);
    PEN_CHECK_EQ_STR(pipeline.nodes[2].name, "sink");
    PEN_CHECK_EQ_I64(pipeline.nodes[2].inputs[0].node, 1);
    PEN_CHECK_EQ_STR(pipeline.root, "out/p");
    pen_pipeline_deinit(&pipeline);
}

static void more_nodes_are_wired_and_put_in_order(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const char *file = NULL;
    PEN_REQUIRE_OK(read_text(&pipeline,
                             "pipeline: p\nnodes:\n  b:\n    component: sink\n    inputs: {data: a.twofold}\n"
                             "  a:\n    component: twice\n    inputs: {data: source.number}\n"
                             "    options: {value: 4}\n",
                             NULL, &file, &err),
                   &err);
    PEN_REQUIRE_EQ_I64(pipeline.n_nodes, 5);
    PEN_CHECK_EQ_STR(pipeline.nodes[3].name, "a");
    PEN_CHECK_EQ_STR(pipeline.nodes[4].name, "b");
    PEN_CHECK_EQ_I64(pipeline.nodes[4].inputs[0].node, 3);
    pen_pipeline_deinit(&pipeline);
}

#define WITH(text) "pipeline: p\n" text
#define NODE(text) "pipeline: p\nnodes:\n  a:\n" text

static void every_wrong_file_is_refused_in_these_words(void)
{
    static const struct {
        const char *text, *message; /* message after the file's name and ":" */
    } cases[] = {
        {WITH("sorce: {}"), "2:1: a pipeline has no section 'sorce'; did you mean 'source'?"},
        {WITH("Twice: {}"), "2:1: a pipeline has no section 'Twice'; did you mean 'twice'?"},
        {WITH("banana: 3"), "2:1: a pipeline has no section 'banana'"},
        {WITH("rooot: x"), "2:1: a pipeline has no section 'rooot'; did you mean 'root'?"},
        {"root: x", "1:1: expected a name for the pipeline: add the line 'pipeline: my_pipeline'"},
        {"pipeline: a/b", "1:11: pipeline: expected a name of letters, digits, '_', '.' and '-'"},
        {"pipeline: ..", "1:11: pipeline: expected a name of letters, digits, '_', '.' and '-'"},
        {"pipeline: [a]", "1:11: option pipeline: expected a text, found a list"},
        {"pipeline: {a: b}", "1:11: option pipeline: expected a text, found a map"},
        {WITH("root: ''"), "2:7: root: expected a folder, found an empty text"},
        {WITH("root: [x]"), "2:7: option root: expected a text, found a list"},
        {WITH("device: [cpu]"), "2:9: option device: expected a text, found a list"},
        {"- pipeline", "1:1: expected a map with 'pipeline: NAME' and a section per node"},
        {"just words", "1:1: expected a map with 'pipeline: NAME' and a section per node"},
        {WITH("source: {value: x}"), "2:17: option value: expected an integer, found 'x'"},
        {WITH("source:\n  value: -1"), "3:10: option value: expected 0 to 1000000, found -1"},
        {WITH("source:\n  value: 1.5"), "3:10: option value: expected an integer, found '1.5'"},
        {WITH("source:\n  vale: 1"), "3:3: source has no option 'vale'; did you mean 'value'?"},
        {WITH("sink:\n  banana: 1"), "3:3: sink has no option 'banana'"},
        {WITH("sink: {mode: wrok}"),
         "2:14: option mode: expected one of work, fail, crash, vanish, wait; found 'wrok'; did you mean 'work'?"},
        {WITH("sink: 3"), "2:7: sink: expected a map of options"},
        {WITH("sink: [a]"), "2:7: sink: expected a map of options"},
        {WITH("nodes: 3"), "2:8: nodes: expected a map of node names"},
        {WITH("nodes: [a]"), "2:8: nodes: expected a map of node names"},
        {WITH("nodes:\n  a: 3"), "3:6: node a: expected a map with 'component'"},
        {WITH("nodes:\n  a: {}"), "3:6: node a: expected 'component: NAME'"},
        {NODE("    component: tiwce"), "4:16: there is no component 'tiwce'; did you mean 'twice'?"},
        {NODE("    component: banana"), "4:16: there is no component 'banana'"},
        {NODE("    component: [twice]"), "4:16: option component: expected a text, found a list"},
        {NODE("    component: twice\n    value: 3"), "5:5: a node has no key 'value'"},
        {NODE("    component: twice\n    option: {}"), "5:5: a node has no key 'option'; did you mean 'options'?"},
        {NODE("    component: twice\n    options: {vale: 3}"), "5:15: a has no option 'vale'; did you mean 'value'?"},
        {NODE("    component: twice\n    inputs: {date: source.number}"),
         "5:14: the component has no input 'date'; did you mean 'data'?"},
        {NODE("    component: twice\n    inputs: {data: source}"),
         "5:20: input data: expected node.output, found 'source'"},
        {NODE("    component: twice\n    inputs: {data: sorce.number}"), "5:20: input data: there is no node 'sorce'"},
        {NODE("    component: twice\n    inputs: {data: source.numbr}"),
         "5:20: input data: node source has no output 'numbr'"},
        {NODE("    component: twice\n    inputs: {data: twice.twofold}"),
         "5:20: input data: expected an artifact of type Number, found Double (twice.twofold)"},
        {NODE("    component: twice\n    inputs: {data: [source.number]}"),
         "5:20: option data: expected a text, found a list"},
        {NODE("    component: twice\n    inputs: [data]"), "5:13: inputs: expected a map {port: node.output}"},
        {WITH("nodes:\n  sink: {component: twice}"),
         "3:9: node sink: expected a new name of letters, digits, '_', '.' and '-'"},
        {WITH("nodes:\n  a b: {component: twice}"),
         "3:8: node a b: expected a new name of letters, digits, '_', '.' and '-'"},
        {WITH("nodes:\n  runs: {component: twice}"),
         "3:9: node runs: that folder of the root is taken; use another name"},
        {WITH("nodes:\n  metadata: {component: twice}"),
         "3:13: node metadata: that folder of the root is taken; use another name"},
        {WITH("retries: 3"), "2:1: a pipeline has no section 'retries'"},
        {WITH("defaults: 3"), "2:11: defaults: expected a map of options"},
        {WITH("defaults: {retrys: 3}"), "2:12: defaults has no option 'retrys'; did you mean 'retries'?"},
        {WITH("defaults: {when: source.value}"), "2:12: defaults has no option 'when'; it has retries, retry_delay, "
                                                 "retry_backoff, max_retry_delay, timeout, grace"},
        {WITH("sink: {retrys: 3}"), "2:8: sink has no option 'retrys'; did you mean 'retries'?"},
        {WITH("sink: {retries: -1}"), "2:17: option retries: expected 0 to 1000, found -1"},
        {WITH("sink: {retries: 1001}"), "2:17: option retries: expected 0 to 1000, found 1001"},
        {WITH("sink: {retries: some}"), "2:17: option retries: expected an integer, found 'some'"},
        {WITH("sink: {retries: [1]}"), "2:17: option retries: expected an integer, found a list"},
        {WITH("sink: {retries: {crahs: 1}}"), "2:18: retries has no option 'crahs'; did you mean 'crash'?"},
        {WITH("sink: {retries: {crash: -1}}"), "2:25: option retries: expected 0 to 1000, found -1"},
        {WITH("sink: {retry_delay: soon}"),
         "2:21: option retry_delay: expected a time such as 90s, 15m, 2h or 30d, found 'soon'"},
        {WITH("sink: {max_retry_delay: -3s}"),
         "2:25: option max_retry_delay: expected a time such as 90s, 15m, 2h or 30d, found '-3s'"},
        {WITH("sink: {retry_backoff: 0.5}"), "2:23: option retry_backoff: expected 1 to 100, found 0.5"},
        {WITH("sink: {timeout: []}"),
         "2:17: option timeout: expected a time such as 90s, 15m, 2h or 30d, found a list"},
        {WITH("sink: {grace: 5w}"), "2:15: option grace: expected a time such as 90s, 15m, 2h or 30d, found '5w'"},
        {WITH("sink: {skip_for_export: maybe}"), "2:25: option skip_for_export: expected true or false, found 'maybe'"},
        {WITH("sink: {when: [a]}"), "2:14: option when: expected a text, found a list"},
        {WITH("sink: {when: source.value >}"), "2:14: when: condition 'source.value >': expected a value at the end"},
        {WITH("sink: {when: sorce.value > 3}"),
         "2:14: when: expected NODE.PROPERTY, found 'sorce.value'; did you mean 'source.'?"},
        {WITH("sink: {when: value}"), "2:14: when: expected NODE.PROPERTY, found 'value'"},
        {WITH("source: {when: sink.value > 3}"),
         "1:1: nodes: expected no cycle, found one through inputs and conditions"},
        {NODE("    component: twice\n    retires: 2"), "5:5: a node has no key 'retires'; did you mean 'retries'?"},
        {NODE("    component: twice\n    options: {retries: 2}"),
         "5:15: a has no option 'retries'; it has value, mode"},
        {WITH("params: [a]"), "2:9: params: expected a map of at most 128 names"},
        {WITH("params: {a b: {default: 1}}"), "2:15: parameter a b: expected a name of letters, digits, '_' and '-'"},
        {WITH("params: {a: 3}"), "2:13: parameter a: expected a map of options"},
        {WITH("params: {a: {type: int}}"), "2:13: parameter a: expected a default, such as {type: int, default: 1000}"},
        {WITH("params: {a: {type: integer, default: 1}}"),
         "2:20: option type: expected one of int, float, bool, string, list, map; found 'integer'"},
        {WITH("params: {a: {tpye: int, default: 1}}"), "2:14: parameter a has no option 'tpye'; did you mean 'type'?"},
        {WITH("params: {a: {type: int, default: x}}"), "2:34: option a: expected an integer, found 'x'"},
        {WITH("params: {a: {type: list, default: x}}"), "2:35: option a: expected a list"},
        {WITH("params: {a: {default: x, choices: y}}"), "2:35: parameter a: choices: expected a list of values"},
        {WITH("params: {a: {default: x, choices: [y, z]}}"), "2:23: parameter a: expected one of y, z; found 'x'"},
        {WITH("params: {a: {type: int, default: 1, choices: [1, x]}}"),
         "2:50: option a: expected an integer, found 'x'"},
        {WITH("params: {rows: {default: x}}\nroot: ${params.row}"),
         "3:7: there is no parameter 'row'; did you mean 'rows'?"},
        {WITH("root: ${params.row}"), "2:7: there is no parameter 'row'"},
        {WITH("root: a-${params.row"), "2:7: expected ${params.NAME}, found '${params.row'"},
        {WITH("params: {a: {type: list, default: [x]}}\nroot: a-${params.a}"),
         "3:7: parameter a: a list or a map stands alone, not within a text"},
        {WITH("params: {a: {default: many}}\nsource:\n  value: ${params.a}"),
         "4:10: option value: expected an integer, found 'many'"},
        {WITH("description: [x]"), "2:14: option description: expected a text, found a list"},
        {WITH("tags: {a: b}"), "2:7: option tags: expected a text, found a map"},
        {WITH("tags: [a, '']"), "2:11: tags: expected a tag, found an empty text"},
        {WITH("timeout: ever"), "2:10: option timeout: expected a time such as 90s, 15m, 2h or 30d, found 'ever'"},
        {WITH("on_failure: ''"), "2:13: on_failure: expected a command, found an empty text"},
        {WITH("on_succes: x"), "2:1: a pipeline has no section 'on_succes'; did you mean 'on_success'?"},
        {WITH("notify: {}"), "2:9: notify: expected mail, webhook or command"},
        {WITH("notify: {on: end, command: x}"), "2:14: notify: on: expected failure or success, found 'end'"},
        {WITH("notify: {mial: {}}"), "2:10: notify has no option 'mial'; did you mean 'mail'?"},
        {WITH("notify: {mail: {}}"), "2:16: mail: expected 'to: ADDRESS'"},
        {WITH("notify: {mail: {to: me}}"), "2:21: mail: expected an address such as me@example.org, found 'me'"},
        {WITH("notify: {mail: {to: '-x@y'}}"), "2:21: mail: expected an address such as me@example.org, found '-x@y'"},
        {WITH("notify: {mail: {to: a@b, from: b}}"),
         "2:32: mail: expected an address such as me@example.org, found 'b'"},
        {WITH("notify: {mail: {to: a@b, smtp: mail}}"),
         "2:32: mail: smtp: expected smtp://HOST or smtps://HOST, found 'mail'"},
        {WITH("notify: {mail: {to: a@b, smtp: 'smtp://m'}}"), "2:16: mail: expected 'from: ADDRESS' with smtp"},
        {WITH("notify: {mail: {to: a@b, user: c}}"), "2:16: mail: expected user and password_file together"},
        {WITH("notify: {webhook: {}}"), "2:19: webhook: expected 'url: https://...', found ''"},
        {WITH("notify: {webhook: {url: 'ftp://x'}}"), "2:19: webhook: expected 'url: https://...', found 'ftp://x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_pipeline pipeline;
        const char *file = NULL;
        pen_status status = read_text(&pipeline, cases[i].text, NULL, &file, &err);
        PEN_CHECK_MSG(status == PEN_ERR_CONFIG, "%s was read as %s", cases[i].text, pen_status_name(status));
        size_t prefix = strlen(file) + 1;
        PEN_CHECK_EQ_STR(strlen(err.message) > prefix ? err.message + prefix : err.message, cases[i].message);
    }
}

/* By each component's own check: neither a metric nor an expression is found wrong after hours of work. */
static void what_components_can_tell_early_is_refused_in_these_words(void)
{
    static const struct {
        const char *text, *message; /* message after the file's name and ":" */
    } cases[] = {
        {WITH("evaluator: {metrics: [auc, auk]}"), "2:28: unknown metric 'auk' for any label; did you mean 'auc'?"},
        {WITH("evaluator: {metrics: precison@0.3}"),
         "2:22: unknown metric 'precison' for any label; did you mean 'precision'?"},
        {WITH("evaluator: {thresholds: {acuracy: {min: 0.7}}}"),
         "2:41: unknown metric 'acuracy' for any label; did you mean 'accuracy'?"},
        {WITH("evaluator: {thresholds: {auc: {mon: 0.7}}}"),
         "2:37: thresholds.auc: unknown rule 'mon'; did you mean min?"},
        {WITH("evaluator: {slices: [[a, b, c, d]]}"), "2:22: slices: expected at most 3 columns crossed, found 4"},
        {WITH("evaluator: {confidence: {method: jacknife}}"), "2:34: option method: expected one of none, jackknife, "
                                                              "bootstrap; found 'jacknife'; did you mean 'jackknife'?"},
        {WITH("transform:\n  label: tips >"), "3:16: label: expected a value, found the end (at the end of 'tips >')"},
        {WITH("transform:\n  features: {a: [1]}"), "3:17: a: expected an expression, found a list or a map"},
        {WITH("transform:\n  features:\n    miles: zscore(log1p(trip_miles)"),
         "4:36: feature 'miles': expected ',' or ')', found the end (at the end of 'zscore(log1p(trip_miles)')"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_pipeline pipeline;
        char path[PEN_PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/early.yaml", pen_test_directory());
        PEN_REQUIRE_OK(pen_file_write_atomic(path, cases[i].text, strlen(cases[i].text), &err), &err);
        pen_status status = pen_pipeline_read(&pipeline, path, NULL, 0, pen_components, &err);
        PEN_CHECK_MSG(status == PEN_ERR_CONFIG, "%s was read as %s", cases[i].text, pen_status_name(status));
        size_t prefix = strlen(path) + 1;
        PEN_CHECK_EQ_STR(strlen(err.message) > prefix ? err.message + prefix : err.message, cases[i].message);
    }
}

/* What policy says, and that it is no option of the component: a cache key does not see it. */
static void retries_and_timeouts_come_from_defaults_and_nodes(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const char *file = NULL;
    PEN_REQUIRE_OK(read_text(&pipeline,
                             WITH("defaults: {retries: 2, timeout: 2h, retry_delay: 5s}\n"
                                  "source: {retries: {input: 1, crash: 3}}\n"
                                  "twice: {value: 4, retry_backoff: 3, max_retry_delay: 1m, grace: 30}\n"
                                  "sink: {retries: 0, skip_for_export: true}\n"
                                  "nodes:\n  more: {component: sink, timeout: 90s}\n"),
                             NULL, &file, &err),
                   &err);
    const struct pen_policy *source = &pipeline.nodes[0].policy;
    const struct pen_policy *twice = &pipeline.nodes[1].policy;
    const struct pen_policy *sink = &pipeline.nodes[2].policy;
    PEN_CHECK_EQ_I64(source->retries[PEN_FAILURE_INPUT], 1);
    PEN_CHECK_EQ_I64(source->retries[PEN_FAILURE_CRASH], 3);
    PEN_CHECK_EQ_I64(source->retries[PEN_FAILURE_MEMORY], 0);
    PEN_CHECK_EQ_I64(pen_policy_most_retries(source), 3);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_INPUT], 0);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_NOT_BLESSED], 0);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_ANOMALY], 0);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_INTERNAL], 0);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_CRASH], 2);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_INFRASTRUCTURE], 2);
    PEN_CHECK_EQ_I64(twice->retries[PEN_FAILURE_TIMEOUT], 2);
    PEN_CHECK_EQ_F64(twice->timeout_s, 7200);
    PEN_CHECK_EQ_F64(twice->grace_s, 30);
    PEN_CHECK_EQ_F64(pen_policy_delay_s(twice, 2), 5);
    PEN_CHECK_EQ_F64(pen_policy_delay_s(twice, 3), 15);
    PEN_CHECK_EQ_F64(pen_policy_delay_s(twice, 4), 45);
    PEN_CHECK_EQ_F64(pen_policy_delay_s(twice, 5), 60);
    PEN_CHECK_EQ_F64(pen_policy_delay_s(twice, 1000), 60);
    PEN_CHECK_EQ_I64(pen_policy_most_retries(sink), 0);
    PEN_CHECK(sink->skip_for_export && !twice->skip_for_export);
    PEN_CHECK(pipeline.nodes[0].options == NULL && pipeline.nodes[2].options == NULL);
    PEN_REQUIRE(pipeline.nodes[1].options != NULL);
    PEN_CHECK_EQ_I64(pipeline.nodes[1].options->n_children, 1);
    PEN_CHECK_EQ_F64(pipeline.nodes[3].policy.timeout_s, 90);
    PEN_CHECK_EQ_I64(pipeline.nodes[3].policy.retries[PEN_FAILURE_CRASH], 2);
    pen_pipeline_deinit(&pipeline);
}

static void settings_are_read_as_written(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const char *file = NULL;
    PEN_REQUIRE_OK(
        read_text(&pipeline,
                  WITH("description: fares\ntags: [taxi, nightly]\ntimeout: 90m\non_failure: ./a.sh\n"
                       "on_success: [./b.sh, ./c.sh]\non_exit: ./d.sh\n"
                       "notify:\n  on: [failure, success]\n"
                       "  mail: {to: [a@x.org, b@x.org], from: p@x.org, smtp: smtps://m.x.org:465, user: me, "
                       "password_file: pw}\n"
                       "  webhook: {url: https://x.org/hook, headers_file: h}\n  command: ./tell.sh\n"
                       "schedule: {every: 6h}\n"),
                  NULL, &file, &err),
        &err);
    const struct pen_settings *settings = &pipeline.settings;
    PEN_CHECK_EQ_STR(settings->description, "fares");
    PEN_CHECK_EQ_I64(settings->tags.n_items, 2);
    PEN_CHECK_EQ_STR(settings->tags.items[1], "nightly");
    PEN_CHECK_EQ_F64(settings->timeout_s, 5400);
    PEN_CHECK_EQ_STR(settings->on_failure.items[0], "./a.sh");
    PEN_CHECK_EQ_STR(settings->on_success.items[1], "./c.sh");
    PEN_CHECK_EQ_STR(settings->on_exit.items[0], "./d.sh");
    PEN_CHECK(settings->notify.on_failure && settings->notify.on_success);
    PEN_CHECK_EQ_STR(settings->notify.mail.to.items[1], "b@x.org");
    PEN_CHECK_EQ_STR(settings->notify.mail.smtp, "smtps://m.x.org:465");
    PEN_CHECK_EQ_STR(settings->notify.webhook, "https://x.org/hook");
    PEN_CHECK_EQ_STR(settings->notify.commands.items[0], "./tell.sh");
    pen_pipeline_deinit(&pipeline);
}

/* A value in its place is what it would be had it been written there. */
static void parameters_stand_for_their_values(void)
{
    static const char text[] = WITH("params:\n  n: {type: int, default: 4}\n  s: {default: 12}\n"
                                    "  l: {type: list, default: [1, 2]}\n  b: {type: bool, default: true}\n"
                                    "root: out/${params.s}-${params.n}-$${params.n}\n"
                                    "tags: ['${params.s}', x]\n"
                                    "source: {value: '${params.n}'}\ntwice:\n  value: ${params.n}\n"
                                    "sink: {skip_for_export: '${params.b}'}\n"
                                    "on_exit: echo ${HOME} $PENSTOCK_RUN\n");
    static const char *const given[] = {"n=7", "s=a b", "l=[3]"};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    struct pen_pipeline_changes changes = {.params = {given, 3}};
    const char *file = NULL;
    PEN_REQUIRE_OK(read_text(&pipeline, text, NULL, &file, &err), &err);
    PEN_CHECK_EQ_STR(pipeline.root, "out/12-4-${params.n}");
    PEN_CHECK_EQ_STR(pipeline.settings.tags.items[0], "12");
    PEN_CHECK_EQ_STR(pipeline.settings.on_exit.items[0], "echo ${HOME} $PENSTOCK_RUN");
    PEN_CHECK(pipeline.nodes[2].policy.skip_for_export);
    pen_json *in_flow = pen_config_to_json(pipeline.nodes[0].options);
    pen_json *in_block = pen_config_to_json(pipeline.nodes[1].options);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(in_flow, "value"), -1), 4);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(in_block, "value"), -1), 4);
    pen_json_free(in_flow);
    pen_json_free(in_block);
    pen_pipeline_deinit(&pipeline);
    PEN_REQUIRE_OK(pen_pipeline_read_changed(&pipeline, file, &changes, fake_components, &err), &err);
    PEN_CHECK_EQ_STR(pipeline.root, "out/a b-7-${params.n}");
    pen_json *values = pen_params_to_json(&pipeline.params);
    PEN_CHECK_EQ_I64(pen_json_int_or(pen_json_get(values, "n"), -1), 7);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_get(values, "s"), ""), "a b");
    PEN_CHECK_EQ_I64(pen_json_size(pen_json_get(values, "l")), 1);
    PEN_CHECK(pen_json_bool_or(pen_json_get(values, "b"), false));
    pen_json_free(values);
    pen_pipeline_deinit(&pipeline);
}

static void parameters_on_the_command_line_are_checked(void)
{
    static const char text[] = WITH("params:\n  rows: {type: int, default: 4}\n"
                                    "  model: {default: dnn, choices: [dnn, linear]}\n");
    static const struct {
        const char *given;
        pen_status status;
        const char *message;
    } cases[] = {
        {"rows", PEN_ERR_USAGE, "--param: expected NAME=VALUE, such as rows=5; found 'rows'"},
        {"=5", PEN_ERR_USAGE, "--param: expected NAME=VALUE, such as rows=5; found '=5'"},
        {"row=5", PEN_ERR_USAGE, "--param: the pipeline has no parameter 'row'; did you mean 'rows'?"},
        {"rows=many", PEN_ERR_CONFIG, "--param:1:1: option rows: expected an integer, found 'many'"},
        {"rows=", PEN_ERR_CONFIG, "--param:1:1: option rows: expected an integer, found nothing"},
        {"model=dn", PEN_ERR_CONFIG, "--param:1:1: parameter model: expected one of dnn, linear; found 'dn'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_pipeline pipeline;
        const struct pen_pipeline_changes changes = {.params = {&cases[i].given, 1}};
        const char *file = NULL;
        PEN_REQUIRE_OK(read_text(&pipeline, text, NULL, &file, &err), &err);
        pen_pipeline_deinit(&pipeline);
        PEN_CHECK_STATUS(pen_pipeline_read_changed(&pipeline, file, &changes, fake_components, &err), cases[i].status);
        PEN_CHECK_EQ_STR(err.message, cases[i].message);
    }
}

/* A node comes after those its condition reads, whatever their inputs. */
static void conditions_put_nodes_in_order(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_pipeline pipeline;
    const char *file = NULL;
    PEN_REQUIRE_OK(read_text(&pipeline,
                             WITH("twice: {when: 'b.x.value > 3 and not source.value == 1'}\n"
                                  "nodes:\n  b.x: {component: twice}\n"),
                             NULL, &file, &err),
                   &err);
    PEN_REQUIRE_EQ_I64(pipeline.n_nodes, 4);
    PEN_CHECK_EQ_STR(pipeline.nodes[1].name, "b.x");
    PEN_CHECK_EQ_STR(pipeline.nodes[2].name, "twice");
    PEN_REQUIRE(pipeline.nodes[2].when != NULL);
    PEN_REQUIRE_EQ_I64(pipeline.nodes[2].n_after, 2);
    PEN_CHECK_EQ_I64(pipeline.nodes[2].after[0], 1);
    PEN_CHECK_EQ_I64(pipeline.nodes[2].after[1], 0);
    pen_pipeline_deinit(&pipeline);
}

static void settings_on_the_command_line_are_checked_too(void)
{
    static const struct {
        const char *set;
        pen_status status;
        const char *message;
    } cases[] = {
        {"source.value", PEN_ERR_USAGE, "--set: expected key=value, such as trainer.steps=500; found 'source.value'"},
        {"=3", PEN_ERR_USAGE, "--set: expected key=value, such as trainer.steps=500; found '=3'"},
        {"source.vale=3", PEN_ERR_CONFIG, "source has no option 'vale'; did you mean 'value'?"},
        {"sorce.value=3", PEN_ERR_CONFIG, "a pipeline has no section 'sorce'; did you mean 'source'?"},
        {"source.value=many", PEN_ERR_CONFIG, "option value: expected an integer, found 'many'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pen_error err = PEN_ERROR_INIT;
        struct pen_pipeline pipeline;
        const char *file = NULL;
        PEN_CHECK_STATUS(read_text(&pipeline, "pipeline: p\n", cases[i].set, &file, &err), cases[i].status);
        PEN_CHECK_CONTAINS(err.message, cases[i].message);
    }
}

PEN_SUITE(pipeline, PEN_CASE(standard_nodes_are_there_without_a_section),
          PEN_CASE(more_nodes_are_wired_and_put_in_order), PEN_CASE(every_wrong_file_is_refused_in_these_words),
          PEN_CASE(what_components_can_tell_early_is_refused_in_these_words),
          PEN_CASE(settings_on_the_command_line_are_checked_too),
          PEN_CASE(retries_and_timeouts_come_from_defaults_and_nodes), PEN_CASE(settings_are_read_as_written),
          PEN_CASE(parameters_stand_for_their_values), PEN_CASE(parameters_on_the_command_line_are_checked),
          PEN_CASE(conditions_put_nodes_in_order));
