/* Records of a journal; see records.h. */
#include "tests/orchestrator/records.h"

#include "tests/pen_test.h"

#include <stdio.h>

void records_name(char name[32], int64_t number)
{
    (void)snprintf(name, 32, "node.thing.%lld", (long long)number);
}

pen_json *records_output(int64_t number, const char *type, pen_json *properties)
{
    char name[32];
    pen_json *output = pen_json_object();
    records_name(name, number);
    pen_json_set_string(output, "id", name);
    pen_json_set_string(output, "type", type);
    pen_json_set_string(output, "uri", name);
    pen_json_set_string(output, "hash", name);
    pen_json_set_int(output, "execution", number);
    pen_json_set(output, "properties", properties == NULL ? pen_json_object() : properties);
    return output;
}

void records_execution(struct pen_metadata *metadata, const char *run, const char *node, int64_t number,
                       pen_json *inputs, pen_json *output)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *execution = pen_json_object(), *outputs = pen_json_object(), *parts = pen_json_object();
    pen_json_set(outputs, "thing", output);
    pen_json_set_int(parts, "number", number);
    pen_json_set_string(execution, "run", run);
    pen_json_set_string(execution, "node", node);
    pen_json_set_int(execution, "execution", number);
    pen_json_set_string(execution, "status", "succeeded");
    pen_json_set_double(execution, "seconds", 1);
    pen_json_set_string(execution, "key", node);
    pen_json_set(execution, "parts", parts);
    pen_json_set(execution, "inputs", inputs);
    pen_json_set(execution, "outputs", outputs);
    PEN_CHECK_OK(pen_metadata_record(metadata, "execution", execution, &err), &err);
}

void records_run(struct pen_metadata *metadata, const char *run)
{
    struct pen_error err = PEN_ERROR_INIT;
    pen_json *start = pen_json_object();
    pen_json_set_string(start, "run", run);
    pen_json_set_string(start, "pipeline", "made-up");
    PEN_CHECK_OK(pen_metadata_record(metadata, "run_start", start, &err), &err);
}

pen_json *records_input(const char *port, int64_t number)
{
    char name[32];
    pen_json *inputs = pen_json_object();
    records_name(name, number);
    pen_json_set_string(inputs, port, name);
    return inputs;
}

pen_json *records_property(const char *name, pen_json *value)
{
    pen_json *properties = pen_json_object();
    pen_json_set(properties, name, value);
    return properties;
}
