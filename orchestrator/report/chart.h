/* Charts as inline SVG: drawn from numbers, labelled for people and for screen readers. */
#ifndef PEN_ORCHESTRATOR_REPORT_CHART_H
#define PEN_ORCHESTRATOR_REPORT_CHART_H

#include "core/text.h"

enum { PEN_CHART_SERIES = 3 };

struct pen_chart_series {
    const char *name;
    int64_t n;
    const double *x, *y; /* points that are not finite, or beyond 1e150, are left out */
    bool dots;           /* points alone, no line between them */
};

struct pen_chart {
    const char *title, *x_name, *y_name;
    int n_series;
    struct pen_chart_series series[PEN_CHART_SERIES];
    bool unit;     /* both axes from 0 to 1 */
    bool diagonal; /* with a line y = x to compare with */
    double mark_x; /* a vertical line, unless NaN */
    const char *mark_name;
};

/* A <figure>. With no finite point: nothing. */
void pen_chart_lines(struct pen_text *out, const struct pen_chart *chart);

/* Bars side by side, as high as heights[i] beside the highest, without axes: a shape at a glance. */
void pen_chart_bars(struct pen_text *out, const char *title, const double *heights, int64_t n);

#endif
