/* Opening NCCL's library. */
#include "kernels/cuda/nccl.cuh"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool find(void *library, const char *name, void *call)
{
    void *symbol = dlsym(library, name);
    memcpy(call, &symbol, sizeof symbol); /* POSIX gives a function as an object pointer */
    return symbol != NULL;
}

const struct pen_nccl *pen_nccl_open(char *why, size_t why_bytes)
{
    static struct pen_nccl nccl;
    static bool is_open = false;
    if (is_open) {
        return &nccl;
    }
    void *library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)snprintf(why, why_bytes, "%s", dlerror());
        return NULL;
    }
#define PEN_NCCL_FIND(call)                                                             \
    if (!find(library, #call, &nccl.call)) {                                            \
        (void)snprintf(why, why_bytes, "libnccl.so.2 has no %s: it is too old", #call); \
        (void)dlclose(library);                                                         \
        return NULL;                                                                    \
    }
    PEN_NCCL_CALLS(PEN_NCCL_FIND)
#undef PEN_NCCL_FIND
    is_open = true;
    return &nccl;
}
