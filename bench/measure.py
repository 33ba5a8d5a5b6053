"""What the benches in Python share: processes timed from outside, spreads, and where a result was measured."""
import contextlib
import datetime
import fcntl
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time


def load():
    return [round(value, 2) for value in os.getloadavg()]


def run_process(command, cpus=None, cwd=None, environment=None):
    """Runs a command; its standard output, wall seconds, and the peak resident MiB of it and its children."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        bind = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors, preexec_fn=bind,
                                   cwd=cwd, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            sys.exit('%s\n%s\n%s\nexit status %d' % (shlex.join(map(str, command)), output.read().decode()[-2000:],
                                                     errors.read().decode()[-2000:], process.returncode))
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def middle(values):
    return round(statistics.median(values), 4)


def spread(values):
    return {'median': middle(values), 'min': round(min(values), 4), 'max': round(max(values), 4),
            'n': len(values)}


@contextlib.contextmanager
def alone(path):
    """While this lock file is held: for machines that are shared by agreement. None: at once."""
    if path is None:
        yield
        return
    with open(path, 'a') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def processor():
    try:
        for line in open('/proc/cpuinfo'):
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def heading(penstock, command, note):
    """The members a result begins with."""
    return {'schema': 1, 'date': datetime.datetime.now().astimezone().isoformat(timespec='minutes'),
            'device': processor(), 'cores': len(os.sched_getaffinity(0)), 'system': platform.platform(),
            'penstock': json.loads(run_process([penstock, 'version', '--json'])[0]), 'command': command, 'note': note}
