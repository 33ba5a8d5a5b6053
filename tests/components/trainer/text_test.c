/* Texts in a model: what only the order of words tells, and what cannot be asked for. */
#include "core/rng.h"
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

static const struct pen_text_conv_shape filters = {2, 8, {2, 3}, 0, 100};

/* Every row holds the same two words among others, and the label is which of them stands first. */
static void order_rows(struct arrays *a)
{
    pen_free(a->many);
    a->many = pen_calloc(a->n * 6, sizeof *a->many);
    PEN_ASSERT(a->many != NULL);
    for (int64_t r = 0; r < a->n; r++) {
        int64_t place = (int64_t)pen_rng_below(1, 2, (uint64_t)r, 5);
        a->offsets[r + 1] = 6 * (r + 1);
        a->label[r] = (float)pen_rng_below(1, 3, (uint64_t)r, 2);
        for (int64_t i = 0; i < 6; i++) {
            a->many[6 * r + i] = 2 + (int32_t)pen_rng_below(1, 4, (uint64_t)(6 * r + i), ARRAYS_MANY - 2);
        }
        a->many[6 * r + place] = a->label[r] > 0;
        a->many[6 * r + place + 1] = !(a->label[r] > 0);
    }
    a->ids[1].values = a->many;
}

static double auc_of(bool text)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 2000, PEN_TASK_BINARY, 3);
    order_rows(&a);
    struct pen_training_options options = arrays_options(PEN_MODEL_DNN, 500);
    options.validation_fraction = 0.3;
    if (text) {
        options.architecture.text = filters;
    }
    struct pen_examples_source source = arrays_source(&a);
    struct pen_network *network = NULL;
    struct pen_training_result result = {.validation_metric = NAN};
    pen_json *curves = pen_json_array();
    PEN_CHECK_OK(pen_training_run(&network, &result, curves, &source, &options, NULL, pen_exec_cpu(), &err), &err);
    pen_json_free(curves);
    pen_network_destroy(network);
    arrays_deinit(&a);
    return result.validation_metric;
}

static void the_order_of_words_is_learnt_by_filters_alone(void)
{
    double bag = auc_of(false), text = auc_of(true);
    PEN_CHECK_MSG(bag < 0.6 && text > 0.99, "expected AUC below 0.6 and above 0.99, found %g, %g", bag, text);
}

static void refuse(enum pen_model_kind kind, int64_t n_ids, const struct pen_text_conv_shape *text, const char *part)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    struct pen_network *network = NULL;
    arrays_init(&a, 10, PEN_TASK_BINARY, 3);
    a.spec.n_ids = n_ids;
    struct pen_training_options options = arrays_options(kind, 1);
    options.architecture.text = *text;
    pen_status status = pen_network_create(&network, &options.architecture, &a.spec, pen_exec_cpu(), &err);
    PEN_CHECK(status != PEN_OK);
    PEN_CHECK_CONTAINS(err.message, part);
    arrays_deinit(&a);
}

static void what_cannot_be_is_refused_with_a_message(void)
{
    struct pen_text_conv_shape many = filters, none = filters, endless = filters, thin = filters;
    many.n_filters = PEN_NETWORK_WIDTH_MAX;
    none.n_filters = 0;
    endless.max_length = PEN_NETWORK_LENGTH_MAX + 1;
    thin.widths[1] = 0;
    refuse(PEN_MODEL_LINEAR, 2, &filters, "expected a model with a deep part");
    refuse(PEN_MODEL_DNN, 1, &filters, "expected a feature that is a list of ids");
    refuse(PEN_MODEL_DNN, 2, &many, "filters over all widths");
    refuse(PEN_MODEL_DNN, 2, &none, "filters over all widths");
    refuse(PEN_MODEL_DNN, 2, &endless, "max_length");
    refuse(PEN_MODEL_DNN, 2, &thin, "widths of 1 to");
}

PEN_SUITE(trainer_text, PEN_CASE(the_order_of_words_is_learnt_by_filters_alone),
          PEN_CASE(what_cannot_be_is_refused_with_a_message));
