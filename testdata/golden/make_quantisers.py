"""Makes quantisers.json: what the references' quantisers make of one small matrix.

    python make_quantisers.py

The matrix, 8 by 256, is computed from its indexes, here and in the test. For each
scheme and number format there is the SHA-256 of the codes (a byte each), of the
scales, zeros and dequantised numbers (float32); for HQQ the numbers themselves.
References: compressed-tensors (rtn, rtn-asym, fp8), bitsandbytes on the CPU (nf4,
fp4), hqq with groups along rows (axis=1): compressed-tensors 0.20.1, bitsandbytes 0.50.2, hqq 0.2.8.post1.
"""

import hashlib
import json
import pathlib

import bitsandbytes.functional as bnb
import numpy as np
import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward_helpers import _dequantize, _quantize
from compressed_tensors.quantization.utils import calculate_qparams, calculate_range
from hqq.core.quantize import Quantizer

ROWS, COLS = 8, 256


def matrix():
    h = np.arange(ROWS * COLS, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    b = [((h >> np.uint64(8 * i)) & np.uint64(255)).astype(np.float64) for i in range(6)]
    w = (b[0] + b[1] + b[2] + b[3] - 510 + b[4] / 256) / 8192 * np.where(b[5] < 4, 8, 1)
    w = w.reshape(ROWS, COLS)
    w[5], w[6, :128] = 0, 0.375
    return torch.from_numpy(w.astype(np.float32))


def sha(x):
    return hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()


def floats(x):
    return x.detach().float().contiguous().numpy()


def nearest(w, bits, group, symmetric, kind="int"):
    args = QuantizationArgs(num_bits=bits, type=kind, symmetric=symmetric, strategy="group", group_size=group)
    x = w.reshape(-1, group)
    scale, zero = calculate_qparams(x.amin(1), x.amax(1), args)
    low, high = calculate_range(args, "cpu")
    scale, zero = scale[:, None], zero[:, None]
    q = _quantize(x, scale, zero, low, high, args, dtype=torch.int8 if kind == "int" else torch.float8_e4m3fn)
    back = _dequantize(q, scale, zero)
    if kind == "float":
        return q.view(torch.uint8).numpy(), scale, None, back
    half = 1 << bits - 1
    return (q.to(torch.int16).numpy() + half).astype(np.uint8), scale, None if symmetric else zero.float() + half, back


def four(w, kind, group):
    q, state = bnb.quantize_4bit(w, blocksize=group, quant_type=kind)
    q = q.numpy().reshape(-1)
    return np.stack([q >> 4, q & 15], 1), state.absmax, None, bnb.dequantize_4bit(torch.from_numpy(q)[:, None], state)


def hqq(w, bits, group):
    q, meta = Quantizer.quantize(w, nbits=bits, group_size=group, axis=1, bitpack=False, device="cpu", compute_dtype=torch.float32)
    meta["compute_dtype"] = torch.float32
    return q.numpy().astype(np.uint8), meta["scale"], meta["zero"], Quantizer.dequantize(q, meta)


def main():
    w32 = matrix()
    out = {"weights": sha(w32.numpy()), "schemes": {}}

    def put(name, made, whole=False):
        codes, scale, zero, back = made
        entry = {"codes": sha(codes), "scales": sha(floats(scale)), "numbers": sha(floats(back))}
        if zero is not None:
            entry["zeros"] = sha(floats(zero))
        if whole:
            entry = {"codes": codes.tobytes().hex(), "scales": floats(scale).reshape(-1).tolist(), "zeros": floats(zero).reshape(-1).tolist()}
        out["schemes"][name] = entry

    for fmt, dtype in {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}.items():
        w = w32.to(dtype)
        for group, label in ((32, "32"), (64, "64"), (128, "128"), (COLS, "row")):
            for bits in (2, 3, 4, 8):
                put(f"rtn:{bits}:{label} {fmt}", nearest(w, bits, group, True))
                put(f"rtn-asym:{bits}:{label} {fmt}", nearest(w, bits, group, False))
                if fmt == "F32":
                    put(f"hqq:{bits}:{label} {fmt}", hqq(w, bits, group), whole=True)
            for kind in ("nf4", "fp4"):
                put(f"{kind}:4:{label} {fmt}", four(w, kind, group))
            put(f"fp8:8:{label} {fmt}", nearest(w, 8, group, True, "float"))
    path = pathlib.Path(__file__).parent / "quantisers.json"
    path.write_text("{\n" + f' "weights": "{out["weights"]}",\n "schemes": {{\n' +
                    ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in out["schemes"].items()) + "\n }\n}\n")


main()
