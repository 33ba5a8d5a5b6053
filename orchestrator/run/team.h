/* The processes of one node: rank 0, which reports to the runner, and those that work beside it. They are forks of the
 * runner (child.h) and die with it. */
#ifndef PEN_ORCHESTRATOR_RUN_TEAM_H
#define PEN_ORCHESTRATOR_RUN_TEAM_H

#include "core/communicator_local.h"

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pen_team {
    int n;
    struct pen_team_member {
        pid_t process;
        bool ended, killed; /* killed: by pen_team_finish */
        int state;          /* of waitpid, once ended */
    } members[PEN_LOCAL_RANKS_MAX];
};

/* Forks n processes that run body, which does not return. PEN_ERR_IO: none is left. */
PEN_MUST_USE pen_status pen_team_start(struct pen_team *team, int n, void (*body)(void *context, int rank),
                                       void *context, struct pen_error *err);

/* A rank beside rank 0 that by itself did not end well so far, the first that died of a signal before any other; 0:
 * none. Waits for nobody; after pen_team_finish it knows all. */
int pen_team_lost(struct pen_team *team);

/* Returns when all have ended. Those that have not within grace_s are killed. */
void pen_team_finish(struct pen_team *team, double grace_s);

#ifdef __cplusplus
}
#endif

#endif
