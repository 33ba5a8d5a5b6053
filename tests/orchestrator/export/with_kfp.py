"""The KFP SDK parses what we write for Kubeflow and Vertex AI strictly; tasks, edges and commands are the steps'."""

import warnings

warnings.simplefilter("ignore")
from google.protobuf import json_format  # noqa: E402
from kfp import components  # noqa: E402

from common import ODD_NAMES, Case, check, run  # noqa: E402

case = Case()
more = case.variant("with_policies", """
description: fares of taxis
defaults: {retries: 2, retry_delay: 5s, retry_backoff: 1.5}
""")
IMAGE = ["--image", "registry/penstock@sha256:0123", "--gpus", "2"]


def check_spec(runner, path, steps, image):
    component = components.load_component_from_file(str(path))
    spec = json_format.MessageToDict(component.pipeline_spec)
    tasks = spec["root"]["dag"]["tasks"]
    executors = spec["deploymentSpec"]["executors"]
    check(len(tasks) == len(steps), f"{runner}: expected {len(steps)} tasks, found {len(tasks)}")
    name_of = {}
    for task in tasks.values():
        container = executors[spec["components"][task["componentRef"]["name"]]["executorLabel"]]["container"]
        name_of[container["args"][1]] = task["taskInfo"]["name"]
    for step in steps:
        task = tasks[name_of[step["node"]]]
        container = executors[f"exec-{name_of[step['node']]}"]["container"]
        check(container["command"] + container["args"] == step["command"] + ["--run", "{{$.inputs.parameters['run']}}"],
              f"{runner}, {step['node']}: {container}")
        check(container["image"] == image, f"{runner}, {step['node']}: {container}")
        check(sorted(task.get("dependentTasks", [])) == sorted(name_of[n] for n in step["after"]),
              f"{runner}, {step['node']}: {task}")
        run_name = task["inputs"]["parameters"]["run"]["runtimeValue"]["constant"]
        check(run_name == "{{$.pipeline_job_uuid}}", f"{runner}: {run_name}")
        check(not task["cachingOptions"].get("enableCache"), f"{runner}: {task}")
    return component, spec, tasks, executors


for runner, options in (("kubeflow", ["--volume", "claim"]), ("vertex", [])):
    path = case.folder / ("taxi_spec.json" if runner == "vertex" else "taxi_spec.yaml")
    steps = case.export(runner, path, *IMAGE, *options, file=more)
    component, spec, tasks, executors = check_spec(runner, path, steps, IMAGE[1])
    check(spec["pipelineInfo"]["name"] == "with-policies", f"{spec['pipelineInfo']}")
    check(tasks["trainer"]["retryPolicy"] == {"maxRetryCount": 2, "backoffDuration": "5s", "backoffFactor": 1.5,
                                              "backoffMaxDuration": "3600s"}, f"{tasks['trainer']}")
    check(executors["exec-trainer"]["container"]["resources"]["accelerator"] ==
          {"resourceType": "nvidia.com/gpu", "resourceCount": "2"}, f"{executors['exec-trainer']}")
    check("resources" not in executors["exec-schema-gen"]["container"], "a GPU for a node without ops")
    platform = json_format.MessageToDict(component.platform_spec)
    if runner == "kubeflow":
        mounted = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        check(len(mounted) == len(steps) and all(
            m["pvcMount"] == [{"constant": "claim", "mountPath": str(case.folder)}] for m in mounted.values()),
            f"{mounted}")

for name in ODD_NAMES:
    words = ["export", "kubeflow", case.file, "--at", f"/data/{name}", "--root", f"/roots/{name}", "-o",
             case.folder / "odd.yaml"]
    if any(mark in name for mark in ("{{", "$(", "$$")):
        code, said = run([case.program, *map(str, words)])
        check(code == 70 and ("begins a placeholder" in said or "Kubernetes replaces" in said), f"the name {name!r}: {said}")
    else:
        check_spec(f"the name {name!r}", case.folder / "odd.yaml", case.json(*words)["steps"], "penstock:0.1.0")
print("kfp: ok")
