/* The one function of penstock_mpi.so. It carries the version of the communicator's structures, so that a module of
 * another build is not found rather than misunderstood. */
#ifndef PEN_CORE_COMMUNICATOR_MODULE_H
#define PEN_CORE_COMMUNICATOR_MODULE_H

#include "core/communicator.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PEN_MPI_MODULE "penstock_mpi.so"
#define PEN_MPI_OPEN_SYMBOL "pen_mpi_open_2"

/* stop_requested: pen_cancel_requested of the program, for the module has its own. */
typedef pen_status pen_mpi_open_fn(struct pen_communicator **communicator, double timeout_s,
                                   bool (*stop_requested)(void), struct pen_error *err);
PEN_API pen_mpi_open_fn pen_mpi_open_2;

#ifdef __cplusplus
}
#endif

#endif
