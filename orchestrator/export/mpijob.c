/* An MPIJob of Kubeflow's MPI operator: for clusters that queue such jobs and have no other runner. It has one pod, the
 * launcher, in which the nodes run one after another: penstock starts the ranks of a node itself, as processes of one
 * machine, so there are no workers. The job's name is that of the run, so a pod that is started again joins it. */
#include "orchestrator/export/document.h"
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

#include <math.h>

static int64_t most_gpus(const struct pen_export *export)
{
    int64_t most = 0;
    for (int64_t i = 0; i < export->n_steps; i++) {
        most = export->steps[i].n_gpus > most ? export->steps[i].n_gpus : most;
    }
    return most;
}

static int64_t most_retries(const struct pen_export *export)
{
    int64_t most = 0;
    for (int64_t i = 0; i < export->n_steps; i++) {
        int64_t retries = pen_policy_most_retries(&export->steps[i].node->policy);
        most = retries > most ? retries : most;
    }
    return most;
}

static pen_json *make_command(const struct pen_export *export)
{
    struct pen_text script = {0};
    pen_text_append(&script, "set -e\n");
    for (int64_t i = 0; i < export->n_steps; i++) {
        pen_export_shell(&export->steps[i], "\"$RUN\"", &script);
        pen_text_append_char(&script, '\n');
    }
    pen_json *command = pen_document_list(pen_json_string("/bin/sh"));
    pen_json_push(command, pen_json_string("-c"));
    pen_json_push(command, script.failed ? NULL : pen_json_string(pen_text_view(&script)));
    pen_text_deinit(&script);
    return command;
}

static pen_json *make_pod(const struct pen_export *export)
{
    static const char job_name[] = "metadata.labels['training.kubeflow.org/job-name']";
    pen_json *container = pen_document_container(export, most_gpus(export));
    pen_json *field = pen_document_member("fieldPath", pen_json_string(job_name));
    pen_json *run = pen_document_member("name", pen_json_string("RUN"));
    pen_json_set(run, "valueFrom", pen_document_member("fieldRef", field));
    pen_json_set_string(container, "name", "launcher");
    pen_json_set(container, "command", make_command(export));
    pen_json_set(container, "env", pen_document_list(run));
    pen_json *pod = pen_document_member("containers", pen_document_list(container));
    if (export->volume != NULL) {
        pen_json_set(pod, "volumes", pen_document_volumes(export));
    }
    return pod;
}

static pen_json *make_job(const struct pen_export *export)
{
    pen_json *job = pen_document_member("apiVersion", pen_json_string("kubeflow.org/v2beta1"));
    pen_json *spec = pen_document_member("slotsPerWorker", pen_json_int(1));
    pen_json *policy = pen_document_member("cleanPodPolicy", pen_json_string("Running"));
    pen_json *launcher = pen_document_member("replicas", pen_json_int(1));
    pen_json_set_int(policy, "backoffLimit", most_retries(export));
    if (export->pipeline->settings.timeout_s > 0) {
        pen_json_set_int(policy, "activeDeadlineSeconds", (int64_t)ceil(export->pipeline->settings.timeout_s));
    }
    pen_json_set_string(launcher, "restartPolicy", most_retries(export) > 0 ? "OnFailure" : "Never");
    pen_json_set(launcher, "template", pen_document_member("spec", make_pod(export)));
    pen_json_set(spec, "runPolicy", policy);
    pen_json_set(spec, "mpiReplicaSpecs", pen_document_member("Launcher", launcher));
    pen_json_set_string(job, "kind", "MPIJob");
    pen_json_set(job, "metadata", pen_document_member("generateName", pen_document_joined(export->dns, "-")));
    pen_json_set(job, "spec", spec);
    return job;
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    PEN_TRY(pen_document_refuse(export, "mpijob", err));
    pen_json *job = make_job(export);
    pen_text_printf(out, "# Pipeline %s, written by penstock export mpijob.\n", export->pipeline->name);
    pen_status status = pen_config_print(job, out, err);
    pen_json_free(job);
    return status;
}

const struct pen_export_target pen_export_mpijob = {
    .name = "mpijob",
    .summary = "a job of Kubeflow's MPI operator, all nodes in its launcher",
    .next = "kubectl create -f FILE",
    .in_containers = true,
    .write = write,
};
