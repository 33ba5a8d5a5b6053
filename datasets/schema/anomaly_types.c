/* The table behind anomaly_types.h. */
#include "datasets/schema/anomaly_types.h"

#include "core/text.h"

#include <string.h>

const struct pen_anomaly_type pen_anomaly_types[PEN_ANOMALY_COUNT] = {
#define PEN_ANOMALY_ROW(name, severity, text) [PEN_ANOMALY_##name] = {#name, PEN_SEVERITY_##severity, text},
    PEN_ANOMALY_LIST(PEN_ANOMALY_ROW)
#undef PEN_ANOMALY_ROW
};

const char *pen_severity_name(enum pen_severity severity)
{
    return severity == PEN_SEVERITY_ERROR ? "error" : "warning";
}

bool pen_anomaly_find(const char *name, enum pen_anomaly *type, const char **nearest)
{
    const char *names[PEN_ANOMALY_COUNT];
    for (int i = 0; i < PEN_ANOMALY_COUNT; i++) {
        names[i] = pen_anomaly_types[i].name;
        if (strcmp(names[i], name) == 0) {
            *type = (enum pen_anomaly)i;
            return true;
        }
    }
    *nearest = pen_nearest_name(name, names, PEN_ANOMALY_COUNT);
    return false;
}
