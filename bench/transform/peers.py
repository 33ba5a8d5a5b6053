#!/usr/bin/env python3
"""The cases of bench_transform by scikit-learn, polars and pandas: same rows, same threads, same run.

  python3 bench/transform/peers.py [--rows 1048576] [--threads 1] [--turns 3] [--json FILE] [case ...]

Runs build/bench_transform once a turn and every peer after it, from arrays in memory to arrays in memory. A peer's time
counts only when its result equals ours, row by row: numbers within float32's rounding, ids one to one, and what rests
on quantiles within what the sketch's bound on ranks lets them be. Prints medians and how many times the peer's time is
ours. Threads wait without spinning, as cores may be shared."""
import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rows", type=int, default=1 << 20)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--turns", type=int, default=3)
parser.add_argument("--json", type=pathlib.Path)
parser.add_argument("cases", nargs="*")
options = parser.parse_args()
os.environ.update(POLARS_MAX_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads), OMP_WAIT_POLICY="passive",
                  OPENBLAS_NUM_THREADS=str(options.threads))
import numpy  # noqa: E402

program = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench_transform"
folder = pathlib.Path(tempfile.mkdtemp(prefix="bench_transform."))
N = options.rows
SKETCH = 131072


def run_ours():
    command = [str(program), str(N), str(options.threads), "all", str(folder)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["case"]: row for row in map(json.loads, lines)}


def read(name, dtype):
    return numpy.fromfile(folder / name, dtype=dtype)


ours = [run_ours()]
numbers = read("numbers.f64", numpy.float64).reshape(8, N)
codes = read("codes.i32", numpy.int32)
starts = read("companies.i64", numpy.int64)
text = (folder / "companies.txt").read_bytes()
companies = numpy.array([text[a:b].decode() for a, b in zip(starts, starts[1:])], dtype=object)
word_starts = read("words.i64", numpy.int64)
text = (folder / "words.txt").read_bytes().decode("ascii")
texts = [text[a:b] for a, b in zip(word_starts, word_starts[1:])]
strings = companies[codes]


def dense(name, columns):
    return read(f"{name}.dense", numpy.float32).reshape(-1, columns)


def ids(name, k=0):
    return read(f"{name}.ids{k}", numpy.int32)


def close(a, b):
    return bool(numpy.all(numpy.abs(a - b) <= 2e-6 * (numpy.abs(b) + 1)))


def one_to_one(a, b):
    pairs = numpy.unique(numpy.stack([a, b]), axis=1)
    return len(numpy.unique(pairs[0])) == pairs.shape[1] == len(numpy.unique(pairs[1]))


def by_frequency(a):
    counts = numpy.bincount(a)
    return bool(numpy.all(counts[:-1] >= counts[1:]))


def one_a_row(mine, theirs):
    """Rows with one 1 and zeros else, at places that are the peer's one to one."""
    ones = [numpy.array_equal(numpy.sort(numpy.unique(m)), [0, 1]) and bool(numpy.all(numpy.sum(m, axis=1) == 1))
            for m in (mine, theirs)]
    return all(ones) and one_to_one(numpy.argmax(mine, 1), numpy.argmax(theirs, 1))


# Share of the rows by which a rank of the sketch may be off: a value's level each compaction (sketch.h), both sides.
SKETCH_SHARE = 2 * (1 + max(0, numpy.ceil(numpy.log2(N / SKETCH)))) / SKETCH
peers = []


def peer(case, name):
    def register(work):
        peers.append((case, name, work))
        return work
    return register


# ---- scikit-learn ----

import sklearn  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.feature_extraction.text import HashingVectorizer, CountVectorizer, TfidfVectorizer  # noqa: E402
from sklearn.preprocessing import (KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, QuantileTransformer,  # noqa: E402
                                   RobustScaler, StandardScaler)
from sklearn.utils import murmurhash3_32  # noqa: E402

sk = f"scikit-learn {sklearn.__version__}"
rows8 = numpy.ascontiguousarray(numbers.T)


def standard_checked(result):
    result = numpy.nan_to_num(numpy.asarray(result), nan=0.0)
    return close(dense("zscore", 8), result)


@peer("zscore", sk)
def _():
    return StandardScaler().fit_transform(rows8), standard_checked


columns12 = numpy.ascontiguousarray(numbers[1:3].T)
columns14 = numpy.ascontiguousarray(numbers[1:5].T)


@peer("rank", sk)
def _():
    result = QuantileTransformer(n_quantiles=1001, subsample=None, copy=True).fit_transform(columns12)
    return result, lambda r: numpy.max(numpy.abs(dense("rank", 2) - r)) <= SKETCH_SHARE + 0.001  # one of 1001 quantiles


def buckets_agree(mine, theirs):
    """Ids of one column: neighbours, and only where one of 9 edges lies elsewhere within the sketch's bound."""
    apart = numpy.abs(mine - numpy.asarray(theirs, dtype=numpy.int64))
    return numpy.max(apart) <= 1 and numpy.mean(apart) <= 9 * SKETCH_SHARE


def buckets_checked(result):
    return all(buckets_agree(ids("bucketize", k), result[:, k]) for k in range(4))


def robust_checked(result):
    """(x - median) / (third - first quartile), for any median and quartiles that the sketch may give."""
    mine, e = dense("robust", 4), SKETCH_SHARE
    for k in range(4):
        x, y = columns14[:, k], numpy.asarray(result[:, k], dtype=numpy.float64)
        cut = {q + d: numpy.quantile(x, q + d) for q in (0.25, 0.5, 0.75) for d in (-e, e)}
        narrow, wide = cut[0.75 - e] - cut[0.25 + e], cut[0.75 + e] - cut[0.25 - e]
        corners = [(x - cut[0.5 + d]) / scale for d in (-e, e) for scale in (narrow, wide)]
        low, high = numpy.min(corners, axis=0), numpy.max(corners, axis=0)
        slack = 2e-6 * (1 + numpy.abs(y))
        if any(numpy.any((v < low - slack) | (v > high + slack)) for v in (mine[:, k], y)):
            return False
    return True


@peer("bucketize", sk)
def _():
    work = KBinsDiscretizer(10, encode="ordinal", strategy="quantile", subsample=None,
                            quantile_method="inverted_cdf")
    return work.fit_transform(columns14), buckets_checked


@peer("robust", sk)
def _():
    return RobustScaler().fit_transform(columns14), robust_checked


object_column = strings.reshape(-1, 1)


@peer("vocab_text", sk)
def _():
    return OrdinalEncoder(dtype=numpy.int32).fit_transform(object_column), lambda r: vocabulary_checked("vocab_text", r[:, 0])


def vocabulary_checked(case, theirs):
    return one_to_one(ids(case), theirs) and by_frequency(ids(case))


@peer("onehot", sk)
def _():
    result = OneHotEncoder(sparse_output=False, dtype=numpy.float32).fit_transform(codes.reshape(-1, 1))
    return result, lambda r: one_a_row(dense("onehot", r.shape[1]), r)


@peer("mixed", sk)
def _():
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    logarithm = make_pipeline(SimpleImputer(strategy="constant", fill_value=0), FunctionTransformer(numpy.log1p),
                              StandardScaler())
    work = ColumnTransformer([
        ("a", logarithm, [0]), ("b", MinMaxScaler(), [1]), ("c", make_pipeline(SimpleImputer(), StandardScaler()), [0]),
        ("d", KBinsDiscretizer(10, encode="ordinal", strategy="quantile", subsample=None,
                               quantile_method="inverted_cdf"), [2]),
        ("e", OrdinalEncoder(), [5]), ("f", FunctionTransformer(lambda x: numpy.max(x, axis=1, keepdims=True)), [3, 4])])
    result = work.fit_transform(mixed_rows)
    return result, lambda r: mixed_checked(r[:, [0, 1, 2, 5]], r[:, 3], r[:, 4])


def mixed_checked(numbers_, buckets, codes_):
    return close(dense("mixed", 4), numbers_) and buckets_agree(ids("mixed", 0), buckets) and one_to_one(
        ids("mixed", 1), codes_) and by_frequency(ids("mixed", 1))


mixed_rows = numpy.column_stack([numbers[:5].T, codes])


@peer("hash_words", sk)
def _():
    work = HashingVectorizer(n_features=262144, alternate_sign=False, norm=None, token_pattern=r"(?u)\b\w+\b")
    return work.fit_transform(texts), hashes_checked


def hashes_checked(result):
    """The same number of tokens a row; our ids are the unsigned hash of the words, worked out here word by word."""
    offsets, mine = read("hash_words.offsets", numpy.int64), ids("hash_words")
    lengths = numpy.asarray(result.sum(axis=1)).ravel()
    words = " ".join(texts[:2000]).lower().replace(".", " ").split()
    wanted = [murmurhash3_32(w, seed=0, positive=True) % 262144 for w in words]
    return numpy.array_equal(numpy.diff(offsets), lengths) and numpy.array_equal(mine[:len(wanted)], wanted)


@peer("vocab_words", sk)
def _():
    work = CountVectorizer(max_features=10000, token_pattern=r"(?u)\b\w+\b")

    def checked(r):
        """Ids by falling frequency: their counts are CountVectorizer's, sorted."""
        mine = ids("vocab_words")
        return numpy.array_equal(numpy.bincount(mine, minlength=10000),
                                 numpy.sort(numpy.asarray(r.sum(axis=0)).ravel())[::-1])
    return work.fit_transform(texts), checked


@peer("tfidf", sk)
def _():
    work = TfidfVectorizer(max_features=500, lowercase=False, norm=None, token_pattern=r"(?u)\b\w+\b")

    def checked(r):
        """Row by row the same numbers, in columns that are paired by their sums; those whose sums are near another's
        (words as frequent as one another) cannot be paired and are left out, at most one in five."""
        lengths = numpy.array([len(t.replace(".", " ").split()) for t in texts])
        theirs, mine = r.multiply(1 / lengths[:, None]).toarray(), dense("tfidf", 500)
        sums = [m.sum(axis=0, dtype=numpy.float64) for m in (mine, theirs)]
        order = [numpy.argsort(total) for total in sums]
        apart = numpy.diff(sums[1][order[1]]) > 1e-5 * sums[1][order[1]][1:]
        alone = numpy.concatenate([[False], apart[1:] & apart[:-1], [False]])
        return numpy.mean(alone) >= 0.8 and close(mine[:, order[0][alone]], theirs[:, order[1][alone]])
    return work.fit_transform(texts), checked


# ---- polars and pandas ----

try:
    import polars

    po = f"polars {polars.__version__}"
    frame = polars.DataFrame({f"x{k}": numbers[k] for k in range(8)}).with_columns(
        polars.col("x0").fill_nan(None), polars.Series("company", strings.tolist(), dtype=polars.String))
    frame = frame.with_columns(code=polars.col("company").cast(polars.Enum(companies.tolist())))
    text_frame = polars.DataFrame({"words": texts})
    col = polars.col

    def in_buckets(name):
        edges = [frame[name].quantile(k / 10, "higher") for k in range(1, 10)]
        return numpy.searchsorted(numpy.unique(edges), frame[name], "right")

    @peer("zscore", po)
    def _():
        scaled = [((col(c) - col(c).mean()) / col(c).std(ddof=0)).cast(polars.Float32) for c in frame.columns[:8]]
        return frame.select(scaled), lambda r: standard_checked(r.fill_null(0).to_numpy())

    @peer("bucketize", po)
    def _():
        result = [in_buckets(c) for c in frame.columns[1:5]]
        return result, lambda r: buckets_checked(numpy.stack(r, axis=1))

    @peer("robust", po)
    def _():
        scaled = [((col(c) - col(c).median()) / (col(c).quantile(0.75) - col(c).quantile(0.25))).cast(polars.Float32)
                  for c in frame.columns[1:5]]
        return frame.select(scaled), lambda r: robust_checked(r.to_numpy())

    def vocabulary(name):
        counts = frame[name].value_counts(sort=True).with_row_index("id")
        result = frame.select(name).join(counts.select(name, "id"), on=name, how="left", maintain_order="left")
        return result["id"]

    @peer("vocab_text", po)
    def _():
        return vocabulary("company"), lambda r: vocabulary_checked("vocab_text", r.to_numpy())

    @peer("vocab_codes", po)
    def _():
        return vocabulary("code"), lambda r: vocabulary_checked("vocab_codes", r.to_numpy())

    @peer("onehot", po)
    def _():
        result = frame.select("code").to_dummies().cast(polars.Float32)
        return result, lambda r: one_a_row(dense("onehot", r.width), r.to_numpy())

    @peer("zscore_by", po)
    def _():
        scaled = [((col(c) - col(c).mean().over("code")) / col(c).std(ddof=0).over("code")).cast(polars.Float32)
                  for c in ["x1", "x2"]]
        return frame.select(scaled), lambda r: close(dense("zscore_by", 2), r.to_numpy())

    @peer("mixed", po)
    def _():
        filled, logarithm = col("x0").fill_null(col("x0").mean()), col("x0").fill_null(0).log1p()
        result = frame.select(
            ((logarithm - logarithm.mean()) / logarithm.std(ddof=0)).cast(polars.Float32).alias("a"),
            ((col("x1") - col("x1").min()) / (col("x1").max() - col("x1").min())).cast(polars.Float32).alias("b"),
            ((filled - filled.mean()) / filled.std(ddof=0)).cast(polars.Float32).alias("c"),
            polars.max_horizontal("x3", "x4").cast(polars.Float32).alias("f"))
        return (result, in_buckets("x2"), vocabulary("code")), lambda r: mixed_checked(r[0].to_numpy(), r[1],
                                                                                       r[2].to_numpy())

    @peer("hash_words", po)
    def _():
        words = col("words").str.to_lowercase().str.extract_all(r"\w+")
        result = text_frame.select(words.list.eval(polars.element().hash() % 262144))  # by a hash of its own
        return result, lambda r: numpy.array_equal(numpy.diff(read("hash_words.offsets", numpy.int64)),
                                                   r["words"].list.len().to_numpy())
except ImportError:
    print("polars: not installed")
try:
    import pandas

    table = pandas.DataFrame({"x1": numbers[1], "x2": numbers[2], "code": codes})

    @peer("zscore_by", f"pandas {pandas.__version__}")
    def _():
        groups = table.groupby("code")[["x1", "x2"]]
        result = (table[["x1", "x2"]] - groups.transform("mean")) / groups.transform("std", ddof=0)
        return result.astype(numpy.float32), lambda r: close(dense("zscore_by", 2), r.to_numpy())
except ImportError:
    print("pandas: not installed")

chosen = [p for p in peers if not options.cases or p[0] in options.cases]
times = {(case, name): [] for case, name, _ in chosen}
checked = {}
for turn in range(options.turns):
    if turn > 0:
        ours.append(run_ours())
    for case, name, work in chosen:
        start = time.perf_counter()
        result, check = work()
        times[case, name].append(1e3 * (time.perf_counter() - start))
        if turn == 0:
            checked[case, name] = bool(check(result))
        del result

figures = []
print(f"| case | rows | penstock | peer | its time | times ours | equal |\n|---|---|---|---|---|---|---|")
for case, name, _ in chosen:
    mine, theirs = statistics.median(turn[case]["ms"] for turn in ours), statistics.median(times[case, name])
    ratios = sorted(t / turn[case]["ms"] for t, turn in zip(times[case, name], ours))
    figures.append({"case": case, "rows": ours[0][case]["rows"], "threads": options.threads, "ms": mine, "peer": name,
                    "peer_ms": theirs, "ratio": statistics.median(ratios), "ratios": ratios,
                    "equal": checked[case, name], "turns": options.turns, "repeats": ours[0][case]["n"]})
    f = figures[-1]
    print(f"| {case} | {f['rows']} | {mine:.1f} ms | {name} | {theirs:.1f} ms | "
          + (f"{f['ratio']:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})" if f["equal"] else "results differ")
          + f" | {'yes' if f['equal'] else 'NO'} |")
for file in folder.iterdir():
    file.unlink()
folder.rmdir()
if options.json:
    known = json.loads(options.json.read_text()) if options.json.exists() else []
    stamp = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    options.json.write_text(json.dumps(known + [{"date": stamp, "command": " ".join(sys.argv), "figures": figures}], indent=1) + "\n")
sys.exit(0 if all(f["equal"] for f in figures) else 1)
