/* A bash script for Slurm, for both shapes: `bash FILE` submits a job a node, each after those it needs; `sbatch FILE`
 * (or bash FILE inside an allocation) takes one job and runs the nodes in it, one after another.
 *
 * A job whose parent failed would wait for ever, so it is cancelled with it. Slurm warns two minutes before the time
 * limit: a job of one node gets SIGTERM, leaves its checkpoint and fails, and its next execution goes on from there;
 * the one job for all nodes also puts itself back into the queue, and joins its own run again. */
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

static const char directives[] = "#!/bin/bash\n"
                                 "#SBATCH --job-name=%s\n"
                                 "#SBATCH --output=%s-%%j.log\n"
                                 "#SBATCH --open-mode=append\n"
                                 "#SBATCH --requeue\n"
                                 "#SBATCH --signal=B:USR1@120\n";

static const char usage[] = "# Pipeline %s, written by penstock export slurm.\n"
                            "#   bash FILE [OPTIONS OF SBATCH]     a job a node, each after those it needs\n"
                            "#   sbatch [OPTIONS OF SBATCH] FILE   one job, one node after another\n"
                            "# The nodes of one call are one run; RUN=name goes on with an earlier one. Nodes that "
                            "work on several ranks start them\n"
                            "# themselves (launcher: in the pipeline file): give such a job cores, not tasks.\n"
                            "set -euo pipefail\n";

static const char steps_inside[] = "if [ -n \"${SLURM_JOB_ID:-}\" ]; then\n"
                                   "    run=${RUN:-slurm-$SLURM_JOB_ID}\n"
                                   "    again=\n"
                                   "    trap 'again=yes; kill -TERM \"$child\"' USR1\n"
                                   "    trap 'kill -TERM \"$child\"' TERM\n"
                                   "    step() { # NODE AFTER GPUS COMMAND...\n"
                                   "        shift 3\n"
                                   "        local code=0\n"
                                   "        \"$@\" --run \"$run\" &\n"
                                   "        child=$!\n"
                                   "        wait \"$child\" || code=$?\n"
                                   "        while kill -0 \"$child\" 2>/dev/null; do # a trap ended the wait\n"
                                   "            code=0\n"
                                   "            wait \"$child\" || code=$?\n"
                                   "        done\n"
                                   "        if [ -n \"$again\" ] && [ \"$code\" -ne 0 ]; then\n"
                                   "            scontrol requeue \"$SLURM_JOB_ID\"\n"
                                   "            exit 0\n"
                                   "        fi\n"
                                   "        [ \"$code\" -eq 0 ] || exit \"$code\"\n"
                                   "    }\n";

static const char steps_as_jobs[] =
    "else\n"
    "    run=${RUN:-slurm-$(date -u +%%Y%%m%%dT%%H%%M%%SZ)-$$}\n"
    "    options=(\"$@\")\n"
    "    declare -A job=()\n"
    "    trap '[ $? -eq 0 ] || [ ${#job[@]} -eq 0 ] || scancel \"${job[@]}\"' EXIT # all or none\n"
    "    step() { # NODE AFTER GPUS COMMAND...\n"
    "        local node=$1 before=$2 gpus=$3 id dependency=\n"
    "        shift 3\n"
    "        for id in $before; do dependency+=:${job[$id]}; done\n"
    "        id=$(printf '#!/bin/bash\\nexec%%s --run %%s\\n' \"$(printf ' %%q' \"$@\")\" \"$run\" |\n"
    "            sbatch --parsable --job-name=\"%s.$node\" --output=\"%s-$node-%%j.log\" --open-mode=append \\\n"
    "                --signal=B:TERM@120 --kill-on-invalid-dep=yes ${dependency:+--dependency=afterok$dependency} \\\n"
    "                ${gpus:+--gres=gpu:$gpus} \"${options[@]}\")\n"
    "        job[$node]=${id%%%%;*}\n"
    "        printf '%%s %%s\\n' \"${job[$node]}\" \"$node\"\n"
    "    }\n"
    "fi\n"
    "\n";

static int64_t most_gpus(const struct pen_export *export)
{
    int64_t most = 0;
    for (int64_t i = 0; i < export->n_steps; i++) {
        most = export->steps[i].n_gpus > most ? export->steps[i].n_gpus : most;
    }
    return most;
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    pen_text_printf(out, directives, export->pipeline->name, export->pipeline->name);
    if (most_gpus(export) > 0) {
        pen_text_printf(out, "#SBATCH --gres=gpu:%lld\n", (long long)most_gpus(export));
    }
    pen_text_printf(out, usage, export->pipeline->name);
    pen_text_append(out, steps_inside);
    pen_text_printf(out, steps_as_jobs, export->pipeline->name, export->pipeline->name);
    for (int64_t i = 0; i < export->n_steps; i++) {
        const struct pen_export_step *step = &export->steps[i];
        pen_text_printf(out, "step %s '", step->node->name);
        for (int64_t k = 0; k < step->n_after; k++) {
            pen_text_printf(out, "%s%s", k == 0 ? "" : " ", export->steps[step->after[k]].node->name);
        }
        pen_text_append(out, "' ");
        if (step->n_gpus > 0) {
            pen_text_printf(out, "%lld ", (long long)step->n_gpus);
        } else {
            pen_text_append(out, "'' ");
        }
        pen_export_shell(step, NULL, out);
        pen_text_append_char(out, '\n');
    }
    return pen_text_check(out, err);
}

const struct pen_export_target pen_export_slurm = {
    .name = "slurm",
    .summary = "a script that submits a job a node, or runs in one job",
    .next = "bash FILE  (a job a node), or sbatch FILE  (one job)",
    .write = write,
};
