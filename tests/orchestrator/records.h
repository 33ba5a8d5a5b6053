/* Made-up runs and executions, one by one: each execution makes one artifact, node.thing.NUMBER. */
#ifndef PEN_TESTS_ORCHESTRATOR_RECORDS_H
#define PEN_TESTS_ORCHESTRATOR_RECORDS_H

#include "orchestrator/metadata/metadata.h"

/* "node.thing.NUMBER", also its uri and hash. */
void records_name(char name[32], int64_t number);

void records_run(struct pen_metadata *metadata, const char *run);
/* inputs: {port: id}, taken over, as the output is. */
void records_execution(struct pen_metadata *metadata, const char *run, const char *node, int64_t number,
                       pen_json *inputs, pen_json *output);

pen_json *records_output(int64_t number, const char *type, pen_json *properties); /* NULL: none */
pen_json *records_input(const char *port, int64_t number);
pen_json *records_property(const char *name, pen_json *value);

#endif
