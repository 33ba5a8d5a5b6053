/* Statistics as the JSON document of statistics.json, which `penstock show statistics --json` prints too. The names
 * in it are listed in json.c. */
#ifndef PEN_DATASETS_STATISTICS_JSON_H
#define PEN_DATASETS_STATISTICS_JSON_H

#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new root, to be freed by the caller. */
PEN_API pen_json *pen_statistics_to_json(const struct pen_statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif
