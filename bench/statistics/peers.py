#!/usr/bin/env python3
"""The same float64 columns through peers: polars describe, DuckDB SUMMARIZE, pandas describe, on the same threads.

  build/bench_statistics 8388608 /tmp/columns.bin > ours.jsonl
  python3 bench/statistics/peers.py /tmp/columns.bin ours.jsonl [threads]

Prints ns a value of each peer that can be imported and how many times ours is faster."""
import json
import os
import statistics
import sys
import time

path, ours_path = sys.argv[1], sys.argv[2]
threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
os.environ["POLARS_MAX_THREADS"] = str(threads)
import numpy  # noqa: E402

columns = numpy.fromfile(path, dtype=numpy.float64).reshape(3, -1)
names = ["normal", "log_normal", "ties"]
rows = [json.loads(line) for line in open(ours_path)]
key = f"ns_per_value_{threads}t"
ours = statistics.mean(row[key] for row in rows if row["column"] in names)
print(f"penstock: {ours:.2f} ns a value, {threads} thread(s)")


def measure(name, work):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    ns = 1e9 * statistics.median(times) / columns.size
    print(f"{name}: {ns:.1f} ns a value, {ns / ours:.1f} times ours")


try:
    import polars

    frame = polars.DataFrame({name: columns[i] for i, name in enumerate(names)})
    measure(f"polars {polars.__version__} describe", frame.describe)
except ImportError:
    print("polars: not installed")
try:
    import duckdb

    link = duckdb.connect()
    link.execute(f"set threads to {threads}")
    link.register("arrays", dict(zip(names, columns)))
    link.execute("create temporary table t as select * from arrays")
    measure(f"duckdb {duckdb.__version__} SUMMARIZE", lambda: link.execute("summarize t").fetchall())
except ImportError:
    print("duckdb: not installed")
try:
    import pandas

    table = pandas.DataFrame({name: columns[i] for i, name in enumerate(names)})
    measure(f"pandas {pandas.__version__} describe", table.describe)
except ImportError:
    print("pandas: not installed")
