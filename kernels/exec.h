/* Where work runs: one queue on one device, the memory of that device, and the ops that run there.
 *
 * Every op is called as exec->kernels->op(exec, &job, err). Arrays a job points to are memory of the device
 * (pen_device_allocate); the job itself, its sizes and its options are read before the call returns. Ops and copies run
 * in the order of the calls. On a device with a queue of its own they may still run after the call returned: what a
 * job points to stays as it is until pen_device_synchronise, and pen_device_download, which waits by itself. On the CPU
 * device memory is host memory and every call has finished when it returns.
 *
 * An exec belongs to one thread at a time on a device with a queue; the CPU's may be shared by threads. A second queue
 * on the same device (pen_exec_second) runs beside the first one's work, such as copies from pinned host memory. */
#ifndef PEN_KERNELS_EXEC_H
#define PEN_KERNELS_EXEC_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pen_communicator; /* core/communicator.h */
struct pen_exec;
struct pen_group; /* group.h */
struct pen_group_place;
struct pen_kernel_table;
struct pen_recording; /* of calls that a device runs again as one */

/* Calls ops. */
typedef pen_status pen_repeated_fn(void *context, struct pen_error *err);

enum { PEN_GROUP_ID_BYTES = 128 };

/* Memory and queue of one kind of device. All required but for groups. */
struct pen_device_table {
    /* bytes > 0; contents undefined. `what` names it when memory runs out. */
    pen_status (*allocate)(struct pen_exec *exec, void **memory, size_t bytes, const char *what, struct pen_error *err);
    void (*release)(struct pen_exec *exec, void *memory); /* NULL: nothing */
    pen_status (*upload)(struct pen_exec *exec, void *to, const void *host, size_t bytes, struct pen_error *err);
    pen_status (*download)(struct pen_exec *exec, void *host, const void *from, size_t bytes, struct pen_error *err);
    pen_status (*copy)(struct pen_exec *exec, void *to, const void *from, size_t bytes, struct pen_error *err);
    pen_status (*fill)(struct pen_exec *exec, void *memory, int byte, size_t bytes, struct pen_error *err);
    pen_status (*synchronise)(struct pen_exec *exec, struct pen_error *err);
    pen_status (*is_idle)(struct pen_exec *exec, bool *idle, struct pen_error *err);
    pen_status (*memory)(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes, struct pen_error *err);
    pen_status (*repeat)(struct pen_exec *exec, struct pen_recording **recording, pen_repeated_fn *work, void *context,
                         struct pen_error *err);
    void (*forget)(struct pen_exec *exec, struct pen_recording *recording); /* NULL: nothing */
    pen_status (*allocate_pinned)(struct pen_exec *exec, void **memory, size_t bytes, const char *what,
                                  struct pen_error *err);
    void (*release_pinned)(struct pen_exec *exec, void *memory);
    pen_status (*second)(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err);
    void (*destroy)(struct pen_exec *exec);
    /* Groups of ranks that send from device to device (group.h); NULL: over the communicator. name_group: on one rank,
     * a name that no other group has; open_group: on all. */
    pen_status (*name_group)(struct pen_exec *exec, char id[PEN_GROUP_ID_BYTES], struct pen_error *err);
    pen_status (*open_group)(struct pen_exec *exec, struct pen_group **group, const struct pen_group_place *place,
                             struct pen_error *err);
};

/* What a device may round the factors of a matrix product to; sums are float32 or better in any case, and so is what is
 * in memory. */
enum pen_precision {
    PEN_PRECISION_EXACT, /* float32 as they are */
    PEN_PRECISION_TF32,  /* to 11 bits, a change of at most 2^-10 of the value */
    PEN_PRECISION_BF16,  /* to 8 bits, at most 2^-7 */
    PEN_PRECISION_COUNT
};

struct pen_exec {
    const struct pen_kernel_table *kernels;
    const struct pen_device_table *device;
    const char *name;             /* "cpu", "cuda:0" */
    bool rounds;                  /* it has faster products of rounded factors */
    enum pen_precision precision; /* of products; EXACT when created */
};

PEN_API extern const char *const pen_precision_names[PEN_PRECISION_COUNT + 1]; /* float32, tf32, bf16, NULL */

enum { PEN_DEVICE_NAME_BYTES = 24 };

struct pen_device_choice {
    char device[PEN_DEVICE_NAME_BYTES];   /* "cpu", "cuda:0" */
    char reason[PEN_ERROR_MESSAGE_BYTES]; /* why it was taken, one line */
};

/* What a person asks for, "auto", "cpu", "cuda" or "cuda:1", as one device. auto: the first CUDA device when it can be
 * used, else the CPU. Starts nothing on the device: the process may still fork. PEN_ERR_CONFIG: CUDA is asked for and
 * cannot be used. */
PEN_API PEN_MUST_USE pen_status pen_device_choose(struct pen_device_choice *choice, const char *asked,
                                                  struct pen_error *err);

/* What the choice depends on: as long as it stays the same, the device that was chosen is the one to take, and a driver
 * need not be asked again. "" where asking costs nothing: no CUDA, or the CPU is asked for. PEN_ERR_USAGE as above. */
enum { PEN_DEVICE_KEY_BYTES = 128 };
PEN_API PEN_MUST_USE pen_status pen_device_key(char key[PEN_DEVICE_KEY_BYTES], const char *asked,
                                               struct pen_error *err);

/* The device of this rank where several ranks work: each has a CUDA device of its own. `device` is that of the first
 * rank of a machine, the next rank there takes the device behind it, and so on; ranks that see different devices, as a
 * launcher may have it, count each for themselves. On the CPU, and on one rank, it is `device`. All ranks call it, with
 * the same name. PEN_ERR_CONFIG, on all ranks of the machine: it has fewer devices than ranks. rank_device.c */
PEN_API PEN_MUST_USE pen_status pen_device_of_rank(char own[PEN_DEVICE_NAME_BYTES], const char *device,
                                                   struct pen_communicator *ranks, struct pen_error *err);

/* device: a name that pen_device_choose or pen_device_of_rank gave. */
PEN_API PEN_MUST_USE pen_status pen_exec_create(struct pen_exec **exec, const char *device, struct pen_error *err);
PEN_API void pen_exec_destroy(struct pen_exec *exec); /* NULL: nothing */

/* Another queue on the exec's device, whose memory both share: pen_exec_destroy it before the first. What one wrote the
 * other may read when the writer was waited for. On a device without queues it is the same exec. */
PEN_API PEN_MUST_USE pen_status pen_exec_second(struct pen_exec *exec, struct pen_exec **second, struct pen_error *err);

/* The CPU's, always there. */
PEN_API struct pen_exec *pen_exec_cpu(void);

/* How far products may round their factors from now on; gives what they will do: EXACT on a device that has no faster
 * ones, such as the CPU. Not while a recording is kept. */
PEN_API enum pen_precision pen_exec_allow(struct pen_exec *exec, enum pen_precision precision);

/* n items, contents undefined; n = 0 gives NULL. `what` names them when memory runs out. */
PEN_API PEN_MUST_USE pen_status pen_device_allocate(struct pen_exec *exec, void **memory, int64_t n, size_t item_bytes,
                                                    const char *what, struct pen_error *err);
PEN_API void pen_device_release(struct pen_exec *exec, void *memory);
PEN_API PEN_MUST_USE pen_status pen_device_upload(struct pen_exec *exec, void *to, const void *host, size_t bytes,
                                                  struct pen_error *err);
/* Waits for all work before it: host holds the values when it returns. */
PEN_API PEN_MUST_USE pen_status pen_device_download(struct pen_exec *exec, void *host, const void *from, size_t bytes,
                                                    struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_device_copy(struct pen_exec *exec, void *to, const void *from, size_t bytes,
                                                struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_device_fill(struct pen_exec *exec, void *memory, int byte, size_t bytes,
                                                struct pen_error *err);
PEN_API PEN_MUST_USE pen_status pen_device_synchronise(struct pen_exec *exec, struct pen_error *err);
/* Has all work finished? Does not wait. */
PEN_API PEN_MUST_USE pen_status pen_device_is_idle(struct pen_exec *exec, bool *idle, struct pen_error *err);

/* Host memory of n items, contents undefined, that uploads start from at once: nothing is copied in between, and the
 * calling thread does not wait. n = 0 gives NULL. */
PEN_API PEN_MUST_USE pen_status pen_device_allocate_pinned(struct pen_exec *exec, void **memory, int64_t n,
                                                           size_t item_bytes, const char *what, struct pen_error *err);
PEN_API void pen_device_release_pinned(struct pen_exec *exec, void *memory); /* NULL: nothing */

/* Bytes of memory that the device has free, and has in all. */
PEN_API PEN_MUST_USE pen_status pen_device_memory(struct pen_exec *exec, int64_t *free_bytes, int64_t *total_bytes,
                                                  struct pen_error *err);

/* Runs work(context), which calls the same ops with the same arguments every time: arrays at the same places, whatever
 * is in them. A device that can records the calls when they are made for the second time and from then on runs them as
 * one, without calling `work`. It must not wait for the device, allocate from it or change anything of the host's that
 * matters later. *recording: NULL before the first run, one for each piece of work; when an array moves: forget it and
 * begin anew. */
PEN_API PEN_MUST_USE pen_status pen_device_repeat(struct pen_exec *exec, struct pen_recording **recording,
                                                  pen_repeated_fn *work, void *context, struct pen_error *err);
/* Releases a recording and sets it to NULL. */
PEN_API void pen_device_forget(struct pen_exec *exec, struct pen_recording **recording);

/* PEN_DEVICE_ALLOC(exec, pointer, n, "what", err): n items of the pointer's type, or returns the failure. */
#define PEN_DEVICE_ALLOC(exec, pointer, n, what, err)                                              \
    do {                                                                                           \
        void *pen_memory_ = NULL;                                                                  \
        PEN_TRY(pen_device_allocate((exec), &pen_memory_, (n), sizeof *(pointer), (what), (err))); \
        (pointer) = pen_memory_;                                                                   \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
