/* What must hold on every rank, whatever carries the bytes: run on forked processes and under mpirun. */
#ifndef PEN_TESTS_CORE_RANKS_H
#define PEN_TESTS_CORE_RANKS_H

#include "core/communicator.h"

/* Number of things that were wrong; each is a line on standard error. */
int ranks_check(struct pen_communicator *communicator);

#endif
