/* Slices against a plain walk over the rows: crosses, missing cells, numbers in order, limits, wanted values. */
#include "components/evaluator/slices.h"

#include "core/memory.h"
#include "tests/pen_test.h"

#include <unistd.h>

enum { N = 1000 };

static const char *const cities[] = {"Rome", "Oslo", "Bern"};

/* city: three texts, missing where row % 10 = 9; hour: row % 4 * 5 as int64; price: row / 4.0. */
static struct pen_store *make(struct pen_arena *arena, struct pen_error *err)
{
    static const int64_t offsets[] = {0, 4, 8, 12};
    static const struct pen_dictionary dictionary = {3, offsets, "RomeOsloBern"};
    static const struct pen_store_column_spec specs[] = {
        {"city", PEN_TYPE_CODES}, {"hour", PEN_TYPE_INT64}, {"price", PEN_TYPE_FLOAT64}};
    static int32_t city[N];
    static int64_t hour[N];
    static double price[N];
    static uint8_t validity[N / 8];
    for (int i = 0; i < N; i++) {
        bool missing = i % 10 == 9;
        city[i] = missing ? -1 : i % 3;
        hour[i] = i % 4 * 5;
        price[i] = i / 4.0;
        validity[i / 8] = (uint8_t)(validity[i / 8] | (missing ? 0 : 1 << (i % 8)));
    }
    struct pen_column columns[] = {
        {.type = PEN_TYPE_CODES, .n_rows = N, .values = city, .validity = validity, .dictionary = &dictionary},
        {.type = PEN_TYPE_INT64, .n_rows = N, .values = hour},
        {.type = PEN_TYPE_FLOAT64, .n_rows = N, .values = price}};
    struct pen_store_options options = {"eval", -1, NULL};
    struct pen_store_writer *writer = NULL;
    struct pen_store *store = NULL;
    const char *path = pen_arena_printf(arena, "%s/split-eval.h5", pen_test_directory());
    (void)unlink(path);
    PEN_CHECK_OK(pen_store_create(&writer, path, specs, 3, &options, err), err);
    PEN_CHECK_OK(pen_store_append(writer, columns, N, err), err);
    PEN_CHECK_OK(pen_store_finish(writer, err), err);
    PEN_CHECK_OK(pen_store_open(&store, path, err), err);
    return store;
}

struct fixture {
    struct pen_arena arena;
    struct pen_error err;
    struct pen_store *store;
    uint8_t keep[N];
    struct pen_slice_spec *specs;
    int64_t n_specs;
    struct pen_slicing slicing;
};

static pen_status slice(struct fixture *f, const char *yaml, struct pen_slice_limits limits)
{
    struct pen_config_node *node = NULL;
    int64_t n = 0;
    *f = (struct fixture){.err = PEN_ERROR_INIT};
    f->store = make(&f->arena, &f->err);
    for (int i = 0; i < N; i++) {
        f->keep[i] = i % 5 != 0;
        n += f->keep[i];
    }
    PEN_TRY(pen_config_parse(&f->arena, yaml, strlen(yaml), "s.yaml", &node, &f->err));
    PEN_TRY(pen_slice_specs(&f->arena, node, &f->specs, &f->n_specs, &f->err));
    return pen_slice_rows(&f->arena, f->store, &f->specs[f->n_specs - 1], f->keep, n, &limits, &f->slicing, &f->err);
}

static void end(struct fixture *f)
{
    pen_slicing_deinit(&f->slicing);
    pen_store_close(f->store);
    pen_arena_deinit(&f->arena);
}

static const struct pen_slice_limits all = {1, 1000, 1000};

static void crosses_hold_the_rows_of_both_values(void)
{
    struct fixture f;
    PEN_CHECK_OK(slice(&f, "[[], [hour, city]]", all), &f.err);
    PEN_CHECK_EQ_I64(f.n_specs, 2);
    /* kept rows are not multiples of 5, so rows ending in 9 (missing city) have odd numbers: hours 5 and 15 */
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 14);
    PEN_CHECK_EQ_STR(f.slicing.slices[0].title, "hour=0 city=Bern");
    PEN_CHECK_EQ_STR(f.slicing.slices[6].title, "hour=5 city=(missing)");
    int64_t kept = 0, total = 0;
    for (int i = 0; i < N; i++) {
        if (f.keep[i] == 0) {
            continue;
        }
        const struct pen_slice *found = &f.slicing.slices[f.slicing.slice_of[kept++]];
        const char *title =
            pen_arena_printf(&f.arena, "hour=%d city=%s", i % 4 * 5, i % 10 == 9 ? "(missing)" : cities[i % 3]);
        PEN_CHECK_EQ_STR(found->title, title);
    }
    for (int64_t s = 0; s < f.slicing.n_slices; s++) {
        total += f.slicing.slices[s].n_rows;
    }
    PEN_CHECK_EQ_I64(total, kept);
    end(&f);
}

static void limits_leave_out_and_say_so(void)
{
    struct fixture f;
    PEN_CHECK_OK(slice(&f, "[[city]]", (struct pen_slice_limits){150, 2, 1000}), &f.err);
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 2);
    PEN_CHECK_EQ_STR(f.slicing.note, "1 slices with fewer than 150 rows and 1 beyond the largest 2 left out");
    end(&f);
    PEN_CHECK_OK(slice(&f, "[price]", (struct pen_slice_limits){1, 1000, 100}), &f.err);
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 0);
    PEN_CHECK_EQ_STR(f.slicing.note, "not sliced by price: more than 100 different numbers");
    end(&f);
    PEN_CHECK_OK(slice(&f, "[price]", all), &f.err);
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 800);
    PEN_CHECK_EQ_STR(f.slicing.slices[2].title, "price=0.75");
    end(&f);
}

static void one_value_can_be_asked_for(void)
{
    struct fixture f;
    PEN_CHECK_OK(slice(&f, "[{city: Oslo}]", all), &f.err);
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 1);
    PEN_CHECK_EQ_STR(f.slicing.slices[0].title, "city=Oslo");
    end(&f);
    PEN_CHECK_OK(slice(&f, "[{city: Paris}]", all), &f.err);
    PEN_CHECK_EQ_I64(f.slicing.n_slices, 0);
    end(&f);
}

static void overall_is_always_there_and_slips_are_reported(void)
{
    struct fixture f;
    PEN_CHECK_OK(slice(&f, "[]", all), &f.err);
    PEN_CHECK_EQ_STR(f.slicing.slices[0].title, "overall");
    PEN_CHECK_EQ_I64(f.slicing.slices[0].n_rows, 800);
    end(&f);
    PEN_CHECK_STATUS(slice(&f, "[[hour], [hour, ciy]]", all), PEN_ERR_CONFIG);
    PEN_CHECK_EQ_STR(f.err.message,
                     "s.yaml:1:10: slices: expected a column of the data, found 'ciy'; did you mean 'city'?");
    end(&f);
    PEN_CHECK_STATUS(slice(&f, "[[a, b, c, d]]", all), PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(f.err.message, "s.yaml:1:");
    end(&f);
}

PEN_SUITE(slices, PEN_CASE(crosses_hold_the_rows_of_both_values), PEN_CASE(limits_leave_out_and_say_so),
          PEN_CASE(one_value_can_be_asked_for), PEN_CASE(overall_is_always_there_and_slips_are_reported));
