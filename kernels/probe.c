/* Asking for CUDA: the driver's library by looking for it, all else in a child process that sends what it found. */
#include "kernels/probe.h"

#include "core/log.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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

/* ---- what the answer depends on ---- */

static void add_file(struct pen_text *text, const char *path)
{
    struct stat file;
    if (stat(path, &file) == 0) {
        pen_text_printf(text, "%s %lld %lld %lld.%09ld\n", path, (long long)file.st_ino, (long long)file.st_size,
                        (long long)file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
    }
}

/* The kernel's part of the driver tells about itself and its devices here; false: it is not loaded. */
static bool add_driver(struct pen_text *text)
{
    struct pen_arena arena = {0};
    struct pen_text content = {0};
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    bool is_loaded = pen_file_read("/proc/driver/nvidia/version", 1 << 16, &content, NULL) == PEN_OK;
    pen_text_append(text, pen_text_view(&content));
    if (is_loaded && pen_directory_list(&arena, "/proc/driver/nvidia/gpus", &names, &n_names, NULL) == PEN_OK) {
        for (int64_t i = 0; i < n_names; i++) {
            (void)snprintf(path, sizeof path, "/proc/driver/nvidia/gpus/%s/information", names[i]);
            bool is_read = pen_file_read(path, 1 << 16, &content, NULL) == PEN_OK;
            pen_text_printf(text, "%s\n%s\n", names[i], is_read ? pen_text_view(&content) : "");
        }
    }
    pen_text_deinit(&content);
    pen_arena_deinit(&arena);
    return is_loaded;
}

/* Containers and batch systems hide devices by leaving out their nodes, or by closing them. */
static void add_device_nodes(struct pen_text *text)
{
    struct pen_arena arena = {0};
    char path[PEN_PATH_BYTES];
    char **names = NULL;
    int64_t n_names = 0;
    if (pen_directory_list(&arena, "/dev", &names, &n_names, NULL) == PEN_OK) {
        for (int64_t i = 0; i < n_names; i++) {
            (void)snprintf(path, sizeof path, "/dev/%s", names[i]);
            if (strncmp(names[i], "nvidia", 6) == 0) {
                pen_text_printf(text, "%s %d\n", names[i], access(path, R_OK | W_OK) == 0);
            }
        }
    }
    pen_arena_deinit(&arena);
}

/* What the driver and the loader read, where the loader finds libraries included. */
static void add_environment(struct pen_text *text)
{
    static const char *const names[] = {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]); /* not set and empty differ */
        if (value != NULL) {
            pen_text_printf(text, "%s=%s\n", names[i], value);
        }
    }
    add_file(text, "/etc/ld.so.cache");
}

void pen_cuda_fingerprint(char hex[PEN_SHA256_HEX_BYTES])
{
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES];
    hex[0] = '\0';
    bool is_loaded = add_driver(&text);
    if ((is_loaded || pen_cuda_named_module() != NULL) && pen_cuda_find_module(path, NULL) == PEN_OK) {
        add_device_nodes(&text);
        add_environment(&text);
        add_file(&text, path);
        if (!text.failed) {
            pen_sha256_of(text.data, text.size_bytes, hex);
        }
    }
    pen_text_deinit(&text);
}

/* ---- the whole ---- */

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
