"""The history of a root as OpenLineage's own client would say it: its classes take each event, and print the same."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "export"))
from openlineage.client import event_v2 as events  # noqa: E402
from openlineage.client.generated import (  # noqa: E402
    dataset_type_dataset, dataset_version_dataset, error_message_run, parent_run)
from openlineage.client.serde import Serde  # noqa: E402

from common import Case, check, run  # noqa: E402

case = Case()
case.penstock("run", case.file, "--root", case.root)
code, said = run([case.program, "run", case.file, "--root", str(case.root), "--set", "transform.label=fare > 1e9",
                  "--json"], cwd=case.folder)
check(code != 0, f"a label of one class was trained on: {said}")


def facets(given):
    kinds = {
        "version": lambda f: dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=f["datasetVersion"]),
        "datasetType": lambda f: dataset_type_dataset.DatasetTypeDatasetFacet(datasetType=f["datasetType"]),
        "parent": lambda f: parent_run.ParentRunFacet(run=parent_run.Run(**f["run"]), job=parent_run.Job(**f["job"])),
        "errorMessage": lambda f: error_message_run.ErrorMessageRunFacet(
            message=f["message"], programmingLanguage=f["programmingLanguage"]),
    }
    return {name: kinds[name](facet) for name, facet in given.items()}


def rebuild(event):
    """The same event by the client's classes, which check times, ids and addresses."""
    events.set_producer(event["producer"])
    return events.RunEvent(
        eventType=events.RunState[event["eventType"]], eventTime=event["eventTime"], producer=event["producer"],
        run=events.Run(runId=event["run"]["runId"], facets=facets(event["run"]["facets"])),
        job=events.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
        inputs=[events.InputDataset(namespace=d["namespace"], name=d["name"], facets=facets(d["facets"]))
                for d in event["inputs"]],
        outputs=[events.OutputDataset(namespace=d["namespace"], name=d["name"], facets=facets(d["facets"]))
                 for d in event["outputs"]])


def without_empty(value):
    """What is not there and what is empty are the same to the client."""
    if isinstance(value, dict):
        kept = {k: without_empty(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v not in (None, [], {})}
    return [without_empty(v) for v in value] if isinstance(value, list) else value


lines = [json.loads(line) for line in case.penstock("metadata", "openlineage", "--root", case.root).splitlines()]
open_runs, ended = {}, {}
for line in lines:
    theirs = without_empty(json.loads(Serde.to_json(rebuild(line))))
    check(theirs == without_empty(line), f"{theirs}\nis not\n{without_empty(line)}")
    run_id, job = line["run"]["runId"], line["job"]["name"]
    if line["eventType"] == "START":
        check(run_id not in open_runs and run_id not in ended, f"{job} starts twice")
        open_runs[run_id] = line
    else:
        start = open_runs.pop(run_id)
        check(start["eventTime"] <= line["eventTime"] and start["job"] == line["job"], f"{line}")
        ended[run_id] = line
check(not open_runs, f"never ended: {open_runs}")
for line in lines:
    parent = line["run"]["facets"].get("parent")
    check((parent is None) == (line["job"]["name"] == "taxi") and (parent is None or parent["run"]["runId"] in ended),
          f"{line}")
failed = [line for line in ended.values() if line["eventType"] == "FAIL"]
check(sorted(line["job"]["name"] for line in failed) == ["taxi", "taxi.trainer"], f"{failed}")
check(any("both classes" in line["run"]["facets"].get("errorMessage", {}).get("message", "") for line in failed),
      f"{failed}")
check(lines == [json.loads(line) for line in case.penstock("metadata", "openlineage", "--root", case.root).splitlines()],
      "the same history has other events")
print("openlineage: ok")
