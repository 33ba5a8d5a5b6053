/* Names of types and tasks in graph.json. */
#include "components/transform/graph_file.h"

#include <string.h>

const char *const pen_graph_file_tasks[4] = {"auto", "binary", "multiclass", "regression"};

static const struct {
    const char *name;
    enum pen_type type;
} column_types[] = {{"int64", PEN_TYPE_INT64},
                    {"float32", PEN_TYPE_FLOAT32},
                    {"float64", PEN_TYPE_FLOAT64},
                    {"string", PEN_TYPE_CODES},
                    {"none", PEN_TYPE_NONE}};
enum { N_COLUMN_TYPES = sizeof column_types / sizeof column_types[0] };

const char *pen_graph_file_type_name(enum pen_type type)
{
    if (pen_type_is_string(type)) {
        return "string";
    }
    for (int i = 0; i < N_COLUMN_TYPES; i++) {
        if (column_types[i].type == type) {
            return column_types[i].name;
        }
    }
    return "none";
}

bool pen_graph_file_type(const char *name, enum pen_type *type)
{
    for (int i = 0; i < N_COLUMN_TYPES; i++) {
        if (strcmp(column_types[i].name, name) == 0) {
            *type = column_types[i].type;
            return true;
        }
    }
    return false;
}
