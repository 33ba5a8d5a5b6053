#!/usr/bin/env python3
"""The whole profile of a feature store beside polars describe and DuckDB SUMMARIZE: same data, same threads, taking turns.

  build/bench_statistics write num.h5 3000000
  bench/statistics/peers.py build/bench_statistics num.h5 [--threads 1] [--rounds 5] [--json out.json]

Ours reads the store from the page cache in every run; polars and DuckDB have the same columns in memory. Before a time
counts, every figure of ours is checked against the peers' own answers and against sorted columns: rows, missing,
minimum, maximum, mean, deviation, median, quantile edges, histogram counts, distinct values, most frequent strings.
polars describe has neither distinct values nor histograms nor frequent strings; SUMMARIZE has approximate quartiles and
distinct values only. The median of the ratios of each round is printed: time of the peer / ours.

Needs h5py, numpy, and what is to be compared. No thread spins: OMP_WAIT_POLICY is passive."""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("store")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--json")
options = parser.parse_args()
os.environ["POLARS_MAX_THREADS"] = str(options.threads)
os.environ["OMP_WAIT_POLICY"] = "passive"
import h5py  # noqa: E402
import numpy  # noqa: E402
import polars  # noqa: E402

try:
    import duckdb
except ImportError:
    duckdb = None


def read_store(path):
    columns = {}
    with h5py.File(path) as file:
        for key in file["columns"]:
            group = file["columns"][key]
            name = group.attrs.get("name", key)
            name = name.decode() if isinstance(name, bytes) else str(name)
            n = int(file.attrs["rows"])
            present = None
            if "validity" in group:
                present = numpy.unpackbits(group["validity"][:], bitorder="little")[:n].astype(bool)
            if "dictionary" in group:
                offsets, texts = group["dictionary/offsets"][:], group["dictionary/bytes"][:].tobytes()
                words = [texts[offsets[i]:offsets[i + 1]].decode() for i in range(len(offsets) - 1)]
                codes = polars.Series(group["values"][:].astype(numpy.int64)).set(
                    polars.Series(group["values"][:] < 0), None)
                column = polars.Series(words).gather(codes)
            elif "offsets" in group:
                offsets, texts = group["offsets"][:], group["bytes"][:].tobytes()
                column = polars.Series([texts[offsets[i]:offsets[i + 1]].decode() for i in range(n)])
            elif "values" in group:
                column = polars.Series(group["values"][:])
            else:
                continue
            if present is not None:
                column = column.set(polars.Series(~present), None)
            columns[name] = column.rename(name)
    return polars.DataFrame(list(columns.values()))


def near(a, b, bound, what):
    assert abs(a - b) <= bound, f"{what}: {a!r} and {b!r}"


def check_numbers(name, ours, column):
    values = column.drop_nulls().to_numpy().astype(numpy.float64)
    n = len(values)
    ordered = numpy.sort(values)
    scale = max(abs(ordered[0]), abs(ordered[-1]))
    assert (ours["min"], ours["max"], ours["median"]) == (ordered[0], ordered[-1], ordered[n // 2]), name
    near(ours["mean"], values.mean(), 1e-12 * scale, f"{name} mean")
    near(ours["std"], values.std(), 1e-9 * scale, f"{name} std")
    assert ours["zeros"] == int((values == 0).sum()), name
    assert [low for low, _, _ in ours["quantiles"]] == [ordered[k * n // 10] for k in range(10)], name
    edges = [low for low, _, _ in ours["histogram"]][1:]
    below = [0] + [int(numpy.searchsorted(ordered, edge, side="left")) for edge in edges] + [n]
    assert [count for _, _, count in ours["histogram"]] == list(numpy.diff(below)), f"{name} histogram"
    distinct = column.drop_nulls().n_unique()
    near(ours["unique"], distinct, 4 * ours["unique_error"] * distinct, f"{name} distinct")


def check_strings(name, ours, column):
    counts = {value: count for value, count in column.drop_nulls().value_counts().iter_rows()}
    near(ours["unique"], len(counts), 4 * ours["unique_error"] * len(counts), f"{name} distinct")
    for value, count in ours["top"]:
        assert counts[value] == count, f"{name}: {value} {count}"
    assert sorted(counts.values(), reverse=True)[:len(ours["top"])] == [count for _, count in ours["top"]], name


def check(ours, frame):
    assert ours["rows"] == frame.height
    for name, feature in ours["features"].items():
        column = frame[name]
        assert feature["missing"] == column.null_count(), name
        (check_numbers if "mean" in feature else check_strings)(name, feature, column)


def check_summary(rows, ours):
    """DuckDB saw the same data: exact ends and rows, mean and deviation to its precision."""
    names = [column[0] for column in rows.description]
    for row in rows.fetchall():
        row = dict(zip(names, row))
        feature = ours["features"][row["column_name"]]
        assert row["count"] == ours["rows"], row
        if "mean" in feature:
            scale = max(abs(feature["min"]), abs(feature["max"]))
            assert float(row["min"]) == feature["min"] and float(row["max"]) == feature["max"], row
            near(float(row["avg"]), feature["mean"], 1e-9 * scale, row["column_name"])
            near(float(row["std"]), feature["std"], 1e-6 * scale, row["column_name"])


frame = read_store(options.store)
n_values = frame.height * frame.width
out = tempfile.NamedTemporaryFile(suffix=".json")
process = subprocess.Popen([options.program, "run", options.store, str(options.threads), out.name], text=True,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert process.stdout.readline() == "ready\n", "bench_statistics failed"
ours = next(iter(json.load(open(out.name))["splits"].values()))
check(ours, frame)


def run_ours():
    process.stdin.write("\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())["seconds"]


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


peers = {f"polars {polars.__version__} describe": lambda: timed(frame.describe)}
if duckdb is not None:
    link = duckdb.connect()
    link.execute(f"set threads to {options.threads}")
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(f"{folder}/t.parquet")
        link.execute(f"create temporary table t as select * from read_parquet('{folder}/t.parquet')")
    check_summary(link.execute("summarize t"), ours)
    peers[f"duckdb {duckdb.__version__} SUMMARIZE"] = lambda: timed(lambda: link.execute("summarize t").fetchall())

seconds = {"penstock": [], **{name: [] for name in peers}}
for _ in range(options.rounds):
    seconds["penstock"].append(run_ours())
    for name, run in peers.items():
        seconds[name].append(run())
process.stdin.close()
process.wait()

report = {"store": os.path.basename(options.store), "rows": frame.height, "columns": frame.width,
          "threads": options.threads, "rounds": options.rounds, "load": os.getloadavg()[0], "times": []}
for name, times in seconds.items():
    ratios = [theirs / own for theirs, own in zip(times, seconds["penstock"])]
    report["times"].append({"what": name, "ns_per_value": 1e9 * statistics.median(times) / n_values,
                            "seconds": times, "ratio": statistics.median(ratios)})
    print(f"{name:32} {1e9 * statistics.median(times) / n_values:8.2f} ns a value, median ratio "
          f"{statistics.median(ratios):6.1f} ({min(ratios):.1f} to {max(ratios):.1f}, n={len(ratios)}), "
          f"{options.threads} thread(s)")
if options.json:
    with open(options.json, "a") as file:
        file.write(json.dumps(report) + "\n")
