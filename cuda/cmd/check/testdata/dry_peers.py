#!/usr/bin/env python3
"""Runs peers.py to its last line without a GPU: tensors stay on the processor, clocks take
the place of events, sizes are small, and this file stands in for cuda-check.

    dry_peers.py FOLDER [wrong]     peers.py lies in FOLDER; wrong: gemm's result is not the product
    dry_peers.py -only ... -out DIR -operands DIR     as cuda-check is asked
"""
import json, os, sys, time

import torch

TOKENS, WIDTH, SIZE = 4096, 64, 64


def check(out):
    import peers
    torch.manual_seed(0)
    rows = []

    def row(kernel, shape, tensors):
        rows.append({"kernel": kernel, "shape": shape, "ms": 1.0})
        for i, x in enumerate(tensors):
            name = f"{kernel} {shape} {i}".replace(" ", "_").replace(",", "")
            with open(os.path.join(out, name), "wb") as f:
                f.write(x.contiguous().flatten().view(torch.uint8).numpy().tobytes())

    a, w = torch.randn(512, 32).bfloat16(), torch.randn(64, 32).bfloat16()
    c = (a.double() @ w.double().T).float()
    row("gemm", "512 x 64 x 32", [a, w, c + 1 if os.environ.get("WRONG") else c])
    q, k, v = (torch.randn(TOKENS, WIDTH).bfloat16() * x for x in (0.1, 1, 1))
    heads = [x.view(TOKENS // 2048, 2048, WIDTH // SIZE, SIZE).transpose(1, 2) for x in (q, k, v)]
    o = peers.reference(*heads, False).transpose(1, 2).bfloat16()
    row("attention softmax", f"head size {SIZE}, 2048 tokens", [q, k, v, o])
    row("attention softmax", f"head size {SIZE}, 4096 tokens", [])
    row("attention softpick", f"head size {SIZE}, 4096 tokens", [])  # none of 2048 before it
    with open(os.path.join(out, "timings.json"), "w") as f:
        json.dump(rows, f)


class Clock:
    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        self.at = time.time()

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return 60 + (other.at - self.at) * 1e3


def main():
    if "-out" in sys.argv:
        sys.path.insert(0, os.environ["PEERS"])
        return check(sys.argv[sys.argv.index("-out") + 1])
    folder = os.environ["PEERS"] = sys.argv[1]
    if "wrong" in sys.argv:
        os.environ["WRONG"] = "1"
    sys.path.insert(0, folder)
    import peers
    torch.cuda.is_available = lambda: True
    torch.cuda.get_device_name = lambda: "a processor"
    torch.cuda.Event = Clock
    torch.Tensor.cuda = lambda x: x
    randn = torch.randn
    torch.randn = lambda *sizes, device=None: randn(*sizes)
    peers.TOKENS, peers.WIDTH, peers.ROUNDS, peers.LAUNCHES, peers.BEYOND = TOKENS, WIDTH, 1, 1, 1
    sys.argv = ["peers.py", os.path.abspath(__file__)]
    return peers.main()


sys.exit(main())
