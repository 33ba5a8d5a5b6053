/* The CUDA backend's module (kernels/cuda/module.h) as a file: where it lies, whether it fits this program.
 *
 * It lies beside the program in a build folder, in the library folder's penstock/ when installed; another file can be
 * named instead. Opening it loads the CUDA runtime but starts no device. An opened module stays to the end of the
 * process. */
#ifndef PEN_KERNELS_LOAD_H
#define PEN_KERNELS_LOAD_H

#include "core/files.h"
#include "kernels/cuda/module.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The module to take: a text that stays; NULL or "": the one that belongs to the program. Once, at the start. */
PEN_API void pen_cuda_name_module(const char *file);
/* What was named, or NULL. */
PEN_API const char *pen_cuda_named_module(void);

/* Its path. PEN_ERR_NOT_FOUND's message says where it was looked for. */
PEN_API PEN_MUST_USE pen_status pen_cuda_find_module(char path[PEN_PATH_BYTES], struct pen_error *err);

/* PEN_ERR_UNSUPPORTED: not a module, or one of another build. */
PEN_API PEN_MUST_USE pen_status pen_cuda_open_module(const struct pen_cuda_module **module, const char *path,
                                                     struct pen_error *err);

/* Names of the ops it lacks, each with a space behind it, and how many they are. */
PEN_API int pen_cuda_list_lacks(char lacks[sizeof PEN_OP_NAMES], const struct pen_cuda_module *module);

#ifdef __cplusplus
}
#endif

#endif
