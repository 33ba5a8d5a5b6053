#!/usr/bin/env python3
"""The numbers of text_conv_test.c that PyTorch computed: Conv1d, ReLU and the maximum over time, with autograd.

    text_conv_torch.py            (needs torch; prints C arrays)

Values are multiples of 1/32, so that float32 and float64 hold them exactly and no two windows tie.
"""
import torch

WIDTHS, FILTERS, DIM, VALUES = [2, 3], 2, 3, 6
ROWS = [[1, 4, 2, 5, 0], [3], [2, 2, 1], [], [5, 0, 3, 4, 1, 2, 0]]


def fraction(seed, *shape):
    n = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (((n * 37 + seed * 11) % 101 - 50) / 32).reshape(shape)


def main():
    table = fraction(1, VALUES, DIM).requires_grad_()
    filters = [fraction(2 + k, FILTERS, w, DIM).requires_grad_() for k, w in enumerate(WIDTHS)]
    bias = fraction(7, len(WIDTHS) * FILTERS).requires_grad_()
    weights = fraction(9, len(ROWS), len(WIDTHS) * FILTERS)
    rows = []
    for ids in ROWS:
        if not ids:
            rows.append(torch.zeros(len(WIDTHS) * FILTERS, dtype=torch.float64))
            continue
        parts = []
        for k, w in enumerate(WIDTHS):
            v = table[torch.tensor(ids)]
            v = torch.nn.functional.pad(v, (0, 0, 0, max(w - len(ids), 0)))  # zeros behind the last token
            conv = torch.nn.functional.conv1d(v.T[None], filters[k].permute(0, 2, 1),
                                              bias[k * FILTERS:(k + 1) * FILTERS])
            parts.append(torch.relu(conv).amax(dim=2)[0])
        rows.append(torch.cat(parts))
    y = torch.stack(rows)
    (y * weights).sum().backward()
    for name, value in [("y", y.detach()), ("dbias", bias.grad),
                        ("dfilters", torch.cat([f.grad.flatten() for f in filters])), ("dtable", table.grad)]:
        numbers = ", ".join(f"{float(x):.17g}" for x in value.flatten())
        print(f"static const double torch_{name}[] = {{{numbers}}};")


if __name__ == "__main__":
    main()
