"""penstock in a notebook: the steps of a pipeline one by one, over the command line's --json. Standard library only.

    from penstock import InteractiveContext
    context = InteractiveContext("pipeline.yaml")
    context.run("example_gen")
    context.run("statistics_gen").show()      # the page of what the step made
    context.show("schema")                    # or of anything that was made
    context.run_all()                         # what changed, to the pushed model
    context.export_to_pipeline("airflow", "dags/taxi.py")

Change the file (%%writefile pipeline.yaml) and run a step again: the notebook holds no state of its own, so the
pipeline file is the pipeline, and what was tried step by step is what the exported pipeline does.
"""

import html
import json
import os
import shutil
import subprocess

__all__ = ["InteractiveContext", "PenstockError", "Step"]


class PenstockError(RuntimeError):
    """What penstock said when it failed; code is its exit code."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class _Page:
    """HTML that a notebook shows apart from its own styles."""

    def __init__(self, page, height):
        self.page = page
        self.height = height

    def _repr_html_(self):
        return (f'<iframe title="penstock" sandbox width="100%" height="{int(self.height)}" style="border:0" '
                f'srcdoc="{html.escape(self.page, quote=True)}"></iframe>')


class Step:
    """What came of one node: node, status (succeeded or cached), seconds, outputs {port: artifact id}."""

    def __init__(self, context, document):
        node = document["nodes"][0]
        self._context = context
        self.run = document["run"]
        self.node = node["node"]
        self.status = node["status"]
        self.seconds = node["seconds"]
        self.outputs = {port: output["id"] for port, output in node.get("outputs", {}).items()}

    def show(self, port=None, height=480):
        """The page of one output; of the first when no port is named."""
        if port is None:
            port = next(iter(self.outputs))
        return self._context.show(self.outputs[port], height=height)

    def __repr__(self):
        made = ", ".join(self.outputs.values()) or "nothing"
        return f"{self.node}: {self.status} in {self.seconds:.3f} s, made {made}"


class InteractiveContext:
    """One pipeline file. root: in place of the file's; program: path of penstock, else PENSTOCK or the search path."""

    def __init__(self, pipeline="pipeline.yaml", root=None, program=None):
        self.pipeline = os.fspath(pipeline)
        self.root = None if root is None else os.fspath(root)
        self.program = program or os.environ.get("PENSTOCK") or shutil.which("penstock")
        if self.program is None:
            raise PenstockError("penstock is not on the search path: give program=, or set PENSTOCK", 66)
        self.plan()  # a mistake in the file shows here, not in the first step

    def _call(self, *words, root=True):
        line = [self.program, *words]
        if root:
            line += ["--root", self._root()]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            said = [text for text in done.stderr.splitlines() if text.startswith("penstock: ")]
            message = said[-1].removeprefix("penstock: ") if said else done.stderr.strip()
            raise PenstockError(message, done.returncode)
        return done.stdout

    def _root(self):
        return self.root if self.root is not None else self.plan()["root"]

    def _own_root(self):
        return [] if self.root is None else ["--root", self.root]

    def plan(self):
        """What a run would do, node by node, and why."""
        return json.loads(self._call("plan", self.pipeline, "--json", *self._own_root(), root=False))

    def run(self, node, *options):
        """Runs one node on what was made so far; from the cache when nothing changed. options: of `penstock step`."""
        return Step(self, json.loads(self._call("step", node, self.pipeline, "--json", *options, *self._own_root(),
                                                root=False)))

    def run_all(self, *options):
        """The whole pipeline; the document of `penstock run --json`."""
        return json.loads(self._call("run", self.pipeline, "--json", *options, *self._own_root(), root=False))

    def get(self, artifact):
        """The document of an artifact: an id, or statistics, schema, anomalies, curves, evaluation, model, ..."""
        return json.loads(self._call("show", artifact, "--json"))

    def show(self, artifact, height=480):
        """The page of an artifact."""
        return _Page(self._call("show", artifact, "--html"), height)

    def artifacts(self):
        """All that was made, newest last."""
        return json.loads(self._call("artifacts", "--json"))

    def report(self, run=None, height=640):
        """The page of a run; of the newest when none is named."""
        return _Page(self._call("report", *([run] if run else []), "-o", "-"), height)

    def export_to_pipeline(self, runner, path=None, *options):
        """The pipeline for another runner (airflow, kubeflow, beam, ...): into a file, or as text. Nodes marked
        skip_for_export stay out. options: of `penstock export`."""
        line = ["export", runner, self.pipeline, *options, *self._own_root()]
        if path is None:
            return self._call(*line, root=False)
        self._call(*line, "-o", os.fspath(path), root=False)
        return os.fspath(path)
