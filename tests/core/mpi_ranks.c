/* What communicator_test.c starts under mpirun: one rank. With an argument it does what a rank must not do. */
#include "tests/core/ranks.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct pen_communicator *c = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    const char *act = argc > 1 ? argv[1] : "";
    int bad = 0;
    if (pen_communicator_open(&c, strcmp(act, "") == 0 ? 60 : 1, &err) != PEN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    if (strcmp(act, "hang") == 0 && c->rank == 1) {
        (void)raise(SIGSTOP);
    }
    if (strcmp(act, "") == 0) {
        bad = ranks_check(c);
    } else if (pen_communicator_barrier(c, &err) != PEN_OK) {
        pen_communicator_abort(c, err.message);
        (void)fprintf(stderr, "%s\n", err.message);
        return 4; /* the launcher ends the others */
    }
    if (c->rank == 0 && bad == 0) {
        printf("%d ranks agree\n", c->size);
    }
    pen_communicator_close(c);
    return bad > 0;
}
