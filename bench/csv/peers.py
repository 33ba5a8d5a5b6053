#!/usr/bin/env python3
"""The CSV reader beside polars, pyarrow and DuckDB, and beside `wc -l`: same file, same threads, in turns.

  python3 bench/csv/peers.py [--threads 1] [--turns 5] [--json FILE] FILE ...

Runs build/bench_csv and those peers that can be imported, all columns typed in memory. A peer's time counts only when
missing cells (empty ones, quoted or not), sums of numbers and bytes of strings are those of bench_csv. Peers get the
options under which they read the same: newlines in quotes, no markers, no booleans. `wc -l` is the limit: it reads
every byte once and keeps nothing. Prints medians, and the peer's time by penstock's in the same turn. bench_csv make
writes files of numbers and of text, penstock generate others."""
import argparse
import datetime
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--threads', type=int, default=1)
parser.add_argument('--turns', type=int, default=5)
parser.add_argument('--json', type=pathlib.Path)
parser.add_argument('files', nargs='+')
options = parser.parse_args()
threads = options.threads
bench = str(pathlib.Path(__file__).resolve().parents[2] / 'build' / 'bench_csv')
os.environ['POLARS_MAX_THREADS'] = str(threads)


def read_polars(path):
    import polars
    return polars.read_csv(path, infer_schema_length=10000)


def facts_polars(frame):
    import polars
    for name in frame.columns:
        column = frame[name]
        text = column.dtype == polars.String
        empty = (column == '').sum() if text else 0
        yield name, column.null_count() + empty, (column.str.len_bytes() if text else column.cast(polars.Float64)).sum()


def read_pyarrow(path):
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


def read_duckdb(path):
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


def read_wc(path):
    subprocess.run(['wc', '-l', path], check=True, stdout=subprocess.DEVNULL, env={**os.environ, 'LC_ALL': 'C'})


def differs(path, facts):
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


def penstock(path):
    return float(subprocess.check_output([bench, 'once', path, str(threads)]))


def measure(path, name):
    """Times of one reader and ours in turns, as a figure; None: it cannot be imported."""
    read = globals()['read_' + name]
    figure = {'file': os.path.basename(path), 'bytes': os.path.getsize(path), 'threads': threads, 'reader': name,
              'turns': options.turns}
    if name != 'wc':
        try:
            figure['differs'] = differs(path, globals()['facts_' + name](read(path)))
        except ImportError:
            return None
        figure['version'] = sys.modules[name].__version__
        if figure['differs'] is not None:
            return figure
    penstock(path)
    pairs = []
    for _ in range(options.turns):
        mine = penstock(path)
        begin = time.perf_counter()
        read(path)
        pairs.append((mine, time.perf_counter() - begin))
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    return {**figure, 'seconds': statistics.median(theirs for _, theirs in pairs),
            'penstock_seconds': statistics.median(mine for mine, _ in pairs), 'ratio': statistics.median(ratios),
            'ratios': ratios}


def show(figure):
    row = '| %s | %d | ' % (figure['file'], threads)
    if figure.get('differs') is not None:
        return row + '| %s %s | reads it otherwise: %s | |' % (figure['reader'], figure['version'], figure['differs'])
    row += '%.3f s, %.2f GB/s | %s | %.3f s | ' % (
        figure['penstock_seconds'], figure['bytes'] / figure['penstock_seconds'] / 1e9,
        '%s %s' % (figure['reader'], figure['version']) if 'version' in figure else '`wc -l`', figure['seconds'])
    if figure['reader'] == 'wc':
        return row + 'ours is %.1f times it |' % (1 / figure['ratio'])
    return row + '%.2f (%.2f to %.2f) |' % (figure['ratio'], figure['ratios'][0], figure['ratios'][-1])


figures = []
print('| file | threads | penstock | beside | its time | times ours |\n|---|---|---|---|---|---|')
for path in options.files:
    for name in ('polars', 'pyarrow', 'duckdb', 'wc'):
        figure = measure(path, name)
        if figure is not None:
            figures.append(figure)
            print(show(figure), flush=True)
if options.json:
    known = json.loads(options.json.read_text()) if options.json.exists() else []
    stamp = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds')
    options.json.write_text(json.dumps(known + [{'date': stamp, 'command': ' '.join(sys.argv), 'figures': figures}],
                                       indent=1) + '\n')
sys.exit(0 if all(figure.get('differs') is None for figure in figures) else 1)
