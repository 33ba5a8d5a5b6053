"""What the tests with real tools share: a taxi pipeline, what our own runner makes of it, and names that other languages
read as theirs. Each test is `python with_TOOL.py PENSTOCK FOLDER`, the Python being that of the tool's venv."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ODD_NAMES = [
    "plain", "a b", "it's", 'say "x"', "$HOME", "$(touch x)", "`touch x`", "{{ run_id }}", "{% raw %}", "{# x #}",
    "{{{x}}}", "${x}", "100%d%%", "#x", "back\\", "\\n", "a;b&c|d*?[e", "café", "tab\tend", "two\nlines", "x.sh", "$$",
]
# All at once, for tools that take seconds to start.
ODD_NAME = "a b 'c' \"d\" $HOME $(touch x) `x` {{ run_id }} {% raw %} {# x #} ${x} 100%d # back\\ ;&|*? café"

NODES = ["example_gen", "statistics_gen", "schema_gen", "example_validator", "transform", "trainer", "resolver",
         "evaluator", "pusher"]

TIMES = ("seconds", "rows_per_s")

# Appends its words to $WORDS, each with a NUL, and a line break after the last.
RECORDER = "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" >>\"$WORDS\"\nprintf '\\n' >>\"$WORDS\"\n"


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def run(command, **options):
    """Runs it quietly; its output when it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.returncode, done.stdout


class Case:
    def __init__(self):
        self.program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder.resolve()
        self.root = self.folder / "root"
        self.file = self.folder / "taxi.yaml"
        self.penstock("generate", "taxi", "--rows", "1000", "--seed", "1", "-o", "trips.csv")
        self.penstock("init", "trips.csv", "--label", "tips > 0.2 * fare", "--name", "taxi", "-o", "taxi.yaml")

    def penstock(self, *words):
        code, said = run([self.program, *map(str, words)], cwd=self.folder)
        check(code == 0, f"penstock {' '.join(map(str, words))}: exit code {code}\n{said}")
        return said

    def json(self, *words):
        done = subprocess.run([self.program, *map(str, words), "--json"], cwd=self.folder, capture_output=True, text=True)
        check(done.returncode == 0, f"penstock {' '.join(map(str, words))}: {done.stderr}")
        return json.loads(done.stdout)

    def export(self, runner, path, *options, file=None):
        """Writes the file; returns the steps it stands for."""
        return self.json("export", runner, file or self.file, "--root", self.root, "-o", path, *options)["steps"]

    def variant(self, name, more):
        """The pipeline under another name, with more lines."""
        path = self.folder / f"{name}.yaml"
        text = self.file.read_text().replace("pipeline: taxi", f"pipeline: {name}")
        path.write_text(text + more)
        return path

    def only_run(self):
        runs = self.json("runs", "--root", self.root)["runs"]
        check(len(runs) == 1, f"expected one run of penstock, found {[r['run'] for r in runs]}")
        return runs[0]

    def take_artifacts(self):
        """{node.port: content hash} of the root, which goes away with what was pushed, so that the next runner finds
        the same paths. A training's curves hold times, so they count without them."""
        made = {}
        for artifact in self.json("artifacts", "--root", self.root)["artifacts"]:
            name = artifact["id"].rsplit(".", 1)[0]
            made[name] = artifact["hash"]
            if artifact["type"] == "ModelRun":
                curves = json.loads((self.root / artifact["uri"] / "curves.json").read_text())
                made[name] = without_times(curves)
        shutil.rmtree(self.root)
        shutil.rmtree(self.folder / "serving")
        return made

    def our_artifacts(self):
        self.penstock("run", self.file, "--root", self.root)
        made = self.take_artifacts()
        check({name.split(".")[0] for name in made} == set(NODES), f"expected all nodes, found {sorted(made)}")
        return made

    def check_equal(self, runner, ours):
        """The root holds what our runner makes of the same pipeline."""
        theirs = self.take_artifacts()
        different = [name for name in ours if theirs.get(name) != ours[name]]
        check(theirs.keys() == ours.keys() and not different, f"{runner}: other content than ours: {different}")

    def odd_program(self, name):
        """(program, folder) whose paths hold the name; the program writes down its words."""
        folder = self.folder / "odd" / name
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "penstock"
        program.write_text(RECORDER)
        program.chmod(0o755)
        shutil.copy(self.file, folder / "taxi.yaml")
        words = self.folder / "words"
        words.unlink(missing_ok=True)
        os.environ["WORDS"] = str(words)
        return program, folder

    def check_words(self, name, steps, more):
        """Every step's command has arrived word by word, then `more`; once each, after those it needs."""
        lines = (self.folder / "words").read_bytes().split(b"\0\n")[:-1]
        found = [[os.fsdecode(word) for word in line.split(b"\0")] for line in lines]
        by_node = {words[2]: words for words in found}
        for step in steps:
            check(by_node.get(step["node"]) == step["command"] + more,
                  f"the name {name!r}: expected {step['command'] + more}, found {by_node.get(step['node'])}")
        order = [words[2] for words in found]
        check(len(order) == len(steps), f"the name {name!r}: expected each step once, found {order}")
        for step in steps:
            for before in step["after"]:
                check(order.index(before) < order.index(step["node"]), f"{step['node']} came before {before}")


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value
