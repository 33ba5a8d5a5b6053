/* Ranks for a test: rank 0 is the test itself, the others are forked from it. */
#ifndef PEN_TESTS_KERNELS_RANKS_FORKED_H
#define PEN_TESTS_KERNELS_RANKS_FORKED_H

#include "core/communicator_local.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a rank does; 0: all was well, else what is to be told of it as a line on standard error, and another number. */
typedef int forked_rank_fn(struct pen_communicator *ranks, void *context);

/* codes: [size], what the ranks returned; minus the signal of one that died. */
void forked_ranks_run(int size, double timeout_s, forked_rank_fn *body, void *context, int *codes);

/* The same, where all must return 0. */
void forked_ranks_check(int size, forked_rank_fn *body, void *context);

#ifdef __cplusplus
}
#endif

#endif
