"""bench_trainer beside PyTorch on the same rows, from the same first parameters.

    python3 bench/trainer/peers.py BENCH_TRAINER [--device cuda] [--json FILE] [--rounds N]

PyTorch at its best of several forms of the same step: all embeddings in one table of width 16 + 1 (deep and wide part
in one look-up), sparse gradients with SparseAdam (moments move where a row is met, as in ours), fused Adam for the
rest, flush of denormals on; eager, and compiled where that is faster (on a GPU also with CUDA graphs, TF32 off as in
ours). Batches are views of the device's memory. The losses of the first steps must agree before a time counts. Rounds alternate; a ratio is PyTorch's median over ours in one round.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

DENSE, IDS, VALUES, DIM, SHOWN = 13, 26, 50000, 16, 8


class WideDeep(torch.nn.Module):
    def __init__(self, hidden, values):
        super().__init__()
        n_in = IDS * DIM + DENSE
        shapes = list(zip([n_in, *hidden], [*hidden, 1]))
        at = 0

        def take(*shape):
            nonlocal at
            n = int(np.prod(shape))
            at += n
            return torch.from_numpy(values[at - n:at].reshape(shape).copy())

        weights = [take(i, o) for i, o in shapes]
        wide = take(DENSE, 1)
        biases = [take(o) for _, o in shapes]
        wide_bias = take(1)
        table = torch.empty(IDS * VALUES, DIM + 1)
        for f in range(IDS):
            rows = slice(f * VALUES, (f + 1) * VALUES)
            table[rows, :DIM] = take(VALUES, DIM)
            table[rows, DIM:] = take(VALUES, 1)
        assert at == len(values)
        self.table = torch.nn.Parameter(table)
        self.layers = torch.nn.ModuleList()
        for w, b in zip(weights, biases):
            layer = torch.nn.Linear(*w.shape)
            layer.weight = torch.nn.Parameter(w.T.contiguous())
            layer.bias = torch.nn.Parameter(b)
            self.layers.append(layer)
        self.wide = torch.nn.Linear(DENSE, 1)
        self.wide.weight = torch.nn.Parameter(wide.T.contiguous())
        self.wide.bias = torch.nn.Parameter(wide_bias)

    def dense_parameters(self):
        return [p for name, p in self.named_parameters() if name != "table"]

    def head(self, rows, dense, label):
        n = dense.shape[0]
        x = torch.cat([rows[:, :, :DIM].reshape(n, -1), dense], 1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        logits = self.layers[-1](x) + self.wide(dense) + rows[:, :, DIM].sum(1, keepdim=True)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], label)


FORMS = {"eager": None, "compiled": "default", "graphs": "reduce-overhead"}


class Peer:
    def __init__(self, hidden, values, device, mode):
        self.model = WideDeep(hidden, values).to(device)
        self.head = torch.compile(self.model.head, mode=mode) if mode else self.model.head
        self.sparse = torch.optim.SparseAdam([self.model.table], lr=1e-3)
        self.rest = torch.optim.Adam(self.model.dense_parameters(), lr=1e-3, fused=True)

    def step(self, ids, dense, label):
        rows = torch.nn.functional.embedding(ids, self.model.table, sparse=True)
        loss = self.head(rows, dense, label)
        self.sparse.zero_grad()
        self.rest.zero_grad()
        loss.backward()
        self.sparse.step()
        self.rest.step()
        return loss


def batches(folder, batch, device):
    dense = torch.from_numpy(np.fromfile(folder + "/dense.f32", np.float32).reshape(-1, DENSE)).to(device)
    ids = np.fromfile(folder + "/ids.i32", np.int32).reshape(-1, IDS) + np.arange(IDS, dtype=np.int32) * VALUES
    ids = torch.from_numpy(ids.astype(np.int64)).to(device)
    label = torch.from_numpy(np.fromfile(folder + "/label.f32", np.float32)).to(device)
    n = len(label) // batch
    return [(ids[i * batch:(i + 1) * batch], dense[i * batch:(i + 1) * batch], label[i * batch:(i + 1) * batch])
            for i in range(n)]


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def run_peer(peer, data, at, device, seconds):
    """A step on the CPU, or a burst of steps that is waited for on a GPU, is one time."""
    burst, times, started = 1 if device == "cpu" else 50, [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < seconds:
        before = time.perf_counter()
        for _ in range(burst):
            peer.step(*data[at % len(data)])
            at += 1
        wait(device)
        times.append((time.perf_counter() - before) / burst)
    return at, statistics.median(times) * 1e3


def run_ours(bench, config, seconds, folder=None):
    command = [bench, "--device", config["device"], "--rows", str(config["rows"]), "--batch", str(config["batch"]), "--hidden", config["hidden"].replace("-", ","),
               "--threads", str(config["threads"]), "--seconds", str(seconds)]
    return json.loads(subprocess.run(command + (["--share", folder] if folder else []), check=True,
                                     capture_output=True, text=True).stdout)


def prepare(config, folder, values, losses):
    """The forms of the peer whose losses agree, each warmed up."""
    device, forms = config["device"], {}
    data = batches(folder, config["batch"], device)
    for name, mode in FORMS.items():
        if name == "graphs" and device == "cpu":
            continue
        try:
            peer = Peer([int(h) for h in config["hidden"].split("-")], values, device, mode)
            found = [float(peer.step(*data[i % len(data)]).detach()) for i in range(SHOWN)]
        except Exception as error:  # a form that cannot run here is told, not counted
            print(f"torch {name}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        worst = max(abs(a - b) for a, b in zip(found, losses))
        if worst > 2e-4:
            sys.exit(f"{config}: torch {name}: expected the losses {losses}, found {found}")
        forms[name] = peer, worst
    return data, forms


def compare(bench, config, rounds, seconds):
    torch.set_num_threads(config["threads"])
    with tempfile.TemporaryDirectory() as folder:
        first = run_ours(bench, config, 0.1, folder)
        values = np.fromfile(folder + "/values.f32", np.float32)
        data, forms = prepare(config, folder, values, first["losses"])
    at, best = {name: SHOWN for name in forms}, []
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(run_ours(bench, config, seconds)["median_ms"])
        times = {}
        for name, (peer, _) in forms.items():
            at[name], times[name] = run_peer(peer, data, at[name], config["device"], seconds)
        name = min(times, key=times.get)
        best.append(name)
        theirs.append(times[name])
    ratios = [b / a for a, b in zip(ours, theirs)]
    return {**config, "ours_ms": round(statistics.median(ours), 3), "torch_ms": round(statistics.median(theirs), 3),
            "torch_form": max(set(best), key=best.count), "ratio": round(statistics.median(ratios), 2),
            "ratio_low": round(min(ratios), 2), "ratio_high": round(max(ratios), 2), "n": rounds,
            "largest_loss_difference": max(w for _, w in forms.values())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rows", type=int, default=65536)
    parser.add_argument("--hidden", nargs="*", default=["512-256-128", "64-64"])
    parser.add_argument("--batch", nargs="*", type=int, default=[1024, 8192])
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    args = parser.parse_args()
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    results = []
    for hidden in args.hidden:
        for batch in args.batch:
            for threads in args.threads if args.device == "cpu" else [1]:
                config = {"device": args.device, "rows": args.rows, "hidden": hidden, "batch": batch,
                          "threads": threads}
                results.append(compare(args.bench, config, args.rounds, args.seconds))
                print(json.dumps(results[-1]), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            card = torch.cuda.get_device_name() if args.device == "cuda" else None
            json.dump({"torch": torch.__version__, "card": card, "results": results}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
