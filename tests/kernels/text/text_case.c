/* A text feature for tests. */
#include "tests/kernels/text/text_case.h"

#include "core/memory.h"
#include "core/rng.h"
#include "kernels/backend.h"
#include "tests/kernels/mirror.h"
#include "tests/kernels/numbers.h"
#include "tests/pen_test.h"

int64_t text_row_length(const struct text *t, int64_t row)
{
    int64_t n = t->offsets[row + 1] - t->offsets[row];
    return n < t->shape.max_length ? n : t->shape.max_length;
}

void text_init(struct text *t, const struct pen_text_conv_shape *shape, int64_t n, int64_t longest)
{
    *t = (struct text){.shape = *shape, .n = n, .n_channels = shape->n_widths * shape->n_filters};
    t->n_filter_values = pen_text_conv_filter_rows(shape, shape->n_widths) * shape->dim;
    t->ld = t->n_channels + 3;
    t->offsets = pen_calloc(n + 1, sizeof *t->offsets);
    t->starts = pen_calloc(n + 1, sizeof *t->starts);
    PEN_ASSERT(t->offsets != NULL && t->starts != NULL);
    for (int64_t row = 0; row < n; row++) {
        t->offsets[row + 1] = t->offsets[row] + (int64_t)pen_rng_below(5, 1, (uint64_t)row, (uint64_t)longest + 1);
        t->n_positions += text_row_length(t, row) > 0 ? text_row_length(t, row) + pen_text_conv_widest(shape) - 1 : 0;
    }
    t->n_positions += 7; /* more room than rows */
    t->ids = pen_test_ints(t->offsets[n], 2, -2, TEXT_VALUES + 2);
    t->table = pen_test_floats(TEXT_VALUES * shape->dim, 3, -1, 1);
    t->filters = pen_test_floats(t->n_filter_values, 4, -1, 1);
    t->bias = pen_test_floats(t->n_channels, 5, -1, 1);
    t->y = pen_test_floats(n * t->ld, 6, 7, 8);
    t->best = pen_test_ints(n * t->n_channels, 7, 7, 8);
    t->positions = pen_test_floats(t->n_positions * shape->dim, 8, 7, 8);
    t->position_ids = pen_test_ints(t->n_positions, 9, 7, 8);
    t->dy = pen_test_floats(n * t->ld, 10, -1, 1);
    t->dfilters = pen_test_floats(t->n_filter_values, 11, 7, 8);
    t->dbias = pen_test_floats(t->n_channels, 12, 7, 8);
    t->d_positions = pen_test_floats(t->n_positions * shape->dim, 13, 7, 8);
}

void text_deinit(struct text *t)
{
    void *all[] = {t->ids,  t->best,      t->position_ids, t->offsets,  t->starts, t->table, t->filters,
                   t->bias, t->positions, t->dy,           t->dfilters, t->dbias,  t->y,     t->d_positions};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pen_free(all[i]);
    }
}

void text_forward(struct text *t)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text_conv job = {.shape = t->shape,
                                .n_rows = t->n,
                                .n_values = TEXT_VALUES,
                                .ids = t->ids,
                                .row_offsets = t->offsets,
                                .table = t->table,
                                .filters = t->filters,
                                .bias = t->bias,
                                .y = t->y,
                                .ld_y = t->ld,
                                .best = t->best,
                                .n_positions = t->n_positions,
                                .starts = t->starts,
                                .positions = t->positions,
                                .position_ids = t->position_ids};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.ids, t->offsets[t->n]);
    PEN_MIRROR_IN(&m, job.row_offsets, t->n + 1);
    PEN_MIRROR_IN(&m, job.table, TEXT_VALUES * t->shape.dim);
    PEN_MIRROR_IN(&m, job.filters, t->n_filter_values);
    PEN_MIRROR_IN(&m, job.bias, t->n_channels);
    PEN_MIRROR_INOUT(&m, job.y, t->n * t->ld);
    PEN_MIRROR_INOUT(&m, job.best, t->n * t->n_channels);
    PEN_MIRROR_INOUT(&m, job.starts, t->n + 1);
    PEN_MIRROR_INOUT(&m, job.positions, t->n_positions * t->shape.dim);
    PEN_MIRROR_INOUT(&m, job.position_ids, t->n_positions);
    PEN_CHECK_OK(m.exec->kernels->text_conv_forward(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
}

void text_backward(struct text *t)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text_conv_grad job = {.shape = t->shape,
                                     .n_rows = t->n,
                                     .filters = t->filters,
                                     .starts = t->starts,
                                     .positions = t->positions,
                                     .best = t->best,
                                     .dy = t->dy,
                                     .ld_dy = t->ld,
                                     .dfilters = t->dfilters,
                                     .dbias = t->dbias,
                                     .d_positions = t->d_positions};
    struct pen_mirror m = PEN_MIRROR_INIT;
    PEN_MIRROR_IN(&m, job.filters, t->n_filter_values);
    PEN_MIRROR_IN(&m, job.starts, t->n + 1);
    PEN_MIRROR_IN(&m, job.positions, t->n_positions * t->shape.dim);
    PEN_MIRROR_IN(&m, job.best, t->n * t->n_channels);
    PEN_MIRROR_IN(&m, job.dy, t->n * t->ld);
    PEN_MIRROR_INOUT(&m, job.dfilters, t->n_filter_values);
    PEN_MIRROR_INOUT(&m, job.dbias, t->n_channels);
    PEN_MIRROR_INOUT(&m, job.d_positions, t->n_positions * t->shape.dim);
    PEN_CHECK_OK(m.exec->kernels->text_conv_backward(m.exec, &job, &err), &err);
    pen_mirror_end(&m);
}
