/* Number columns without vector instructions: the reference. */
#include "datasets/csv/csv_internal.h"
#include "datasets/csv/number.h"

#define pen_csv_level_double pen_csv_fast_double
#include "datasets/csv/convert_template.h"

const struct pen_csv_convert_ops pen_csv_convert_scalar = {pen_csv_ints_level, pen_csv_doubles_level};
