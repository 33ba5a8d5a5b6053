/* Asking for CUDA: the driver's library by looking for it, all else in a child process that sends what it found. */
#include "kernels/probe.h"

#include "core/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(struct pen_cuda_probe *probe, enum pen_cuda_state state, const char *reason)
{
    probe->state = state;
    (void)snprintf(probe->reason, sizeof probe->reason, "%s", reason);
}

/* ---- the child ---- */

static pen_status list_devices(struct pen_cuda_probe *probe, const struct pen_cuda_module *module,
                               struct pen_error *err)
{
    int n_devices = 0;
    PEN_TRY(module->list_versions(probe->versions, &probe->n_versions, err));
    PEN_TRY(module->count_devices(&n_devices, err));
    if (n_devices == 0) {
        PEN_FAIL(err, PEN_ERR_DEVICE,
                 "an NVIDIA driver but no CUDA device: see nvidia-smi, and what CUDA_VISIBLE_DEVICES hides");
    }
    n_devices = n_devices < PEN_CUDA_DEVICES ? n_devices : PEN_CUDA_DEVICES;
    for (int i = 0; i < n_devices; i++) {
        PEN_TRY(module->describe(&probe->devices[i], i, err));
    }
    probe->n_devices = n_devices;
    return PEN_OK;
}

static void examine(struct pen_cuda_probe *probe)
{
    const struct pen_cuda_module *module = NULL;
    struct pen_error err = PEN_ERROR_INIT;
    if (pen_cuda_open_module(&module, probe->module, &err) != PEN_OK) {
        tell(probe, PEN_CUDA_BAD_MODULE, err.message);
        return;
    }
    probe->n_lacks = pen_cuda_list_lacks(probe->lacks, module);
    probe->least_capability = module->least_capability;
    if (list_devices(probe, module, &err) != PEN_OK) {
        tell(probe, PEN_CUDA_NO_DEVICE, err.message);
    } else if (probe->n_lacks > 0) {
        (void)pen_error_set(&err, __FILE__, __LINE__, PEN_ERR_UNSUPPORTED, "the CUDA backend lacks %d ops: %.*s",
                            probe->n_lacks, (int)strlen(probe->lacks) - 1, probe->lacks);
        tell(probe, PEN_CUDA_LACKS_OPS, err.message);
    } else {
        tell(probe, PEN_CUDA_USABLE, "");
    }
}

/* ---- its parent ---- */

enum outcome { ANSWERED, ENDED, TOO_LATE };

/* Reads the child's probe, whole or not at all. */
static enum outcome receive(struct pen_cuda_probe *probe, int fd, double seconds)
{
    double until = pen_clock_seconds() + seconds;
    char *to = (char *)probe;
    size_t got = 0;
    while (!pen_cancel_requested() && pen_clock_seconds() < until) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 100) <= 0) {
            continue;
        }
        ssize_t size = read(fd, to + got, sizeof *probe - got);
        if (size == 0 || (size < 0 && errno != EINTR)) {
            return ENDED;
        }
        got += size > 0 ? (size_t)size : 0;
        if (got == sizeof *probe) {
            return ANSWERED;
        }
    }
    return TOO_LATE;
}

/* Ends the child. One that hangs in the driver cannot be: it is left behind after a second. */
static int end_child(pid_t child)
{
    int state = 0;
    (void)kill(child, SIGKILL);
    for (int i = 0; i < 100 && waitpid(child, &state, WNOHANG) == 0; i++) {
        (void)poll(NULL, 0, 10);
    }
    return state;
}

static pen_status ask_child(struct pen_cuda_probe *probe, double seconds, struct pen_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        examine(probe);
        _exit(pen_fd_write(ends[1], probe, sizeof *probe, "pipe", NULL) == PEN_OK ? 0 : 1);
    }
    int number = errno;
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        PEN_FAIL(err, PEN_ERR_IO, "cannot start a process: %s", strerror(number));
    }
    struct pen_cuda_probe answer;
    enum outcome outcome = receive(&answer, ends[0], seconds);
    (void)close(ends[0]);
    int state = end_child(child);
    PEN_TRY(pen_cancel_check(err));
    if (outcome == ANSWERED) {
        *probe = answer;
        return PEN_OK;
    }
    probe->state = PEN_CUDA_NO_ANSWER;
    if (outcome == TOO_LATE) {
        (void)snprintf(probe->reason, sizeof probe->reason,
                       "the CUDA driver did not answer for %g s: does nvidia-smi work?", seconds);
    } else {
        (void)snprintf(probe->reason, sizeof probe->reason,
                       "the process that asked for CUDA devices died (%s): does nvidia-smi work?",
                       WIFSIGNALED(state) ? strsignal(WTERMSIG(state)) : "it called exit");
    }
    return PEN_OK;
}

static bool driver_is_there(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver != NULL) {
        (void)dlclose(driver);
    }
    return driver != NULL;
}

pen_status pen_cuda_probe(struct pen_cuda_probe *probe, double seconds, struct pen_error *err)
{
    struct pen_error what = PEN_ERROR_INIT;
    *probe = (struct pen_cuda_probe){0};
    if (pen_cuda_named_module() == NULL && !driver_is_there()) {
        tell(probe, PEN_CUDA_NO_DRIVER, "no NVIDIA driver on this machine: libcuda.so.1 is not there");
        return PEN_OK;
    }
    if (pen_cuda_find_module(probe->module, &what) != PEN_OK) {
        probe->module[0] = '\0';
        tell(probe, PEN_CUDA_NO_MODULE, what.message);
        return PEN_OK;
    }
    return ask_child(probe, seconds, err);
}
