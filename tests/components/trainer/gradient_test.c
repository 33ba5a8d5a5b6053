/* The gradient of whole models against central differences of their loss, for every kind of model and label.
 *
 * The loss is summed in float64 from float32 logits, so a difference over 2h carries about eps |z| / h of noise, near
 * 2e-5 for h = 5e-3. Its truncation is h^2 times a third derivative, which normalisation makes large (it divides by the
 * deviation of a few values); a second difference over 4h cancels that term (Richardson) and leaves one of h^4. */
#include "tests/components/trainer/arrays.h"
#include "tests/pen_test.h"

static double loss_at(struct pen_pass *pass)
{
    struct pen_step_sums sums;
    PEN_ASSERT(pen_pass_forward(pass, true, NULL) == PEN_OK);
    PEN_ASSERT(pen_pass_read_sums(pass, &sums, true, NULL) == PEN_OK);
    PEN_ASSERT(pen_pass_loss(pass, pass->sums, NULL) == PEN_OK);
    PEN_ASSERT(pen_pass_read_sums(pass, &sums, true, NULL) == PEN_OK);
    return sums.loss / 40;
}

/* The best windows of all texts together: while they stay, the loss has no kink. */
static uint64_t windows_of(const struct pen_pass *pass)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < pass->n_texts; i++) {
        const struct pen_pass_text *text = &pass->texts[i];
        for (int64_t j = 0; j < pass->n_rows * text->shape.n_widths * text->shape.n_filters; j++) {
            sum = sum * 31 + (uint64_t)(text->best[j] + 1);
        }
    }
    return sum;
}

/* The central difference over 2h, with the step as float32 takes it; NaN across a kink. */
static double slope(struct pen_pass *pass, float *w, float h)
{
    float old = *w, up = old + h, down = old - h;
    *w = up;
    double rise = loss_at(pass);
    uint64_t windows = windows_of(pass);
    *w = down;
    rise -= loss_at(pass);
    *w = old;
    if (windows_of(pass) != windows) {
        return NAN;
    }
    return rise / ((double)up - (double)down);
}

/* The gradient the pass holds for value i of a parameter; tables are looked up among the touched rows. */
static double found_gradient(const struct pen_pass *pass, int64_t parameter, int64_t i)
{
    const struct pen_network *n = pass->network;
    const struct pen_parameter *p = &n->parameters[parameter];
    if (p->offset < n->n_weights + n->n_biases) {
        return (double)pass->grad[p->offset + i];
    }
    for (int64_t t = 0; t < n->spec.n_ids; t++) {
        int64_t f = n->order[t];
        const struct pen_embedding_feature *e = n->deep_table[f] == parameter   ? &pass->deep[t]
                                                : n->wide_table[f] == parameter ? &pass->wide[t]
                                                                                : NULL;
        for (int64_t s = 0; e != NULL && s < e->n_touched; s++) {
            if (e->touched[s] == i / p->dim) {
                return (double)e->grad[s * p->dim + i % p->dim];
            }
        }
    }
    return 0;
}

/* Words far from each other, so that few windows are about as good as the best. */
static void spread_words(struct pen_network *network)
{
    float *words = pen_network_value(network, network->deep_table[1]);
    for (int64_t i = 0; i < ARRAYS_MANY * network->embedding_dims[1]; i++) {
        words[i] *= 8;
    }
}

static void one_model(enum pen_model_kind kind, enum pen_task task, enum pen_norm_kind norm, double dropout,
                      const struct pen_text_conv_shape *text)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct arrays a;
    arrays_init(&a, 40, task, 3);
    struct pen_training_options options = arrays_options(kind, 1);
    options.architecture.norm = norm;
    if (text != NULL) {
        options.architecture.text = *text;
    }
    struct pen_network *network = NULL;
    struct pen_pass *pass = NULL;
    PEN_REQUIRE_OK(pen_network_create(&network, &options.architecture, &a.spec, pen_exec_cpu(), &err), &err);
    PEN_REQUIRE_OK(pen_network_initialise(network, 1, NULL, &err), &err);
    if (text != NULL) {
        spread_words(network);
    }
    network->label_shift = 100;
    network->label_scale = 20;
    PEN_REQUIRE_OK(pen_pass_create(&pass, network, 40, true, dropout, 5, 3, &err), &err);
    struct pen_device_rows rows;
    struct pen_training_step step = {.number = 3, .order_seed = 1, .n_order = a.n};
    PEN_REQUIRE_OK(arrays_rows(&a, &rows, pen_exec_cpu(), &err), &err);
    PEN_CHECK_OK(pen_pass_begin_step(pass, &step, &err), &err);
    PEN_CHECK_OK(pen_pass_load_step(pass, &rows, a.n, &err), &err);
    PEN_CHECK_OK(pen_pass_forward(pass, true, &err), &err);
    PEN_CHECK_OK(pen_pass_loss_gradient(pass, 1.0 / 40, &err), &err);
    PEN_CHECK_OK(pen_pass_backward(pass, &err), &err);
    int64_t n_kinks = 0, n_differences = 0;
    for (int64_t k = 0; k < network->n_parameters; k++) {
        float *w = pen_network_value(network, k);
        int64_t size = network->parameters[k].n_rows * network->parameters[k].dim;
        n_differences += size;
        for (int64_t i = 0; i < size; i++) {
            double difference = (4 * slope(pass, &w[i], 5e-3f) - slope(pass, &w[i], 1e-2f)) / 3;
            double found = found_gradient(pass, k, i);
            n_kinks += isnan(difference);
            PEN_CHECK_MSG(isnan(difference) || fabs(found - difference) <= 2e-4, "%s[%lld]: expected %g, found %g",
                          network->parameters[k].name, (long long)i, difference, found);
        }
    }
    PEN_CHECK_MSG(n_kinks <= n_differences / 20, "%lld kinks in %lld differences", (long long)n_kinks,
                  (long long)n_differences);
    pen_device_rows_deinit(&rows);
    pen_pass_destroy(pass);
    pen_network_destroy(network);
    arrays_deinit(&a);
}

static void gradients_match_differences(void)
{
    static const enum pen_task tasks[] = {PEN_TASK_BINARY, PEN_TASK_MULTICLASS, PEN_TASK_REGRESSION};
    for (size_t t = 0; t < 3; t++) {
        one_model(PEN_MODEL_LINEAR, tasks[t], PEN_NORM_NONE, 0, NULL);
        one_model(PEN_MODEL_DNN, tasks[t], PEN_NORM_NONE, 0, NULL);
        one_model(PEN_MODEL_WIDE_DEEP, tasks[t], PEN_NORM_NONE, 0, NULL);
    }
}

static void gradients_match_with_dropout(void)
{
    one_model(PEN_MODEL_WIDE_DEEP, PEN_TASK_BINARY, PEN_NORM_NONE, 0.4, NULL);
    one_model(PEN_MODEL_DNN, PEN_TASK_MULTICLASS, PEN_NORM_NONE, 0.4, NULL);
}

static void gradients_match_with_normalisation(void)
{
    one_model(PEN_MODEL_DNN, PEN_TASK_BINARY, PEN_NORM_BATCH, 0, NULL);
    one_model(PEN_MODEL_DNN, PEN_TASK_BINARY, PEN_NORM_LAYER, 0, NULL);
    one_model(PEN_MODEL_WIDE_DEEP, PEN_TASK_MULTICLASS, PEN_NORM_BATCH, 0.4, NULL);
    one_model(PEN_MODEL_WIDE_DEEP, PEN_TASK_REGRESSION, PEN_NORM_LAYER, 0.4, NULL);
}

static void gradients_match_with_texts(void)
{
    static const struct pen_text_conv_shape two = {2, 3, {2, 3}, 0, 100}, one = {1, 4, {1}, 0, 2};
    one_model(PEN_MODEL_DNN, PEN_TASK_BINARY, PEN_NORM_NONE, 0, &two);
    one_model(PEN_MODEL_WIDE_DEEP, PEN_TASK_MULTICLASS, PEN_NORM_NONE, 0.4, &two);
    one_model(PEN_MODEL_WIDE_DEEP, PEN_TASK_REGRESSION, PEN_NORM_LAYER, 0, &one);
}

PEN_SUITE(trainer_gradient, PEN_CASE(gradients_match_differences), PEN_CASE(gradients_match_with_dropout),
          PEN_CASE(gradients_match_with_normalisation), PEN_CASE(gradients_match_with_texts));
