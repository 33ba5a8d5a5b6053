#!/usr/bin/env python3
"""The same sliced evaluation by scikit-learn: eight metrics of every slice, on the scores bench_evaluator wrote.

  build/bench_evaluator 2000000 200 /tmp/scores.bin > ours.jsonl
  python3 bench/evaluator/peers.py /tmp/scores.bin ours.jsonl

scikit-learn gets its rows sorted by slice beforehand, without counting that. Values of slice 0 must agree before a time
counts; prints the ratio of times, scikit-learn / ours, one thread each."""
import json
import sys
import time

import numpy
import sklearn
from sklearn import metrics

path, ours_path = sys.argv[1], sys.argv[2]
lines = [json.loads(line) for line in open(ours_path)]
ours = next(line for line in lines if line["threads"] == 1 and line["intervals"] == "none")
raw = numpy.fromfile(path, dtype=numpy.uint32).reshape(3, -1)
score, label, group = raw[0].view(numpy.float32).astype(float), raw[1].astype(int), raw[2].astype(int)
order = numpy.argsort(group, kind="stable")
score, label, group = score[order], label[order], group[order]
ends = numpy.searchsorted(group, numpy.arange(ours["slices"] + 1))


def evaluate(y, p):
    decided = p > 0.5
    return {"auc": metrics.roc_auc_score(y, p), "pr_auc": metrics.average_precision_score(y, p),
            "accuracy": metrics.accuracy_score(y, decided), "precision": metrics.precision_score(y, decided),
            "recall": metrics.recall_score(y, decided), "f1": metrics.f1_score(y, decided),
            "logloss": metrics.log_loss(y, p), "brier": metrics.brier_score_loss(y, p)}


begin = time.perf_counter()
results = [evaluate(label[a:b], score[a:b]) for a, b in zip(ends[:-1], ends[1:])]
seconds = time.perf_counter() - begin
for name, value in results[0].items():
    assert abs(value - ours[name]) < 1e-9, (name, value, ours[name])
print(json.dumps({"schema": 1, "peer": f"scikit-learn {sklearn.__version__}", "rows": ours["rows"],
                  "slices": ours["slices"], "seconds": round(seconds, 3), "ours": ours["seconds"],
                  "ratio": round(seconds / ours["seconds"], 1)}))
