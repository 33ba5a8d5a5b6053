/* The communicator of a launcher. The MPI library is touched only when one started us: a program that no launcher
 * started loads nothing and starts as fast as ever. */
#include "core/communicator.h"

#include "core/communicator_module.h"
#include "core/files.h"
#include "core/log.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pen_communicator one = {.size = 1, .what = ""}; /* no call changes it */

struct pen_communicator *pen_communicator_one(void)
{
    return &one;
}

static const char *launcher(void)
{
    static const char *const marks[] = {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (getenv(marks[i]) != NULL) {
            return marks[i];
        }
    }
    return NULL;
}

/* Beside the program or library that holds this code, else where it is installed. */
static void *open_module(char path[PEN_PATH_BYTES])
{
    static const char *const places[] = {"", "../lib/penstock/", "../lib/x86_64-linux-gnu/penstock/", "penstock/"};
    Dl_info info;
    if (dladdr(&one, &info) == 0 || info.dli_fname == NULL) {
        return NULL;
    }
    char self[PEN_PATH_BYTES];
    if (realpath(info.dli_fname, self) == NULL && realpath("/proc/self/exe", self) == NULL) {
        return NULL;
    }
    char *slash = strrchr(self, '/');
    *(slash == NULL ? self : slash) = '\0';
    void *module = NULL;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && module == NULL; i++) {
        int length = snprintf(path, PEN_PATH_BYTES, "%s/%s" PEN_MPI_MODULE, self, places[i]);
        if (length > 0 && length < PEN_PATH_BYTES && pen_path_exists(path)) {
            module = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* global: OpenMPI's own plug-ins look for its symbols */
            if (module == NULL) {
                return NULL;
            }
        }
    }
    return module;
}

pen_status pen_communicator_open(struct pen_communicator **communicator, double timeout_s, struct pen_error *err)
{
    const char *mark = launcher();
    char path[PEN_PATH_BYTES] = "";
    *communicator = &one;
    if (mark == NULL) {
        return PEN_OK;
    }
    void *module = open_module(path);
    if (module == NULL) {
        const char *why = path[0] != '\0' && pen_path_exists(path) ? dlerror() : NULL;
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "started by a launcher (%s is set), but " PEN_MPI_MODULE " %s%s; install libopenmpi-dev and "
                 "openmpi-bin and build again",
                 mark, why != NULL ? "cannot be loaded: " : "is not there", why != NULL ? why : "");
    }
    pen_mpi_open_fn *open = NULL;
    void *symbol = dlsym(module, PEN_MPI_OPEN_SYMBOL);
    memcpy(&open, &symbol, sizeof open);
    if (open == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "%s: expected %s in it, found none: another version?", path,
                 PEN_MPI_OPEN_SYMBOL);
    }
    return open(communicator, timeout_s, pen_cancel_requested, err);
}
