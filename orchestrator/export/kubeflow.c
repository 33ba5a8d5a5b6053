/* Kubeflow Pipelines v2: the pipeline spec (IR) as YAML; and the same as JSON for Vertex AI Pipelines.
 *
 * A step is a container whose only parameter is the run's name: KFP gives its run's id as the value of a parameter,
 * never inside an argument. KFP's own cache stays off: it sees names and arguments, not the bytes of a file; penstock's
 * decides inside the step, in milliseconds. A second document mounts the volume claim (Kubernetes only). */
#include "orchestrator/export/document.h"
#include "orchestrator/export/targets.h"

static void set_named(pen_json *object, const char *prefix, const char *name, pen_json *value)
{
    struct pen_text key = {0};
    pen_text_printf(&key, "%s%s", prefix, name);
    pen_json_set(object, pen_text_view(&key), key.failed ? NULL : value);
    pen_text_deinit(&key);
}

static pen_json *make_component(const struct pen_export_step *step)
{
    pen_json *component = pen_document_member("executorLabel", pen_document_joined("exec-", step->dns));
    pen_json *run = pen_document_member("parameterType", pen_json_string("STRING"));
    pen_json_set(component, "inputDefinitions", pen_document_member("parameters", pen_document_member("run", run)));
    return component;
}

static pen_json *make_executor(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *container = pen_document_member("image", pen_json_string(export->image));
    pen_json_set(container, "command", pen_document_command(step));
    pen_json_set(container, "args", pen_document_args(step, "{{$.inputs.parameters['run']}}"));
    if (step->n_gpus > 0) {
        pen_json *accelerator = pen_document_member("resourceType", pen_json_string(export->gpu_type));
        pen_json_set(accelerator, "resourceCount", pen_document_count(step->n_gpus));
        pen_json_set(container, "resources", pen_document_member("accelerator", accelerator));
    }
    return pen_document_member("container", container);
}

/* Durations as protobuf has them: "10s", "0.5s". */
static void set_seconds(pen_json *object, const char *key, double seconds)
{
    char digits[PEN_NUMBER_BYTES];
    struct pen_text text = {0};
    pen_text_printf(&text, "%ss", pen_format_double(digits, seconds));
    pen_json_set(object, key, text.failed ? NULL : pen_json_string(pen_text_view(&text)));
    pen_text_deinit(&text);
}

static void add_retries(pen_json *task, const struct pen_policy *policy)
{
    int64_t most = pen_policy_most_retries(policy);
    if (most > 0) {
        pen_json *retry = pen_json_object();
        pen_json_set_int(retry, "maxRetryCount", most);
        set_seconds(retry, "backoffDuration", policy->retry_delay_s);
        pen_json_set_double(retry, "backoffFactor", policy->retry_backoff);
        set_seconds(retry, "backoffMaxDuration", policy->max_retry_delay_s);
        pen_json_set(task, "retryPolicy", retry);
    }
}

static pen_json *make_task(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *task = pen_document_member("taskInfo", pen_document_member("name", pen_json_string(step->dns)));
    pen_json *constant = pen_document_member("constant", pen_json_string("{{$.pipeline_job_uuid}}"));
    pen_json *run = pen_document_member("run", pen_document_member("runtimeValue", constant));
    pen_json *name = pen_document_joined("comp-", step->dns);
    pen_json_set(task, "componentRef", pen_document_member("name", name));
    pen_json_set(task, "inputs", pen_document_member("parameters", run));
    pen_json_set(task, "cachingOptions", pen_document_member("enableCache", pen_json_bool(false)));
    add_retries(task, &step->node->policy);
    if (step->n_after > 0) {
        pen_json_set(task, "dependentTasks", pen_document_before(export, step));
    }
    return task;
}

static pen_json *make_spec(const struct pen_export *export)
{
    pen_json *info = pen_document_member("name", pen_json_string(export->dns));
    pen_json *spec = pen_document_member("pipelineInfo", info);
    pen_json *components = pen_json_object();
    pen_json *executors = pen_json_object();
    pen_json *tasks = pen_json_object();
    pen_json_set_string(info, "displayName", export->pipeline->name);
    if (export->pipeline->settings.description[0] != '\0') {
        pen_json_set_string(info, "description", export->pipeline->settings.description);
    }
    for (int64_t i = 0; i < export->n_steps; i++) {
        const struct pen_export_step *step = &export->steps[i];
        set_named(components, "comp-", step->dns, make_component(step));
        set_named(executors, "exec-", step->dns, make_executor(export, step));
        pen_json_set(tasks, step->dns, make_task(export, step));
    }
    pen_json_set_string(spec, "schemaVersion", "2.1.0");
    pen_json_set_string(spec, "sdkVersion", "penstock-" PEN_VERSION);
    pen_json_set(spec, "components", components);
    pen_json_set(spec, "deploymentSpec", pen_document_member("executors", executors));
    pen_json_set(spec, "root", pen_document_member("dag", pen_document_member("tasks", tasks)));
    return spec;
}

/* The claim, mounted in every step at the pipeline's folder. */
static pen_json *make_platforms(const struct pen_export *export)
{
    pen_json *executors = pen_json_object();
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_json *mount = pen_document_member("constant", pen_json_string(export->volume));
        pen_json_set_string(mount, "mountPath", export->folder);
        set_named(executors, "exec-", export->steps[i].dns, pen_document_member("pvcMount", pen_document_list(mount)));
    }
    pen_json *spec = pen_document_member("deploymentSpec", pen_document_member("executors", executors));
    return pen_document_member("platforms", pen_document_member("kubernetes", spec));
}

static pen_status write_yaml(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(pen_document_refuse(export, "kubeflow", err));
    pen_json *spec = make_spec(export);
    pen_text_printf(out, "# Pipeline %s, written by penstock export kubeflow.\n", export->pipeline->name);
    pen_status status = pen_config_print(spec, out, err);
    if (status == PEN_OK && export->volume != NULL) {
        pen_json *platforms = make_platforms(export);
        pen_text_append(out, "---\n");
        status = pen_config_print(platforms, out, err);
        pen_json_free(platforms);
    }
    pen_json_free(spec);
    return status;
}

static pen_status write_json(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(pen_document_refuse(export, "vertex", err));
    if (export->volume != NULL) {
        PEN_FAIL(err, PEN_ERR_UNSUPPORTED,
                 "vertex: expected no --volume: Vertex AI has no volume claims; name a shared folder with --at");
    }
    pen_json *spec = make_spec(export);
    pen_status status = pen_json_print(spec, PEN_JSON_INDENT, out, err);
    pen_text_append_char(out, '\n');
    pen_json_free(spec);
    return status == PEN_OK ? pen_text_check(out, err) : status;
}

const struct pen_export_target pen_export_kubeflow = {
    .name = "kubeflow",
    .summary = "a Kubeflow Pipelines v2 spec, a container a node",
    .next = "kfp run create --experiment-name penstock --package-file FILE",
    .in_containers = true,
    .write = write_yaml,
};

const struct pen_export_target pen_export_vertex = {
    .name = "vertex",
    .summary = "the same as JSON for Vertex AI Pipelines",
    .next = "python3 -c 'from google.cloud import aiplatform; aiplatform.PipelineJob(display_name=\"penstock\", "
            "template_path=\"FILE\", pipeline_root=\"gs://BUCKET/root\").submit()'",
    .in_containers = true,
    .write = write_json,
};
