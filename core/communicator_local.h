/* Ranks on one machine: processes forked from one, with a socket between each two.
 *
 * The parent makes the mesh, forks, and every child joins as one rank; then the parent destroys its own copy, so that
 * a rank that dies is seen by the others at once. */
#ifndef PEN_CORE_COMMUNICATOR_LOCAL_H
#define PEN_CORE_COMMUNICATOR_LOCAL_H

#include "core/communicator.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEN_LOCAL_RANKS_MAX = 16 }; /* descriptors grow with the square */

struct pen_local_mesh {
    int size;
    int fds[PEN_LOCAL_RANKS_MAX][PEN_LOCAL_RANKS_MAX]; /* [rank][peer]; -1: none */
};

PEN_API PEN_MUST_USE pen_status pen_local_mesh_create(struct pen_local_mesh **mesh, int size, struct pen_error *err);
PEN_API void pen_local_mesh_destroy(struct pen_local_mesh *mesh); /* NULL: nothing */

/* In the child: takes the mesh, whatever it returns. */
PEN_API PEN_MUST_USE pen_status pen_local_mesh_join(struct pen_communicator **communicator, struct pen_local_mesh *mesh,
                                                    int rank, double timeout_s, struct pen_error *err);

#ifdef __cplusplus
}
#endif

#endif
