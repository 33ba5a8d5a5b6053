"""Starts the steps of an exported Python file without its runner: Beam's list of steps, or Airflow's calls of step(), whose
templates hold nothing but what stands for a brace. `python3 run_python.py FILE RUN`"""

import ast
import os
import subprocess
import sys


def beam_steps(tree):
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "STEPS":
            for node, after, command in ast.literal_eval(statement.value):
                yield node, after, command + ["--run", sys.argv[2]]


def airflow_steps(tree):
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "step":
            node, after, template = map(ast.literal_eval, call.args)
            brace = "{{ '{' }}"
            rest = template.replace(brace, "")
            assert not any(mark in rest for mark in ("{{", "{%", "{#")), template
            assert not template.endswith((".sh", ".bash")), template
            yield node, after, ["bash", "-c", template.replace(brace, "{")]


tree = ast.parse(open(sys.argv[1], encoding="utf-8").read())
os.environ["AIRFLOW_CTX_DAG_RUN_ID"] = sys.argv[2]
done = set()
for node, after, command in [*beam_steps(tree), *airflow_steps(tree)]:
    assert done.issuperset(after), f"{node} stands before one of {after}"
    done.add(node)
    subprocess.run([os.fsencode(word) for word in command], check=True)
