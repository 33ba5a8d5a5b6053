/* Lines over two axes with round steps; small bars. */
#include "orchestrator/report/chart.h"

#include "orchestrator/report/html.h"

#include <math.h>

enum { WIDTH = 360, HEIGHT = 250, LEFT = 56, RIGHT = 20, TOP = 24, BOTTOM = 40, STEPS = 5 };
enum { BAR = 12, BARS_HEIGHT = 28 };

/* What has a place on an axis: differences of such numbers do not overflow either. */
static bool is_drawn(double value)
{
    return fabs(value) < 1e150;
}

struct axis {
    double low, high, step;
};

/* Widens [low, high] to whole steps of 1, 2 or 5 times a power of ten. */
static void round_axis(struct axis *axis)
{
    if (!(axis->high > axis->low)) {
        double room = axis->low != 0 ? fabs(axis->low) / 2 : 0.5;
        axis->low -= room;
        axis->high += room;
    }
    double raw = (axis->high - axis->low) / STEPS, power = pow(10, floor(log10(raw))), part = raw / power;
    axis->step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    axis->low = floor(axis->low / axis->step + 1e-9) * axis->step;
    axis->high = ceil(axis->high / axis->step - 1e-9) * axis->step;
}

static bool extent(const struct pen_chart *chart, struct axis *x, struct axis *y)
{
    *x = *y = (struct axis){INFINITY, -INFINITY, 0};
    for (int s = 0; s < chart->n_series; s++) {
        const struct pen_chart_series *series = &chart->series[s];
        for (int64_t i = 0; i < series->n; i++) {
            if (is_drawn(series->x[i]) && is_drawn(series->y[i])) {
                x->low = fmin(x->low, series->x[i]);
                x->high = fmax(x->high, series->x[i]);
                y->low = fmin(y->low, series->y[i]);
                y->high = fmax(y->high, series->y[i]);
            }
        }
    }
    if (x->low > x->high) {
        return false;
    }
    if (chart->unit) {
        *x = *y = (struct axis){0, 1, 0};
    }
    round_axis(x);
    round_axis(y);
    return true;
}

static double at_x(const struct axis *x, double value)
{
    return LEFT + (value - x->low) / (x->high - x->low) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct axis *y, double value)
{
    return HEIGHT - BOTTOM - (value - y->low) / (y->high - y->low) * (HEIGHT - TOP - BOTTOM);
}

static int n_ticks(const struct axis *axis)
{
    return (int)lround((axis->high - axis->low) / axis->step) + 1;
}

static double tick(const struct axis *axis, int i)
{
    double value = axis->low + i * axis->step;
    return fabs(value) < axis->step / 1e6 ? 0 : value;
}

static void draw_axes(struct pen_text *out, const struct pen_chart *chart, const struct axis *x, const struct axis *y)
{
    for (int i = 0; i < n_ticks(x); i++) {
        pen_text_printf(out, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>",
                        at_x(x, tick(x, i)), HEIGHT - BOTTOM + 15, tick(x, i));
    }
    for (int i = 0; i < n_ticks(y); i++) {
        pen_text_printf(out,
                        "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"soft\" x=\"%d\" y=\"%.1f\" "
                        "text-anchor=\"end\">%.6g</text>",
                        LEFT, at_y(y, tick(y, i)), WIDTH - RIGHT, LEFT - 6, at_y(y, tick(y, i)) + 4, tick(y, i));
    }
    pen_text_printf(out, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    pen_text_printf(out, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT, HEIGHT - 8);
    pen_html_text(out, chart->x_name);
    pen_text_printf(out, "</text><text class=\"soft\" x=\"%d\" y=\"%d\">", LEFT, TOP - 12);
    pen_html_text(out, chart->y_name);
    pen_text_append(out, "</text>");
}

static void draw_series(struct pen_text *out, const struct pen_chart_series *series, int number, const struct axis *x,
                        const struct axis *y)
{
    bool down = false;
    if (!series->dots) {
        pen_text_printf(out, "<path class=\"line s%d\" d=\"", number);
    }
    for (int64_t i = 0; i < series->n; i++) {
        if (!is_drawn(series->x[i]) || !is_drawn(series->y[i])) {
            down = false;
            continue;
        }
        double px = at_x(x, series->x[i]), py = at_y(y, series->y[i]);
        if (series->dots) {
            pen_text_printf(out, "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", number, px, py);
        } else {
            pen_text_printf(out, "%s%.1f %.1f", down ? "L" : "M", px, py);
        }
        down = true;
    }
    pen_text_append(out, series->dots ? "" : "\"/>");
}

static void draw_marks(struct pen_text *out, const struct pen_chart *chart, const struct axis *x, const struct axis *y)
{
    if (chart->diagonal) {
        pen_text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fL%.1f %.1f\"/>", at_x(x, 0), at_y(y, 0), at_x(x, 1),
                        at_y(y, 1));
    }
    if (is_drawn(chart->mark_x)) {
        pen_text_printf(out, "<path class=\"edge\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\">",
                        at_x(x, chart->mark_x), TOP, HEIGHT - BOTTOM, at_x(x, chart->mark_x) + 4, TOP + 10);
        pen_html_text(out, chart->mark_name);
        pen_text_append(out, "</text>");
    }
}

static void draw_legend(struct pen_text *out, const struct pen_chart *chart)
{
    static const char *const marks[] = {"\xE2\x96\xA0", "\xE2\x97\x86", "\xE2\x96\xB2"};
    pen_text_append(out, "<figcaption>");
    pen_html_text(out, chart->title);
    for (int s = 0; s < chart->n_series && chart->n_series > 1; s++) {
        pen_text_printf(out,
                        " <svg width=\"12\" height=\"12\" viewBox=\"0 0 12 12\" class=\"inline\" "
                        "aria-hidden=\"true\"><text class=\"f%d\" x=\"0\" y=\"11\">%s</text></svg> ",
                        s + 1, marks[s]);
        pen_html_text(out, chart->series[s].name);
    }
    pen_text_append(out, "</figcaption>");
}

void pen_chart_lines(struct pen_text *out, const struct pen_chart *chart)
{
    struct axis x, y;
    if (!extent(chart, &x, &y)) {
        return;
    }
    pen_text_printf(out, "<figure><svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                    WIDTH, HEIGHT, WIDTH, HEIGHT);
    pen_html_text(out, chart->title);
    pen_text_append(out, ": ");
    pen_html_text(out, chart->y_name);
    pen_text_append(out, " by ");
    pen_html_text(out, chart->x_name);
    pen_text_append(out, "\">");
    draw_axes(out, chart, &x, &y);
    draw_marks(out, chart, &x, &y);
    for (int s = 0; s < chart->n_series; s++) {
        draw_series(out, &chart->series[s], s + 1, &x, &y);
    }
    pen_text_append(out, "</svg>");
    draw_legend(out, chart);
    pen_text_append(out, "</figure>\n");
}

void pen_chart_bars(struct pen_text *out, const char *title, const double *heights, int64_t n)
{
    double highest = 0;
    for (int64_t i = 0; i < n; i++) {
        highest = isfinite(heights[i]) ? fmax(highest, heights[i]) : highest;
    }
    if (n == 0 || highest <= 0) {
        return;
    }
    pen_text_printf(out, "<svg width=\"%lld\" height=\"%d\" viewBox=\"0 0 %lld %d\" role=\"img\" aria-label=\"",
                    (long long)n * BAR, BARS_HEIGHT, (long long)n * BAR, BARS_HEIGHT);
    pen_html_text(out, title);
    pen_text_append(out, "\">");
    for (int64_t i = 0; i < n; i++) {
        double share = isfinite(heights[i]) && heights[i] > 0 ? heights[i] / highest : 0;
        double height = share > 0 ? fmax(1, share * (BARS_HEIGHT - 1)) : 0;
        pen_text_printf(out, "<rect class=\"f1\" x=\"%lld\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
                        (long long)i * BAR, BARS_HEIGHT - height, BAR - 1, height);
    }
    pen_text_append(out, "</svg>");
}
