/* Choice of a device by the name a user gives, and its exec. */
#include "kernels/exec.h"

#include "kernels/probe.h"

#include <stdio.h>
#include <string.h>

/* "cuda" is the first one. */
static bool parse_cuda(const char *name, int *device)
{
    int64_t number = 0;
    if (strncmp(name, "cuda", 4) != 0 || (name[4] != '\0' && name[4] != ':')) {
        return false;
    }
    if (name[4] == ':' && (!pen_parse_int64(name + 5, strlen(name + 5), &number) || number < 0 || number > 999)) {
        return false;
    }
    *device = (int)number;
    return true;
}

static pen_status check_device(const struct pen_cuda_probe *probe, int device, struct pen_error *err)
{
    if (probe->state != PEN_CUDA_USABLE) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s", probe->reason);
    }
    if (device >= probe->n_devices) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "the last CUDA device of this machine is cuda:%d", probe->n_devices - 1);
    }
    const struct pen_cuda_device *facts = &probe->devices[device];
    if (facts->capability < probe->least_capability) {
        PEN_FAIL(err, PEN_ERR_CONFIG, "%s has compute capability %d.%d, the CUDA module is built for %d.%d and later",
                 facts->name, facts->capability / 10, facts->capability % 10, probe->least_capability / 10,
                 probe->least_capability % 10);
    }
    return PEN_OK;
}

static void choose(struct pen_device_choice *choice, const char *device, const char *reason)
{
    (void)snprintf(choice->device, sizeof choice->device, "%s", device);
    (void)snprintf(choice->reason, sizeof choice->reason, "%s", reason);
}

static pen_status choose_cuda(struct pen_device_choice *choice, const char *asked, int device, struct pen_error *err)
{
    struct pen_cuda_probe probe;
    struct pen_error why_not = PEN_ERROR_INIT;
    bool is_free = strcmp(asked, "auto") == 0;
    PEN_TRY(pen_cuda_probe(&probe, PEN_CUDA_PROBE_SECONDS, err));
    if (check_device(&probe, device, &why_not) == PEN_OK) {
        choose(choice, "", probe.devices[device].name);
        (void)snprintf(choice->device, sizeof choice->device, "cuda:%d", device);
    } else if (is_free) {
        choose(choice, "cpu", why_not.message);
    } else {
        PEN_FAIL(err, PEN_ERR_CONFIG, "device %s: %s; use --device cpu or auto", asked, why_not.message);
    }
    return PEN_OK;
}

/* *device: -1 for the CPU, 0 for auto. */
static pen_status parse_asked(const char *asked, int *device, struct pen_error *err)
{
    *device = strcmp(asked, "cpu") == 0 ? -1 : 0;
    if (*device == 0 && strcmp(asked, "auto") != 0 && !parse_cuda(asked, device)) {
        PEN_FAIL(err, PEN_ERR_USAGE, "device: expected auto, cpu, cuda or cuda:N, found '%.40s'", asked);
    }
    return PEN_OK;
}

pen_status pen_device_choose(struct pen_device_choice *choice, const char *asked, struct pen_error *err)
{
    int device = 0;
    PEN_TRY(parse_asked(asked, &device, err));
    if (device < 0) {
        choose(choice, "cpu", "asked for");
        return PEN_OK;
    }
    return choose_cuda(choice, asked, device, err);
}

pen_status pen_device_key(char key[PEN_DEVICE_KEY_BYTES], const char *asked, struct pen_error *err)
{
    char machine[PEN_SHA256_HEX_BYTES] = "";
    int device = 0;
    key[0] = '\0';
    PEN_TRY(parse_asked(asked, &device, err));
    if (device >= 0) {
        pen_cuda_fingerprint(machine);
    }
    if (machine[0] != '\0') {
        (void)snprintf(key, PEN_DEVICE_KEY_BYTES, "%s:%d %s", asked[0] == 'a' ? "auto" : "cuda", device, machine);
    }
    return PEN_OK;
}

static pen_status create_cuda(struct pen_exec **exec, int device, struct pen_error *err)
{
    char path[PEN_PATH_BYTES];
    char lacks[sizeof PEN_OP_NAMES];
    const struct pen_cuda_module *module = NULL;
    PEN_TRY(pen_cuda_find_module(path, err));
    PEN_TRY(pen_cuda_open_module(&module, path, err));
    if (pen_cuda_list_lacks(lacks, module) > 0) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED, "the CUDA backend lacks ops: %s", lacks);
    }
    return module->open(exec, device, err);
}

pen_status pen_exec_create(struct pen_exec **exec, const char *device, struct pen_error *err)
{
    int number = 0;
    if (parse_cuda(device, &number)) {
        return create_cuda(exec, number, err);
    }
    PEN_ASSERT(strcmp(device, "cpu") == 0);
    *exec = pen_exec_cpu();
    return PEN_OK;
}
