/* Ranks as forked processes, and under mpirun where that is installed: what they tell each other is right to the last
 * bit, and a rank that dies, hangs, gives up or does something else is named by the others. */
#include "core/communicator_local.h"
#include "core/text.h"
#include "tests/core/ranks.h"
#include "tests/pen_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int rank_fn(struct pen_communicator *communicator);

/* Runs body on each rank in a process of its own; codes: exit codes, or minus the signal. A rank that was stopped is
 * killed when the others have ended. */
static void run_ranks(int size, double timeout_s, rank_fn *body, int *codes)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_local_mesh *mesh = NULL;
    pid_t pids[PEN_LOCAL_RANKS_MAX];
    PEN_REQUIRE_OK(pen_local_mesh_create(&mesh, size, &err), &err);
    (void)fflush(NULL);
    for (int r = 0; r < size; r++) {
        pids[r] = fork();
        if (pids[r] == 0) {
            struct pen_communicator *c = NULL;
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            int code = pen_local_mesh_join(&c, mesh, r, timeout_s, &err) == PEN_OK ? body(c) : 100;
            pen_communicator_close(c);
            _exit(code);
        }
    }
    pen_local_mesh_destroy(mesh);
    for (int r = size - 1; r >= 0; r--) { /* rank 0 is the one that is stopped */
        int state = 0;
        if (r == 0 && size > 1) {
            (void)kill(pids[r], SIGCONT);
        }
        PEN_REQUIRE(waitpid(pids[r], &state, 0) == pids[r]);
        codes[r] = WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
    }
}

static void ranks_agree_to_the_last_bit(void)
{
    static const int sizes[] = {1, 2, 4, 5};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int codes[PEN_LOCAL_RANKS_MAX] = {0};
        run_ranks(sizes[i], 60, ranks_check, codes);
        for (int r = 0; r < sizes[i]; r++) {
            PEN_CHECK_EQ_I64(codes[r], 0);
        }
    }
    PEN_CHECK_EQ_I64(ranks_check(pen_communicator_one()), 0);
}

/* A barrier that must fail in these words; then so must every later call. */
static int fails_with(struct pen_communicator *c, const char *part)
{
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_communicator_barrier(c, &err) == PEN_OK || strstr(err.message, part) == NULL) {
        (void)fprintf(stderr, "rank %d: expected '%s', found '%s'\n", c->rank, part, err.message);
        return 1;
    }
    return pen_communicator_barrier(c, &err) == PEN_OK;
}

static int one_dies(struct pen_communicator *c)
{
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_communicator_barrier(c, &err) != PEN_OK) {
        return 1;
    }
    if (c->rank == 2) {
        (void)raise(SIGKILL);
    }
    return fails_with(c, "rank 2 is gone (its process ended)");
}

static int one_hangs(struct pen_communicator *c)
{
    if (c->rank == 0) {
        (void)raise(SIGSTOP);
        return 0;
    }
    return fails_with(c, c->rank == 1 ? "rank 1 of 3: waited 1 s in call 1, a sum, for rank 0" : "for rank 0");
}

static int one_gives_up(struct pen_communicator *c)
{
    if (c->rank == 1) {
        pen_communicator_abort(c, "no room on the disk");
        return 0;
    }
    return fails_with(c, "rank 1 gave up: no room on the disk");
}

static int one_does_something_else(struct pen_communicator *c)
{
    struct pen_error err = PEN_ERROR_INIT;
    double values[3] = {0};
    if (c->rank == 1) {
        return pen_communicator_sum_f64(c, values, 3, &err) == PEN_OK;
    }
    return fails_with(c, "call 1, a sum: expected 8 bytes from rank 1, found 24 of call 1: the ranks do different");
}

static void a_rank_that_fails_is_named(void)
{
    int codes[PEN_LOCAL_RANKS_MAX] = {0};
    run_ranks(4, 60, one_dies, codes);
    for (int r = 0; r < 4; r++) {
        PEN_CHECK_EQ_I64(codes[r], r == 2 ? -SIGKILL : 0);
    }
    run_ranks(3, 1, one_hangs, codes);
    PEN_CHECK_EQ_I64(codes[1], 0);
    PEN_CHECK_EQ_I64(codes[2], 0);
    run_ranks(2, 60, one_gives_up, codes);
    PEN_CHECK_EQ_I64(codes[0], 0);
    run_ranks(2, 60, one_does_something_else, codes);
    PEN_CHECK_EQ_I64(codes[0], 0);
}

/* Looks until it fails, with the words; 200: they are others. */
static int look_until(struct pen_communicator *c, const char *words)
{
    struct pen_error err = PEN_ERROR_INIT;
    while (pen_communicator_look(c, &err) == PEN_OK) {
        (void)usleep(1000);
    }
    if (strstr(err.message, words) == NULL) {
        (void)fprintf(stderr, "expected '%s', found '%s'\n", words, err.message);
        return 200;
    }
    double value = 1;
    return pen_communicator_sum_f64(c, &value, 1, NULL) == PEN_ERR_FAILED ? 0 : 201;
}

/* Rank 2 leaves a message that is still to be read. */
static int one_dies_behind_its_message(struct pen_communicator *c)
{
    double values[2] = {0};
    if (pen_communicator_sum_f64(c, values, 1, NULL) != PEN_OK || pen_communicator_look(c, NULL) != PEN_OK) {
        return 202;
    }
    if (c->rank == 2) {
        c->timeout_s = 0;
        (void)!pen_communicator_sum_f64(c, values, 2, NULL);
        (void)raise(SIGKILL);
    }
    return look_until(c, "rank 2");
}

static int one_gives_up_while_another_looks(struct pen_communicator *c)
{
    if (c->rank == 1) {
        pen_communicator_abort(c, "no room on the disk");
        return 0;
    }
    return look_until(c, "rank 1 gave up: no room on the disk");
}

static void who_waits_in_another_way_is_told(void)
{
    int codes[PEN_LOCAL_RANKS_MAX] = {0};
    run_ranks(3, 60, one_dies_behind_its_message, codes);
    for (int r = 0; r < 3; r++) {
        PEN_CHECK_EQ_I64(codes[r], r == 2 ? -SIGKILL : 0);
    }
    run_ranks(2, 60, one_gives_up_while_another_looks, codes);
    PEN_CHECK_EQ_I64(codes[0], 0);
    PEN_CHECK_EQ_I64(pen_communicator_look(pen_communicator_one(), NULL), PEN_OK);
}

static void too_many_ranks_are_refused(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_local_mesh *mesh = NULL;
    PEN_CHECK_STATUS(pen_local_mesh_create(&mesh, PEN_LOCAL_RANKS_MAX + 1, &err), PEN_ERR_CONFIG);
    PEN_CHECK_STATUS(pen_local_mesh_create(&mesh, 0, &err), PEN_ERR_CONFIG);
}

/* The exit code of `mpirun -n SIZE test_mpi_ranks ACT`, and what it said. Leaks are looked for in the forked ranks:
 * OpenMPI has its own. */
static int run_mpi(int size, const char *act, struct pen_text *said)
{
    char line[1024], piece[4096];
    const char *slash = strrchr(pen_test_program(), '/');
    (void)snprintf(line, sizeof line,
                   "ASAN_OPTIONS=detect_leaks=0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 60 "
                   "mpirun --oversubscribe "
                   "--mca btl_base_warn_component_unused 0 -n %d %.*s/test_mpi_ranks %s 2>&1",
                   size, (int)(slash - pen_test_program()), pen_test_program(), act);
    FILE *pipe = popen(line, "r");
    if (pipe == NULL) {
        return -1;
    }
    for (size_t got = 0; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) {
        pen_text_append_bytes(said, piece, got);
    }
    int state = pclose(pipe);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void the_same_under_mpirun(void)
{
    char module[1024];
    const char *slash = strrchr(pen_test_program(), '/');
    (void)snprintf(module, sizeof module, "%.*s/penstock_mpi.so", (int)(slash - pen_test_program()),
                   pen_test_program());
    if (access(module, R_OK) != 0 || system("command -v mpirun >/dev/null 2>&1") != 0) {
        PEN_SKIP("OpenMPI is not installed (libopenmpi-dev, openmpi-bin)");
    }
    for (int size = 1; size <= 4; size *= 2) {
        struct pen_text said = {0};
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%d ranks agree", size);
        int code = run_mpi(size, "", &said);
        PEN_CHECK_MSG(code == 0, "%d ranks: exit code %d: %s", size, code, pen_text_view(&said));
        PEN_CHECK_CONTAINS(pen_text_view(&said), expected);
        pen_text_deinit(&said);
    }
    struct pen_text said = {0};
    PEN_CHECK(run_mpi(3, "hang", &said) != 0);
    PEN_CHECK_CONTAINS(pen_text_view(&said), "of 3: waited 1 s in call 1, a sum, for rank 1");
    pen_text_deinit(&said);
}

PEN_SUITE(communicator, PEN_CASE(ranks_agree_to_the_last_bit), PEN_CASE(a_rank_that_fails_is_named),
          PEN_CASE(who_waits_in_another_way_is_told), PEN_CASE(too_many_ranks_are_refused),
          PEN_CASE(the_same_under_mpirun));
