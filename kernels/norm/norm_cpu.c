/* Normalisation on the CPU. What runs along rows (layer) takes blocks of rows, what runs down columns (batch, and the
 * gradients of gamma and beta) strips of 16 columns, so that no thread ever adds to another's sum. Sums are float64 in
 * eight lanes along a row and in the order of the rows down a column. `omp simd`: y is x, and dx is dy, at most. */
#include "kernels/norm/norm.h"

#include "kernels/simd.h"

#include <math.h>
#include <string.h>

enum { NORM_LANES = 8, NORM_STRIP = 16, NORM_ROWS = 64, NORM_PARALLEL_VALUES = 65536 };

/* The lanes of a sum, folded in a fixed order. */
static double fold(const double lanes[NORM_LANES])
{
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* sum (x - shift)^power, power 1 or 2 */
PEN_SIMD static void sum_row(double lanes[NORM_LANES], const float *x, double shift, bool square, int64_t n)
{
    int64_t i = 0;
    for (int k = 0; k < NORM_LANES; k++) {
        lanes[k] = 0;
    }
    for (; i + NORM_LANES <= n; i += NORM_LANES) {
        for (int k = 0; k < NORM_LANES; k++) {
            double v = (double)x[i + k] - shift;
            lanes[k] += square ? v * v : v;
        }
    }
    for (int k = 0; i < n; i++, k++) {
        double v = (double)x[i] - shift;
        lanes[k] += square ? v * v : v;
    }
}

PEN_SIMD static void apply_row(float *y, const float *x, float mean, float rstd, const float *gamma, const float *beta,
                               int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = gamma[i] * ((x[i] - mean) * rstd) + beta[i];
    }
}

PEN_SIMD static void apply_columns(float *y, const float *x, const float *mean, const float *rstd, const float *gamma,
                                   const float *beta, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = gamma[i] * ((x[i] - mean[i]) * rstd[i]) + beta[i];
    }
}

static void layer_rows(const struct pen_norm *l, int64_t first, int64_t end)
{
    double lanes[NORM_LANES], n = (double)l->dim;
    for (int64_t row = first; row < end; row++) {
        const float *x = l->x + row * l->dim;
        sum_row(lanes, x, 0, false, l->dim);
        double mean = fold(lanes) / n;
        sum_row(lanes, x, mean, true, l->dim);
        l->mean[row] = (float)mean;
        l->rstd[row] = (float)(1 / sqrt(fold(lanes) / n + l->epsilon));
        apply_row(l->y + row * l->dim, x, l->mean[row], l->rstd[row], l->gamma, l->beta, l->dim);
    }
}

PEN_SIMD static void add_columns(double *sums, const float *x, const double *shift, bool square, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i] - shift[i];
        sums[i] += square ? v * v : v;
    }
}

/* Mean and reciprocal deviation of the columns of a strip; the running ones follow. */
static void batch_statistics(const struct pen_norm *b, int64_t first, int64_t width)
{
    double zero[NORM_STRIP] = {0}, mean[NORM_STRIP] = {0}, square[NORM_STRIP] = {0}, n = (double)b->n_rows;
    for (int64_t row = 0; row < b->n_rows; row++) {
        add_columns(mean, b->x + row * b->dim + first, zero, false, width);
    }
    for (int64_t i = 0; i < width; i++) {
        mean[i] /= n;
    }
    for (int64_t row = 0; row < b->n_rows; row++) {
        add_columns(square, b->x + row * b->dim + first, mean, true, width);
    }
    for (int64_t i = 0; i < width; i++) {
        int64_t d = first + i;
        b->mean[d] = (float)mean[i];
        b->rstd[d] = (float)(1 / sqrt(square[i] / n + b->epsilon));
        if (b->n_rows > 1) {
            double old_mean = (double)b->running_mean[d], old_variance = (double)b->running_variance[d];
            b->running_mean[d] = (float)(old_mean + b->momentum * (mean[i] - old_mean));
            b->running_variance[d] = (float)(old_variance + b->momentum * (square[i] / (n - 1) - old_variance));
        }
    }
}

static void running_statistics(const struct pen_norm *b, int64_t first, int64_t width)
{
    for (int64_t d = first; d < first + width; d++) {
        b->mean[d] = b->running_mean[d];
        b->rstd[d] = (float)(1 / sqrt((double)b->running_variance[d] + b->epsilon));
    }
}

static void batch_rows(const struct pen_norm *b, int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        apply_columns(b->y + row * b->dim, b->x + row * b->dim, b->mean, b->rstd, b->gamma, b->beta, b->dim);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

pen_status pen_norm_forward_cpu(struct pen_exec *exec, const struct pen_norm *l, struct pen_error *err)
{
    PEN_TRY(pen_norm_check("norm_forward", l->kind, l->n_rows, l->dim, err));
    if (l->n_rows == 0 || l->dim == 0) {
        return PEN_OK;
    }
    bool batch = l->kind == PEN_NORM_BATCH, parallel = l->n_rows * l->dim >= NORM_PARALLEL_VALUES;
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t first = 0; first < (batch ? l->dim : 0); first += NORM_STRIP) {
        (l->running ? running_statistics : batch_statistics)(l, first, least(NORM_STRIP, l->dim - first));
    }
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t first = 0; first < l->n_rows; first += NORM_ROWS) {
        (batch ? batch_rows : layer_rows)(l, first, least(first + NORM_ROWS, l->n_rows));
    }
    return PEN_OK;
}

/* sums += dy, products += dy xhat, over the columns of a strip; mean and rstd: one for all of them, or one each */
PEN_SIMD static void add_gradients(double *sums, double *products, const float *dy, const float *x, const float *mean,
                                   const float *rstd, bool each, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float xhat = (x[i] - mean[each ? i : 0]) * rstd[each ? i : 0];
        sums[i] += (double)dy[i];
        products[i] += (double)dy[i] * (double)xhat;
    }
}

static void parameter_gradients(const struct pen_norm_grad *g, int64_t first, int64_t width)
{
    double sums[NORM_STRIP] = {0}, products[NORM_STRIP] = {0};
    bool batch = g->kind == PEN_NORM_BATCH;
    for (int64_t row = 0; row < g->n_rows; row++) {
        int64_t at = row * g->dim + first, place = batch ? first : row;
        add_gradients(sums, products, g->dy + at, g->x + at, g->mean + place, g->rstd + place, batch, width);
    }
    for (int64_t i = 0; i < width; i++) {
        g->dbeta[first + i] = (float)sums[i];
        g->dgamma[first + i] = (float)products[i];
    }
}

/* Sums over a row of g = gamma dy and of g xhat, in lanes. */
PEN_SIMD static void sum_gradient_row(double sums[NORM_LANES], double products[NORM_LANES], const float *dy,
                                      const float *x, const float *gamma, float mean, float rstd, int64_t n)
{
    int64_t i = 0;
    for (int k = 0; k < NORM_LANES; k++) {
        sums[k] = products[k] = 0;
    }
    for (; i + NORM_LANES <= n; i += NORM_LANES) {
        for (int k = 0; k < NORM_LANES; k++) {
            double v = (double)gamma[i + k] * (double)dy[i + k];
            sums[k] += v;
            products[k] += v * (double)((x[i + k] - mean) * rstd);
        }
    }
    for (int k = 0; i < n; i++, k++) {
        double v = (double)gamma[i] * (double)dy[i];
        sums[k] += v;
        products[k] += v * (double)((x[i] - mean) * rstd);
    }
}

PEN_SIMD static void input_gradient_row(float *dx, const float *dy, const float *x, const float *gamma, float mean,
                                        float rstd, float average, float product, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        dx[i] = rstd * (gamma[i] * dy[i] - average - (x[i] - mean) * rstd * product);
    }
}

static void layer_gradient_rows(const struct pen_norm_grad *g, int64_t first, int64_t end)
{
    double sums[NORM_LANES], products[NORM_LANES], n = (double)g->dim;
    for (int64_t row = first; row < end; row++) {
        const float *x = g->x + row * g->dim, *dy = g->dy + row * g->dim;
        sum_gradient_row(sums, products, dy, x, g->gamma, g->mean[row], g->rstd[row], g->dim);
        input_gradient_row(g->dx + row * g->dim, dy, x, g->gamma, g->mean[row], g->rstd[row], (float)(fold(sums) / n),
                           (float)(fold(products) / n), g->dim);
    }
}

/* The sums down the columns are dbeta and dgamma, gamma times. */
PEN_SIMD static void batch_gradient_row(float *dx, const float *dy, const float *x, const struct pen_norm_grad *g,
                                        float share)
{
    const float *gamma = g->gamma, *mean = g->mean, *rstd = g->rstd, *dgamma = g->dgamma, *dbeta = g->dbeta;
#pragma omp simd
    for (int64_t i = 0; i < g->dim; i++) {
        float xhat = (x[i] - mean[i]) * rstd[i];
        dx[i] = rstd[i] * gamma[i] * (dy[i] - share * dbeta[i] - xhat * (share * dgamma[i]));
    }
}

static void batch_gradient_rows(const struct pen_norm_grad *g, int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        int64_t at = row * g->dim;
        batch_gradient_row(g->dx + at, g->dy + at, g->x + at, g, 1.0f / (float)g->n_rows);
    }
}

pen_status pen_norm_backward_cpu(struct pen_exec *exec, const struct pen_norm_grad *g, struct pen_error *err)
{
    PEN_TRY(pen_norm_check("norm_backward", g->kind, g->n_rows, g->dim, err));
    bool batch = g->kind == PEN_NORM_BATCH, parallel = g->n_rows * g->dim >= NORM_PARALLEL_VALUES;
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t first = 0; first < g->dim; first += NORM_STRIP) {
        parameter_gradients(g, first, least(NORM_STRIP, g->dim - first));
    }
#pragma omp parallel for schedule(static) if (parallel)
    for (int64_t first = 0; first < g->n_rows; first += NORM_ROWS) {
        (batch ? batch_gradient_rows : layer_gradient_rows)(g, first, least(first + NORM_ROWS, g->n_rows));
    }
    return PEN_OK;
}
