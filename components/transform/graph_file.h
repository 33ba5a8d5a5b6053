/* What saving and loading of a transform graph share. */
#ifndef PEN_COMPONENTS_TRANSFORM_GRAPH_FILE_H
#define PEN_COMPONENTS_TRANSFORM_GRAPH_FILE_H

#include "components/transform/strings.h"
#include "core/column.h"
#include "core/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* By enum pen_task. */
extern const char *const pen_graph_file_tasks[4];
/* int64, float32, float64, string, none; strings are CODES. */
const char *pen_graph_file_type_name(enum pen_type type);
bool pen_graph_file_type(const char *name, enum pen_type *type); /* false: no such name */

struct pen_transform_graph;

/* One of graph.json's analyses, into `entry`, an object; its vocabulary goes into a file of the folder. */
PEN_MUST_USE pen_status pen_analysis_to_json(const struct pen_transform_graph *graph, int64_t analysis,
                                             const char *folder, pen_json *entry, struct pen_error *err);
/* The reverse; trusts nothing. where: the file or rank it came from, for messages. */
PEN_MUST_USE pen_status pen_analysis_from_json(struct pen_transform_graph *graph, int64_t analysis, const char *folder,
                                               const pen_json *entry, const char *where, struct pen_error *err);

/* A vocabulary as a text file: one entry a line in order of id; a backslash, newline or carriage return in an entry is
 * written \\, \n or \r. Reading refuses what it would not have written, with the path and the line. */
PEN_MUST_USE pen_status pen_vocabulary_write(const struct pen_string_table *table, const char *path,
                                             struct pen_error *err);
PEN_MUST_USE pen_status pen_vocabulary_read(struct pen_string_table **table, const char *path, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
