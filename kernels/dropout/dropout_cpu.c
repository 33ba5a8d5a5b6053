/* Dropout on the CPU: four values a random block. */
#include "kernels/dropout/dropout.h"

#include "core/rng.h"

pen_status pen_dropout_cpu(struct pen_exec *exec, const struct pen_dropout *d, struct pen_error *err)
{
    PEN_TRY(pen_dropout_check(d, err));
    uint32_t threshold = (uint32_t)(d->rate * 4294967296.0);
    float scale = (float)(1.0 / (1.0 - d->rate));
    uint64_t first_block = (uint64_t)d->step->number * d->stride / 4;
    int64_t n_blocks = (d->n + 3) / 4;
#pragma omp parallel for schedule(static) if (d->n > 16384)
    for (int64_t b = 0; b < n_blocks; b++) {
        struct pen_rng_block random = pen_rng_at(d->seed, d->stream, first_block + (uint64_t)b);
        int64_t n = d->n - b * 4 < 4 ? d->n - b * 4 : 4;
        for (int64_t i = 0; i < n; i++) {
            int64_t j = b * 4 + i;
            d->y[j] = random.word[i] >= threshold ? d->x[j] * scale : 0.0f;
        }
    }
    return PEN_OK;
}
