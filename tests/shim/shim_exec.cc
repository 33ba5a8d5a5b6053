/* The exec under test is the CUDA backend's, on the shim's device. */
#include "kernels/cuda/module.h"

#include "tests/pen_test.h"

#include <omp.h>

extern "C" struct pen_exec *pen_test_exec(void);

struct pen_exec *pen_test_exec(void)
{
    static struct pen_exec *exec = nullptr;
    struct pen_error err = PEN_ERROR_INIT;
    omp_set_num_threads(1); /* the shim opens its device memory for the whole process while a kernel runs */
    if (exec == nullptr && pen_cuda_module_get()->open(&exec, 0, &err) != PEN_OK) {
        pen_test_fail(__FILE__, __LINE__, "%s", err.message);
    }
    return exec;
}
