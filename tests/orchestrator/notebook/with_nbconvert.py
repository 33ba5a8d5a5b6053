"""A real notebook, executed by nbconvert: a session step by step, pages shown, an export.
`python with_nbconvert.py PENSTOCK FOLDER`."""

import os
import pathlib
import shutil
import subprocess
import sys

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

ROOM = pathlib.Path(__file__).resolve().parents[3] / "orchestrator" / "notebook"
CELLS = [
    "from penstock import InteractiveContext\ncontext = InteractiveContext('pipeline.yaml')",
    "context.run('example_gen')",
    "context.run('statistics_gen').show()",
    "for node in ('schema_gen', 'example_validator', 'transform'):\n    print(context.run(node))",
    "context.run('trainer', '--set', 'trainer.steps=50').show('model_run')",
    "outcome = context.run_all('--set', 'trainer.steps=50')\nassert outcome['pushed'], outcome",
    "context.report()",
    "context.export_to_pipeline('airflow', 'dag.py')",
]


def main():
    program, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for words in (["generate", "taxi", "--rows", "1000", "--seed", "1", "-o", "trips.csv"],
                  ["init", "trips.csv", "--label", "tips > 0.2 * fare"]):
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)
    os.environ.update(PENSTOCK=program, PYTHONPATH=str(ROOM))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    ExecutePreprocessor(timeout=120, kernel_name="python3").preprocess(notebook, {"metadata": {"path": str(folder)}})
    page, _ = HTMLExporter().from_notebook_node(notebook)
    if page.count("<iframe") != 3 or not (folder / "dag.py").read_text().strip():
        sys.exit("FAILED: expected three pages in the notebook and a DAG beside it")
    print("the notebook ran")


main()
