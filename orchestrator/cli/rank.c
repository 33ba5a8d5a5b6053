/* penstock rank: one rank of a node, started by a launcher. Standard output is the way to the runner. */
#include "orchestrator/run/rank.h"

#include "core/communicator.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/run/task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static pen_status work(struct pen_cli *cli, struct pen_task *task, struct pen_error *err)
{
    PEN_TRY(pen_task_read(task, cli->args.positionals.items[0], pen_components, err));
    PEN_TRY(pen_communicator_open(&task->context.ranks, task->ranks_timeout_s, err));
    int report_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (report_fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) { /* what a component prints belongs to the log */
        PEN_FAIL(err, PEN_ERR_IO, "standard output: %s", strerror(errno));
    }
    cli->exit_code = pen_rank_work(task->component, &task->context, report_fd);
    return PEN_OK;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_task task;
    pen_status status = work(cli, &task, err);
    pen_task_deinit(&task);
    return status;
}

const struct pen_verb pen_verb_rank = {
    .name = "rank",
    .arguments = "TASK.json",
    .summary = "one rank of a node; started by the launcher of a pipeline, not by hand",
    .examples = "  mpirun -n 4 penstock rank TASK.json\n",
    .n_positionals_min = 1,
    .n_positionals_max = 1,
    .computes = true,
    .run = run,
};
