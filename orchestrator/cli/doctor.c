/* penstock doctor: what this machine gives penstock, and what stands in its way. */
#include "core/memory.h"
#include "kernels/backend.h"
#include "kernels/op_list.h"
#include "orchestrator/cli/verbs.h"

#include <sys/statvfs.h>
#include <unistd.h>

static int64_t n_ops(void)
{
    static const char *const ops[] = {
#define PEN_OP_NAME(op) #op,
        PEN_OP_LIST(PEN_OP_NAME)
#undef PEN_OP_NAME
    };
    return (int64_t)(sizeof ops / sizeof ops[0]);
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

static pen_json *examine(void)
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
    pen_json *devices = pen_json_array();
    pen_json *cpu = pen_json_object();
    pen_json_set_string(cpu, "device", "cpu");
    pen_json_set_int(cpu, "ops", n_ops());
    pen_json_push(devices, cpu);
    pen_json_set(document, "devices", devices);
    pen_json_set_string(document, "cuda", "the backend does not have every op yet");
    pen_json_set(document, "problems", problems);
    return document;
}

static pen_status print_text(const pen_json *document, struct pen_error *err)
{
    struct pen_text text = {0};
    const pen_json *cpu = pen_json_get(document, "cpu");
    const pen_json *problems = pen_json_get(document, "problems");
    pen_text_printf(&text, "penstock %s\ncores    %lld", pen_json_string_or(pen_json_get(document, "version"), ""),
                    (long long)pen_json_int_or(pen_json_get(document, "cores"), 0));
    for (int64_t i = 0; i < pen_json_size(cpu); i++) {
        pen_text_printf(&text, " %s", pen_json_string_or(pen_json_at(cpu, i), ""));
    }
    pen_text_printf(&text,
                    "\nmemory   %.1f GiB, %.1f free\ndisk     %.1f GiB free here\ndevices  cpu (%lld ops); CUDA: %s\n",
                    (double)pen_json_int_or(pen_json_get(document, "memory_bytes"), 0) / 0x1p30,
                    (double)pen_json_int_or(pen_json_get(document, "memory_free_bytes"), 0) / 0x1p30,
                    (double)pen_json_int_or(pen_json_get(document, "disk_free_bytes"), 0) / 0x1p30, (long long)n_ops(),
                    pen_json_string_or(pen_json_get(document, "cuda"), ""));
    for (int64_t i = 0; i < pen_json_size(problems); i++) {
        pen_text_printf(&text, "problem  %s\n", pen_json_string_or(pen_json_at(problems, i), ""));
    }
    pen_text_append(&text, pen_json_size(problems) == 0 ? "all is well\n" : "");
    pen_status status = pen_text_check(&text, err);
    if (status == PEN_OK) {
        status = pen_cli_print(pen_text_view(&text), err);
    }
    pen_text_deinit(&text);
    return status;
}

static pen_status run(struct pen_cli *cli, struct pen_error *err)
{
    pen_json *document = examine();
    pen_status status = cli->args.json ? pen_cli_print_json(document, err) : print_text(document, err);
    cli->exit_code = pen_json_size(pen_json_get(document, "problems")) > 0 ? 1 : 0;
    pen_json_free(document);
    return status;
}

const struct pen_verb pen_verb_doctor = {
    .name = "doctor", .arguments = "", .summary = "what this machine has, and what stands in the way", .run = run};
