#!/usr/bin/env python3
"""What a runner costs beside the work: ours, DVC, Beam's DirectRunner, Airflow 2 and 3, one after another in each turn.

overhead.py [TOOLS ...]    penstock, dvc, beam, airflow2, airflow3; all of them when none is named

  chain      nodes in a row, each reads a number from a file, adds one, writes it to the next file: in each tool's own
             cheapest form. One node and --nodes of them, so that a start of the tool and a node more are told apart.
  unchanged  the chain again, nothing changed: only penstock and DVC know that.
  taxi       the nine nodes of a pipeline of ours, all done before: our runner, and the files that penstock export
             writes for the others, whose steps (penstock component NODE) find everything in the cache.

Times are wall clock around the process, after one that is not counted. What each does in that time differs, and stands
below the table. The tools are installed by pip into build/peers, in the versions of tests/peers.sh; one that cannot be
installed is left out and said so."""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import json

HERE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HERE / 'bench'))
from measure import alone, heading, load, run_process, spread  # noqa: E402

BEAM = """
import pathlib, sys
import apache_beam as beam

FOLDER = pathlib.Path(__file__).parent

def add_one(number):
    number += 1
    (FOLDER / ('n%d.txt' % number)).write_text(str(number))
    return number

with beam.Pipeline(argv=['--runner=DirectRunner']) as pipeline:
    numbers = pipeline | beam.Create([0])
    for i in range(1, NODES + 1):
        numbers = numbers | 'n%d' % i >> beam.Map(add_one)
"""

AIRFLOW = """
import datetime, pathlib
try:
    from airflow.sdk import DAG
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:
    from airflow import DAG
    from airflow.operators.python import PythonOperator

FOLDER = pathlib.Path('FOLDER_')

def add_one(i):
    number = int((FOLDER / ('n%d.txt' % (i - 1))).read_text()) if i > 1 else 0
    (FOLDER / ('n%d.txt' % i)).write_text(str(number + 1))

with DAG('chain', schedule=None, start_date=datetime.datetime(2026, 1, 1), catchup=False):
    before = None
    for i in range(1, NODES + 1):
        task = PythonOperator(task_id='n%d' % i, python_callable=add_one, op_args=[i])
        if before is not None:
            before >> task
        before = task
"""

WHAT = {
    'penstock': 'the runner of penstock run, in the chain with a component of bench_orchestrator: a process a node, its '
                'files hashed, published and synced, a journal synced at each step, keys of the cache; as unchanged, '
                'every node\'s key worked out again and its outputs looked at',
    'dvc': 'dvc repro: a shell a stage, outputs hashed and put into its cache, dvc.lock written; as unchanged, hashes '
           'compared. No journal, nothing synced',
    'beam': 'the DirectRunner in one process: all nodes are functions in it. No processes, no cache, no history; '
            'nothing is known to be unchanged',
    'airflow': 'airflow dags test: all tasks in one process, states in SQLite, without scheduler, workers and their '
               'polling, which a scheduled run adds. Nothing is known to be unchanged',
}


def check_number(path, nodes):
    if path.read_text().strip() != str(nodes):
        sys.exit('%s: expected %d, found %s' % (path, nodes, path.read_text()))


class Penstock:
    caches, repeats = True, 5  # times in a turn: the shorter, the more the disk's moods show

    def __init__(self, options):
        self.bench, self.program = options.penstock.parent / 'bench_orchestrator', options.penstock

    def chain(self, folder, nodes):
        return [self.bench, nodes, folder], folder, None

    def check(self, folder, nodes):
        last = 'first' if nodes == 1 else 'next' if nodes == 2 else 'n%d' % nodes
        check_number(folder / 'root' / last / 'number' / str(nodes) / 'number.txt', nodes)

    def taxi(self, folder, file):
        return [self.program, 'run', file, '--root', folder / 'root'], folder, None


class Peer:
    caches, repeats = False, 1

    def __init__(self, options, name):
        self.name, self.program = name, options.penstock
        self.bin = options.build / 'peers' / name / 'bin'

    def check(self, folder, nodes):
        check_number(folder / ('n%d.txt' % nodes), nodes)

    def export(self, folder, file, path, *more):
        run_process([self.program, 'export', self.name.rstrip('23'), file, '--root', folder / 'root', '-o', path,
                     *more], cwd=folder)


class Dvc(Peer):
    caches = True

    def repro(self, folder):
        environment = {**os.environ, 'DVC_NO_ANALYTICS': '1'}
        run_process([self.bin / 'dvc', 'init', '--no-scm', '-q'], cwd=folder, environment=environment)
        return [self.bin / 'dvc', 'repro'], folder, environment

    def chain(self, folder, nodes):
        stages = ['stages:\n  n1:\n    cmd: echo 1 > n1.txt\n    outs: [n1.txt]\n']
        for i in range(2, nodes + 1):
            stages.append('  n%d:\n    cmd: echo $(($(cat n%d.txt) + 1)) > n%d.txt\n    deps: [n%d.txt]\n'
                          '    outs: [n%d.txt]\n' % (i, i - 1, i, i - 1, i))
        (folder / 'dvc.yaml').write_text(''.join(stages))
        return self.repro(folder)

    def taxi(self, folder, file):
        shutil.copy(file, folder)  # beside dvc.yaml, which depends on it
        self.export(folder, file.name, 'dvc.yaml', '--at', '.')
        return self.repro(folder)


class Beam(Peer):
    def chain(self, folder, nodes):
        (folder / 'chain.py').write_text(BEAM.replace('NODES', str(nodes)))
        return [self.bin / 'python', '-W', 'ignore', folder / 'chain.py'], folder, None

    def taxi(self, folder, file):
        self.export(folder, file, folder / 'taxi.py')
        return [self.bin / 'python', '-W', 'ignore', folder / 'taxi.py'], folder, None


class Airflow(Peer):
    def prepare(self, folder):
        """A home with an empty database."""
        dags = folder / 'home' / 'dags'
        dags.mkdir(parents=True)
        environment = {**os.environ, 'AIRFLOW_HOME': str(folder / 'home'), 'AIRFLOW__CORE__LOAD_EXAMPLES': 'False',
                       'AIRFLOW__CORE__DAGS_FOLDER': str(dags), 'PYTHONWARNINGS': 'ignore', 'NO_COLOR': '1'}
        run_process([self.bin / 'airflow', 'db', 'migrate'], cwd=folder, environment=environment)
        return dags, environment

    def chain(self, folder, nodes):
        dags, environment = self.prepare(folder)
        (dags / 'chain.py').write_text(AIRFLOW.replace('NODES', str(nodes)).replace('FOLDER_', str(folder)))
        return [self.bin / 'airflow', 'dags', 'test', 'chain'], folder, environment

    def taxi(self, folder, file):
        dags, environment = self.prepare(folder)
        self.export(folder, file, dags / 'taxi.py')
        return [self.bin / 'airflow', 'dags', 'test', 'taxi'], folder, environment


def install(options, name):
    """The tool in a venv of its own, as tests/peers.sh has it; False: it cannot be had."""
    listed = re.search(r'^ +"%s +\S+ +([^"]+)"' % name, (HERE / 'tests' / 'peers.sh').read_text(), re.MULTILINE)
    packages, venv = listed.group(1).strip(), options.build / 'peers' / name
    marker = venv / 'installed'
    if marker.exists() and marker.read_text().strip() == packages:
        return packages
    python = next(filter(None, map(shutil.which, ['python3.11', 'python3.12', 'python3.10'])), None)
    shutil.rmtree(venv, ignore_errors=True)
    if python is None or subprocess.run([python, '-m', 'venv', venv]).returncode != 0 or subprocess.run(
            [venv / 'bin' / 'pip', 'install', '-q', '--disable-pip-version-check', *packages.split()]).returncode != 0:
        return None
    marker.write_text(packages + '\n')
    return packages


def timed(options, line):
    command, folder, environment = line
    with alone(options.exclusive):
        os.sync()  # what was written before is not this command's to wait for
        return run_process(command, cwd=folder, environment=environment)[1]


def empty_folder(options, *names):
    folder = options.scratch.joinpath(*names)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Measurement:
    """The times of one tool, of which the first turn of each kind is not counted."""

    def __init__(self, options, name, tool):
        self.options, self.name, self.tool = options, name, tool
        self.times = {}
        self.taxi = None

    def note(self, what, seconds):
        self.times.setdefault(what, []).append(seconds)

    def turn(self, file):
        for _ in range(self.tool.repeats):
            self.run_each(file)

    def run_each(self, file):
        for nodes in (1, self.options.nodes):
            folder = empty_folder(self.options, self.name, 'chain')
            line = self.tool.chain(folder, nodes)
            self.note('chain_%d' % nodes, timed(self.options, line))
            self.tool.check(folder, nodes)
            if self.tool.caches and nodes > 1:
                self.note('unchanged_%d' % nodes, timed(self.options, line))
                self.tool.check(folder, nodes)
        if self.taxi is None:
            folder = empty_folder(self.options, self.name, 'taxi')
            self.taxi = folder, self.tool.taxi(folder, file)
            self.run_taxi()
        self.note('taxi_unchanged', self.run_taxi())
        newest = self.newest()
        if newest['status'] != 'cached':
            sys.exit('%s: expected a run from the cache, found %s' % (self.name, newest))

    def run_taxi(self):
        return timed(self.options, self.taxi[1])

    def newest(self):
        said = run_process([self.options.penstock, 'runs', '--last', '1', '--json', '--root', self.taxi[0] / 'root'])[0]
        return json.loads(said)['runs'][0]

    def result(self):
        counted = {what: spread(times[self.tool.repeats:]) for what, times in self.times.items()}
        n = self.options.nodes
        more = (counted['chain_%d' % n]['median'] - counted['chain_1']['median']) / (n - 1)
        return {**counted, 'seconds_a_node_more': round(more, 5)}


def rows_of(result):
    n = result['nodes']
    for what, key in (('chain of 1 node', 'chain_1'), ('chain of %d nodes' % n, 'chain_%d' % n),
                      ('a node more', 'seconds_a_node_more'), ('the chain of %d, unchanged' % n, 'unchanged_%d' % n),
                      ('nine taxi nodes, unchanged', 'taxi_unchanged')):
        for tool, figures in result['tools'].items():
            figure = figures.get(key)
            ours = result['tools'].get('penstock', {}).get(key)
            if figure is None:
                yield what, tool, '-', '-'
                continue
            median = figure if isinstance(figure, float) else figure['median']
            base = ours if isinstance(ours, float) else (ours or {}).get('median')
            text = '%.1f ms' % (median * 1e3)
            if not isinstance(figure, float):
                text += ' (%.1f to %.1f, n=%d)' % (figure['min'] * 1e3, figure['max'] * 1e3, figure['n'])
            yield what, tool, text, '%.0f' % (median / base) if base else '-'


def table(result):
    lines = ['Date %s, device %s, %d processors, load %.1f.' % (result['date'], result['device'], result['cores'],
                                                               result['load'][0]),
             'Command: `%s`. %s' % (result['command'], result['note']), '', '| what | runner | time | times ours |',
             '|---|---|---|---|']
    lines += ['| %s | %s | %s | %s |' % row for row in rows_of(result)]
    lines += ['', 'What each does in that time:', '']
    for tool in result['tools']:
        lines.append('* %s (%s): %s.' % (tool, result['versions'][tool], WHAT[tool.rstrip('23')]))
    budget = result['tools'].get('penstock')
    if budget:
        lines += ['', 'Targets: a node more under 5 ms: %s; nine unchanged nodes under 50 ms: %s.' %
                  ('kept' if budget['seconds_a_node_more'] < 0.005 else 'MISSED',
                   'kept' if budget['taxi_unchanged']['median'] < 0.05 else 'MISSED')]
    lines += ['Not installed: %s.' % ', '.join(result['absent'])] if result['absent'] else []
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = {'penstock': None, 'dvc': Dvc, 'beam': Beam, 'airflow2': Airflow, 'airflow3': Airflow}
    parser.add_argument('tools', nargs='*', help=', '.join(kinds))
    parser.add_argument('--penstock', type=pathlib.Path, default=HERE / 'build' / 'penstock')
    parser.add_argument('--build', type=pathlib.Path, default=HERE / 'build', help='where peers/ is')
    parser.add_argument('--scratch', type=pathlib.Path, help='a folder on a disk; build/ when left out')
    parser.add_argument('--nodes', type=int, default=25)
    parser.add_argument('--turns', type=int, default=5, help='that count; one more is run before them')
    parser.add_argument('--exclusive', type=pathlib.Path, help='a lock file to hold while a time is taken')
    parser.add_argument('--note', default='', help='a sentence for the result, such as what else the machine was doing')
    parser.add_argument('--output', type=pathlib.Path, help='JSON here, and a table beside it as .md')
    options = parser.parse_args()
    wanted = options.tools or list(kinds)
    if unknown := [tool for tool in wanted if tool not in kinds]:
        parser.error('no such tool: %s; there are %s' % (', '.join(unknown), ', '.join(kinds)))
    result = heading(options.penstock, 'bench/orchestrator/overhead.py --nodes %d --turns %d %s' %
                     (options.nodes, options.turns, shlex.join(wanted)), options.note)
    result.update(load=load(), nodes=options.nodes, versions={}, absent=[], tools={})
    measurements = []
    for name in wanted:
        packages = result['penstock']['version'] if name == 'penstock' else install(options, name)
        if packages is None:
            result['absent'].append(name)
            continue
        result['versions'][name] = packages
        tool = Penstock(options) if name == 'penstock' else kinds[name](options, name)
        measurements.append(Measurement(options, name, tool))
    with tempfile.TemporaryDirectory(dir=options.scratch or options.build, prefix='pen-bench-') as scratch:
        options.scratch = pathlib.Path(scratch)
        data, file = options.scratch / 'trips.csv', options.scratch / 'taxi.yaml'
        run_process([options.penstock, 'generate', 'taxi', '--rows', 15000, '-o', data])
        run_process([options.penstock, 'init', data, '--label', 'tips > 0.2 * fare', '--name', 'taxi', '-o', file])
        for turn in range(options.turns + 1):
            for measurement in measurements:
                measurement.turn(file)
                print('turn %d of %d: %s' % (turn, options.turns, measurement.name), file=sys.stderr)
    result['tools'] = {measurement.name: measurement.result() for measurement in measurements}
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + '\n')
        options.output.with_suffix('.md').write_text(table(result))
    print(table(result))


if __name__ == '__main__':
    main()
