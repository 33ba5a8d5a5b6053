#!/usr/bin/env python3
"""Every file of a folder of awkward CSV through csv_dump, compared with Python's csv module.

csv_torture.py CSV_DUMP FOLDER [--table]   exit 0: every file gives the right table or a clear error; 77: skipped.
A clear error is one line that names the file and exits with a code of the status table; the line, byte or quote it
names is looked up in the file: there must stand what the message says. Never a signal or a hang.
Each file is read three ways (SIMD level, threads, chunk size), which must agree byte for byte."""
import collections
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys

WAYS = (['threads=2'], ['level=scalar', 'threads=1'])
CODES = {3, 65, 66, 70, 74}


def run(dump, path, way):
    patient = dict(os.environ, OMP_WAIT_POLICY='passive')  # waiting threads sleep: cores may be shared
    done = subprocess.run([dump, path] + way, capture_output=True, timeout=60, env=patient)
    return done.returncode, done.stdout, done.stderr.decode('utf-8', 'replace')


def number(text):
    text = text.strip(' \t')
    if '_' in text or 'x' in text.lower() or any(c.isspace() for c in text):
        return None
    try:
        value = int(text)
        return value if -2**63 <= value < 2**63 and text.isascii() else None
    except ValueError:
        pass
    try:
        return float(text) if text.isascii() else None
    except ValueError:
        return None


def same(cell, text):
    if cell is None:
        return text == ''
    if isinstance(cell, str) and cell in ('nan', 'inf', '-inf') and number(text) is not None:
        return str(float(text)) == cell
    if isinstance(cell, str):
        return cell == text
    return number(text) is not None and float(cell) == float(number(text))


def expected_rows(path, table):
    data = open(path, 'rb').read()
    if data[:2] == b'\x1f\x8b':
        data = gzip.decompress(data)
    if data[:4] == b'\x28\xb5\x2f\xfd':
        return None
    data = data[3:] if data[:3] == b'\xef\xbb\xbf' else data
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        return None
    rows = [row for row in csv.reader(io.StringIO(text, newline=''), delimiter=table['delimiter']) if row]
    return rows[1:] if table['header'] else rows


def compare(path, table):
    rows = expected_rows(path, table)
    if rows is None:
        return 'read (not compared)', ''
    if len(rows) != len(table['rows']):
        return 'WRONG', 'rows: Python %d, penstock %d' % (len(rows), len(table['rows']))
    for i, (row, found) in enumerate(zip(rows, table['rows'])):
        for c, (text, cell) in enumerate(zip(row, found)):
            if len(row) != len(found) or not same(cell, text):
                return 'WRONG', 'row %d column %d: Python %r, penstock %r' % (i, c, text[:60], cell)
    return 'equal', ''


def first_ragged(text, delimiter, quoting):
    """(line of its first byte, fields, fields of the first row) of the first row that is not as long as the first."""
    reader, first, line = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, quoting=quoting), None, 1
    for row in reader:
        if row and first is None:
            first = len(row)
        if row and len(row) != first:
            return line, len(row), first
        line = reader.line_num + 1
    return None


def place_is_right(path, err):
    """Whether what an error says stands where it says; None: it names no place."""
    data = open(path, 'rb').read()
    data = gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data
    match = re.search(r'line (\d+): NUL byte at byte offset (\d+)', err)
    if match:
        line, offset = int(match[1]), int(match[2])
        # A row that began in an earlier line needs a quote to get here.
        here = any(line == len(lines) or b'"' in b'\n'.join(lines[line - 1:]) for lines in ways_of_lines(data[:offset]))
        return data[offset] == 0 and data.index(b'\0') == offset and here
    match = re.search(r'the quote opened at line (\d+) column (\d+) is never closed', err)
    if match:
        return stands_at(data, int(match[1]), int(match[2]), b'"')
    match = re.search(r'line (\d+): expected (\d+) fields, found (\d+)', err)
    if match:
        wanted = int(match[1]), int(match[3]), int(match[2])
        text = data.decode('utf-8-sig', 'surrogateescape').replace('\0', ' ')
        return any(first_ragged(text, delimiter, quoting) == wanted
                   for delimiter in ',;\t| :^' for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE))
    return None


def stands_at(data, line, column, byte):
    for lines in ways_of_lines(data):
        if line <= len(lines) and lines[line - 1][column - 1:column] == byte:
            return True
    return False


def ways_of_lines(data):
    """Lines by line feeds alone, and by lone carriage returns as well."""
    return data.split(b'\n'), data.replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n')


def outcome(dump, path):
    # Chunks far smaller than a row; in the few large files small enough to cut everywhere, not so small as to take minutes.
    small = 'chunk=61' if os.path.getsize(path) < 1 << 20 else 'chunk=4093'
    results = [run(dump, path, way) for way in (*WAYS, ['threads=2', small])]
    code, out, err = results[0]
    if any(r[0] < 0 for r in results):
        return 'CRASH', str([r[0] for r in results])
    if any((r[0], r[1]) != (code, out) for r in results):
        return 'DIFFERS', str([(r[0], r[2].strip()) for r in results])
    if code == 0:
        return compare(path, json.loads(out))
    if code not in CODES or err.count('\n') != 1 or os.path.basename(path) not in err:
        return 'UNCLEAR', '%d %r' % (code, err)
    if place_is_right(path, err) is False:
        return 'MISPLACED', err.strip()
    for kind in ('expected', 'NUL byte', 'never closed', 'UTF-16', 'not UTF-8', 'damaged', 'too early', 'empty file'):
        if kind in err:
            return 'error: ' + ('fields' if ' fields, found' in err else kind), err.strip()
    return 'error: other', err.strip()


def main():
    dump, folder = sys.argv[1], sys.argv[2]
    if not os.path.isdir(folder):
        print('skipped: no folder', folder)
        return 77
    csv.field_size_limit(1 << 30)
    counts, bad, n = collections.Counter(), 0, 0
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if root == folder or name.endswith('.json'):
                continue
            path = os.path.join(root, name)
            try:
                kind, detail = outcome(dump, path)
            except subprocess.TimeoutExpired:
                kind, detail = 'HANG', ''
            counts[kind] += 1
            n += 1
            if kind.isupper():
                bad += 1
            if kind.isupper() or '--table' in sys.argv:
                print(kind, os.path.relpath(path, folder), detail, sep='\t')
    for kind, count in counts.most_common():
        print('%5d  %s' % (count, kind))
    print('%5d  files' % n)
    return 1 if bad or n == 0 else 0


sys.exit(main())
