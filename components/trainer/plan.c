/* What training chooses by itself, from the number of rows, and the learning rate of a step. */
#include "components/trainer/training.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* A tenth, more when the rows are few: with under a hundred validation rows the best epoch is noise. */
double pen_training_validation_share(const struct pen_training_options *o, int64_t n_rows)
{
    if (o->validation_fraction >= 0) {
        return o->validation_fraction;
    }
    double share = 1000.0 / (double)(n_rows > 0 ? n_rows : 1);
    return share < 0.1 ? 0.1 : share > 0.2 ? 0.2 : share;
}

/* About 100 steps an epoch, within [32, 1024] rows, a power of two. */
static int64_t automatic_batch(int64_t n_train)
{
    int64_t batch = 32;
    while (batch < 1024 && batch * 2 * 80 <= n_train) {
        batch *= 2;
    }
    return batch;
}

/* A million row visits, at least 4 and at most 100 epochs; early stopping ends most runs long before. */
static int64_t automatic_epochs(int64_t n_train)
{
    int64_t epochs = 1000000 / (n_train > 0 ? n_train : 1);
    return epochs < 4 ? 4 : epochs > 100 ? 100 : epochs;
}

static double automatic_rate(const struct pen_training_options *o)
{
    bool linear = o->architecture.kind == PEN_MODEL_LINEAR;
    switch (o->update.rule.kind) {
    case PEN_OPTIMISER_SGD:
        return o->update.rule.momentum > 0 ? 0.01 : 0.05;
    case PEN_OPTIMISER_ADAM:
    case PEN_OPTIMISER_ADAMW:
        return linear ? 0.01 : 0.002;
    case PEN_OPTIMISER_ADAGRAD:
    case PEN_OPTIMISER_FTRL:
        return linear ? 0.1 : 0.05;
    case PEN_OPTIMISER_COUNT:
        break;
    }
    return 0.001;
}

void pen_training_plan(struct pen_training_options *o, const struct pen_network *network, int64_t n_train)
{
    (void)network;
    if (o->batch_size <= 0) {
        o->batch_size = automatic_batch(n_train);
    }
    int64_t an_epoch = (n_train + o->batch_size - 1) / o->batch_size;
    an_epoch = an_epoch < 1 ? 1 : an_epoch;
    if (o->steps <= 0) {
        o->steps = an_epoch * (o->epochs > 0 ? o->epochs : automatic_epochs(n_train));
    }
    if (o->eval_every <= 0) {
        o->eval_every = an_epoch < 2000 ? an_epoch : 2000;
    }
    if (o->patience <= 0) {
        o->patience = n_train < 5000 ? 10 : 5;
    }
    if (o->learning_rate <= 0) {
        o->learning_rate = automatic_rate(o);
    }
    if (o->warmup_steps < 0) {
        o->warmup_steps = o->steps / 20 < 100 ? o->steps / 20 : 100;
    }
    if (o->schedule_step <= 0) {
        o->schedule_step = o->steps / 3 < 1 ? 1 : o->steps / 3;
    }
}

double pen_training_rate(const struct pen_training_options *o, int64_t step)
{
    if (step <= o->warmup_steps) {
        return o->learning_rate * (double)step / (double)(o->warmup_steps + 1);
    }
    int64_t length = o->steps - o->warmup_steps;
    double done = (double)(step - o->warmup_steps - 1) / (double)(length > 0 ? length : 1);
    switch (o->schedule) {
    case PEN_SCHEDULE_COSINE:
        return o->learning_rate * 0.5 * (1 + cos(pi * done));
    case PEN_SCHEDULE_LINEAR:
        return o->learning_rate * (1 - done);
    case PEN_SCHEDULE_STEP:
        return o->learning_rate *
               pow(o->schedule_factor, floor((double)(step - o->warmup_steps - 1) / (double)o->schedule_step));
    case PEN_SCHEDULE_CONSTANT:
        break;
    }
    return o->learning_rate;
}
