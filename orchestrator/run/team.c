/* Starting, watching and ending the processes of a node. */
#include "orchestrator/run/team.h"

#include "core/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void kill_all(struct pen_team *team)
{
    for (int r = 0; r < team->n; r++) {
        if (!team->members[r].ended) {
            team->members[r].killed = true;
            (void)kill(team->members[r].process, SIGKILL);
        }
    }
}

/* Notes who ended; options as for waitpid. Returns how many have not. */
static int collect(struct pen_team *team, int options)
{
    int n_left = 0;
    for (int r = 0; r < team->n; r++) {
        struct pen_team_member *m = &team->members[r];
        while (!m->ended) {
            pid_t found = waitpid(m->process, &m->state, options);
            m->ended = found == m->process || (found < 0 && errno != EINTR);
            if (found == 0) {
                n_left++;
                break;
            }
        }
    }
    return n_left;
}

pen_status pen_team_start(struct pen_team *team, int n, void (*body)(void *context, int rank), void *context,
                          struct pen_error *err)
{
    PEN_ASSERT(n >= 1 && n <= PEN_LOCAL_RANKS_MAX);
    *team = (struct pen_team){.n = 0};
    (void)fflush(NULL);
    for (int r = 0; r < n; r++) {
        pid_t process = fork();
        if (process == 0) {
            body(context, r);
            _exit(70);
        }
        if (process < 0) {
            int number = errno;
            kill_all(team);
            (void)collect(team, 0);
            PEN_FAIL(err, PEN_ERR_IO, "cannot start a process: %s", strerror(number));
        }
        team->members[team->n++] = (struct pen_team_member){.process = process};
    }
    return PEN_OK;
}

int pen_team_lost(struct pen_team *team)
{
    int lost = 0;
    (void)collect(team, WNOHANG);
    for (int r = 1; r < team->n; r++) {
        const struct pen_team_member *m = &team->members[r];
        if (!m->ended || m->killed) {
            continue;
        }
        if (WIFSIGNALED(m->state)) {
            return r;
        }
        lost = lost == 0 && WEXITSTATUS(m->state) != 0 ? r : lost;
    }
    return lost;
}

void pen_team_finish(struct pen_team *team, double grace_s)
{
    static const struct timespec nap = {0, 2000000};
    double began = pen_clock_seconds();
    if (team->n == 1) {
        (void)collect(team, 0);
    }
    while (collect(team, WNOHANG) > 0) {
        if (pen_clock_seconds() - began > grace_s) {
            kill_all(team);
            (void)collect(team, 0);
            return;
        }
        (void)nanosleep(&nap, NULL);
    }
}
