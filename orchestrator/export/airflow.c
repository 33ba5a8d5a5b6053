/* One DAG file for Airflow 2.11 and 3: a task a node. The name of Airflow's run is that of penstock's.
 *
 * Commands are shell text inside a Jinja template inside a Python string: quoted in that order. The task's shell is
 * replaced by penstock, so that a kill reaches it and its exit code is the task's. */
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

#include <string.h>

static const char imports[] = "from datetime import timedelta\n"
                              "\n"
                              "import pendulum\n"
                              "\n"
                              "try:\n"
                              "    from airflow.sdk import DAG\n"
                              "except ImportError:  # Airflow 2\n"
                              "    from airflow import DAG\n"
                              "try:\n"
                              "    from airflow.providers.standard.operators.bash import BashOperator\n"
                              "except ImportError:  # Airflow 2 without the standard provider\n"
                              "    from airflow.operators.bash import BashOperator\n"
                              "\n"
                              "tasks = {}\n"
                              "\n"
                              "\n"
                              "def step(node, after, command, **options):\n"
                              "    tasks[node] = BashOperator(task_id=node, bash_command=command, **options)\n"
                              "    tasks[node].set_upstream([tasks[name] for name in after])\n"
                              "\n"
                              "\n";

enum {
    START_OF_2025 = 1735689600, /* without catch-up it only has to lie in the past */
    LATE_S = 60
};

static void write_schedule(const struct pen_schedule *schedule, struct pen_text *out)
{
    bool has_times = schedule != NULL && schedule->text != NULL;
    const char *zone = has_times ? schedule->zone.name : "UTC";
    int64_t start = has_times && schedule->start != 0 ? schedule->start : START_OF_2025;
    pen_text_append(out, "    schedule=");
    if (has_times && schedule->is_cron) {
        pen_quote_python(schedule->text, out);
    } else if (has_times) {
        pen_text_printf(out, "timedelta(seconds=%lld)", (long long)schedule->every_s);
    } else {
        pen_text_append(out, "None");
    }
    pen_text_printf(out, ",\n    start_date=pendulum.from_timestamp(%lld, tz=", (long long)start);
    pen_quote_python(zone, out);
    pen_text_printf(out, "),\n    catchup=%s,\n",
                    has_times && schedule->catch_up == PEN_CATCH_UP_ALL ? "True" : "False");
}

static void write_seconds(const char *name, double seconds, struct pen_text *out)
{
    char digits[PEN_NUMBER_BYTES];
    pen_text_printf(out, "%s=timedelta(seconds=%s),\n", name, pen_format_double(digits, seconds));
}

static bool wants_mail(const struct pen_notify *notify)
{
    return notify->on_failure && notify->mail.to.n_items > 0;
}

/* Airflow 2 has arguments for mail; 3 has a notifier, over the connection smtp_default. */
static void write_mail(const struct pen_notify *notify, struct pen_text *out)
{
    struct pen_text to = {0};
    struct pen_text from = {0};
    pen_text_append(out, "defaults = {\"owner\": \"penstock\", \"retries\": 0}\n");
    if (!wants_mail(notify)) {
        return;
    }
    pen_quote_python_list(notify->mail.to.items, notify->mail.to.n_items, &to);
    if (notify->mail.from != NULL) {
        pen_text_append(&from, ", from_email=");
        pen_quote_python(notify->mail.from, &from);
    }
    pen_text_printf(out,
                    "from airflow import __version__ as version\n"
                    "\n"
                    "if version.startswith(\"2.\"):\n"
                    "    defaults |= {\"email\": %s, \"email_on_failure\": True, \"email_on_retry\": False}\n"
                    "else:\n"
                    "    from airflow.providers.smtp.notifications.smtp import SmtpNotifier\n"
                    "\n"
                    "    defaults |= {\"on_failure_callback\": SmtpNotifier(to=%s%s)}\n",
                    pen_text_view(&to), pen_text_view(&to), pen_text_view(&from));
    out->failed = out->failed || to.failed || from.failed;
    pen_text_deinit(&to);
    pen_text_deinit(&from);
}

static void write_labels(const struct pen_settings *settings, struct pen_text *out)
{
    if (settings->description[0] != '\0') {
        pen_text_append(out, "    description=");
        pen_quote_python(settings->description, out);
        pen_text_append(out, ",\n");
    }
    pen_text_append(out, "    tags=[\"penstock\"");
    for (int64_t i = 0; i < settings->tags.n_items; i++) {
        pen_text_append(out, ", ");
        pen_quote_python(settings->tags.items[i], out);
    }
    pen_text_append(out, "],\n");
}

static void write_dag(const struct pen_export *export, struct pen_text *out)
{
    struct pen_text doc = {0};
    const struct pen_pipeline *pipeline = export->pipeline;
    pen_text_printf(&doc,
                    "Pipeline **%s** of penstock, written by `penstock export airflow`.\n\n"
                    "A task is a node. What did not change comes from penstock's cache, and a training that was "
                    "interrupted goes on from its checkpoint.\n\n"
                    "A run has the same name here and there: `penstock status RUN_ID --root %s`\n",
                    pipeline->name, export->n_steps == 0 ? "" : export->steps[0].command[6]);
    pen_text_append(out, "\nwith DAG(\n    dag_id=");
    pen_quote_python(pipeline->name, out);
    pen_text_append(out, ",\n");
    write_schedule(pipeline->schedule, out);
    pen_text_append(out, "    max_active_runs=1,\n"
                         "    max_active_tasks=1,  # a root has one writer: others would wait\n");
    if (pipeline->settings.timeout_s > 0) {
        write_seconds("    dagrun_timeout", pipeline->settings.timeout_s, out);
    }
    pen_text_append(out, "    default_args=defaults,\n");
    write_labels(&pipeline->settings, out);
    pen_text_append(out, "    doc_md=");
    pen_quote_python(pen_text_view(&doc), out);
    pen_text_append(out, ",\n) as dag:\n");
    out->failed = out->failed || doc.failed;
    pen_text_deinit(&doc);
}

/* penstock ends a step that takes too long itself; Airflow does when that failed. */
static void write_policy(const struct pen_policy *policy, struct pen_text *out)
{
    int64_t retries = pen_policy_most_retries(policy);
    if (retries > 0) {
        pen_text_printf(out, "        retries=%lld,\n", (long long)retries);
        write_seconds("        retry_delay", policy->retry_delay_s, out);
        pen_text_printf(out, "        retry_exponential_backoff=%s,\n", policy->retry_backoff > 1 ? "True" : "False");
        write_seconds("        max_retry_delay", policy->max_retry_delay_s, out);
    }
    if (policy->timeout_s > 0) {
        write_seconds("        execution_timeout", policy->timeout_s + policy->grace_s + LATE_S, out);
    }
}

static void write_step(const struct pen_export *export, const struct pen_export_step *step, struct pen_text *out)
{
    struct pen_text command = {0};
    struct pen_text template = {0};
    pen_text_append(&command, "exec ");
    pen_export_shell(step, "\"$AIRFLOW_CTX_DAG_RUN_ID\"", &command);
    pen_quote_jinja(pen_text_view(&command), &template);
    pen_text_append(out, "    step(\n        ");
    pen_quote_python(step->node->name, out);
    pen_text_append(out, ",\n        ");
    pen_export_python_before(export, step, out);
    pen_text_append(out, ",\n        ");
    pen_quote_python(pen_text_view(&template), out);
    pen_text_append(out, ",\n        doc_md=");
    pen_quote_python(step->node->component->description, out);
    pen_text_append(out, ",\n");
    write_policy(&step->node->policy, out);
    pen_text_append(out, "    )\n");
    out->failed = out->failed || command.failed || template.failed;
    pen_text_deinit(&command);
    pen_text_deinit(&template);
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    pen_text_printf(out, "# Pipeline %s, written by penstock export airflow, for Airflow 2.11 and 3.\n",
                    export->pipeline->name);
    pen_text_append(out, imports);
    write_mail(&export->pipeline->settings.notify, out);
    write_dag(export, out);
    for (int64_t i = 0; i < export->n_steps; i++) {
        write_step(export, &export->steps[i], out);
    }
    return pen_text_check(out, err);
}

const struct pen_export_target pen_export_airflow = {
    .name = "airflow",
    .summary = "a DAG file, a task a node",
    .next = "cp FILE \"$AIRFLOW_HOME/dags/\"",
    .write = write,
};
