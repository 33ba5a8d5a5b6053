/* See fakes.h. Each output holds one number in value.txt. */
#include "tests/orchestrator/fakes.h"

#include "core/files.h"
#include "core/log.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct fake_options {
    int64_t value;
    int mode;
};

static const char *const modes[] = {"work", "fail", "crash", "vanish", "wait", NULL};

static const struct pen_option table[] = {
    {"value", PEN_OPTION_INT, offsetof(struct fake_options, value), "1", 0, 1000000, NULL, "a number"},
    {"mode", PEN_OPTION_ENUM, offsetof(struct fake_options, mode), "work", 0, 0, modes, "what it does"},
    {NULL, PEN_OPTION_BOOL, 0, NULL, 0, 0, NULL, NULL}};

static pen_status act(int mode, struct pen_error *err)
{
    switch (mode) {
    case 1:
        PEN_FAIL(err, PEN_ERR_ANOMALY, "expected no anomaly, found 3 on purpose");
    case 2:
        (void)raise(SIGKILL);
        break;
    case 3:
        _exit(9);
    case 4:
        for (int i = 0; i < 1000; i++) {
            PEN_TRY(pen_cancel_check(err));
            (void)usleep(10000);
        }
        break;
    default:
        break;
    }
    return PEN_OK;
}

static pen_status read_value(const char *directory, int64_t *value, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_TRY(pen_path_join(path, directory, "value.txt", err));
    pen_status status = pen_file_read(path, 64, &text, err);
    if (status == PEN_OK && !pen_parse_int64(text.data, text.size_bytes, value)) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_DATA, "%s: expected a number", path);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status run(struct pen_component_context *context, struct pen_error *err)
{
    struct fake_options options;
    PEN_TRY(pen_config_options(context->arena, &options, sizeof options, table, context->options, context->node, err));
    int64_t value = options.value;
    if (context->n_inputs > 0) {
        PEN_TRY(read_value(context->inputs[0].path, &value, err));
        value *= 2;
    }
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    PEN_TRY(pen_path_join(path, context->outputs[0].path, "value.txt", err));
    pen_text_printf(&text, "%lld", (long long)value);
    pen_status status = pen_file_write_atomic(path, text.data, text.size_bytes, err);
    pen_text_deinit(&text);
    PEN_TRY(status);
    pen_json_set_int(context->outputs[0].properties, "value", value);
    return act(options.mode, err);
}

static const struct pen_component_port none[] = {{NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port from_source[] = {{"data", "Number", false, "source", "a number"},
                                                        {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port from_twice[] = {{"data", "Double", false, "twice", "a number"},
                                                       {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port number[] = {{"number", "Number", false, NULL, "a number"},
                                                   {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port twofold[] = {{"twofold", "Double", false, NULL, "a number"},
                                                    {NULL, NULL, false, NULL, NULL}};
static const struct pen_component_port result[] = {{"result", "Result", false, NULL, "a number"},
                                                   {NULL, NULL, false, NULL, NULL}};

static const struct pen_component source = {.name = "source",
                                            .version = 1,
                                            .description = "makes a number",
                                            .options = table,
                                            .options_bytes = sizeof(struct fake_options),
                                            .inputs = none,
                                            .outputs = number,
                                            .run = run};
static const struct pen_component twice = {.name = "twice",
                                           .version = 1,
                                           .description = "doubles it",
                                           .options = table,
                                           .options_bytes = sizeof(struct fake_options),
                                           .inputs = from_source,
                                           .outputs = twofold,
                                           .run = run};
static const struct pen_component sink = {.name = "sink",
                                          .version = 1,
                                          .description = "doubles it again",
                                          .options = table,
                                          .options_bytes = sizeof(struct fake_options),
                                          .inputs = from_twice,
                                          .outputs = result,
                                          .run = run};

const struct pen_component *const fake_components[] = {&source, &twice, &sink, NULL};
