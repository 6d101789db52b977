"""GPTQ's errors by AutoGPTQ's formula in torch, and by gptqmodel's own quantiser.

The formula: damped Hessian, Cholesky of the inverse, blocks of 128 columns, scales of a
group found when its first column is reached. gptqmodel 7.7.0 finds those of a block's groups when
the block is reached; of groups of 128, of rows and with act-order both are the same.

Writes gptq.json: for each scheme the error of the layer's outputs on the inputs,
sum((X W^T - X Q^T)^2), of round-to-nearest, of GPTQ and of gptqmodel's class GPTQ, each at the better of AutoGPTQ's and gptqmodel's damping. `engine/quantise` makes the
same W and X (TestGPTQ).

    python make_gptq.py
"""
import json
import math
import pathlib

import torch

ROWS, COLS, TOKENS = 24, 256, 1024
MASK = (1 << 64) - 1


def bits(i):
    h = (i + 0x9E3779B97F4A7C15) & MASK
    h = ((h ^ h >> 30) * 0xBF58476D1CE4E5B9) & MASK
    h = ((h ^ h >> 27) * 0x94D049BB133111EB) & MASK
    return h ^ h >> 31


def number(i):
    h = bits(i)
    return (sum(h >> 8 * n & 255 for n in range(4)) - 510) / 256


def weights():
    w = [[number(i * COLS + j) / 32 for j in range(COLS)] for i in range(ROWS)]
    return torch.tensor(w, dtype=torch.float32)


def inputs():
    x = []
    for t in range(TOKENS):
        row, last = [], 0.0
        for j in range(COLS):
            last = 0.75 * last + number(1 << 32 | (t * COLS + j))
            row.append(0.0 if j == 77 else last * (8 if j % 37 == 5 else 1))
        x.append(row)
    return torch.tensor(x, dtype=torch.float32)


class Quantizer:
    """gptqmodel's Quantizer with mse=0, perchannel=True."""

    def __init__(self, bits, sym):
        self.maxq, self.sym = 2**bits - 1, sym

    def find_params(self, x):
        zero = torch.zeros(x.shape[0])
        xmin, xmax = torch.minimum(x.min(1)[0], zero), torch.maximum(x.max(1)[0], zero)
        if self.sym:
            xmax = torch.maximum(xmin.abs(), xmax)
            xmin = -xmax
        none = (xmin == 0) & (xmax == 0)
        xmin[none], xmax[none] = -1, 1
        self.scale = (xmax - xmin) / self.maxq
        self.zero = torch.full_like(self.scale, (self.maxq + 1) / 2) if self.sym else torch.round(-xmin / self.scale)

    def quantize(self, x):
        s, z = self.scale.unsqueeze(1), self.zero.unsqueeze(1)
        return s * (torch.clamp(torch.round(x / s) + z, 0, self.maxq) - z)


def gptq(w, x, bits, sym, group, act, damp):
    w = w.clone()
    n = w.shape[1]
    h = torch.zeros(n, n)
    for part in x.split(256):
        h += part.t() @ part * (2 / len(x))
    dead = torch.diag(h) == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    quantizers = []
    q = Quantizer(bits, sym)
    if act:  # static groups
        for g in range(0, n, group):
            one = Quantizer(bits, sym)
            one.find_params(w[:, g : g + group])
            quantizers.append(one)
        perm = torch.argsort(torch.diag(h), descending=True)
        w, h = w[:, perm], h[perm][:, perm]
    h[range(n), range(n)] += damp * torch.mean(torch.diag(h))
    hinv = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    out = torch.zeros_like(w)
    for i1 in range(0, n, 128):
        i2 = min(i1 + 128, n)
        w1, err1 = w[:, i1:i2].clone(), torch.zeros(w.shape[0], i2 - i1)
        h1 = hinv[i1:i2, i1:i2]
        for i in range(i2 - i1):
            c = i1 + i
            if act:
                q = quantizers[perm[c] // group]
            elif c % group == 0:
                # The columns behind the block have not seen its errors yet.
                block = torch.cat([w1[:, i:], w[:, i2:]], 1)[:, :group]
                q.find_params(block)
            col = w1[:, i]
            out[:, c] = q.quantize(col.unsqueeze(1)).flatten()
            err = (col - out[:, c]) / h1[i, i]
            w1[:, i:] -= err.unsqueeze(1) @ h1[i, i:].unsqueeze(0)
            err1[:, i] = err
        w[:, i2:] -= err1 @ hinv[i1:i2, i2:]
    return out[:, torch.argsort(perm)] if act else out


def package(w, x, bits, sym, group, act, damp):
    """What gptqmodel's own quantiser makes of a layer, on a processor."""
    from gptqmodel.quantization import QuantizeConfig
    from gptqmodel.quantization.gptq import GPTQ

    config = QuantizeConfig(
        bits=bits, group_size=group if group < COLS else -1, sym=sym, desc_act=act, static_groups=act, act_group_aware=False, damp_percent=damp
    )
    layer = torch.nn.Linear(COLS, ROWS, bias=False)
    layer.weight.data = w.clone()
    one = GPTQ(layer, config)
    one.quantizer.configure(perchannel=True)
    for part in x.split(256):
        one.add_batch(part.unsqueeze(0), None)
    return one.quantize()[0].float().reshape(ROWS, COLS)


def main():
    w, x = weights(), inputs()

    def error(q):
        d = x.double() @ (w.double() - q.double()).t()
        return float((d * d).sum())

    made = {}
    for bits in (2, 3, 4, 8):
        for sym in (True, False):
            for group in (32, 64, 128, COLS):
                rtn = Quantizer(bits, sym)
                nearest = []
                for g in range(0, COLS, group):
                    rtn.find_params(w[:, g : g + group])
                    nearest.append(rtn.quantize(w[:, g : g + group]))
                for act in (False, True):
                    best, own = (min(error(by(w, x, bits, sym, group, act, damp)) for damp in (0.01, 0.05)) for by in (gptq, package))
                    name = f"gptq{'' if sym else '-asym'}:{bits}:{group if group < COLS else 'row'}{':act' if act else ''}"
                    made[name] = {"rtn": error(torch.cat(nearest, 1)), "gptq": best, "gptqmodel": own}
    check = {"w": float(w.double().abs().sum()), "x": float(x.double().abs().sum())}
    path = pathlib.Path(__file__).parent / "gptq.json"
    path.write_text(json.dumps({"sums": check, "errors": made}, indent=1) + "\n")
    for name, m in made.items():
        print(f"{name:24} rtn {m['rtn']:12.3f}  gptq {m['gptq']:12.3f}  gptqmodel {m['gptqmodel']:12.3f}")
    assert all(math.isfinite(m["gptq"]) for m in made.values())


if __name__ == "__main__":
    main()
