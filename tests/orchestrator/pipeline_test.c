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
          PEN_CASE(settings_on_the_command_line_are_checked_too));
