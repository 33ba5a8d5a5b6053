#!/usr/bin/env python3
"""Quality on real data: penstock init, two or three lines changed by hand, penstock run, metrics against published marks.

    quality.py PENSTOCK DATASETS SCRATCH [NAME ...]

Each row names the data, what init is told, the lines a person would change, and the marks of the data set's SOURCE.md
that the evaluation must reach on the split given there. Prints the table; exits 1 when a mark is missed.
"""
import json
import os
import shutil
import subprocess
import sys
import time

EVERY_FIFTH = ("  split: ", "  split: {by: row, every: 5, index: 4}")

ADULT_COLUMNS = ("age workclass fnlwgt education education_num marital_status occupation relationship race sex "
                 "capital_gain capital_loss hours_per_week native_country income").split()

# name, file, init arguments, changed lines (start of the line, the line it becomes), {metric: (direction, mark)}
CASES = [
    ("chicago_taxi", "chicago_taxi/data.csv", ["--label", "tips > 0.2 * fare"], [], {"auc": (">=", 0.90)}),
    ("penguins", "penguins/penguins_processed.csv", ["--label", "species"], [EVERY_FIFTH], {"accuracy": (">=", 0.95)}),
    ("adult", "adult/adult.data",
     ["--label", "income == '>50K'", "--columns", ",".join(ADULT_COLUMNS)],
     [("  csv: ", "  csv: {train: %(data)s/adult/adult.data, eval: {path: %(data)s/adult/adult.test, skip_lines: 1}}"),
      ("  split: ", "  strip: {income: '.'}")],
     {"accuracy": (">=", 0.853), "auc": (">=", 0.908)}),
    ("california_housing", "california_housing/housing.csv", ["--label", "median_house_value / 100000"], [EVERY_FIFTH],
     {"rmse": ("<=", 0.53)}),
    ("titanic", "titanic/titanic.csv", ["--label", "Survived"], [EVERY_FIFTH],
     {"accuracy": (">=", 0.753), "auc": (">=", 0.801)}),
    ("bank_marketing", "bank_marketing/bank-full.csv.gz", ["--label", "y"], [EVERY_FIFTH], {"auc": (">=", 0.925)}),
    ("nycflights13", "nycflights13/flights.csv.gz",
     ["--label", "arr_delay", "--features", "dep_delay,month,carrier,origin,dest,distance"], [EVERY_FIFTH],
     {"rmse": ("<=", 17.23)}),
    ("nycflights13_late", "nycflights13/flights.csv.gz",
     ["--label", "dep_delay > 15", "--features", "month,day,carrier,origin,dest,distance"], [EVERY_FIFTH],
     {"auc": (">=", 0.649)}),
    ("sms_spam", "sms_spam/spam.csv", ["--label", "v1 == 'spam'"], [EVERY_FIFTH], {"accuracy": (">=", 0.98)}),
    ("sms_spam_text_cnn", "sms_spam/spam.csv", ["--label", "v1 == 'spam'"],
     [EVERY_FIFTH, ("    v2: ", "    v2: vocab(tokens(lower(v2)), top_k: 10000, oov: 100)"),
      ("  model: ", "  text_cnn: {}")], {"accuracy": (">=", 0.98)}),
]


def overall_metrics(evaluation):
    for part in evaluation["slices"]:
        if not part["slice"]:
            return {name: metric["value"] for name, metric in part["metrics"].items()}
    raise SystemExit("evaluation has no overall slice")


def change_lines(path, changes, data):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for start, becomes in changes:
        hits = [i for i, line in enumerate(lines) if line.startswith(start)]
        if len(hits) != 1:
            raise SystemExit(f"{path}: expected one line that starts with '{start}', found {len(hits)}")
        lines[hits[0]] = becomes % {"data": data} if "%(" in becomes else becomes
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def run(arguments, folder):
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def one(program, data, scratch, case):
    name, file, init, changes, marks = case
    folder = os.path.join(scratch, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    run([program, "init", os.path.join(data, file), *init, "-o", "pipeline.yaml"], folder)
    change_lines(os.path.join(folder, "pipeline.yaml"), changes, data)
    start = time.monotonic()
    outcome = json.loads(run([program, "run", "pipeline.yaml", "--json"], folder))
    seconds = time.monotonic() - start
    root = [line.split(":", 1)[1].strip() for line in open(os.path.join(folder, "pipeline.yaml"), encoding="utf-8")
            if line.startswith("root:")][0]
    metrics = overall_metrics(json.loads(run([program, "show", "evaluation", "--root", root, "--json"], folder)))
    rows = []
    for metric, (direction, mark) in marks.items():
        value = metrics[metric]
        met = value is not None and (value >= mark if direction == ">=" else value <= mark)
        rows.append((name, metric, value, direction, mark, met, seconds, bool(outcome["pushed"])))
    return rows


def main():
    program, data, scratch = (os.path.abspath(path) for path in sys.argv[1:4])
    wanted = sys.argv[4:]
    if not os.path.isdir(data):
        print(f"skipped: no data sets at {data}")
        return 77
    rows = []
    for case in CASES:
        if not wanted or case[0] in wanted:
            rows += one(program, data, scratch, case)
    print(f"{'data':20} {'metric':9} {'value':>9}    {'mark':>7}  met  pushed  seconds")
    for name, metric, value, direction, mark, met, seconds, pushed in rows:
        print(f"{name:20} {metric:9} {value:9.4f} {direction} {mark:7.4f}  {'yes' if met else 'NO':3}  "
              f"{'yes' if pushed else 'NO':6}  {seconds:7.2f}")
    return 0 if all(row[5] and row[7] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
