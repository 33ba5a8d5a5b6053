"""Opens a feature store with h5py and checks that it explains itself.

    python3 tests/datasets/store_h5py.py split-eval.h5      (needs h5py; says so and exits 77 without it)
"""
import sys

try:
    import h5py
except ImportError:
    print("skipped: no h5py here")
    sys.exit(77)

store = h5py.File(sys.argv[1], "r")
assert store.attrs["format"] == b"penstock" and store.attrs["complete"] == 1
rows = int(store.attrs["rows"])
for name, column in store["columns"].items():
    kind, missing = column.attrs["type"].decode(), int(column.attrs["n_missing"])
    assert ("validity" in column) == (missing > 0), name
    if missing > 0:
        bits = column["validity"][:]
        present = sum(int(bits[i // 8]) >> (i % 8) & 1 for i in range(rows))
        assert present == rows - missing, name
    if kind == "bytes":
        offsets = column["offsets"][:]
        assert len(offsets) == rows + 1 and offsets[-1] == len(column["bytes"]), name
    elif kind != "none":
        values = column["values"][:]
        assert len(values) == rows, name
        if kind == "codes":
            offsets = column["dictionary/offsets"][:]
            assert values.max(initial=-1) < len(offsets) - 1 and offsets[-1] == len(column["dictionary/bytes"]), name
print(f"{len(store['columns'])} columns, {rows} rows: as described")
