"""DVC: the same artifacts as our own runner; what did not change is not started again; names arrive as they are."""

import os
import sys

from common import ODD_NAME, Case, check, run

case = Case()
dvc_program = os.path.join(os.path.dirname(sys.executable), "dvc")


def dvc(*words, cwd=case.folder):
    code, said = run([dvc_program, *words], cwd=cwd)
    check(code == 0, f"dvc {' '.join(words)}: exit code {code}\n{said}")
    return said


ours = case.our_artifacts()
case.export("dvc", "dvc.yaml", "--at", ".")
dvc("init", "--no-scm", "-q")
dvc("repro")
again = dvc("repro")
for node in ("statistics_gen", "transform", "trainer", "resolver", "evaluator"):
    check(f"Stage '{node}' didn't change, skipping" in again, f"{node} was started again:\n{again}")
case.check_equal("dvc", ours)

edges = {line.split("->")[0].strip(' "') + ">" + line.split("->")[1].strip(' ";')
         for line in dvc("dag", "--dot").splitlines() if "->" in line}
steps = case.export("dvc", "dvc.yaml", "--at", ".")
check(edges == {f"{before}>{step['node']}" for step in steps for before in step["after"]}, f"found the edges {edges}")

# DVC wants its outputs, so the program that notes its words makes them.
for name in (ODD_NAME, "back\\", "x.sh"):
    program, folder = case.odd_program(name)
    with program.open("a") as script:
        script.write('mkdir -p receipts; eval "last=\\${$#}"; echo made >"$last"\n')
    steps = case.export("dvc", folder / "dvc.yaml", "--program", program, "--at", f"../{name}")
    dvc("init", "--no-scm", "-q", cwd=folder)
    dvc("repro", cwd=folder)
    for step in steps:
        step["command"] += ["--receipt", f"receipts/{step['node']}.json"]
    case.check_words(name, steps, [])
code, said = run([case.program, "export", "dvc", case.file, "--at", "two\nlines"], cwd=case.folder)
check(code == 70 and "DVC takes lines as commands" in said, said)
print("dvc: ok")
