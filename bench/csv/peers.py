#!/usr/bin/env python3
"""Other CSV readers on the same file, same threads, as JSON lines beside bench_csv's.

peers.py FILE [THREADS]   those of polars, pyarrow, duckdb, pandas that can be imported; median of 5 warm readings."""
import json
import os
import statistics
import sys
import time

path = sys.argv[1]
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 1
os.environ['POLARS_MAX_THREADS'] = str(threads)


def read_polars():
    import polars
    return polars.read_csv(path, infer_schema_length=10000).height


def read_pyarrow():
    import pyarrow
    from pyarrow import csv
    pyarrow.set_cpu_count(threads)
    return csv.read_csv(path, csv.ReadOptions(use_threads=threads > 1, block_size=4 << 20),
                        csv.ParseOptions(newlines_in_values=True)).num_rows


def read_duckdb():
    import duckdb
    db = duckdb.connect()
    db.execute('set threads = %d' % threads)
    db.execute('set preserve_insertion_order = false')
    db.execute("create temporary table t as select * from read_csv('%s')" % path)
    return db.execute('select count(*) from t').fetchone()[0]


def read_pandas():
    import pandas
    return len(pandas.read_csv(path, engine='c'))


for name, read in (('polars', read_polars), ('pyarrow', read_pyarrow), ('duckdb', read_duckdb), ('pandas', read_pandas)):
    try:
        rows, times = read(), []
    except ImportError:
        continue
    for _ in range(5):
        begin = time.perf_counter()
        read()
        times.append(time.perf_counter() - begin)
    seconds = statistics.median(times)
    print(json.dumps({'schema': 1, 'reader': name, 'version': getattr(sys.modules[name], '__version__', ''),
                      'file': path, 'threads': threads, 'rows': rows, 'seconds': round(seconds, 4),
                      'gigabytes_per_second': round(os.path.getsize(path) / seconds / 1e9, 3)}))
