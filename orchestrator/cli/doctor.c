/* penstock doctor: what this machine gives penstock, and what stands in its way. */
#include "core/memory.h"
#include "kernels/probe.h"
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int n_ops(void)
{
#define PEN_ONE_OP(op) +1
    return PEN_OP_LIST(PEN_ONE_OP);
#undef PEN_ONE_OP
}

static pen_json *cpu_features(void)
{
    pen_json *features = pen_json_array();
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        pen_json_push(features, pen_json_string("avx2"));
    }
    if (__builtin_cpu_supports("avx512f")) {
        pen_json_push(features, pen_json_string("avx512"));
    }
    if (__builtin_cpu_supports("pclmul")) {
        pen_json_push(features, pen_json_string("pclmul"));
    }
#endif
    return features;
}

/* Whether something can be mended here: no driver and no device are facts of the machine. */
static bool is_problem(enum pen_cuda_state state)
{
    return state == PEN_CUDA_NO_MODULE || state == PEN_CUDA_BAD_MODULE || state == PEN_CUDA_NO_ANSWER;
}

static pen_json *list_devices(const struct pen_cuda_probe *cuda)
{
    pen_json *devices = pen_json_array();
    pen_json *cpu = pen_json_object();
    pen_json_set_string(cpu, "device", "cpu");
    pen_json_set_int(cpu, "ops", n_ops());
    pen_json_push(devices, cpu);
    for (int i = 0; i < cuda->n_devices; i++) {
        const struct pen_cuda_device *facts = &cuda->devices[i];
        struct pen_text text = {0};
        pen_json *device = pen_json_object();
        pen_text_printf(&text, "cuda:%d", i);
        pen_json_set_string(device, "device", pen_text_view(&text));
        pen_json_set_int(device, "ops", n_ops() - cuda->n_lacks);
        pen_json_set_string(device, "name", facts->name);
        pen_json_set_int(device, "memory_bytes", facts->memory_bytes);
        pen_text_reset(&text);
        pen_text_printf(&text, "%d.%d", facts->capability / 10, facts->capability % 10);
        pen_json_set_string(device, "compute_capability", pen_text_view(&text));
        pen_json_set_int(device, "multiprocessors", facts->multiprocessors);
        pen_json_push(devices, device);
        pen_text_deinit(&text);
    }
    return devices;
}

/* "gemm link " as a list. */
static pen_json *list_lacks(const struct pen_cuda_probe *cuda)
{
    pen_json *lacks = pen_json_array();
    for (const char *name = cuda->lacks; *name != '\0';) {
        char one[64];
        size_t size = strcspn(name, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)size, name);
        pen_json_push(lacks, pen_json_string(one));
        name += size + 1;
    }
    return lacks;
}

static void add_cuda(pen_json *document, const struct pen_cuda_probe *cuda)
{
    pen_json *versions = pen_json_object();
    for (int i = 0; i < cuda->n_versions; i++) {
        pen_json_set_string(versions, cuda->versions[i].name, cuda->versions[i].version);
    }
    pen_json_set(document, "devices", list_devices(cuda));
    pen_json_set_string(document, "cuda", cuda->state == PEN_CUDA_USABLE ? "usable" : cuda->reason);
    pen_json_set(document, "cuda_module", cuda->module[0] == '\0' ? pen_json_null() : pen_json_string(cuda->module));
    pen_json_set(document, "cuda_versions", versions);
    pen_json_set(document, "cuda_lacks", list_lacks(cuda));
}

static pen_json *examine(const struct pen_cuda_probe *cuda)
{
    struct statvfs disk;
    int64_t page = sysconf(_SC_PAGESIZE);
    pen_json *document = pen_json_object();
    pen_json *problems = pen_json_array();
    pen_json_set_int(document, "schema", 1);
    pen_json_set_string(document, "version", PEN_VERSION);
    pen_json_set_int(document, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    pen_json_set(document, "cpu", cpu_features());
    pen_json_set_int(document, "memory_bytes", sysconf(_SC_PHYS_PAGES) * page);
    pen_json_set_int(document, "memory_free_bytes", sysconf(_SC_AVPHYS_PAGES) * page);
    if (statvfs(".", &disk) == 0) {
        int64_t free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
        pen_json_set_int(document, "disk_free_bytes", free_bytes);
        if (free_bytes < (int64_t)1 << 30) {
            pen_json_push(problems,
                          pen_json_string("less than 1 GiB free on the disk of this folder: make room, or use "
                                          "another --root"));
        }
    }
    if (access(".", W_OK) != 0) {
        pen_json_push(problems, pen_json_string("this folder cannot be written to: change to another one"));
    }
    if (is_problem(cuda->state)) {
        pen_json_push(problems, pen_json_string(cuda->reason));
    }
    add_cuda(document, cuda);
    pen_json_set(document, "problems", problems);
    return document;
}

/* Devices, which ops run where, and the CUDA backend's state. */
static void print_devices(struct pen_text *text, const struct pen_cuda_probe *cuda)
{
    pen_text_append(text, "devices  cpu\n");
    for (int i = 0; i < cuda->n_devices; i++) {
        const struct pen_cuda_device *facts = &cuda->devices[i];
        pen_text_printf(text, "         cuda:%d  %s, %.1f GiB, compute capability %d.%d\n", i, facts->name,
                        (double)facts->memory_bytes / 0x1p30, facts->capability / 10, facts->capability % 10);
    }
    pen_text_printf(text, "ops      %d on cpu", n_ops());
    if (cuda->n_versions > 0) { /* the module was opened */
        pen_text_printf(text, ", %d on cuda", n_ops() - cuda->n_lacks);
    }
    pen_text_printf(text, "\ncuda     %s\n",
                    cuda->state == PEN_CUDA_USABLE ? "usable"
                    : is_problem(cuda->state)      ? "not usable"
                                                   : cuda->reason);
    for (int i = 0; i < cuda->n_versions; i++) {
        pen_text_printf(text, "%s%s %s", i == 0 ? "         " : ", ", cuda->versions[i].name,
                        cuda->versions[i].version);
    }
    pen_text_append(text, cuda->n_versions > 0 ? "\n" : "");
    if (cuda->module[0] != '\0') {
        pen_text_printf(text, "         %s\n", cuda->module);
    }
}

static void print_all(struct pen_text *text, const pen_json *document, const struct pen_cuda_probe *cuda)
{
    const pen_json *cpu = pen_json_get(document, "cpu");
    const pen_json *problems = pen_json_get(document, "problems");
    pen_text_printf(text, "penstock %s\ncores    %lld", pen_json_string_or(pen_json_get(document, "version"), ""),
                    (long long)pen_json_int_or(pen_json_get(document, "cores"), 0));
    for (int64_t i = 0; i < pen_json_size(cpu); i++) {
        pen_text_printf(text, " %s", pen_json_string_or(pen_json_at(cpu, i), ""));
    }
    pen_text_printf(text, "\nmemory   %.1f GiB, %.1f free\ndisk     %.1f GiB free here\n",
                    (double)pen_json_int_or(pen_json_get(document, "memory_bytes"), 0) / 0x1p30,
                    (double)pen_json_int_or(pen_json_get(document, "memory_free_bytes"), 0) / 0x1p30,
                    (double)pen_json_int_or(pen_json_get(document, "disk_free_bytes"), 0) / 0x1p30);
    print_devices(text, cuda);
    for (int64_t i = 0; i < pen_json_size(problems); i++) {
        pen_text_printf(text, "problem  %s\n", pen_json_string_or(pen_json_at(problems, i), ""));
    }
    pen_text_append(text, pen_json_size(problems) == 0 ? "all is well\n" : "");
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    struct pen_cuda_probe cuda;
    PEN_TRY(pen_cuda_probe(&cuda, PEN_CUDA_PROBE_SECONDS, err));
    struct pen_text text = {0};
    pen_json *document = examine(&cuda);
    print_all(&text, document, &cuda);
    pen_status status = pen_cli_answer(cli, document, &text, err);
    pen_text_deinit(&text);
    cli->exit_code = pen_json_size(pen_json_get(document, "problems")) > 0 ? 1 : 0;
    pen_json_free(document);
    return status;
}

const struct pen_verb pen_verb_doctor = {
    .name = "doctor", .arguments = "", .summary = "what this machine has, and what stands in the way", .run = run};
