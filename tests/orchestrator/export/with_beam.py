"""Beam's DirectRunner: the same artifacts as our own runner, a step that fails ends it, names arrive as they are."""

import subprocess
import sys
import time

from common import NODES, ODD_NAME, ODD_NAMES, Case, check, run

case = Case()
ours = case.our_artifacts()
path = case.folder / "beam_taxi.py"
case.export("beam", path)
code, said = run([sys.executable, path, "--run", "nightly", "--runner=DirectRunner"], cwd=case.folder)
check(code == 0, f"beam: exit code {code}\n{said}")
ran = case.only_run()
check(ran["run"] == "nightly" and ran["status"] == "succeeded" and ran["pushed"], f"found the run {ran}")
case.check_equal("beam", ours)

case.export("beam", path, file=case.variant("broken", "schema_gen: {import: gone.yaml}\n"))
code, said = run([sys.executable, path], cwd=case.folder)
check(code != 0 and "step schema_gen: penstock ended with exit code 66" in said, f"exit code {code}\n{said}")
nodes = case.json("status", "--root", case.root)["nodes"]
check([n["node"] for n in nodes] == NODES[:3] and nodes[-1]["status"] == "failed", f"found {nodes}")

# A pipeline that is killed takes its step with it, which leaves a checkpoint for the next one.
slow = case.variant("slow", "")
slow.write_text(slow.read_text().replace("trainer:", "trainer:\n  steps: 10000000\n  early_stopping: false\n  checkpoint: {steps: 50}"))
case.export("beam", path, file=slow)
pipeline = subprocess.Popen([sys.executable, path, "--run", "killed"], cwd=case.folder, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
for _ in range(600):
    if any((case.root / "checkpoints" / "trainer").glob("*.checkpoint")):
        break
    time.sleep(0.05)
pipeline.kill()
pipeline.wait()
for _ in range(600):  # until the root has no writer any more, which the next step would wait for
    killed = case.json("status", "killed", "--root", case.root)
    if killed["status"] != "running":
        break
    time.sleep(0.05)
check(killed["status"] == "cancelled", f"found {killed}")

for name in [ODD_NAME, *ODD_NAMES]:
    program, folder = case.odd_program(name)
    steps = case.export("beam", path, "--program", program, "--at", folder)
    if name in (ODD_NAME, "two\nlines"):
        code, said = run([sys.executable, path, "--run", "nightly"], cwd=case.folder)
        check(code == 0, f"beam, the name {name!r}: {said}")
        case.check_words(name, steps, ["--run", "nightly", "--with-parent"])
    else:  # the same words in the file, without Beam's second of a start
        names = {"__name__": "beam_odd"}
        exec(compile(path.read_text(), str(path), "exec"), names)
        check([s[2] for s in names["STEPS"]] == [s["command"] for s in steps], f"the name {name!r}")
print("beam: ok")
