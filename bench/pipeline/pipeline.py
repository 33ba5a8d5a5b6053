#!/usr/bin/env python3
"""The pipeline from outside: what a user waits for and what it takes in memory, by public means only.

pipeline.py [PARTS ...]    parts: taxi, ingest, memory; all of them when none is named

  taxi    nine nodes on the Chicago taxi data (PEN_TEST_DATASETS, or ../shared/datasets; generated rows when neither is
          there): a fresh root each time, median of 7; then the same run again with nothing changed, median of 9.
  ingest  ExampleGen (CSV to store: types inferred, rows split, content hashed) and pyarrow (read_csv and write_table
          to Parquet) on one generated file, taking turns, both bound to the same processors; the median of the ratios.
  memory  ExampleGen, StatisticsGen and Transform on generated clicks: the largest resident size any process of each
          node reached, for two sizes, so that growth with rows shows. Fails when one passes --limit-mib.

Times are wall clock around the process, input warm in the page cache. The load average stands beside every figure:
on a shared machine only ratios of one run count. Needs nothing but Python; pyarrow is compared when importable."""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HERE / 'bench'))
from measure import heading, load, middle, run_process, spread  # noqa: E402

PYARROW = """
import json, sys, time
import pyarrow
from pyarrow import csv, parquet
path, out, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
pyarrow.set_cpu_count(threads)
pyarrow.set_io_thread_count(threads)
begin = time.perf_counter()
table = csv.read_csv(path, csv.ReadOptions(use_threads=threads > 1), csv.ParseOptions(newlines_in_values=True))
read = time.perf_counter()
parquet.write_table(table, out)
print(json.dumps({'rows': table.num_rows, 'read_seconds': read - begin, 'seconds': time.perf_counter() - begin}))
"""


def taxi_rows(options):
    roots = [os.environ.get('PEN_TEST_DATASETS'), HERE.parent / 'shared' / 'datasets']
    for root in filter(None, roots):
        path = pathlib.Path(root) / 'chicago_taxi' / 'data.csv'
        if path.exists():
            return path, 'chicago_taxi/data.csv'
    path = options.scratch / 'taxi.csv'
    run_process([options.penstock, 'generate', 'taxi', '--rows', 15000, '--output', path])
    return path, 'generate taxi --rows 15000'


def run_pipeline(options, pipeline, root, *more):
    text, seconds, peak = run_process([options.penstock, 'run', pipeline, '--root', root, '--json', *more])
    return json.loads(text), seconds, peak


def part_taxi(options):
    data, name = taxi_rows(options)
    pipeline = options.scratch / 'taxi.yaml'
    run_process([options.penstock, 'init', data, '--label', 'tips > 0.2 * fare', '--output', pipeline, '--force'])
    whole, again, nodes, peaks, loads = [], [], {}, [], []
    for turn in range(7):
        root = options.scratch / ('taxi-%d' % turn)
        loads.append(load()[0])
        report, seconds, peak = run_pipeline(options, pipeline, root)
        assert len(report['nodes']) == 9 and report['blessed'] and report['pushed'], report
        whole.append(seconds)
        peaks.append(peak)
        for node in report['nodes']:
            nodes.setdefault(node['node'], []).append(node['seconds'])
    for _ in range(9):
        report, seconds, _ = run_pipeline(options, pipeline, root)
        assert report['status'] == 'cached', report
        again.append(seconds)
    return {'data': name, 'bytes': data.stat().st_size, 'seconds': spread(whole),
            'node_seconds': {node: middle(times) for node, times in nodes.items()},
            'unchanged_seconds': spread(again), 'peak_rss_mib': round(max(peaks), 1), 'load': spread(loads)}


def ingest_one(options, kind, rows):
    data, pipeline = options.scratch / (kind + '.csv'), options.scratch / (kind + '.yaml')
    run_process([options.penstock, 'generate', kind, '--rows', rows, '--output', data])
    pipeline.write_text('pipeline: ingest\nroot: %s\nexample_gen:\n  csv: %s\n' % (options.scratch / 'ingest', data))
    pipeline.write_text(pipeline.read_text() + 'transform:\n  label: %s\n  features:\n    x: zscore(%s)\n' %
                        (('clicked', "fill(i1, 'median')") if kind == 'clicks' else ('tips > 0.2 * fare', 'trip_miles')))
    cpus = set(sorted(os.sched_getaffinity(0))[:options.threads])
    ours, peers, reads, ratios, loads, peaks, peer_peaks = [], [], [], [], [], [], []
    with open(data, 'rb') as file:
        while file.read(1 << 24):
            pass
    for turn in range(options.turns):
        loads.append(load()[0])
        root = options.scratch / 'ingest-root'
        _, seconds, peak = run_process([options.penstock, 'run', pipeline, '--root', root, '--json',
                                        '--to', 'example_gen'], cpus)
        shutil.rmtree(root)
        ours.append(seconds)
        peaks.append(peak)
        if options.pyarrow:
            out = options.scratch / 'peer.parquet'
            text, _, peak = run_process([sys.executable, '-c', PYARROW, data, out, options.threads], cpus)
            out.unlink()
            peer = json.loads(text)
            assert peer['rows'] == rows, peer
            peers.append(peer['seconds'])
            reads.append(peer['read_seconds'])
            peer_peaks.append(peak)
            ratios.append(ours[-1] / peers[-1])
    size = data.stat().st_size
    data.unlink()
    figures = {'data': 'generate %s --rows %d' % (kind, rows), 'bytes': size, 'threads': options.threads,
               'example_gen_seconds': spread(ours), 'example_gen_mb_per_second': round(size / 1e6 / middle(ours), 1),
               'example_gen_peak_rss_mib': round(max(peaks), 1), 'load': spread(loads)}
    if peers:
        figures.update({'pyarrow': options.pyarrow, 'pyarrow_seconds': spread(peers),
                        'pyarrow_read_seconds': spread(reads), 'pyarrow_peak_rss_mib': round(max(peer_peaks), 1),
                        'ratio_to_pyarrow': spread(ratios)})
    return figures


def part_ingest(options):
    return [ingest_one(options, 'taxi', options.ingest_mb * 1000000 // 127),
            ingest_one(options, 'clicks', options.ingest_mb * 1000000 // 245)]


def memory_one(options, rows):
    data, pipeline = options.scratch / 'memory.csv', options.scratch / 'memory.yaml'
    sample, root = options.scratch / 'sample.csv', options.scratch / 'memory-root'
    run_process([options.penstock, 'generate', 'clicks', '--rows', rows, '--output', data])
    run_process([options.penstock, 'generate', 'clicks', '--rows', 100000, '--output', sample])
    run_process([options.penstock, 'init', sample, '--label', 'clicked', '--output', pipeline, '--force'])
    pipeline.write_text(pipeline.read_text().replace(str(sample), str(data))
                        .replace('on_anomaly: stop', 'on_anomaly: warn'))
    figures = {'data': 'generate clicks --rows %d' % rows, 'bytes': data.stat().st_size, 'load': load(),
               'seconds': {}, 'peak_rss_mib': {}}
    for node in ('example_gen', 'statistics_gen', 'transform'):
        _, seconds, peak = run_pipeline(options, pipeline, root, '--to', node)
        figures['seconds'][node] = round(seconds, 3)
        figures['peak_rss_mib'][node] = round(peak, 1)
    figures['store_bytes'] = sum(path.stat().st_size for path in root.rglob('*') if path.is_file())
    figures['within_limit'] = max(figures['peak_rss_mib'].values()) < options.limit_mib
    shutil.rmtree(root)
    data.unlink()
    sample.unlink()
    return figures


def part_memory(options):
    sizes = [options.memory_rows // 10, options.memory_rows]
    return {'limit_mib': options.limit_mib, 'runs': [memory_one(options, rows) for rows in sizes]}


def seconds_text(figure):
    return '%.3f s (%.3f to %.3f, n=%d)' % (figure['median'], figure['min'], figure['max'], figure['n'])


def rows_of(result):
    """The result as (what, figure, load) lines."""
    if 'taxi' in result:
        taxi = result['taxi']
        yield 'nine nodes, fresh root, ' + taxi['data'], seconds_text(taxi['seconds']), taxi['load']['median']
        for node, seconds in taxi['node_seconds'].items():
            yield '- ' + node, '%.3f s' % seconds, ''
        yield 'unchanged again', seconds_text(taxi['unchanged_seconds']), ''
    for ingest in result.get('ingest', []):
        yield ('ExampleGen, %s, %.0f MB, %d threads' % (ingest['data'], ingest['bytes'] / 1e6, ingest['threads']),
               '%s, %.0f MB/s, peak %.0f MiB' % (seconds_text(ingest['example_gen_seconds']),
                                                ingest['example_gen_mb_per_second'],
                                                ingest['example_gen_peak_rss_mib']), ingest['load']['median'])
        if 'pyarrow' in ingest:
            yield ('- pyarrow %s, CSV to Parquet' % ingest['pyarrow'],
                   '%s, peak %.0f MiB' % (seconds_text(ingest['pyarrow_seconds']), ingest['pyarrow_peak_rss_mib']), '')
            ratio = ingest['ratio_to_pyarrow']
            yield ('- time, ExampleGen / pyarrow',
                   '%.2f (%.2f to %.2f)' % (ratio['median'], ratio['min'], ratio['max']), '')
    for run in result.get('memory', {}).get('runs', []):
        yield 'memory, %s, %.2f GB' % (run['data'], run['bytes'] / 1e9), '', run['load'][0]
        for node, peak in run['peak_rss_mib'].items():
            yield '- ' + node, 'peak %.0f MiB, %.1f s' % (peak, run['seconds'][node]), ''


def table(result):
    lines = ['Date %s, device %s, %d processors.' % (result['date'], result['device'], result['cores']),
             'Command: `%s`. %s' % (result['command'], result['note']), '', '| what | figure | load |', '|---|---|---|']
    return '\n'.join(lines + ['| %s | %s | %s |' % row for row in rows_of(result)]) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('parts', nargs='*', help='taxi, ingest, memory')
    parser.add_argument('--penstock', type=pathlib.Path, default=HERE / 'build' / 'penstock')
    parser.add_argument('--scratch', type=pathlib.Path, help='a folder with room; a temporary one when left out')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)), help='of ingest, both sides')
    parser.add_argument('--turns', type=int, default=5, help='of ingest')
    parser.add_argument('--ingest-mb', type=int, default=300)
    parser.add_argument('--memory-rows', type=int, default=4200000, help='245 bytes of CSV each')
    parser.add_argument('--limit-mib', type=float, default=1024)
    parser.add_argument('--note', default='', help='a sentence for the result, such as what else the machine was doing')
    parser.add_argument('--output', type=pathlib.Path, help='JSON here, and a table beside it as .md')
    options = parser.parse_args()
    parts = {'taxi': part_taxi, 'ingest': part_ingest, 'memory': part_memory}
    wanted = options.parts or list(parts)
    if unknown := [part for part in wanted if part not in parts]:
        parser.error('no such part: %s; there are %s' % (', '.join(unknown), ', '.join(parts)))
    try:
        import pyarrow
        options.pyarrow = pyarrow.__version__
    except ImportError:
        options.pyarrow = None
    result = heading(options.penstock, 'bench/pipeline/pipeline.py --turns %d --memory-rows %d %s' %
                     (options.turns, options.memory_rows, shlex.join(wanted)), options.note)
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix='pen-bench-') as scratch:
        options.scratch = pathlib.Path(scratch)
        for part in wanted:
            result[part] = parts[part](options)
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + '\n')
        options.output.with_suffix('.md').write_text(table(result))
    print(table(result))
    if not all(run['within_limit'] for run in result.get('memory', {}).get('runs', [])):
        sys.exit('memory: a process passed %.0f MiB' % options.limit_mib)


if __name__ == '__main__':
    main()
