"""Makes written.json: what other programs make of the checkpoints that `softbench quantize` writes.

    go build -o /tmp/softbench ./cmd/softbench
    python make_written.py /tmp/softbench

For each scheme and layout, of tiny/: the SHA-256 of each dequantised weight's float32 numbers. GPTQ's
layout is loaded into GPTQModel's layer in torch (into its own buffers, zero points converted by its own
function), the others go through compressed-tensors' decompressors and bitsandbytes. GPTQModel wants
logbar, tokenicer, device-smi, threadpoolctl, defuser, pypcre and torchao beside it.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import types

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
SCHEMES = [
    ("rtn:2:32", ""), ("rtn:3:row", ""), ("rtn:4:32", ""), ("rtn:8:32", ""), ("rtn-asym:4:32", ""), ("fp8:8:row", ""), ("w8a8", ""), ("nf4:4:32", ""), ("fp4:4:32", ""),
    ("rtn:2:32", "gptq"), ("rtn:3:32", "gptq"), ("rtn:4:32", "gptq"), ("rtn:4:row", "gptq"), ("rtn:8:row", "gptq"),
    ("rtn-asym:2:32", "gptq"), ("rtn-asym:3:row", "gptq"), ("rtn-asym:4:32", "gptq"), ("rtn-asym:8:32", "gptq"),
]


def gptq(parts, config):
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.quantization import FORMAT
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module

    inputs, out = len(parts["g_idx"]), parts["scales"].shape[1]
    layer = TorchLinear(bits=config["bits"], group_size=config["group_size"], sym=config["sym"], desc_act=config["desc_act"], in_features=inputs,
                        out_features=out, bias=False, pack_dtype=torch.int32, register_buffers=True, format=FORMAT(config["checkpoint_format"]))
    layer.load_state_dict(parts, strict=True)
    if config["checkpoint_format"] == "gptq":
        convert_gptq_v1_to_v2_format_module(layer, config["bits"], torch.int32)
    layer.post_init()
    return layer.dequantize_weight().T


def compressed(parts, config):
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationScheme

    c = BaseCompressor.get_value_from_registry(config["format"])
    c = c if isinstance(c, type) else BaseCompressor.load_from_registry(config["format"])
    return c.decompress(dict(parts), QuantizationScheme(**config["config_groups"]["group_0"]))["weight"]


def bitsandbytes(parts, config):
    import bitsandbytes.functional as F

    rest = {k.removeprefix("weight."): v for k, v in parts.items() if k != "weight"}
    return F.dequantize_4bit(parts["weight"], F.QuantState.from_dict(rest, device=torch.device("cpu")))


def main():
    made = []
    for scheme, layout in SCHEMES:
        method, bits, group = (scheme + "::").split(":")[:3]
        with tempfile.TemporaryDirectory() as temp:
            args = [sys.argv[1], "quantize", str(HERE / "tiny"), "--method", method, "-o", temp + "/m"]
            args += ["--bits", bits] if bits else []
            args += ["--group", group] if group else []
            args += ["--layout", layout] if layout else []
            subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
            config = json.loads(pathlib.Path(temp, "m", "config.json").read_text())["quantization_config"]
            if layout == "gptq":
                assert config == json.loads(pathlib.Path(temp, "m", "quantize_config.json").read_text())
            tensors = load_file(temp + "/m/model.safetensors")
        read = {"gptq": gptq, "compressed-tensors": compressed, "bitsandbytes": bitsandbytes}[config["quant_method"]]
        hashes = {}
        for module in sorted({k.split("_proj.")[0] + "_proj" for k in tensors if "_proj." in k}):
            parts = {k.removeprefix(module + "."): v for k, v in tensors.items() if k.startswith(module + ".")}
            with torch.no_grad():
                weight = read(parts, config).float().contiguous()
            hashes[module + ".weight"] = hashlib.sha256(weight.numpy().tobytes()).hexdigest()[:32]
        made.append(dict(scheme=scheme, layout=layout, weights=hashes))
        print(scheme, layout, len(hashes), flush=True)
    (HERE / "written.json").write_text(json.dumps(made, indent=1) + "\n")


main()
