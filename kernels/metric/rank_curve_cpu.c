/* Points of the ROC and precision-recall curves in one falling sweep. */
#include "kernels/metric/metric.h"
#include "kernels/sort/sort.h"

#include <string.h>

pen_status pen_rank_curve_cpu(struct pen_exec *exec, const struct pen_rank_curve *job, struct pen_error *err)
{
    if (job->n < 0 || job->n_points < 1) {
        PEN_FAIL(err, PEN_ERR_SHAPE, "rank_curve: expected n >= 0 and at least one point, found %lld and %lld",
                 (long long)job->n, (long long)job->n_points);
    }
    double tp = 0, fp = 0;
    int64_t k = 0;
    for (int64_t i = job->n - 1; i >= 0; i--) {
        uint64_t key = job->keys[i];
        double weight = job->weights != NULL ? (double)job->weights[pen_sort_key_row(key)] : 1.0;
        tp += pen_sort_key_positive(key) ? weight : 0;
        fp += pen_sort_key_positive(key) ? 0 : weight;
        bool ends = i == 0 || pen_sort_key_order(job->keys[i - 1]) != pen_sort_key_order(key);
        /* the group that ends here holds key n - 1 - floor(k n / n_points) of the next points */
        for (; ends && k < job->n_points && job->n - 1 - k * job->n / job->n_points >= i; k++) {
            job->points[2 * k] = tp;
            job->points[2 * k + 1] = fp;
        }
    }
    memset(job->points + 2 * k, 0, (size_t)(job->n_points - k) * 2 * sizeof *job->points); /* n = 0 */
    job->points[2 * job->n_points] = tp;
    job->points[2 * job->n_points + 1] = fp;
    return PEN_OK;
}
