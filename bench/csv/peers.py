#!/usr/bin/env python3
"""The CSV reader beside polars, pyarrow and DuckDB: same file, same threads, in turns; ratios of one run.

peers.py BENCH_CSV FILE [THREADS [TURNS]]   BENCH_CSV is the built bench_csv; those peers that can be imported

A peer's time counts only when missing cells (empty ones, quoted or not), sums of numbers and bytes of strings are those
of bench_csv. Peers get the options under which they read the same: newlines in quotes, no markers, no booleans.
Prints one JSON line a reader; ratio: the peer's time by penstock's in the same turn, median of the turns."""
import json
import math
import os
import statistics
import subprocess
import sys
import time

bench, path = sys.argv[1:3]
threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
turns = int(sys.argv[4]) if len(sys.argv) > 4 else 5
os.environ['POLARS_MAX_THREADS'] = str(threads)


def read_polars():
    import polars
    return polars.read_csv(path, infer_schema_length=10000)


def facts_polars(frame):
    import polars
    for name in frame.columns:
        column = frame[name]
        text = column.dtype == polars.String
        empty = (column == '').sum() if text else 0
        yield name, column.null_count() + empty, (column.str.len_bytes() if text else column.cast(polars.Float64)).sum()


def read_pyarrow():
    import pyarrow
    from pyarrow import csv
    pyarrow.set_cpu_count(threads)
    return csv.read_csv(path, csv.ReadOptions(use_threads=threads > 1, block_size=4 << 20),
                        csv.ParseOptions(newlines_in_values=True),
                        csv.ConvertOptions(strings_can_be_null=True, null_values=['']))


def facts_pyarrow(table):
    import pyarrow
    from pyarrow import compute
    for name in table.column_names:
        column = table[name]
        text = pyarrow.types.is_string(column.type)
        values = compute.binary_length(column) if text else column.cast(pyarrow.float64())
        yield name, column.null_count, compute.sum(values).as_py()


def read_duckdb():
    import duckdb
    db = duckdb.connect()
    db.execute('set threads = %d' % threads)
    db.execute('set preserve_insertion_order = false')
    db.execute("create temporary table t as select * from read_csv('%s', "
               "auto_type_candidates=['BIGINT', 'DOUBLE', 'VARCHAR'])" % path)
    return db


def facts_duckdb(db):
    for name, kind in db.execute("select column_name, data_type from information_schema.columns "
                                 "where table_name = 't'").fetchall():
        value = 'octet_length("%s"::blob)' if kind == 'VARCHAR' else '"%s"::double'
        query = 'select count(*) - count("%s") filter ("%s"::varchar <> \'\'), sum(' + value + ') from t'
        yield name, *db.execute(query % (name, name, name)).fetchone()


def differs(facts):
    """The first column that is not as bench_csv reads it, or None."""
    found = {name: (int(missing), float(total)) for name, missing, total in facts}
    expected = json.loads(subprocess.check_output([bench, 'columns', path]))['columns']
    for column in expected:
        missing, total = found.get(column['name'], (-1, 0.0))
        wanted = column['bytes'] if 'bytes' in column else column['sum']
        if missing != column['missing'] or not math.isclose(total, wanted, rel_tol=1e-9):
            return '%s: expected %d missing, total %r; found %d, %r' % (column['name'], column['missing'], wanted,
                                                                         missing, total)
    return None


def penstock():
    return float(subprocess.check_output([bench, 'once', path, str(threads)]))


for name in ('polars', 'pyarrow', 'duckdb'):
    read, facts = globals()['read_' + name], globals()['facts_' + name]
    try:
        wrong = differs(facts(read()))
    except ImportError:
        continue
    if wrong is not None:
        print(json.dumps({'schema': 2, 'reader': name, 'file': path, 'differs': wrong}))
        continue
    penstock()
    pairs = []
    for _ in range(turns):
        mine = penstock()
        begin = time.perf_counter()
        read()
        pairs.append((mine, time.perf_counter() - begin))
    print(json.dumps({'schema': 2, 'reader': name, 'version': getattr(sys.modules[name], '__version__', ''),
                      'file': path, 'bytes': os.path.getsize(path), 'threads': threads, 'turns': turns,
                      'seconds': round(statistics.median(theirs for _, theirs in pairs), 4),
                      'penstock_seconds': round(statistics.median(mine for mine, _ in pairs), 4),
                      'ratio': round(statistics.median(theirs / mine for mine, theirs in pairs), 2)}), flush=True)
