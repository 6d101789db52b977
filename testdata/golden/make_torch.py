"""Makes formats/torch: the weights of models/llama-llama3 as torch.save writes them.

whole.bin is one file, with a tensor whose rows are columns, parameters and a number
beside the tensors; hostile.bin calls a function of the system when Python loads it.
"""

import os
import pathlib
import sys

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
MODEL = sys.argv[1] if len(sys.argv) > 1 else "llama-llama3"


class Hostile:
    def __reduce__(self):
        return os.system, ("echo this was run",)


if __name__ == "__main__":
    out = HERE / "formats" / "torch"
    out.mkdir(parents=True, exist_ok=True)
    weights = load_file(HERE / "models" / MODEL / "model.safetensors")
    names = sorted(weights)
    turned = next(n for n in names if n.endswith("q_proj.weight"))
    weights[turned] = weights[turned].T.contiguous().T
    weights[names[0]] = torch.nn.Parameter(weights[names[0]])
    torch.save(weights | {"step": 7}, out / "whole.bin")
    torch.save({names[0]: weights[names[0]], "x": Hostile()}, out / "hostile.bin")
