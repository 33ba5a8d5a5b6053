/* Choosing a run's device, or keeping the last one's. */
#include "orchestrator/run/device.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const pen_json *record, const char *key)
{
    return pen_json_string_or(pen_json_get(record, key), "");
}

static bool went_well(const pen_json *run)
{
    return strcmp(text_of(run, "status"), "succeeded") == 0 || strcmp(text_of(run, "status"), "cached") == 0;
}

static const char *asked_device(const struct pen_run *run)
{
    return run->options->device == NULL ? run->pipeline->device : run->options->device;
}

pen_status pen_run_device_key(const struct pen_run *run, char key[PEN_DEVICE_KEY_BYTES], struct pen_error *err)
{
    return pen_device_key(key, asked_device(run), err);
}

pen_status pen_run_choose_device(struct pen_run *run, struct pen_device_choice *choice, char key[PEN_DEVICE_KEY_BYTES],
                                 struct pen_error *err)
{
    const pen_json *last = pen_metadata_find_run(&run->metadata, NULL);
    if (key[0] != '\0' && strcmp(text_of(last, "device_key"), key) == 0 && went_well(last)) {
        (void)snprintf(choice->device, sizeof choice->device, "%s", text_of(last, "device"));
        (void)snprintf(choice->reason, sizeof choice->reason, "%s", text_of(last, "device_reason"));
    } else {
        PEN_TRY(pen_device_choose(choice, asked_device(run), err));
    }
    if (strcmp(choice->device, "cpu") == 0) {
        key[0] = '\0'; /* what kept a device from being taken may be gone tomorrow */
    }
    run->device = pen_arena_strdup(&run->arena, choice->device);
    if (run->device == NULL) {
        PEN_FAIL(err, PEN_ERR_MEMORY, "out of memory: choosing a device");
    }
    return PEN_OK;
}
