/* A Beam pipeline in Python, as TFX makes them: one element, a ParDo a node over it, and the empty outputs of the nodes
 * before as side inputs, which only give the order. A runner may start a bundle again: the step then joins its run
 * again and comes from the cache. On a runner of several machines, all of them need the program and the root. */
#include "orchestrator/export/quote.h"
#include "orchestrator/export/targets.h"

static const char head[] = "# Pipeline %s, written by penstock export beam.\n"
                           "#   python FILE [--run NAME] [OPTIONS OF BEAM]\n"
                           "#   python FILE --runner=FlinkRunner --flink_master=HOST:8081 --environment_type=LOOPBACK\n"
                           "#   python FILE --runner=PortableRunner --job_endpoint=HOST:8099 "
                           "--environment_type=LOOPBACK  # Spark's job server\n"
                           "# The nodes of one call are one run; --run goes on with an earlier one. What did not "
                           "change comes from the cache.\n"
                           "import argparse\n"
                           "import os\n"
                           "import subprocess\n"
                           "import sys\n"
                           "import time\n"
                           "\n"
                           "import apache_beam as beam\n"
                           "from apache_beam.options.pipeline_options import PipelineOptions\n"
                           "\n"
                           "STEPS = [  # node, nodes before it, command\n";

static const char tail[] =
    "]\n"
    "\n"
    "\n"
    "class Step(beam.DoFn):\n"
    "    def __init__(self, node, command):\n"
    "        self.node = node\n"
    "        self.command = command\n"
    "\n"
    "    def process(self, element, *before):\n"
    "        for outputs in before:\n"
    "            assert not list(outputs), \"steps give no elements\"\n"
    "        done = subprocess.run(self.command)\n"
    "        if done.returncode != 0:\n"
    "            raise RuntimeError(f\"step {self.node}: penstock ended with exit code {done.returncode}\")\n"
    "        return []\n"
    "\n"
    "\n"
    "def main():\n"
    "    parser = argparse.ArgumentParser(allow_abbrev=False)\n"
    "    parser.add_argument(\"--run\", default=time.strftime(\"beam-%Y%m%dT%H%M%SZ-\", time.gmtime()) + "
    "str(os.getpid()))\n"
    "    ours, others = parser.parse_known_args()\n"
    "    with beam.Pipeline(options=PipelineOptions(others)) as pipeline:\n"
    "        start = pipeline | \"start\" >> beam.Create([None])\n"
    "        done = {}\n"
    "        for node, after, command in STEPS:\n"
    "            before = [beam.pvalue.AsIter(done[name]) for name in after]\n"
    "            step = Step(node, command + [\"--run\", ours.run, \"--with-parent\"])\n"
    "            done[node] = start | node >> beam.ParDo(step, *before)\n"
    "\n"
    "\n"
    "if __name__ == \"__main__\":\n"
    "    sys.exit(main())\n";

static void write_step(const struct pen_export *export, const struct pen_export_step *step, struct pen_text *out)
{
    pen_text_append(out, "    (");
    pen_quote_python(step->node->name, out);
    pen_text_append(out, ", ");
    pen_export_python_before(export, step, out);
    pen_text_append(out, ",\n     ");
    pen_quote_python_list(step->command, step->n_command, out);
    pen_text_append(out, "),\n");
}

static pen_status write(const struct pen_export *export, struct pen_text *out, struct pen_error *err)
{
    pen_text_printf(out, head, export->pipeline->name);
    for (int64_t i = 0; i < export->n_steps; i++) {
        write_step(export, &export->steps[i], out);
    }
    pen_text_append(out, tail);
    return pen_text_check(out, err);
}

const struct pen_export_target pen_export_beam = {
    .name = "beam",
    .summary = "a Beam pipeline in Python, a ParDo a node",
    .next = "python FILE",
    .write = write,
};
