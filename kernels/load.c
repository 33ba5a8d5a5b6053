/* Finding and opening the CUDA backend's module. */
#include "kernels/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE_FILE "penstock_cuda.so"

static const char *named_file;

void pen_cuda_name_module(const char *file)
{
    named_file = file != NULL && file[0] != '\0' ? file : NULL;
}

const char *pen_cuda_named_module(void)
{
    return named_file;
}

static pen_status find_named(char path[PEN_PATH_BYTES], struct pen_error *err)
{
    if (realpath(named_file, path) == NULL) {
        int number = errno;
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "the CUDA module that was named: %s: %s; name another file, or none",
                 named_file, strerror(number));
    }
    return PEN_OK;
}

pen_status pen_cuda_find_module(char path[PEN_PATH_BYTES], struct pen_error *err)
{
    char program[PEN_PATH_BYTES];
    if (named_file != NULL) {
        return find_named(path, err);
    }
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) {
        PEN_FAIL(err, PEN_ERR_NOT_FOUND, "the CUDA module: cannot tell where this program lies: /proc is not there");
    }
    program[size] = '\0';
    *strrchr(program, '/') = '\0';
    static const char *const folders[] = {"", "/" PEN_MODULE_FOLDER}; /* as built, as installed */
    for (int i = 0; i < 2; i++) {
        char candidate[PEN_PATH_BYTES + 64];
        (void)snprintf(candidate, sizeof candidate, "%s%s/" MODULE_FILE, program, folders[i]);
        if (realpath(candidate, path) != NULL) {
            return PEN_OK;
        }
    }
    PEN_FAIL(err, PEN_ERR_NOT_FOUND,
             "no CUDA module: " MODULE_FILE " is neither in %s nor in its " PEN_MODULE_FOLDER
             "; build it with a CUDA toolkit (cmake -DPEN_CUDA=ON) or name one by PENSTOCK_CUDA_MODULE",
             program);
}

static pen_status check_module(const struct pen_cuda_module *module, const char *path, struct pen_error *err)
{
    if (module->abi != PEN_CUDA_MODULE_ABI) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "%s: expected a CUDA module of interface %d, found %u: build program and module together", path,
                 PEN_CUDA_MODULE_ABI, module->abi);
    }
    if (module->table_bytes != sizeof(struct pen_kernel_table) || strcmp(module->ops, PEN_OP_NAMES) != 0) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "%s: expected this program's list of ops, found another one: build program and module together", path);
    }
    return PEN_OK;
}

pen_status pen_cuda_open_module(const struct pen_cuda_module **module, const char *path, struct pen_error *err)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "the CUDA module cannot be opened: %s; install what it needs, or build it here", dlerror());
    }
    union { /* POSIX gives a function as an object pointer */
        void *symbol;
        pen_cuda_module_get_fn *get;
    } entry = {.symbol = dlsym(library, "pen_cuda_module_get")};
    pen_status status = PEN_OK;
    if (entry.symbol == NULL) {
        status = pen_error_set(err, __FILE__, __LINE__, PEN_ERR_UNSUPPORTED,
                               "%s: expected a CUDA module of penstock, found no pen_cuda_module_get in it", path);
    } else {
        *module = entry.get();
        status = check_module(*module, path, err);
    }
    if (status != PEN_OK) {
        (void)dlclose(library);
    }
    return status;
}

int pen_cuda_list_lacks(char lacks[sizeof PEN_OP_NAMES], const struct pen_cuda_module *module)
{
    int n = 0;
    char *end = lacks;
    *end = '\0';
#define PEN_OP_LACK(op)                     \
    if (module->kernels->op == NULL) {      \
        end = stpcpy(end, PEN_OP_NAME(op)); \
        n++;                                \
    }
    PEN_OP_LIST(PEN_OP_LACK)
#undef PEN_OP_LACK
    return n;
}
