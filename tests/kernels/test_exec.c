/* The exec under test, made once a process. */
#include "tests/kernels/mirror.h"

#include "core/memory.h"
#include "kernels/load.h"

#include <stdlib.h>

struct pen_exec *pen_test_exec(void)
{
    static struct pen_exec *exec = NULL;
    if (exec == NULL) {
        const char *device = getenv("PEN_TEST_DEVICE");
        struct pen_error err = PEN_ERROR_INIT;
        pen_cuda_name_module(getenv("PENSTOCK_CUDA_MODULE"));
        pen_status status = pen_exec_create(&exec, device != NULL ? device : "cpu", &err);
        PEN_ASSERT(status == PEN_OK);
    }
    return exec;
}
