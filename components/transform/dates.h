/* Dates as texts. */
#ifndef PEN_COMPONENTS_TRANSFORM_DATES_H
#define PEN_COMPONENTS_TRANSFORM_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pen_date_order { PEN_DATE_YMD, PEN_DATE_DMY, PEN_DATE_MDY };

/* Seconds since 1970; false: it is no such date.
 *
 *   YMD         2024-03-01, 2024/03/01, and behind it "12:30[:15[.5]]" after a space or T, and Z or +hh:mm
 *   DMY, MDY    1.3.2024, 01/03/24, 1-3-2024: days and months of one or two digits, years of four or of two (69 to 99
 *               are 19yy, as POSIX has it), and the same time, its hour of one or two digits, also with AM or PM */
bool pen_parse_seconds(const char *text, size_t size_bytes, enum pen_date_order order, int64_t *seconds);

#ifdef __cplusplus
}
#endif

#endif
