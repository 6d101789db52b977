"""AWQ's scales and errors by AutoAWQ's own search.

The search and the rounding are AwqQuantizer's methods, run on one linear layer in torch; what its module
imports beside them (GPU kernels, transformers' models) is stubbed. The layer and its inputs are make_gptq.py's.

Writes awq.json: for each scheme the error of the layer's outputs on the inputs, sum((X W^T - X Q^T)^2), of AutoAWQ's
round-to-nearest and of what it makes with the scales of either form (the paper's, and duo_scaling); and
of one scheme the scales themselves (TestAWQ).

    pip download --no-deps --no-binary :all: autoawq==0.2.9 && tar xzf autoawq-0.2.9.tar.gz
    python make_awq.py autoawq-0.2.9
"""
import importlib.util
import json
import pathlib
import sys
import types

import torch

import make_gptq


def quantizer(source):
    """AutoAWQ's module of the search, without what needs a GPU."""
    for name in ("utils.calib_data", "utils.module", "modules.linear", "quantize.scale", "utils.utils"):
        stub = types.ModuleType("awq." + name)
        stub.__getattr__ = lambda _: (lambda *a, **k: None)
        sys.modules["awq." + name] = stub
    for name in ("awq", "awq.utils", "awq.modules", "awq.quantize"):
        sys.modules[name] = types.ModuleType(name)
    spec = importlib.util.spec_from_file_location("quantizer", pathlib.Path(source, "awq/quantize/quantizer.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AwqQuantizer


def main():
    kind = quantizer(sys.argv[1])
    w, x = make_gptq.weights(), make_gptq.inputs()

    def error(q):
        d = x.double() @ (w.double() - q.double()).t()
        return float((d * d).sum())

    made, kept = {}, {}
    for bits in (2, 3, 4, 8):
        for sym in (True, False):
            for group in (32, 64, 128, make_gptq.COLS):
                name = f"awq{'' if sym else '-asym'}:{bits}:{group if group < make_gptq.COLS else 'row'}"
                one = {}
                for duo in (False, True):
                    q = object.__new__(kind)
                    q.w_bit, q.group_size, q.zero_point, q.duo_scaling = bits, group, not sym, duo
                    q.n_parallel_calib_samples, q.max_chunk_memory = None, 1 << 30
                    one["rtn"] = error(q.pseudo_quantize_tensor(w.clone())[0])
                    layer = torch.nn.Linear(make_gptq.COLS, make_gptq.ROWS, bias=False)
                    layer.weight.data = w.clone()
                    scales = q._search_best_scale(layer, layer, [layer], x)[2].view(1, -1)
                    one["duo" if duo else "paper"] = error(q.pseudo_quantize_tensor(w * scales)[0] / scales)
                    if name == "awq-asym:3:64":
                        kept["duo" if duo else "paper"] = [float(f"{s:.8g}") for s in scales.flatten().tolist()]
                made[name] = one
    path = pathlib.Path(__file__).parent / "awq.json"
    path.write_text(json.dumps({"errors": made, "scales": kept}) + "\n")
    for name, m in made.items():
        print(f"{name:18}", *(f"{k} {v:12.4f}" for k, v in m.items()))


if __name__ == "__main__":
    main()
