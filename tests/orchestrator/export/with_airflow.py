"""Airflow itself: it reads the DAGs, `dags test` runs the taxi pipeline to a pushed model with the artifacts of our own
runner, a task whose node fails fails, and the rest does not run."""

import importlib.util
import json
import os
import subprocess
import sys

from common import NODES, ODD_NAME, ODD_NAMES, Case, check, run

case = Case()
home = case.folder / "airflow"
dags = home / "dags"
dags.mkdir(parents=True)
os.environ.update(AIRFLOW_HOME=str(home), AIRFLOW__CORE__DAGS_FOLDER=str(dags), AIRFLOW__CORE__LOAD_EXAMPLES="False",
                  PYTHONWARNINGS="ignore", NO_COLOR="1")
airflow_program = os.path.join(os.path.dirname(sys.executable), "airflow")


def airflow(*words):
    return run([airflow_program, *words], cwd=case.folder)


code, said = airflow("version")
major = said.strip().splitlines()[-1].split(".")[0]
code, said = airflow("db", "migrate")
check(code == 0, f"airflow db migrate: {said}")

ours = case.our_artifacts()
case.export("airflow", dags / "taxi.py", file=case.variant("taxi_all", """
description: "fares of taxis: 'quoted', {{ braces }} and 100%"
tags: [nightly]
timeout: 2h
schedule: {cron: 30 2 * * mon-fri, zone: Europe/Berlin}
defaults: {retries: 1, retry_delay: 1s, timeout: 10m}
notify: {mail: {to: [me@example.org], from: penstock@example.org}}
"""))
case.export("airflow", dags / "equal.py")
case.export("airflow", dags / "broken.py",
            file=case.variant("broken", "schema_gen: {import: gone.yaml}\n"))
program, folder = case.odd_program(ODD_NAME)
steps = case.export("airflow", dags / "odd.py", "--program", program, "--at", folder,
                    file=case.variant("odd", ""))

code, said = airflow("dags", "list-import-errors", *(["--local"] if major == "3" else []))
check(code == 0 and "No data found" in said, f"import errors: {said}")

code, said = airflow("dags", "test", "taxi")
check(code == 0, f"dags test taxi: {said}")
ran = case.only_run()
check(ran["status"] == "succeeded" and ran["pushed"] and ran["run"].startswith("manual__"), f"found the run {ran}")
case.check_equal("airflow", ours)

# All options of a pipeline file, read by Airflow.
try:
    from airflow.dag_processing.dagbag import DagBag  # (after the environment is set)
except ImportError:  # Airflow 2
    from airflow.models import DagBag

bag = DagBag(str(dags))
check(not bag.import_errors and set(bag.dags) == {"taxi", "taxi_all", "broken", "odd"},
      f"found {set(bag.dags)}, {bag.import_errors}")
dag = bag.dags["taxi_all"]
check(set(dag.task_ids) == set(NODES) and {"penstock", "nightly"} <= set(dag.tags), "tasks or tags are missing")
check(dag.max_active_tasks == 1 and dag.catchup is False and dag.dagrun_timeout.total_seconds() == 7200, "limits")
check("Europe/Berlin" in str(dag.timezone), f"expected Berlin's zone, found {dag.timezone}")
trainer = dag.get_task("trainer")
check(trainer.retries == 1 and trainer.retry_delay.total_seconds() == 1, "retries")
check(trainer.execution_timeout.total_seconds() > 600 and trainer.owner == "penstock", "timeout")
mails = trainer.email if major == "2" else trainer.on_failure_callback
check(bool(mails) and bag.dags["taxi"].get_task("trainer").retries == 0, "mail or plain retries")

code, said = airflow("dags", "test", "broken")
check(code != 0, "dags test of a pipeline that fails ended well")
ran = case.only_run()
check(ran["status"] == "failed", f"found the run {ran}")
code, said = airflow("tasks", "states-for-dag-run", "broken", ran["run"], "-o", "json")
states = {task["task_id"]: task["state"] for task in json.loads(said[said.index("[{"):])}
expected = {"example_gen": "success", "statistics_gen": "success", "schema_gen": "failed"}
check(states == {node: expected.get(node, "upstream_failed") for node in NODES}, f"found the states {states}")

# Names through Airflow's templates and its shell: once as a run, then each by itself.
code, said = airflow("dags", "test", "odd")
check(code == 0, f"dags test odd: {said}")
run_name = (case.folder / "words").read_bytes().split(b"\0")[8].decode()
check(run_name.startswith("manual__"), f"found the run name {run_name}")
case.check_words(ODD_NAME, steps, ["--run", run_name])
for name in ODD_NAMES:
    program, folder = case.odd_program(name)
    path = case.folder / "odd.py"
    steps = case.export("airflow", path, "--program", program, "--at", folder)
    spec = importlib.util.spec_from_file_location("odd", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for task in module.dag.topological_sort():
        text = task.render_template(task.bash_command, {}, module.dag.get_template_env())
        subprocess.run(["bash", "-c", text], env={**os.environ, "AIRFLOW_CTX_DAG_RUN_ID": "nightly"}, check=True)
    case.check_words(name, steps, ["--run", "nightly"])
print(f"airflow {major}: ok")
