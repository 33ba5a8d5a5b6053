/* Attempts at a training. */
#include "tests/components/trainer/attempts.h"

#include "core/communicator_local.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/pen_test.h"

#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each step is a line of the log. */
static void count_down(void *user, enum pen_log_level level, const char *text)
{
    struct dying *dying = user;
    (void)level;
    if (strncmp(text, "step ", 5) != 0 || --dying->after > 0) {
        return;
    }
    if (dying->death == DEATH_KILL) {
        (void)raise(SIGKILL);
    } else if (dying->death == DEATH_STOP) {
        pen_cancel_request();
    }
}

static void path_of(char path[PEN_PATH_BYTES], const char *name)
{
    PEN_CHECK_EQ_I64(pen_path_join(path, pen_test_directory(), name, NULL), PEN_OK);
}

static int train(struct bench *b, struct pen_communicator *ranks, struct dying dying, const char *to)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_log_sink sink = {&dying, PEN_LOG_INFO, count_down, NULL};
    struct pen_examples_source source = arrays_source(&b->arrays);
    struct pen_training_options options = b->options;
    struct pen_network *network = NULL;
    struct pen_training_result result;
    char path[PEN_PATH_BYTES];
    pen_json *curves = pen_json_array();
    options.ranks = ranks;
    pen_log_install(&sink);
    pen_status status = pen_training_run(&network, &result, curves, &source, &options, NULL, pen_exec_cpu(), &err);
    if (status == PEN_OK) {
        struct pen_text all = {0};
        path_of(path, to);
        pen_text_append_bytes(&all, (const char *)&result.steps, sizeof result.steps);
        pen_text_append_bytes(&all, (const char *)&result.best_step, sizeof result.best_step);
        pen_text_append_bytes(&all, (const char *)&result.validation_loss, sizeof result.validation_loss);
        pen_text_append_bytes(&all, (const char *)network->values, (size_t)network->n_total * sizeof(float));
        status = pen_file_write_atomic(path, all.data, all.size_bytes, &err);
    }
    if (status != PEN_OK && status != PEN_ERR_CANCELLED) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return (int)status;
}

static void begin_process(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    omp_set_num_threads(1); /* a team does not survive a fork */
}

pid_t attempt_start(struct bench *b, struct dying dying, const char *to)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        begin_process();
        _exit(train(b, NULL, dying, to));
    }
    return child;
}

int attempt_finish(pid_t attempt)
{
    int state = 0;
    if (attempt <= 0 || waitpid(attempt, &state, 0) != attempt) {
        return 255;
    }
    return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
}

int attempt_once(struct bench *b, struct dying dying, const char *to)
{
    return attempt_finish(attempt_start(b, dying, to));
}

static void one_rank(struct bench *b, struct pen_local_mesh *mesh, int rank, struct dying dying, const char *to)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_communicator *ranks = NULL;
    char name[64];
    begin_process();
    (void)snprintf(name, sizeof name, "%s.%d", to, rank);
    if (pen_local_mesh_join(&ranks, mesh, rank, 60, &err) != PEN_OK) {
        _exit(254);
    }
    int code = train(b, ranks, rank == 0 ? dying : (struct dying){DEATH_NONE, 0}, name);
    if (code != PEN_OK) {
        pen_communicator_abort(ranks, "its training did not end");
    }
    pen_communicator_close(ranks);
    _exit(code);
}

int attempt_on_ranks(struct bench *b, int n_ranks, struct dying dying, const char *to)
{
    struct pen_local_mesh *mesh = NULL;
    pid_t processes[PEN_LOCAL_RANKS_MAX] = {0};
    int code = 255;
    if (pen_local_mesh_create(&mesh, n_ranks, NULL) != PEN_OK) {
        return code;
    }
    (void)fflush(NULL);
    for (int r = 0; r < n_ranks; r++) {
        processes[r] = fork();
        if (processes[r] == 0) {
            one_rank(b, mesh, r, dying, to);
        }
    }
    pen_local_mesh_destroy(mesh);
    for (int r = n_ranks - 1; r >= 0; r--) {
        code = attempt_finish(processes[r]);
    }
    return code;
}

void attempt_read(const char *name, struct pen_text *bytes)
{
    struct pen_error err = PEN_ERROR_INIT;
    char path[PEN_PATH_BYTES];
    path_of(path, name);
    PEN_CHECK_OK(pen_file_read(path, 1 << 24, bytes, &err), &err);
    PEN_CHECK(bytes->size_bytes > 0);
}

void attempts_agree(const char *one, const char *other)
{
    struct pen_text texts[2] = {{0}, {0}};
    attempt_read(one, &texts[0]);
    attempt_read(other, &texts[1]);
    PEN_CHECK(texts[0].size_bytes == texts[1].size_bytes && texts[0].size_bytes > 0 &&
              memcmp(texts[0].data, texts[1].data, texts[0].size_bytes) == 0);
    pen_text_deinit(&texts[0]);
    pen_text_deinit(&texts[1]);
}

void bench_init(struct bench *b, int64_t n_rows, int64_t steps)
{
    arrays_init(&b->arrays, n_rows, PEN_TASK_MULTICLASS, 3);
    path_of(b->folder, "checkpoints");
    b->configuration = pen_json_object();
    b->checkpoints = (struct pen_training_checkpoints){.where = {b->folder, b->configuration, 2, false}, .steps = 1};
    b->options = arrays_options(PEN_MODEL_WIDE_DEEP, steps);
    b->options.dropout = 0.2;
    b->options.architecture.norm = PEN_NORM_BATCH;
    b->options.architecture.text = (struct pen_text_conv_shape){2, 3, {1, 2}, 0, 100};
    b->options.average = true;
    b->options.validation_fraction = -1;
    b->options.eval_every = 7;
    b->options.early_stopping = true;
    b->options.patience = 1000;
    b->options.threads = 1;
    b->options.log_every = 1;
}

void bench_deinit(struct bench *b)
{
    arrays_deinit(&b->arrays);
    pen_json_free(b->configuration);
}
