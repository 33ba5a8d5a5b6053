/* Counting failures by class, waiting between attempts. */
#include "orchestrator/run/attempts.h"

#include "core/files.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Until then or a request to stop. */
static void wait_until(double seconds)
{
    static const struct timespec nap = {.tv_nsec = 20000000};
    while (pen_clock_seconds() < seconds && !pen_cancel_requested()) {
        (void)nanosleep(&nap, NULL);
    }
}

/* What the attempt left makes room for the next: its log gets a name of its own, its staging goes. */
static pen_status clear_away(struct pen_run *run, const struct pen_node *node, int64_t attempt, struct pen_error *err)
{
    const char *log = pen_arena_printf(&run->arena, "%s/%s.log", run->folder, node->name);
    const char *kept = pen_arena_printf(&run->arena, "%s/%s.try-%lld.log", run->folder, node->name, (long long)attempt);
    const char *staging = pen_arena_printf(&run->arena, "%s/%s", run->folder, node->name);
    if (log == NULL || kept == NULL || staging == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: trying a node again");
    }
    if (rename(log, kept) != 0 && errno != ENOENT) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot rename: %s", log, strerror(number));
    }
    return pen_directory_remove(staging, err);
}

static void tell(const struct pen_run *run, const struct pen_error *problem, int64_t attempt, double delay_s)
{
    const struct pen_run_watch *watch = run->options->watch;
    struct pen_text text = {0};
    pen_text_printf(&text, "attempt %lld failed (%s): %s; again in %.3g s", (long long)attempt,
                    pen_failure_names[pen_failure_of(problem->status)], problem->message, delay_s);
    if (watch != NULL) {
        watch->warning(watch->user, pen_text_view(&text));
    }
    pen_text_deinit(&text);
}

pen_status pen_attempts_run(struct pen_run *run, const struct pen_node *node, pen_json **record, struct pen_error *err)
{
    int64_t failures[PEN_FAILURE_CLASSES] = {0};
    bool own = run->options->run == NULL;
    for (run->attempt = 1;; run->attempt++) {
        struct pen_error problem = PEN_ERROR_INIT;
        pen_status status = pen_execution_run(run, node, record, &problem);
        if (err != NULL) {
            *err = problem;
        }
        if (status == PEN_OK || status == PEN_ERR_CANCELLED || *record == NULL || !own) {
            return status;
        }
        enum pen_failure failure = pen_failure_of(status);
        double delay_s = pen_policy_delay_s(&node->policy, run->attempt + 1);
        double next = pen_clock_seconds() + delay_s;
        if (++failures[failure] > node->policy.retries[failure] || (run->deadline > 0 && next >= run->deadline)) {
            return status;
        }
        tell(run, &problem, run->attempt, delay_s);
        pen_json_free(*record);
        *record = NULL;
        PEN_TRY(clear_away(run, node, run->attempt, err));
        wait_until(next);
    }
}
