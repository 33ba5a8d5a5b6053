/* Vocabularies of whole splits as text files: vocabularies/SPLIT/FEATURE.txt, a value a line, the most frequent first,
 * ties by the larger byte string. A backslash, newline or carriage return of a value is written \\, \n, \r; bytes
 * that are not UTF-8, and NUL, are U+FFFD. In file names each byte of the feature's name other than letters, digits and
 * "_-." is %XX. A feature that a split never has makes an empty file. */
#ifndef PEN_COMPONENTS_STATISTICS_GEN_VOCABULARY_H
#define PEN_COMPONENTS_STATISTICS_GEN_VOCABULARY_H

#include "core/config.h"
#include "datasets/statistics/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

PEN_MUST_USE pen_status pen_vocabularies_write(const char *folder, const struct pen_statistics *statistics,
                                               const struct pen_config_strings *features, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
