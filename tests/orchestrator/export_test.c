/* Exports without the other runners' tools: what they write, word by word, and what comes out of it again. Names that
 * other languages read as theirs go through a shell, a makefile, Slurm's script (with an sbatch that only notes) and
 * Python, and have to arrive as they were. tests/orchestrator/export/ has the tests with the real tools. */
#include "orchestrator/export/export.h"

#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/golden.h"
#include "tests/pen_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pen_export_target *target_named(const char *name)
{
    for (int64_t i = 0; pen_export_targets[i] != NULL; i++) {
        if (strcmp(pen_export_targets[i]->name, name) == 0) {
            return pen_export_targets[i];
        }
    }
    return NULL;
}

/* A pipeline with its export. */
struct exported {
    struct pen_pipeline pipeline;
    struct pen_export export;
};

static void exported_deinit(struct exported *exported)
{
    pen_export_deinit(&exported->export);
    pen_pipeline_deinit(&exported->pipeline);
}

/* The pipeline of the chores plus `more`, as the target's text. Nothing is left open when it failed. */
static pen_status write_export(const char *name, const char *more, const char *root,
                               const struct pen_export_options *options, struct exported *exported,
                               struct pen_text *out, struct pen_error *err)
{
    char file[PEN_PATH_BYTES];
    struct pen_text yaml = {0};
    const struct pen_export_target *target = target_named(name);
    PEN_ASSERT(target != NULL);
    pen_text_printf(&yaml, "pipeline: chores\n%s", more);
    pen_status status = pen_file_write_atomic(chore_path(file, "pipeline.yaml"), yaml.data, yaml.size_bytes, err);
    pen_text_deinit(&yaml);
    PEN_TRY(status);
    PEN_TRY(pen_pipeline_read(&exported->pipeline, file, NULL, 0, chore_table, err));
    exported->pipeline.root = root;
    exported->export = (struct pen_export){.pipeline = &exported->pipeline};
    status = pen_export_describe(&exported->export, &exported->pipeline, target, options, err);
    if (status == PEN_OK) {
        pen_text_reset(out);
        status = target->write(&exported->export, out, err);
    }
    if (status != PEN_OK) {
        exported_deinit(exported);
    }
    return status;
}

static void what_each_target_writes(void)
{
    static const char more[] = "description: small chores\ntags: [test]\ntimeout: 1h\n"
                               "schedule: {cron: 30 2 * * mon-fri, zone: Europe/Berlin}\n"
                               "middle: {retries: 2, retry_delay: 5s, timeout: 10m}\n"
                               "notify: {mail: {to: [me@example.org]}}\n";
    for (int64_t i = 0; pen_export_targets[i] != NULL; i++) {
        const bool has_volumes = strcmp(pen_export_targets[i]->name, "vertex") != 0;
        const struct pen_export_options options = {.program = "penstock",
                                                   .at = "/data/chores",
                                                   .image = "registry/penstock:1",
                                                   .volume = has_volumes ? "claim" : NULL,
                                                   .n_gpus = 2};
        char name[64];
        struct exported exported;
        struct pen_text text = {0};
        struct pen_error err = PEN_ERROR_INIT;
        (void)snprintf(name, sizeof name, "export_%s", pen_export_targets[i]->name);
        PEN_REQUIRE_OK(write_export(pen_export_targets[i]->name, more, "out", &options, &exported, &text, &err), &err);
        golden_compare(name, &text);
        exported_deinit(&exported);
        pen_text_deinit(&text);
    }
}

/* ---- paths that other languages read as theirs ---- */

static const char *const odd_names[] = {
    "plain",       "a b",         "it's",     "say \"x\"",  "$HOME",   "$(touch x)", "`touch x`", "{{ run_id }}",
    "{% raw %}",   "{# x #}",     "{{{x}}}",  "${x}",       "100%d%%", "#x",         "back\\",    "\\n",
    "a;b&c|d*?[e", "caf\xc3\xa9", "tab\tend", "two\nlines", "-x",      "x.sh",       "!x",        "$$"};

/* In the case's folder. */
static int shell(const char *command)
{
    char line[2 * PEN_PATH_BYTES];
    (void)snprintf(line, sizeof line, "cd '%s' && %s", pen_test_directory(), command);
    return system(line); /* NOLINT(cert-env33-c): a test's own folder */
}

/* A program that appends the words it was given to <folder>/words, each with a NUL, and a line break after the last. */
static void write_program(const char *path)
{
    chore_write(path, "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" >>\"$WORDS\"\nprintf '\\n' >>\"$WORDS\"\n"
                      "case $FAILS in \"$2\") exit 4 ;; esac\n");
    PEN_CHECK_EQ_I64(chmod(path, 0755), 0);
}

struct odd_case {
    char program[PEN_PATH_BYTES]; /* itself in a folder of that name */
    char at[PEN_PATH_BYTES];
    char root[PEN_PATH_BYTES];
};

static void make_case(struct odd_case *c, const char *name)
{
    char folder[PEN_PATH_BYTES];
    char words[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_path_join(folder, pen_test_directory(), name, &err), &err);
    PEN_CHECK_OK(pen_directory_create(folder, &err), &err);
    PEN_CHECK_OK(pen_path_join(c->program, folder, "penstock", &err), &err);
    write_program(c->program);
    (void)snprintf(c->at, sizeof c->at, "/data/%s", name);
    (void)snprintf(c->root, sizeof c->root, "/roots/%s", name);
    (void)setenv("WORDS", chore_path(words, "words"), 1);
    (void)setenv("FAILS", "", 1);
    (void)unlink(words);
}

/* What the nodes' commands are, from nothing but the case: each node once, in an order that respects the edges. */
static void expect_words(const struct odd_case *c, const char *name, const char *const *nodes)
{
    struct pen_text wanted = {0};
    struct pen_text found = {0};
    char path[PEN_PATH_BYTES];
    for (; *nodes != NULL; nodes++) {
        char file[PEN_PATH_BYTES + 32];
        (void)snprintf(file, sizeof file, "%s/pipeline.yaml", c->at);
        const char *const words[] = {c->program, "component", *nodes,  "--pipeline", file,
                                     "--root",   c->root,     "--run", "nightly"};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            pen_text_append_bytes(&wanted, words[i], strlen(words[i]) + 1);
        }
        pen_text_append_char(&wanted, '\n');
    }
    chore_read(chore_path(path, "words"), &found);
    PEN_CHECK_MSG(found.size_bytes == wanted.size_bytes && memcmp(found.data, wanted.data, wanted.size_bytes) == 0,
                  "the name '%s': other words arrived: %s", name, path);
    pen_text_deinit(&wanted);
    pen_text_deinit(&found);
}

static const char *const all_nodes[] = {"source", "middle", "side", "last", "push", NULL};

/* Writes FILE for one name; false when it was refused, as it has to be when one of `refused` is in the name. */
static bool write_odd(const char *target, const struct odd_case *c, const char *name, const char *const *refused,
                      const char *file)
{
    const struct pen_export_options options = {.program = c->program, .at = c->at};
    struct exported exported;
    struct pen_text text = {0};
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    pen_status status = write_export(target, "", c->root, &options, &exported, &text, &err);
    bool is_refused = false;
    for (; refused != NULL && *refused != NULL; refused++) {
        is_refused = is_refused || strstr(name, *refused) != NULL;
    }
    if (is_refused) {
        PEN_CHECK_STATUS(status, PEN_ERR_UNSUPPORTED);
        PEN_CHECK_CONTAINS(err.message, target);
    } else {
        PEN_CHECK_MSG(status == PEN_OK, "%s, the name '%s': %s", target, name, err.message);
    }
    if (status == PEN_OK) {
        PEN_CHECK_OK(pen_file_write_atomic(chore_path(path, file), text.data, text.size_bytes, &err), &err);
        exported_deinit(&exported);
    }
    pen_text_deinit(&text);
    return status == PEN_OK;
}

static void a_makefile_gives_every_word_as_it_is(void)
{
    static const char *const line_break[] = {"\n", NULL};
    if (shell("command -v make >/dev/null") != 0) {
        PEN_SKIP("make is not there");
    }
    for (size_t i = 0; i < sizeof odd_names / sizeof odd_names[0]; i++) {
        struct odd_case c;
        make_case(&c, odd_names[i]);
        if (write_odd("make", &c, odd_names[i], line_break, "p.mk")) {
            PEN_CHECK_EQ_I64(shell("RUN=nightly make -s -f p.mk"), 0);
            expect_words(&c, odd_names[i], all_nodes);
        }
    }
}

static void a_makefile_stops_at_what_fails(void)
{
    static const char *const until_middle[] = {"source", "middle", NULL};
    static const char *const for_side[] = {"source", "side", NULL};
    struct odd_case c;
    if (shell("command -v make >/dev/null") != 0) {
        PEN_SKIP("make is not there");
    }
    make_case(&c, "plain");
    PEN_REQUIRE(write_odd("make", &c, "plain", NULL, "p.mk"));
    PEN_CHECK(shell("FAILS=middle make -s -f p.mk RUN=nightly 2>/dev/null") != 0);
    expect_words(&c, "plain", until_middle);
    make_case(&c, "plain");
    PEN_CHECK_EQ_I64(shell("make -s -f p.mk RUN=nightly side"), 0);
    expect_words(&c, "plain", for_side);
}

/* An sbatch that runs what it is given at once and notes the node and what it waits for. */
static void write_sbatch(void)
{
    char path[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    PEN_CHECK_OK(pen_directory_create(chore_path(path, "bin"), &err), &err);
    chore_write(chore_path(path, "bin/sbatch"),
                "#!/bin/bash\nn=$(($(cat number 2>/dev/null || echo 0) + 1))\necho $n >number\n"
                "for a in \"$@\"; do case $a in --job-name=*|--dependency=*|--gres=*|--part*) printf '%s ' \"$a\" ;; "
                "esac; done >>jobs\necho >>jobs\nbash && echo \"$n;cluster\"\n");
    PEN_CHECK_EQ_I64(chmod(path, 0755), 0);
    chore_write(chore_path(path, "bin/scancel"), "#!/bin/bash\necho \"$@\" >cancelled\n");
    PEN_CHECK_EQ_I64(chmod(path, 0755), 0);
}

static void slurm_gives_every_word_as_it_is(void)
{
    if (shell("command -v bash >/dev/null") != 0) {
        PEN_SKIP("bash is not there");
    }
    write_sbatch();
    for (size_t i = 0; i < sizeof odd_names / sizeof odd_names[0]; i++) {
        struct odd_case c;
        make_case(&c, odd_names[i]);
        PEN_REQUIRE(write_odd("slurm", &c, odd_names[i], NULL, "p.sbatch"));
        PEN_CHECK_EQ_I64(shell("PATH=$PWD/bin:$PATH RUN=nightly bash p.sbatch >ids"), 0);
        expect_words(&c, odd_names[i], all_nodes);
        make_case(&c, odd_names[i]);
        PEN_CHECK_EQ_I64(shell("SLURM_JOB_ID=7 RUN=nightly bash p.sbatch"), 0);
        expect_words(&c, odd_names[i], all_nodes);
    }
}

static void slurm_jobs_wait_for_what_they_need(void)
{
    struct odd_case c;
    struct pen_text jobs = {0};
    char path[PEN_PATH_BYTES];
    if (shell("command -v bash >/dev/null") != 0) {
        PEN_SKIP("bash is not there");
    }
    write_sbatch();
    make_case(&c, "plain");
    PEN_REQUIRE(write_odd("slurm", &c, "plain", NULL, "p.sbatch"));
    PEN_CHECK_EQ_I64(shell("PATH=$PWD/bin:$PATH RUN=nightly bash p.sbatch --partition=gpu >ids"), 0);
    chore_read(chore_path(path, "jobs"), &jobs);
    PEN_CHECK_EQ_STR(pen_text_view(&jobs), "--job-name=chores.source --partition=gpu \n"
                                           "--job-name=chores.middle --dependency=afterok:1 --partition=gpu \n"
                                           "--job-name=chores.side --dependency=afterok:1 --partition=gpu \n"
                                           "--job-name=chores.last --dependency=afterok:2:3 --partition=gpu \n"
                                           "--job-name=chores.push --dependency=afterok:4 --partition=gpu \n");
    /* One that cannot be submitted takes the others with it. */
    PEN_CHECK(shell("rm number && PATH=$PWD/bin:$PATH FAILS=side bash p.sbatch >ids 2>/dev/null") != 0);
    chore_read(chore_path(path, "cancelled"), &jobs);
    PEN_CHECK(strcmp(pen_text_view(&jobs), "1 2\n") == 0 || strcmp(pen_text_view(&jobs), "2 1\n") == 0);
    /* In one job the first that fails ends it, with its exit code. */
    make_case(&c, "plain");
    static const char *const until_side[] = {"source", "middle", "side", NULL};
    PEN_CHECK_EQ_I64(shell("SLURM_JOB_ID=7 FAILS=side RUN=nightly bash p.sbatch; test $? -eq 4"), 0);
    expect_words(&c, "plain", until_side);
    pen_text_deinit(&jobs);
}

/* ---- Python ---- */

static void python_gives_every_word_as_it_is(void)
{
    static const char *const targets[] = {"airflow", "beam"};
    if (shell("command -v python3 >/dev/null && command -v bash >/dev/null") != 0) {
        PEN_SKIP("python3 or bash is not there");
    }
    (void)setenv("RUN_PYTHON", PEN_TEST_SOURCE "/tests/orchestrator/export/run_python.py", 1);
    for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
        for (size_t i = 0; i < sizeof odd_names / sizeof odd_names[0]; i++) {
            struct odd_case c;
            make_case(&c, odd_names[i]);
            PEN_REQUIRE(write_odd(targets[t], &c, odd_names[i], NULL, "p.py"));
            PEN_CHECK_MSG(shell("python3 -I -S \"$RUN_PYTHON\" p.py nightly") == 0, "%s, the name '%s': python3 failed",
                          targets[t], odd_names[i]);
            expect_words(&c, odd_names[i], all_nodes);
        }
    }
}

/* ---- documents ---- */

static pen_json *read_document(const char *target, const char *file)
{
    char path[PEN_PATH_BYTES];
    struct pen_arena arena = {0};
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_config_node *node = NULL;
    pen_json *document = NULL;
    if (strcmp(target, "vertex") == 0) {
        PEN_CHECK_OK(pen_json_read_file(chore_path(path, file), &document, &err), &err);
        return document;
    }
    PEN_CHECK_OK(pen_config_read_file(&arena, chore_path(path, file), &node, &err), &err);
    document = pen_config_to_json(node);
    pen_arena_deinit(&arena);
    return document;
}

/* node's container, and what its task waits for. */
static const pen_json *container_of(const pen_json *document, const char *target, int64_t index, const pen_json **after)
{
    const pen_json *spec = pen_json_get(document, "spec");
    if (strcmp(target, "argo") == 0) {
        const pen_json *templates = pen_json_get(spec, "templates");
        const pen_json *dag = pen_json_get(pen_json_at(templates, 0), "dag");
        *after = pen_json_get(pen_json_at(pen_json_get(dag, "tasks"), index), "dependencies");
        return pen_json_get(pen_json_at(templates, index + 1), "container");
    }
    struct pen_text label = {0};
    const pen_json *tasks = pen_json_get(pen_json_get(pen_json_get(document, "root"), "dag"), "tasks");
    *after = pen_json_get(pen_json_get(tasks, all_nodes[index]), "dependentTasks");
    pen_text_printf(&label, "exec-%s", all_nodes[index]);
    const pen_json *executors = pen_json_get(pen_json_get(document, "deploymentSpec"), "executors");
    const pen_json *container = pen_json_get(pen_json_get(executors, pen_text_view(&label)), "container");
    pen_text_deinit(&label);
    return container;
}

static void expect_container(const struct odd_case *c, const pen_json *container, const char *node, const char *run)
{
    char file[PEN_PATH_BYTES + 32];
    (void)snprintf(file, sizeof file, "%s/pipeline.yaml", c->at);
    const char *const args[] = {"component", node, "--pipeline", file, "--root", c->root, "--run", run};
    const pen_json *found = pen_json_get(container, "args");
    PEN_CHECK_EQ_I64(pen_json_size(found), 8);
    PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(pen_json_get(container, "command"), 0), ""), c->program);
    for (int64_t i = 0; i < 8; i++) {
        PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(found, i), ""), args[i]);
    }
}

/* The script of the launcher, started by a shell. */
static void an_mpijob_gives_every_word_as_it_is(void)
{
    static const char *const marks[] = {"{{", "$(", "$$", NULL};
    for (size_t i = 0; i < sizeof odd_names / sizeof odd_names[0]; i++) {
        struct odd_case c;
        char path[PEN_PATH_BYTES];
        make_case(&c, odd_names[i]);
        if (!write_odd("mpijob", &c, odd_names[i], marks, "document")) {
            continue;
        }
        pen_json *document = read_document("mpijob", "document");
        const pen_json *specs = pen_json_get(pen_json_get(document, "spec"), "mpiReplicaSpecs");
        const pen_json *pod = pen_json_get(pen_json_get(pen_json_get(specs, "Launcher"), "template"), "spec");
        const pen_json *command = pen_json_get(pen_json_at(pen_json_get(pod, "containers"), 0), "command");
        PEN_CHECK_EQ_STR(pen_json_string_or(pen_json_at(command, 0), ""), "/bin/sh");
        chore_write(chore_path(path, "script"), pen_json_string_or(pen_json_at(command, 2), ""));
        PEN_CHECK_EQ_I64(shell("RUN=nightly /bin/sh script"), 0);
        expect_words(&c, odd_names[i], all_nodes);
        pen_json_free(document);
    }
}

static void documents_give_every_word_as_it_is(void)
{
    static const struct {
        const char *target, *run;
    } cases[] = {{"kubeflow", "{{$.inputs.parameters['run']}}"},
                 {"vertex", "{{$.inputs.parameters['run']}}"},
                 {"argo", "{{workflow.name}}"}};
    static const char *const marks[] = {"{{", "$(", "$$", NULL};
    static const char *const edges[] = {"", "source ", "source ", "middle side ", "last "};
    for (size_t t = 0; t < sizeof cases / sizeof cases[0]; t++) {
        for (size_t i = 0; i < sizeof odd_names / sizeof odd_names[0]; i++) {
            struct odd_case c;
            make_case(&c, odd_names[i]);
            if (!write_odd(cases[t].target, &c, odd_names[i], marks, "document")) {
                continue;
            }
            pen_json *document = read_document(cases[t].target, "document");
            for (int64_t n = 0; all_nodes[n] != NULL; n++) {
                const pen_json *after = NULL;
                struct pen_text before = {0};
                const pen_json *container = container_of(document, cases[t].target, n, &after);
                expect_container(&c, container, all_nodes[n], cases[t].run);
                for (int64_t k = 0; k < pen_json_size(after); k++) {
                    pen_text_printf(&before, "%s ", pen_json_string_or(pen_json_at(after, k), "?"));
                }
                PEN_CHECK_EQ_STR(pen_text_view(&before), edges[n]);
                pen_text_deinit(&before);
            }
            pen_json_free(document);
        }
    }
}

/* ---- the description ---- */

static void names_for_others_are_unique(void)
{
    static const char more[] = "nodes:\n"
                               "  Side.2:\n    component: side\n"
                               "  side-2:\n    component: side\n"
                               "  _x_:\n    component: side\n"
                               "  all:\n    component: side\n"
                               "  a_very_long_name_that_goes_on_and_on_until_nobody_reads_it_any_more_at_all:\n"
                               "    component: side\n"
                               "  a_very_long_name_that_goes_on_and_on_until_nobody_reads_it_any_more_at_all_2:\n"
                               "    component: side\n"
                               "  chores:\n    component: side\n";
    static const struct pen_export_options none;
    static const char *const wanted[] = {"source",
                                         "middle",
                                         "side",
                                         "last",
                                         "push",
                                         "side-2",
                                         "side-2-2",
                                         "x",
                                         "all",
                                         "a-very-long-name-that-goes-on-and-on-until-nobody",
                                         "a-very-long-name-that-goes-on-and-on-until-2",
                                         "chores-2"};
    struct exported exported;
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    PEN_REQUIRE_OK(write_export("make", more, "out", &none, &exported, &text, &err), &err);
    PEN_CHECK_EQ_I64(exported.export.n_steps, 12);
    for (int64_t i = 0; i < exported.export.n_steps && i < 12; i++) {
        PEN_CHECK_EQ_STR(exported.export.steps[i].dns, wanted[i]);
    }
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nevery_step: source middle side last push Side.2 side-2 _x_ all ");
    exported_deinit(&exported);
    pen_text_deinit(&text);
}

static void what_stays_out_of_exports(void)
{
    static const struct pen_export_options none;
    struct exported exported;
    struct pen_text text = {0};
    struct pen_error err = PEN_ERROR_INIT;
    /* An optional input may stay out, one that is needed may not. */
    PEN_REQUIRE_OK(write_export("slurm", "side: {skip_for_export: true}\n", "/out", &none, &exported, &text, &err),
                   &err);
    PEN_CHECK_CONTAINS(pen_text_view(&text), "\nstep last 'middle' ''");
    PEN_CHECK(strstr(pen_text_view(&text), "step side") == NULL);
    exported_deinit(&exported);
    PEN_CHECK_STATUS(write_export("slurm", "middle: {skip_for_export: true}\n", "/out", &none, &exported, &text, &err),
                     PEN_ERR_CONFIG);
    PEN_CHECK_CONTAINS(err.message, "node last takes its number from middle, which skip_for_export leaves out");
    pen_text_deinit(&text);
}

PEN_SUITE(export, PEN_CASE(what_each_target_writes), PEN_CASE(names_for_others_are_unique),
          PEN_CASE(a_makefile_gives_every_word_as_it_is), PEN_CASE(a_makefile_stops_at_what_fails),
          PEN_CASE(slurm_gives_every_word_as_it_is), PEN_CASE(slurm_jobs_wait_for_what_they_need),
          PEN_CASE(python_gives_every_word_as_it_is), PEN_CASE(documents_give_every_word_as_it_is),
          PEN_CASE(an_mpijob_gives_every_word_as_it_is), PEN_CASE(what_stays_out_of_exports));
