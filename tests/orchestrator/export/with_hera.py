"""Argo's own types, as Hera generates them from its API: the workflow parses, and nothing of it is lost, so no key is
misspelt."""

import yaml
from hera.workflows.models import Workflow

from common import ODD_NAMES, Case, check, run

case = Case()


def check_workflow(path, steps):
    document = yaml.safe_load(path.read_text())
    parsed = Workflow.model_validate(document)
    kept = parsed.model_dump(exclude_none=True, by_alias=True, mode="json")
    check(kept == document, f"lost or changed by Argo's types:\n{document}\n{kept}")
    spec = document["spec"]
    templates = {t["name"]: t for t in spec["templates"]}
    tasks = templates[spec["entrypoint"]]["dag"]["tasks"]
    check(len(tasks) == len(steps) and spec["parallelism"] == 1, "each step once, one at a time")
    name_of = {templates[t["template"]]["container"]["args"][1]: t["name"] for t in tasks}
    by_name = {t["name"]: t for t in tasks}
    for step in steps:
        task = by_name[name_of[step["node"]]]
        container = templates[task["template"]]["container"]
        check(container["command"] + container["args"] == step["command"] + ["--run", "{{workflow.name}}"],
              f"{container}")
        check(task.get("dependencies", []) == [name_of[n] for n in step["after"]], f"{task}")
    return templates


path = case.folder / "taxi_workflow.yaml"
more = case.variant("with_policies", "timeout: 2h\ndefaults: {retries: 2, retry_delay: 5s}\n")
steps = case.export("argo", path, "--image", "registry/penstock:1", "--volume", "claim", "--gpus", "1", file=more)
templates = check_workflow(path, steps)
check(templates["trainer"]["retryStrategy"]["limit"] == "2", f"{templates['trainer']}")
check(templates["trainer"]["container"]["resources"] == {"limits": {"nvidia.com/gpu": "1"}}, "the GPU is missing")
for name in ODD_NAMES:
    words = ["export", "argo", case.file, "--at", f"/data/{name}", "--root", f"/roots/{name}", "-o", path]
    if any(mark in name for mark in ("{{", "$(", "$$")):
        code, said = run([case.program, *map(str, words)])
        check(code == 70 and ("begins a placeholder" in said or "Kubernetes replaces" in said), f"the name {name!r}: {said}")
    else:
        check_workflow(path, case.json(*words)["steps"])
print("argo: ok")
