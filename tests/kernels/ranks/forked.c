/* Forked ranks. */
#include "tests/kernels/ranks/forked.h"

#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int work(struct pen_local_mesh *mesh, int rank, double timeout_s, forked_rank_fn *body, void *context)
{
    struct pen_communicator *ranks = NULL;
    if (pen_local_mesh_join(&ranks, mesh, rank, timeout_s, NULL) != PEN_OK) {
        return 100;
    }
    int code = body(ranks, context);
    pen_communicator_close(ranks);
    return code;
}

void forked_ranks_run(int size, double timeout_s, forked_rank_fn *body, void *context, int *codes)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_local_mesh *mesh = NULL;
    pid_t processes[PEN_LOCAL_RANKS_MAX];
    PEN_REQUIRE_OK(pen_local_mesh_create(&mesh, size, &err), &err);
    (void)fflush(NULL);
    for (int r = 1; r < size; r++) {
        processes[r] = fork();
        if (processes[r] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(work(mesh, r, timeout_s, body, context));
        }
    }
    codes[0] = work(mesh, 0, timeout_s, body, context);
    for (int r = 1; r < size; r++) {
        int state = 0;
        PEN_REQUIRE(waitpid(processes[r], &state, 0) == processes[r]);
        codes[r] = WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
    }
}

void forked_ranks_check(int size, forked_rank_fn *body, void *context)
{
    int codes[PEN_LOCAL_RANKS_MAX] = {0};
    forked_ranks_run(size, 60, body, context, codes);
    for (int r = 0; r < size; r++) {
        PEN_CHECK_MSG(codes[r] == 0, "rank %d of %d: %d", r, size, codes[r]);
    }
}
