/* Which device a rank takes. Ranks on one machine that see the same devices are neighbours, and the place among them is
 * the number of the device; so no launcher has to be known, and one that shows each rank a device of its own (srun
 * --gpus-per-task) leaves each with its first. */
#include "kernels/load.h"

#include "core/communicator.h"
#include "core/hash.h"
#include "core/memory.h"

#include <stdio.h>
#include <string.h>

/* The device's number in its name; -1: the CPU. */
static int number_of(const char *device)
{
    int64_t number = 0;
    const char *colon = strchr(device, ':');
    if (strcmp(device, "cpu") == 0) {
        return -1;
    }
    PEN_ASSERT(colon != NULL && pen_parse_int64(colon + 1, strlen(colon + 1), &number));
    return (int)number;
}

/* The machine and the devices that this process sees of it. */
static pen_status describe_view(char view[PEN_SHA256_HEX_BYTES], int *n_devices, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    struct pen_text machine = {0};
    struct pen_sha256 hash;
    uint8_t digest[PEN_SHA256_BYTES];
    const struct pen_cuda_module *module = NULL;
    PEN_TRY(pen_cuda_find_module(path, err));
    PEN_TRY(pen_cuda_open_module(&module, path, err));
    PEN_TRY(module->count_devices(n_devices, err));
    PEN_TRY(pen_file_read("/proc/sys/kernel/random/boot_id", 256, &machine, err));
    pen_sha256_init(&hash);
    pen_sha256_update(&hash, machine.data, machine.size_bytes);
    pen_text_deinit(&machine);
    for (int i = 0; i < *n_devices; i++) {
        struct pen_cuda_device facts = {.id = ""};
        PEN_TRY(module->describe(&facts, i, err));
        pen_sha256_update(&hash, facts.id, sizeof facts.id);
    }
    pen_sha256_final(&hash, digest);
    pen_sha256_hex(digest, view);
    return PEN_OK;
}

/* views: [size] of all ranks. */
static pen_status take_place(char own[PEN_DEVICE_NAME_BYTES], int first, int n_devices,
                             char (*views)[PEN_SHA256_HEX_BYTES], const struct pen_communicator *ranks,
                             struct pen_error *err)
{
    int n_before = 0, n_here = 0;
    for (int r = 0; r < ranks->size; r++) {
        bool neighbour = strcmp(views[r], views[ranks->rank]) == 0;
        n_here += neighbour;
        n_before += neighbour && r < ranks->rank;
    }
    if (first + n_here > n_devices) {
        PEN_FAIL(
            err, PEN_ERR_CONFIG,
            "rank %d of %d: expected a CUDA device for each of the %d ranks on this machine, found %d from cuda:%d "
            "on; start fewer ranks there, or use --device cpu",
            ranks->rank, ranks->size, n_here, n_devices > first ? n_devices - first : 0, first);
    }
    (void)snprintf(own, PEN_DEVICE_NAME_BYTES, "cuda:%d", first + n_before);
    return PEN_OK;
}

pen_status pen_device_of_rank(char own[PEN_DEVICE_NAME_BYTES], const char *device, struct pen_communicator *ranks,
                              struct pen_error *err)
{
    int first = number_of(device), n_devices = 0;
    char view[PEN_SHA256_HEX_BYTES], (*views)[PEN_SHA256_HEX_BYTES] = NULL;
    (void)snprintf(own, PEN_DEVICE_NAME_BYTES, "%s", device);
    if (first < 0 || ranks->size == 1) {
        return PEN_OK;
    }
    PEN_TRY(describe_view(view, &n_devices, err));
    PEN_ALLOC(views, ranks->size, err);
    pen_status status = pen_communicator_gather(ranks, views, view, sizeof view, err);
    if (status == PEN_OK) {
        status = take_place(own, first, n_devices, views, ranks, err);
    }
    pen_free(views);
    return status;
}
