/* A network: linear, dnn or wide_deep, over the tensors of a transform graph.
 *
 *   x       = [embeddings of every id feature | standardised dense columns]                  [B, n_x]
 *   deep    = h(... h(x W0 + b0) ...) Wn + bn                                                [B, C]
 *   wide    = sum of one weight per id value (+ dense columns times their weights + bias)    [B, C]
 *   logits  = linear: wide; dnn: deep; wide_deep: wide + deep
 *
 * The embeddings of a list of ids are pooled, or, with a text_cnn, convolved in their order (kernels/text/text_conv.h):
 * K F columns of x. Its wide weights stay those of a bag of ids.
 *
 * h is a hidden layer: the activation, then batch or layer normalisation where asked for (kernels/norm/norm.h), then
 * dropout in training. Normalising what the activation gives is what TensorFlow's DNN estimators do, and leaves dropout
 * out of the statistics.
 *
 * All parameters lie in one array of floats in device memory: dense weights, then biases (with gamma and beta of the
 * normalisations), then the running statistics of batch normalisation, then tables, so that an optimiser step is a call
 * for the weights (with L1 and L2), one for the biases (without) and one for all tables (touched rows only). The
 * statistics move with each forward pass of training; averaged weights average them too. Tables begin at multiples of
 * 64 bytes. A dense column far from unit scale is standardised by constants of the training rows (network.c); a value
 * that is not finite counts as 0 afterwards, the mean. Ids outside the table count as absent. */
#ifndef PEN_COMPONENTS_TRAINER_NETWORK_H
#define PEN_COMPONENTS_TRAINER_NETWORK_H

#include "core/memory.h"
#include "datasets/store/tensors.h"
#include "kernels/backend.h"

enum pen_model_kind { PEN_MODEL_LINEAR, PEN_MODEL_DNN, PEN_MODEL_WIDE_DEEP };

enum {
    PEN_NETWORK_HIDDEN_MAX = 16,
    PEN_NETWORK_WIDTH_MAX = 65536,
    PEN_NETWORK_DIM_MAX = 4096,
    PEN_NETWORK_LENGTH_MAX = 4096
};

struct pen_architecture {
    enum pen_model_kind kind;
    int64_t n_hidden;
    int64_t hidden[PEN_NETWORK_HIDDEN_MAX];
    enum pen_activation activation;
    enum pen_norm_kind norm;         /* of hidden layers */
    int64_t embedding_dim;           /* 0: chosen a feature, from its number of values */
    bool pool_sum;                   /* ragged features in the deep part: sum instead of mean */
    struct pen_text_conv_shape text; /* of ragged features in the deep part, but for dim; no widths: they are pooled */
};

struct pen_parameter {
    const char *name;
    int64_t n_rows, dim; /* bias: [1, dim] */
    int64_t offset;      /* into values */
};

struct pen_network {
    struct pen_arena arena;
    struct pen_architecture architecture;
    struct pen_tensor_spec spec; /* strings in the arena */
    struct pen_exec *exec;
    enum pen_loss_kind loss;
    int64_t n_outputs;
    double label_shift, label_scale;
    float *input_shift, *input_scale; /* [n_dense] device memory; x = (v - shift) * scale */

    bool has_wide, has_deep;
    int64_t n_embedded; /* columns of x that are embeddings */
    int64_t n_x;
    int64_t ld_x, ld_embedded;  /* from row to row of x and of its gradient: multiples of 16 bytes */
    int64_t *embedding_dims;    /* [n_ids] */
    int64_t *embedding_columns; /* [n_ids] */
    int64_t n_pooled;           /* id features of the deep part whose embeddings are pooled */
    int64_t *order;             /* [n_ids] features as their tables stand in a pass: those pooled, then the texts */

    int64_t n_parameters;
    struct pen_parameter *parameters;
    int64_t n_weights, n_biases, n_statistics; /* floats */
    int64_t n_total;                           /* tables are the rest, with gaps of zeros before them */
    float *values;                             /* [n_total] device memory */

    /* Into parameters; -1: absent. */
    int64_t *deep_table, *wide_table;  /* [n_ids] */
    int64_t *text_filters, *text_bias; /* [n_ids] */
    int64_t wide_dense, wide_bias;
    int64_t layer[PEN_NETWORK_HIDDEN_MAX + 1], bias[PEN_NETWORK_HIDDEN_MAX + 1];
    int64_t gamma[PEN_NETWORK_HIDDEN_MAX], beta[PEN_NETWORK_HIDDEN_MAX];
    int64_t running_mean[PEN_NETWORK_HIDDEN_MAX], running_variance[PEN_NETWORK_HIDDEN_MAX]; /* batch */
};

/* Shapes, zeroed values, input shift 0 and scale 1; nothing of spec is kept but copies. */
PEN_MUST_USE pen_status pen_network_create(struct pen_network **network, const struct pen_architecture *architecture,
                                           const struct pen_tensor_spec *spec, struct pen_exec *exec,
                                           struct pen_error *err);
void pen_network_destroy(struct pen_network *network);

/* Glorot uniform weights, small normal embeddings, zero wide part and biases; the output bias is the log odds (binary,
 * multi-class) of the class shares. class_shares: [n_classes], NULL for regression. */
PEN_MUST_USE pen_status pen_network_initialise(struct pen_network *network, uint64_t seed, const double *class_shares,
                                               struct pen_error *err);

/* x = (v - shift) * scale from now on; both [n_dense] in host memory. */
PEN_MUST_USE pen_status pen_network_set_input(struct pen_network *network, const float *shift, const float *scale,
                                              struct pen_error *err);

/* Is the id feature convolved? */
bool pen_network_is_text(const struct pen_network *network, int64_t feature);

/* Device memory of a parameter. */
float *pen_network_value(const struct pen_network *network, int64_t parameter);

#endif
