"""Makes formats/quantised: small random llamas (and a gpt_oss) in each quantised format.

    python make_quantised.py [NAME...]

NAME/ is the checkpoint; NAME.json holds the SHA-256 of each dequantised weight's
float32 numbers, as the format's reference makes them, and what transformers computes
with those weights in float32. References: compressed-tensors' compressors, bitsandbytes
on the CPU, transformers' convert_moe_packed_tensors and fp8 rule, torch, GPTQModel's
packing and its layer in torch; AWQ is packed and unpacked here by the formula of AutoAWQ's.
GPTQModel wants logbar, tokenicer, device-smi, threadpoolctl and defuser beside it.
"""

import hashlib
import json
import pathlib
import shutil
import sys
import tempfile
import types
from unittest import mock

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

from make_families import pack, random, spread

HERE = pathlib.Path(__file__).parent / "formats" / "quantised"
LENGTHS = [1, 2, 17, 40]
LLAMA = dict(model_type="llama", hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=101, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
OSS = dict(LLAMA, model_type="gpt_oss", head_dim=8, num_local_experts=3, num_experts_per_tok=2, sliding_window=12, rope_scaling=dict(
    rope_type="yarn", factor=2.0, original_max_position_embeddings=32, beta_fast=32.0, beta_slow=1.0, truncate=False))


def bits_of(values, bits):
    """Rows of whole numbers as dense strings of bits in int32 words."""
    rows, cols = values.shape
    flat = ((values[:, :, None] >> np.arange(bits)) & 1).reshape(rows, -1)
    flat = np.pad(flat, ((0, 0), (0, -flat.shape[1] % 32))).astype(np.uint64)
    words = (flat.reshape(rows, -1, 32) << np.arange(32, dtype=np.uint64)).sum(-1)
    return torch.from_numpy(words.astype(np.uint32).view(np.int32).copy())


def gptqmodel():
    """GPTQModel's layer in torch, without what it loads beside it."""
    for absent in ("pcre", "torchao", "PIL", "PIL.Image"):  # not used here
        sys.modules.setdefault(absent, mock.MagicMock())
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.quantization import FORMAT
    from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module
    return TorchLinear, FORMAT, convert_gptq_v2_to_v1_format_module


def gptq(bits, group, order=False, v2=False):
    def one(name, w, rng):
        linear, formats, to_v1 = gptqmodel()
        out, inputs = w.shape
        size = inputs if group < 0 else group
        layer = linear(bits=bits, group_size=group, sym=False, desc_act=order, in_features=inputs, out_features=out, bias=False, format=formats.GPTQ_V2)
        scale = torch.from_numpy(rng.uniform(0.1, 0.8, (out, inputs // size)) / 2**bits).half().float()
        zero = torch.from_numpy(rng.integers(0, 2**bits, (out, inputs // size)))
        g = torch.from_numpy((rng.permutation(inputs) if order else np.arange(inputs)) // size).int()
        stored = torch.nn.Linear(inputs, out, bias=False)
        stored.weight.data = w.clone()
        layer.pack_original(stored, scale, zero, g)
        back = layer.dequantize_weight().T.contiguous()
        if not v2:
            to_v1(layer, types.SimpleNamespace(bits=bits, pack_dtype=torch.int32))
        made = {k: getattr(layer, k).clone() for k in ("qweight", "qzeros", "scales")}
        if order:
            made["g_idx"] = g
        return made, back
    return one


def awq(group):
    def one(name, w, rng):
        out, inputs = w.shape
        groups = inputs // group
        scale = torch.from_numpy(rng.uniform(0.01, 0.08, (groups, out))).half()
        q, zero = rng.integers(0, 16, (inputs, out)), rng.integers(0, 16, (groups, out))
        put = lambda x: bits_of(x.reshape(len(x), -1, 8)[:, :, [0, 2, 4, 6, 1, 3, 5, 7]].reshape(len(x), -1), 4)
        back = ((torch.from_numpy(q) - torch.from_numpy(zero).repeat_interleave(group, 0)) * scale.repeat_interleave(group, 0)).T
        return {"qweight": put(q), "qzeros": put(zero), "scales": scale}, back
    return one


def compressed(fmt, strategy, bits=4, kind="int", symmetric=True, order=False, **args):
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(num_bits=bits, type=kind, strategy=strategy, symmetric=symmetric, **args))

    def one(name, w, rng):
        c = BaseCompressor.load_from_registry(fmt) if not isinstance(BaseCompressor.get_value_from_registry(fmt), type) else BaseCompressor.get_value_from_registry(fmt)
        out, inputs = w.shape
        shape = {"tensor": (1,), "channel": (out, 1), "group": (out, inputs // args.get("group_size", inputs)),
                 "block": (-(-out // 24), -(-inputs // 24))}[strategy]
        low, high = (0.002, 0.01) if kind == "float" else (0.1 / 2 ** (bits - 1), 0.8 / 2 ** (bits - 1))
        state = {"weight": w.bfloat16(), "weight_scale": torch.from_numpy(rng.uniform(low, high, shape)).bfloat16()}
        if not symmetric:
            state["weight_zero_point"] = torch.from_numpy(rng.integers(-3, 4, shape)).to(torch.int8)
        if not order:
            made = c.compress(dict(state), scheme)
            return {k: v for k, v in made.items()}, c.decompress(dict(made), scheme)["weight"]
        # The version here has no weight_g_idx any more; 0.12.2 put the columns in the order of their
        # groups, and back again, in lifecycle/forward.py.
        g = torch.from_numpy(rng.permutation(inputs) // args["group_size"]).int()
        there = torch.argsort(g, stable=True)
        sorted_made = c.compress(dict(state, weight=state["weight"][:, there]), scheme)
        back = c.decompress(dict(sorted_made), scheme)["weight"]
        from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32, unpack_from_int32
        codes = unpack_from_int32(sorted_made["weight_packed"], bits, w.shape)[:, torch.argsort(there)]
        return dict(sorted_made, weight_packed=pack_to_int32(codes, bits), weight_g_idx=g), back[:, torch.argsort(there)]
    return one


def fp8(block=None, dtype=torch.float8_e4m3fn, name_of="weight_scale_inv", per="block"):
    def one(name, w, rng):
        out, inputs = w.shape
        if per == "block":
            shape = (-(-out // block), -(-inputs // block))
        else:
            shape = {"tensor": (), "channel": (out, 1)}[per]
        scale = torch.from_numpy(np.asarray(rng.uniform(0.002, 0.01, shape))).float()
        full = scale.repeat_interleave(block, 0).repeat_interleave(block, 1)[:out, :inputs] if per == "block" else scale
        q = (w / full).clamp(-400, 400).to(dtype)
        return {"weight": q, name_of: scale}, q.float() * full
    return one


def bnb4(kind, dtype, nested):
    import bitsandbytes.functional as F

    def one(name, w, rng):
        q, state = F.quantize_4bit(w.to(dtype), blocksize=64, compress_statistics=nested, quant_type=kind)
        made = {"weight": q}
        for k, v in state.as_dict(packed=True).items():
            made["weight." + k] = v
        return made, F.dequantize_4bit(q, state) + 0  # FP4 has a zero below zero, which some of their kernels keep and some do not
    return one


def bnb8(name, w, rng):
    import bitsandbytes.functional as F

    scale = w.abs().amax(1)
    q = torch.round(w * (127 / scale[:, None])).to(torch.int8)
    return {"weight": q, "SCB": scale, "weight_format": torch.tensor(0, dtype=torch.uint8)}, F.int8_vectorwise_dequant(q, scale)


def plain(dtype):
    return lambda name, w, rng: ({"weight": w.to(dtype)}, w.to(dtype).float())


CT = lambda fmt, weights, inputs=None: dict(quant_method="compressed-tensors", format=fmt, config_groups={"group_0": {
    "targets": ["Linear"], "weights": weights, "input_activations": inputs}}, ignore=["lm_head"])
TOKEN = dict(num_bits=8, type="int", symmetric=True, strategy="token", dynamic=True)
CASES = {
    "gptq": (gptq(4, 16), dict(quant_method="gptq", bits=4, group_size=16, desc_act=False, sym=False)),
    "gptq-order": (gptq(4, 16, order=True), dict(quant_method="gptq", bits=4, group_size=16, desc_act=True, sym=False, checkpoint_format="gptq")),
    "gptq-v2": (gptq(8, 32, v2=True), dict(quant_method="gptq", bits=8, group_size=32, checkpoint_format="gptq_v2")),
    "gptq-2": (gptq(2, 16), dict(quant_method="gptq", bits=2, group_size=16, sym=False)),
    "gptq-2-v2": (gptq(2, 32, order=True, v2=True), dict(quant_method="gptq", bits=2, group_size=32, desc_act=True, sym=False, checkpoint_format="gptq_v2")),
    "gptq-3": (gptq(3, -1), dict(quant_method="gptq", bits=3, group_size=-1)),
    "gptq-3-v2": (gptq(3, 32, v2=True), dict(quant_method="gptq", bits=3, group_size=32, checkpoint_format="gptq_v2")),
    "gptq-8": (gptq(8, 16), dict(quant_method="gptq", bits=8, group_size=16, sym=False)),
    "awq": (awq(16), dict(quant_method="awq", bits=4, group_size=16, zero_point=True, version="gemm")),
    "ct-pack": (lambda *a: compressed("pack-quantized", "group", group_size=16)(*a), CT("pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=16))),
    "ct-pack-zero": (lambda *a: compressed("pack-quantized", "group", symmetric=False, group_size=16)(*a), CT("pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=16, symmetric=False))),
    "ct-pack-order": (lambda *a: compressed("pack-quantized", "group", order=True, group_size=16)(*a), CT("pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=16, actorder="group"))),
    "ct-pack-zero-order": (lambda *a: compressed("pack-quantized", "group", symmetric=False, order=True, group_size=16)(*a), CT("pack-quantized", dict(num_bits=4, type="int", strategy="group", group_size=16, symmetric=False, actorder="group"))),
    "ct-pack-3": (lambda *a: compressed("pack-quantized", "channel", bits=3)(*a), CT("pack-quantized", dict(num_bits=3, type="int", strategy="channel"))),
    "ct-int": (lambda *a: compressed("int-quantized", "channel", bits=8)(*a), CT("int-quantized", dict(num_bits=8, type="int", strategy="channel"), dict(num_bits=8, dynamic=True))),
    "ct-w8a8": (lambda *a: compressed("int-quantized", "channel", bits=8)(*a), CT("int-quantized", dict(num_bits=8, type="int", strategy="channel", symmetric=True), TOKEN)),
    "ct-int-zero": (lambda *a: compressed("int-quantized", "channel", bits=8, symmetric=False)(*a), CT("int-quantized", dict(num_bits=8, type="int", strategy="channel", symmetric=False))),
    "ct-float": (lambda *a: compressed("float-quantized", "tensor", bits=8, kind="float")(*a), CT("float-quantized", dict(num_bits=8, type="float", strategy="tensor"))),
    "ct-float-block": (lambda *a: compressed("float-quantized", "block", bits=8, kind="float", block_structure=[24, 24])(*a), CT("float-quantized", dict(num_bits=8, type="float", strategy="block", block_structure=[24, 24]))),
    "fp8-block": (fp8(24), dict(quant_method="fp8", weight_block_size=[24, 24], activation_scheme="dynamic")),
    "fp8-tensor": (fp8(name_of="weight_scale", per="tensor"), dict(quant_method="fp8", activation_scheme="static")),
    "fp8-channel": (fp8(name_of="weight_scale", per="channel"), dict(quant_method="fbgemm_fp8")),
    "bnb-nf4": (lambda *a: bnb4("nf4", torch.bfloat16, True)(*a), dict(quant_method="bitsandbytes", load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)),
    "bnb-fp4": (lambda *a: bnb4("fp4", torch.float16, False)(*a), dict(quant_method="bitsandbytes", load_in_4bit=True, bnb_4bit_quant_type="fp4")),
    "bnb-int8": (bnb8, dict(quant_method="bitsandbytes", load_in_8bit=True)),
    "f64": (plain(torch.float64), None),
    "f8": (plain(torch.float8_e5m2), None),
    "mxfp4": (None, dict(quant_method="mxfp4")),
}


def int8_inputs(model):
    """Rounds what the blocks' linear layers read as compressed-tensors does as a model runs.

    Returns a list that is extended by how near a number was to the middle of two codes: what
    comes nearer than the arithmetic errs is rounded to either."""
    from compressed_tensors.quantization import QuantizationArgs, QuantizationStatus
    from compressed_tensors.quantization.lifecycle.forward import forward_quantize

    args, near = QuantizationArgs(**TOKEN), []

    def rounded(module, x):
        scaled = x[0] / (x[0].abs().amax(-1, keepdim=True) / 127.5)
        near.append((scaled - scaled.floor() - 0.5)[scaled.abs() < 127].abs().min().item())
        return (forward_quantize(module, x[0], "input", args),)

    for key, module in model.named_modules():
        if key.endswith("_proj"):
            module.quantization_status = QuantizationStatus.FROZEN
            module.register_forward_pre_hook(rounded)
    return near


@torch.no_grad()
def make(name):
    quantise, settings = CASES[name]
    config = OSS if name == "mxfp4" else LLAMA
    if name.startswith("bnb"):  # whose CPU kernel wants rows of whole blocks, as real models have
        config = dict(LLAMA, hidden_size=64, vocab_size=101)
    if name.startswith("gptq-3"):  # whose packing wants rows and columns of 32
        config = dict(LLAMA, num_key_value_heads=4)
    rng = np.random.default_rng(7)
    out = HERE / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**config), attn_implementation="eager")
    stored, weights, sums = {}, {}, {}
    with tempfile.TemporaryDirectory() as tmp:
        model.save_pretrained(tmp)
        with safe_open(f"{tmp}/model.safetensors", "pt") as f:
            for key in sorted(f.keys()):
                shape = list(f.get_slice(key).get_shape())
                w = torch.from_numpy(random(1, key, int(np.prod(shape)), *spread(key, shape, {"spread": [(r"router", 0, 0.6)]}))).reshape(shape)
                if name == "mxfp4" and (key.endswith("gate_up_proj") or key.endswith("down_proj")):
                    from transformers.integrations.mxfp4 import convert_moe_packed_tensors
                    experts, inputs, outputs = shape
                    blocks = torch.from_numpy(rng.integers(0, 256, (experts, outputs, inputs // 32, 16)).astype(np.uint8))
                    scales = torch.from_numpy(rng.integers(118, 126, (experts, outputs, inputs // 32)).astype(np.uint8))
                    stored[key + "_blocks"], stored[key + "_scales"] = blocks, scales
                    back = convert_moe_packed_tensors(blocks.clone(), scales.clone())
                elif quantise is not None and key.endswith("_proj.weight"):
                    made, back = quantise(key, w, rng)
                    stem = key.removesuffix("weight")
                    stored.update({stem + k: v for k, v in made.items()})
                else:
                    w = w.bfloat16().float()
                    stored[key], weights[key] = w.bfloat16(), w
                    continue
                weights[key] = back.float().contiguous()
                assert list(weights[key].shape) == shape, (key, weights[key].shape, shape)
                sums[key] = hashlib.sha256(weights[key].numpy().astype("<f4").tobytes()).hexdigest()
                if name == "ct-w8a8":  # products are of codes, which no number's rounding comes between
                    weights[key] = stored[key].float() * stored[key + "_scale"].float()
        save_file(weights, f"{tmp}/model.safetensors", {"format": "pt"})
        model, info = transformers.AutoModelForCausalLM.from_pretrained(tmp, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        assert not any(info.values()), info
    save_file({k: v.contiguous() for k, v in stored.items()}, out / "model.safetensors", {"format": "pt"})
    (out / "config.json").write_text(json.dumps(dict(config, **({"quantization_config": settings} if settings else {})), indent=1) + "\n")
    model.eval()
    near = int8_inputs(model) if name == "ct-w8a8" else None
    sequences, scores = [], []
    for length in LENGTHS if near is None else LENGTHS[:3]:
        if near is not None:
            near.clear()
        ids = rng.integers(0, 101, length + 1)
        logits = model(torch.tensor(ids[None, :-1]), use_cache=False).logits[0].float()
        while near is not None and min(near) < 3e-4:
            near.clear()
            ids = rng.integers(0, 101, length + 1)
            logits = model(torch.tensor(ids[None, :-1]), use_cache=False).logits[0].float()
        logp = torch.log_softmax(logits.double(), -1)
        top = logits.topk(2).values
        sequences.append({"ids": ids[:-1].tolist(), "targets": ids[1:].tolist()})
        scores.append({"logprob": pack(logp[torch.arange(length), torch.tensor(ids[1:])], "<f4"), "argmax": pack(logits.argmax(-1), "<i4"),
                       "top": pack(top[:, 0], "<f4"), "gap": pack(top[:, 0] - top[:, 1], "<f4"), "lse": pack(torch.logsumexp(logits, -1), "<f4")})
    golden = {"format": 1, "model": name, "seed": 1, "transformers": transformers.__version__, "weights": sums, "sequences": sequences,
              "runs": [{"attention": "softmax", "source": "transformers", "dtype": "float32", "sequences": scores}]}
    (HERE / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(name, len(sums), (out / "model.safetensors").stat().st_size)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        make(name)
