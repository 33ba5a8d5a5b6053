/* What of CUDA this machine has, without starting any of it in this process, which may fork later: driver and devices
 * are asked by a short-lived child process. */
#ifndef PEN_KERNELS_PROBE_H
#define PEN_KERNELS_PROBE_H

#include "core/hash.h"
#include "kernels/load.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_cuda_state {
    PEN_CUDA_USABLE,
    PEN_CUDA_NO_DRIVER,  /* nothing was asked, nothing forked; passed over when a module is named, which knows itself */
    PEN_CUDA_NO_MODULE,  /* not found */
    PEN_CUDA_BAD_MODULE, /* not one, or of another build */
    PEN_CUDA_LACKS_OPS,
    PEN_CUDA_NO_DEVICE, /* or its driver is too old */
    PEN_CUDA_NO_ANSWER, /* the child died or took too long */
};

enum { PEN_CUDA_DEVICES = 16, PEN_CUDA_PROBE_SECONDS = 30 };

struct pen_cuda_probe {
    enum pen_cuda_state state;
    char reason[PEN_ERROR_MESSAGE_BYTES]; /* "" when usable; else what is wrong and how to mend it, one line */
    char module[PEN_PATH_BYTES];          /* "": not found */
    int n_lacks;
    char lacks[sizeof PEN_OP_NAMES]; /* as pen_cuda_list_lacks */
    int n_versions;
    struct pen_cuda_version versions[PEN_CUDA_VERSIONS];
    int least_capability; /* of a device that the module is built for */
    int n_devices;        /* at most PEN_CUDA_DEVICES are looked at */
    struct pen_cuda_device devices[PEN_CUDA_DEVICES];
};

/* seconds: how long the child may take. What is wrong with CUDA is no failure here. Fails: no process can be started,
 * cancelled. */
PEN_API PEN_MUST_USE pen_status pen_cuda_probe(struct pen_cuda_probe *probe, double seconds, struct pen_error *err);

/* A hash of what the answer depends on: the module's file, the driver's version, its devices and which are hidden, the
 * libraries of the system. "": no driver, and no module that was named. Reads a few small files. */
PEN_API void pen_cuda_fingerprint(char hex[PEN_SHA256_HEX_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
