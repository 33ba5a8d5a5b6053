/* Numbers as people write them in tables: with thousands separators, a currency, a percent sign, brackets. */
#ifndef PEN_COMPONENTS_TRANSFORM_AMOUNTS_H
#define PEN_COMPONENTS_TRANSFORM_AMOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* decimal: '.' or ','. A percentage is the number before its sign: 5 % is 5. False: it is no such number. */
bool pen_parse_amount(const char *text, size_t size_bytes, char decimal, double *value);

#ifdef __cplusplus
}
#endif

#endif
