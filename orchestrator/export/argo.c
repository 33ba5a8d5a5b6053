/* An Argo workflow: a container a node, one at a time, since a root has one writer. The workflow's name is that of
 * penstock's run. */
#include "orchestrator/export/document.h"
#include "orchestrator/export/targets.h"

#include <math.h>

static pen_json *make_task(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *task = pen_document_member("name", pen_json_string(step->dns));
    pen_json_set_string(task, "template", step->dns);
    if (step->n_after > 0) {
        pen_json_set(task, "dependencies", pen_document_before(export, step));
    }
    return task;
}

static pen_json *whole_seconds(double seconds)
{
    struct pen_text text = {0};
    pen_text_printf(&text, "%.0fs", ceil(seconds));
    pen_json *json = text.failed ? NULL : pen_json_string(pen_text_view(&text));
    pen_text_deinit(&text);
    return json;
}

static void add_policy(pen_json *template, const struct pen_policy *policy)
{
    int64_t most = pen_policy_most_retries(policy);
    if (most > 0) {
        pen_json *retry = pen_document_member("limit", pen_document_count(most));
        pen_json *backoff = pen_document_member("duration", whole_seconds(policy->retry_delay_s));
        pen_json_set(backoff, "factor", pen_document_count((int64_t)ceil(policy->retry_backoff)));
        pen_json_set(backoff, "cap", whole_seconds(policy->max_retry_delay_s));
        pen_json_set_string(retry, "retryPolicy", "Always");
        pen_json_set(retry, "backoff", backoff);
        pen_json_set(template, "retryStrategy", retry);
    }
}

static pen_json *make_template(const struct pen_export *export, const struct pen_export_step *step)
{
    pen_json *template = pen_document_member("name", pen_json_string(step->dns));
    pen_json *container = pen_document_container(export, step->n_gpus);
    pen_json_set(container, "command", pen_document_command(step));
    pen_json_set(container, "args", pen_document_args(step, "{{workflow.name}}"));
    add_policy(template, &step->node->policy);
    pen_json_set(template, "container", container);
    return template;
}

/* The template of the graph has the pipeline's name, which no step has. */
static pen_json *make_spec(const struct pen_export *export)
{
    pen_json *spec = pen_document_member("entrypoint", pen_json_string(export->dns));
    pen_json *graph = pen_document_member("name", pen_json_string(export->dns));
    pen_json *templates = pen_document_list(graph);
    pen_json *tasks = pen_json_array();
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_json_push(tasks, make_task(export, &export->steps[i]));
        pen_json_push(templates, make_template(export, &export->steps[i]));
    }
    pen_json_set(graph, "dag", pen_document_member("tasks", tasks));
    pen_json_set_int(spec, "parallelism", 1);
    if (export->pipeline->settings.timeout_s > 0) {
        pen_json_set_int(spec, "activeDeadlineSeconds", (int64_t)ceil(export->pipeline->settings.timeout_s));
    }
    if (export->volume != NULL) {
        pen_json_set(spec, "volumes", pen_document_volumes(export));
    }
    pen_json_set(spec, "templates", templates);
    return spec;
}

static pen_json *make_workflow(const struct pen_export *export)
{
    pen_json *workflow = pen_document_member("apiVersion", pen_json_string("argoproj.io/v1alpha1"));
    pen_json_set_string(workflow, "kind", "Workflow");
    pen_json_set(workflow, "metadata", pen_document_member("generateName", pen_document_joined(export->dns, "-")));
    pen_json_set(workflow, "spec", make_spec(export));
    return workflow;
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(pen_document_refuse(export, "argo", err));
    pen_json *workflow = make_workflow(export);
    pen_text_printf(out, "# Pipeline %s, written by penstock export argo.\n", export->pipeline->name);
    pen_status status = pen_config_print(workflow, out, err);
    pen_json_free(workflow);
    return status;
}

const struct pen_export_target pen_export_argo = {
    .name = "argo",
    .summary = "an Argo workflow, a container a node",
    .next = "argo submit FILE",
    .in_containers = true,
    .write = write,
};
