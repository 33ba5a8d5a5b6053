/* Activation functions of the dense layers; all of them give their derivative from their own output, so that the
 * backward pass needs no second buffer.
 *
 *   name         y(z)                        dy/dz from y
 *   none         z                           1
 *   relu         max(z, 0)                   y > 0
 *   leaky_relu   z > 0 ? z : 0.01 z          y > 0 ? 1 : 0.01
 *   elu          z > 0 ? z : e^z - 1         y > 0 ? 1 : y + 1
 *   sigmoid      1 / (1 + e^-z)              y (1 - y)
 *   tanh         tanh z                      1 - y^2
 *
 * NaN stays NaN. Error of each at most 4 units in the last place of max(|y|, 2^-3 for elu). */
#ifndef PEN_KERNELS_ACTIVATION_ACTIVATION_H
#define PEN_KERNELS_ACTIVATION_ACTIVATION_H

#include <stdint.h>

enum pen_activation {
    PEN_ACTIVATION_NONE,
    PEN_ACTIVATION_RELU,
    PEN_ACTIVATION_LEAKY_RELU,
    PEN_ACTIVATION_ELU,
    PEN_ACTIVATION_SIGMOID,
    PEN_ACTIVATION_TANH,
    PEN_ACTIVATION_COUNT
};

/* In place over rows of n values: y = activation(y + bias); bias NULL: none. */
void pen_activation_apply_cpu(enum pen_activation activation, float *y, int64_t ld, const float *bias, int64_t n_rows,
                              int64_t n);

/* In place: dy = dy * dy/dz; column sums of the result go to sums[n] (NULL: not wanted). */
void pen_activation_backward_cpu(enum pen_activation activation, float *dy, int64_t ld_dy, float *sums, const float *y,
                                 int64_t ld_y, int64_t n_rows, int64_t n);

#endif
